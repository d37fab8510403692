"""Every connector beside its dialect: a line here gives it all tests of the kit."""

from __future__ import annotations

import json

from cauri.domain.payment import Attempt
from tests.operators.kit import Case


def pawapay_paid(attempt: Attempt) -> tuple[bytes, str]:
    """An unsigned deposit callback."""
    deposit = {
        "depositId": attempt.reference,
        "status": "COMPLETED",
        "amount": "1500.0000",
        "currency": "XOF",
    }
    return json.dumps(deposit).encode(), ""


CASES = [
    Case("pawapay", "pawapay", "OM", "CI", "2250701{}", says_paid=pawapay_paid),
    Case("pawapay", "pawapay", "WAVECI", "CI", "2250702{}", says_paid=pawapay_paid),
    Case("pawapay", "pawapay", "OMBF", "BF", "22607{}", says_paid=pawapay_paid),
    Case("moov_3pp", "moov-3pp", "MOOVBF", "BF", "22670{}", tells_amounts=False),
]
