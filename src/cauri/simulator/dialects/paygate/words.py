"""PayGate's numbers, which mean one thing on /pay and another on /status, and what it has no number for."""

from collections.abc import Mapping

from cauri.simulator.stories import FAILURE_CODES

REGISTERED, BAD_TOKEN, BAD_PARAMETERS, DUPLICATE = 0, 2, 4, 6
"""`status` of /api/v1/pay."""

PAID_STATUS, IN_PROGRESS, EXPIRED, CANCELLED = 0, 2, 4, 6
"""`status` of /api/v1/status and /api/v2/status."""

REFUSED_AT_ONCE: Mapping[str, int] = {"603": BAD_TOKEN}
"""Failures that answer /pay; nothing is recorded then."""

_OWN_NUMBERS: Mapping[str, int] = {"600": EXPIRED, "627": CANCELLED, **REFUSED_AT_ONCE}

WORDS: Mapping[str, int | str] = {code: _OWN_NUMBERS.get(code, f"CAURI_{code}") for code in FAILURE_CODES}
"""Code of the status table → `status`. PayGate says no more than expired or cancelled of a payment that
failed; where it has no number, a reserved word of the simulator stands in the number's place."""
