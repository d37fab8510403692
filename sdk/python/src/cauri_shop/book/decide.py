"""Decisions, pure: rows and what the gateway said → rows to write and which hook runs. No I/O, no clock.

Paid is absorbing; refused becomes paid when a check says so; waiting and unknown codes are never a failure; what is
not exactly what the order asks is never delivered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from ..answers import PaymentStatus
from ..codes import PaymentState
from .rows import OrderRow, Payment, State

UNKNOWN_CLOSES_AFTER = timedelta(hours=1)
_ASK_GAPS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 30, 60, 120, 360))
_ASK_GAP_LAST = timedelta(hours=12)


class Hook(Enum):
    """Which of the shop's hooks a move runs."""

    PAID = "on_paid"
    REFUSED = "on_refused"
    OVERPAID = "on_overpaid"
    MISMATCH = "on_mismatch"


@dataclass(frozen=True)
class Move:
    """What to write: the payment after the move, and the hook that runs in the same database transaction.

    PAID also fulfils the order and adds the effects.
    """

    payment: Payment
    hook: Hook | None = None


def decide(order: OrderRow, payment: Payment, status: PaymentStatus, *, site_id: str, now: datetime) -> Move:
    """The move that a check's answer asks for. `order` and `payment` are as they stand in the locked rows."""
    if payment.state is State.PAID:
        return Move(payment)
    if status.state is PaymentState.PAID:
        return _paid(order, payment, status, site_id, now)
    if status.state is PaymentState.REFUSED:
        return _refused(order, payment, status, now)
    return Move(_still_waiting(payment, status, now))


def decide_unknown(payment: Payment, now: datetime) -> Move:
    """The gateway knows no such payment (404). It closes only an hour after the gateway was last asked to open it."""
    if payment.open and now - payment.started_at >= UNKNOWN_CLOSES_AFTER:
        return Move(_asked(payment, now, state=State.CLOSED, code="404", next_ask_at=None))
    return decide_silence(payment, now)


def decide_silence(payment: Payment, now: datetime) -> Move:
    """Nothing was learnt (5xx, time-out, 429): only the next question is put off."""
    return Move(_asked(payment, now, next_ask_at=next_ask(payment, now)))


def next_ask(payment: Payment, now: datetime) -> datetime | None:
    """When to ask about an open payment again: gaps grow from a minute to twelve hours. None for the others."""
    if not payment.open:
        return None
    return now + (_ASK_GAPS[payment.asks] if payment.asks < len(_ASK_GAPS) else _ASK_GAP_LAST)


def differs(order: OrderRow, payment: Payment, status: PaymentStatus, site_id: str) -> str:
    """What is not as the order asks, in words; empty when site, amount and currency are all equal."""
    if payment.site_id != site_id:
        return f"the payment was opened for site {payment.site_id}, this is site {site_id}"
    if (payment.amount, payment.currency) != (order.amount, order.currency):
        return f"the payment is {payment.amount} {payment.currency}, the order is now {order.amount} {order.currency}"
    if not status.matches(amount=payment.amount, currency=payment.currency):
        told = f"{_word(status.amount)} {_word(status.currency)}"
        return f"the gateway says {told}, the order says {payment.amount} {payment.currency}"
    return ""


def _word(value: object) -> str:
    return "(nothing)" if value is None else str(value)[:40]


def _paid(order: OrderRow, payment: Payment, status: PaymentStatus, site_id: str, now: datetime) -> Move:
    problem = differs(order, payment, status, site_id)
    facts = {
        "code": status.code[:20], "payment_method": (status.payment_method or "")[:40],
        "operator_id": (status.operator_id or "")[:255], "next_ask_at": None,
    }  # fmt: skip
    if order.fulfilled_by is not None and payment.site_id == site_id:
        problem = f"order {order.order_ref} was already paid by {order.fulfilled_by}" + (
            f"; {problem}" if problem else ""
        )
        paid = _asked(payment, now, state=State.PAID, paid_at=now, problem=problem[:500], **facts)
        return Move(paid, Hook.OVERPAID)
    if problem:
        told_before = payment.state is State.MISMATCH
        mismatch = _asked(payment, now, state=State.MISMATCH, problem=problem[:500], **facts)
        return Move(mismatch, None if told_before else Hook.MISMATCH)
    return Move(_asked(payment, now, state=State.PAID, paid_at=now, problem="", **facts), Hook.PAID)


def _refused(order: OrderRow, payment: Payment, status: PaymentStatus, now: datetime) -> Move:
    if payment.state is State.MISMATCH:
        return Move(_asked(payment, now))
    refused = _asked(payment, now, state=State.REFUSED, code=status.code[:20], next_ask_at=None)
    first = payment.state is not State.REFUSED
    # An order that another payment fulfilled must not even hear of a failure.
    return Move(refused, Hook.REFUSED if first and order.fulfilled_by is None else None)


def _still_waiting(payment: Payment, status: PaymentStatus, now: datetime) -> Payment:
    if payment.state in (State.REFUSED, State.MISMATCH):
        return _asked(payment, now)
    # The gateway knows it, so it exists; without a stored URL it stays OPENED, and the customer takes a new one.
    state = State.WAITING if payment.payment_url else State.OPENED
    waiting = replace(payment, state=state)
    code = status.code[:20] if status.state is PaymentState.WAITING else payment.code
    return _asked(waiting, now, code=code, next_ask_at=next_ask(waiting, now))


def _asked(payment: Payment, now: datetime, **changed: object) -> Payment:
    return replace(payment, asks=payment.asks + 1, asked_at=now, updated_at=now, **changed)  # type: ignore[arg-type]
