"""How MTN describes a request to pay: in the answer of a status query, and in its callback."""

from decimal import Decimal

from cauri.simulator.dialects.mtn.words import REASONS, SLOW_PAYER, TEST_NUMBERS, WORDS
from cauri.simulator.exchange import Collection
from cauri.simulator.stories import PAID

_CREATED_MS = 1_000
_CREATED_SLOW_MS = 10_000
"""How long a request says CREATED, a state that MTN does not document, before it says PENDING."""


def body_of(collection: Collection, now: int) -> dict[str, object]:
    """The status body. The reference id is in it nowhere: MTN never repeats it."""
    echo = collection.extras["echo"]
    if not isinstance(echo, dict):
        raise TypeError("a request to pay is recorded with its body")
    body: dict[str, object] = {
        **echo,
        "amount": collection.reported_amount,
        "currency": collection.reported_currency,
        "status": status_of(collection, now),
    }
    if collection.outcome == PAID:
        body["financialTransactionId"] = collection.operator_id
    elif collection.outcome is not None:
        body["reason"] = reason_of(collection)
    return body


def status_of(collection: Collection, now: int) -> str:
    if collection.outcome is None:
        slow = collection.phone == SLOW_PAYER and bool(collection.extras["sandbox"])
        young_ms = _CREATED_SLOW_MS if slow else _CREATED_MS
        return "CREATED" if now - collection.created_at < young_ms else "PENDING"
    return "SUCCESSFUL" if collection.outcome == PAID else "FAILED"


def reason_of(collection: Collection) -> str:
    """The sandbox's payers have reasons of their own, as long as the control plane has not said otherwise."""
    outcome = str(collection.outcome)
    test_number = TEST_NUMBERS.get(collection.phone) if collection.extras["sandbox"] else None
    if test_number is not None and test_number.outcome == outcome:
        return REASONS[collection.phone]
    return WORDS[outcome]


def balance_of(collections: list[Collection], decimals: int) -> str:
    paid = (Decimal(c.reported_amount) for c in collections if c.outcome == PAID)
    return f"{sum(paid, Decimal(0)):.{decimals}f}"
