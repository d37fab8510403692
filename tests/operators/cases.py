"""Every connector beside its dialect: a line here gives it all tests of the kit."""

from __future__ import annotations

import json
from collections.abc import Callable

from cauri.domain.codes import FAILURES
from cauri.domain.payment import Attempt
from tests.operators.kit import Case

SaysPaid = Callable[[Attempt], tuple[bytes, str]]


def forged(path: str = "", **fields: str | int) -> SaysPaid:
    """A callback that nobody proves; ``REFERENCE`` in a text is where the attempt's stands."""

    def says_paid(attempt: Attempt) -> tuple[bytes, str]:
        body = json.dumps(fields).replace("REFERENCE", attempt.reference)
        return body.encode(), path.replace("REFERENCE", attempt.reference)

    return says_paid


def wave_paid(attempt: Attempt) -> tuple[bytes, str]:
    session = {
        "id": "cos-1",
        "client_reference": attempt.reference,
        "checkout_status": "complete",
        "payment_status": "succeeded",
        "transaction_id": "T_1",
        "amount": "1500",
        "currency": "XOF",
    }
    event = {"id": "EV_1", "type": "checkout.session.completed", "data": session}
    return json.dumps(event).encode(), ""


pawapay_paid = forged(depositId="REFERENCE", status="COMPLETED", amount="1500.0000", currency="XOF")
mtn_paid = forged(
    "/REFERENCE",
    externalId="REFERENCE",
    status="SUCCESSFUL",
    amount="1500",
    currency="XOF",
    financialTransactionId="1",
)
webpay_paid = forged("/REFERENCE", status="SUCCESS", notif_token="a-guess", txnid="MP1")
paygate_paid = forged(identifier="REFERENCE", tx_reference="1", payment_reference="2", amount=1500)
card_paid = forged(id="cs_1", reference="REFERENCE", status="paid")

# What an operator without a word for a failure, or with one word for all of them, leaves us to say.
ALL_CODES = {code.number for code in FAILURES}

CARD_BLOCK = {
    "customer_id": "c-17",
    "customer_name": "Traoré",
    "customer_surname": "Awa",
    "customer_email": "awa@example.ci",
    "customer_phone_number": "+2250700000001",
    "customer_address": "Rue 12",
    "customer_city": "Abidjan",
    "customer_country": "CI",
    "customer_state": "CI",
    "customer_zip_code": "225",
}

CASES = [
    Case("pawapay", "pawapay", "OM", "CI", "2250701{}", says_paid=pawapay_paid),
    Case("pawapay", "pawapay", "WAVECI", "CI", "2250702{}", says_paid=pawapay_paid),
    Case("pawapay", "pawapay", "OMBF", "BF", "22607{}", says_paid=pawapay_paid),
    Case("moov_3pp_bf", "moov-3pp", "MOOVBF", "BF", "22670{}", tells_amounts=False),
    Case("mtn_ci", "mtn", "MOMO", "CI", "2250502{}", says_paid=mtn_paid),
    Case(
        "orange_webpay_ci",
        "orange-webpay",
        "OM",
        "CI",
        "2250703{}",
        says=dict.fromkeys(ALL_CODES - {"603", "804"}, "600"),
        says_paid=webpay_paid,
        page_s=600,
        tells_amounts=False,
    ),
    Case("orange_ompreq", "orange-burkina", "OMBF", "BF", "22606{}", tells_amounts=False),
    Case(
        "wave_ci",
        "wave",
        "WAVECI",
        "CI",
        "2250704{}",
        says_paid=wave_paid,
        session_s=1800,
        page_s=1800,
    ),
    Case("paygate", "paygate", "FLOOZTG", "TG", "22896{}", says_paid=paygate_paid),
    Case(
        "card_page_ci",
        "card-page",
        "VISAM",
        "CI",
        "2250705{}",
        says_paid=card_paid,
        page_s=1800,
        fields=CARD_BLOCK,
    ),
]

# The same connectors with another country's contract, method or currency: they pay, and lose nothing.
COUNTRIES = [
    Case("moov_3pp_ci", "moov-3pp", "FLOOZ", "CI", "2250102{}", tells_amounts=False),
    Case("moov_3pp_ml", "moov-3pp", "MOOVML", "ML", "22365{}", tells_amounts=False),
    Case("mtn_cm", "mtn", "MTNCM", "CM", "237650{}", currency="XAF"),
    Case("mtn_gn", "mtn", "MTNGN", "GN", "224662{}", currency="GNF", amount=15000),
    Case("mtn_bj", "mtn", "MTNBJ", "BJ", "2290151{}"),
    Case("orange_webpay_ml", "orange-webpay", "OMML", "ML", "22375{}"),
    Case("orange_webpay_gn", "orange-webpay", "OMGN", "GN", "224622{}", currency="GNF", amount=15000),
    Case("orange_webpay_cm", "orange-webpay", "OMCM", "CM", "237690{}", currency="XAF"),
    Case("orange_webpay_cd", "orange-webpay", "OMCD", "CD", "243890{}", currency="CDF"),
    Case("orange_webpay_cd", "orange-webpay", "OMCDUSD", "CD", "243892{}", currency="USD", amount=12),
    Case("wave_sn", "wave", "WAVESN", "SN", "221771{}"),
    Case("paygate", "paygate", "TmoneyTG", "TG", "22890{}"),
    Case("card_page_cm", "card-page", "VISAMCM", "CM", "237691{}", currency="XAF", fields=CARD_BLOCK),
    Case(
        "card_page_cd",
        "card-page",
        "VISAMCDUSD",
        "CD",
        "243891{}",
        currency="USD",
        amount=12,
        fields=CARD_BLOCK,
    ),
]
