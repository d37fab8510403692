"""The book's rows, as values. A change is a new value (`dataclasses.replace`) that a store then writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class State(Enum):
    """Where a payment stands in the shop's own record.

    OPENED: written before the gateway was asked, whose answer is not known. WAITING: its page's URL is stored.
    MISMATCH: paid, but not what the order asks; a person must look. CLOSED: the gateway never knew it.
    """

    OPENED = "opened"
    WAITING = "waiting"
    PAID = "paid"
    REFUSED = "refused"
    MISMATCH = "mismatch"
    CLOSED = "closed"


@dataclass(frozen=True)
class OrderRow:
    """What the book knows of one order of the shop. Locking this row settles one payment of the order at a time.

    `amount` counts whole currency units: what the shop asked for last. `fulfilled_by` names the payment that
    delivered the order; it is written once.
    """

    order_ref: str
    amount: int
    currency: str
    fulfilled_by: str | None = None
    fulfilled_at: datetime | None = None


@dataclass(frozen=True)
class Payment:
    """One payment of an order; `number` counts them from 1. Dates are aware, in UTC.

    `next_ask_at` is when reconcile asks again, None when it does not. `version` guards every change of the row.
    """

    transaction_id: str
    order_ref: str
    number: int
    site_id: str
    amount: int
    currency: str
    state: State
    idempotency_key: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime
    payment_token: str = field(default="", repr=False)
    payment_url: str = field(default="", repr=False)
    code: str = ""
    payment_method: str = ""
    operator_id: str = ""
    paid_at: datetime | None = None
    problem: str = ""
    asks: int = 0
    asked_at: datetime | None = None
    next_ask_at: datetime | None = None
    version: int = 0

    @property
    def open(self) -> bool:
        """Whether it may still be paid, as far as the book knows."""
        return self.state in (State.OPENED, State.WAITING)

    @property
    def paid(self) -> bool:
        """Whether the money arrived and is what the order asked. It stays so whatever is said later."""
        return self.state is State.PAID

    @property
    def refused(self) -> bool:
        """Whether the gateway said that it failed; only a later check that says paid changes this."""
        return self.state is State.REFUSED


@dataclass(frozen=True)
class EffectRow:
    """Something to do after the commit that fulfilled an order, until it succeeds. `payload` is JSON text."""

    key: str
    name: str
    order_ref: str
    transaction_id: str
    payload: str
    created_at: datetime
    next_try_at: datetime
    tries: int = 0
    done_at: datetime | None = None
    last_error: str = ""
