"""How WebPay says that a payment ended, and its errors."""

from collections.abc import Mapping

from cauri.simulator.exchange import Collection
from cauri.simulator.stories import FAILURE_CODES, PAID

INITIATED, PENDING, SUCCESS, FAILED, EXPIRED = "INITIATED", "PENDING", "SUCCESS", "FAILED", "EXPIRED"

WORDS: Mapping[str, str | None] = {code: None if code == "600" else f"CAURI_{code}" for code in FAILURE_CODES}
"""Code of the status table → the reserved word in `message` beside FAILED.

WebPay says FAILED and never why, so 600 is FAILED alone; `message` is not a field of Orange's.
"""

REFUSED_AT_ONCE: Mapping[str, tuple[int, int, str]] = {
    "603": (403, 50, "Access denied"),
    "804": (503, 5, "The service is temporarily unavailable"),
}
"""What the start itself answers, as HTTP status, code and message, where the operator's next outcome was set so."""


class Refused(Exception):
    """An answer that is no payment: HTTP status, Orange's code, message and description."""

    def __init__(self, status: int, code: int, message: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.content = {"code": code, "message": message, "description": description}


def state_of(collection: Collection) -> str:
    if collection.outcome == PAID:
        return SUCCESS
    if collection.outcome is not None:
        return EXPIRED if collection.extras.get("expired") else FAILED
    return PENDING if collection.extras.get("confirmed") else INITIATED


def why(collection: Collection) -> str | None:
    return WORDS[collection.outcome] if state_of(collection) == FAILED and collection.outcome else None
