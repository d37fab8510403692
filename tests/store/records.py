"""Payments, attempts and changes to write, as the engine makes them."""

from __future__ import annotations

import secrets
from typing import Any

from cauri.clock import MINUTE, new_id, operator_reference, payment_token
from cauri.domain import moves
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused
from cauri.domain.payment import Attempt, AttemptStatus, Change, Payment, PaymentRequest, slot_of
from cauri.domain.phone import Phone

NOW = 1_790_000_000_000
SITE_ID = "445160"
PHONE = Phone("CI", "225", "0102324373")
REQUEST = PaymentRequest(
    description="Panier", return_url="https://shop.example/return", notify_url="https://shop.example/notify"
)


def new_payment(transaction_id: str | None = None, **fields: Any) -> Payment:
    """A payment that nobody has opened yet."""
    name = transaction_id or f"T{secrets.token_hex(8)}"
    site_id = fields.get("site_id", SITE_ID)
    slot = slot_of(site_id, name.encode("utf-8", "replace").decode())
    wanted: dict[str, Any] = {
        "slot": slot,
        "site_id": SITE_ID,
        "transaction_id": name,
        "token": payment_token(slot),
        "amount": 1500,
        "currency": "XOF",
        "created_at": NOW,
        "expires_at": NOW + 30 * MINUTE,
        "request": REQUEST,
    }
    return Payment(**(wanted | fields))


def sent_attempt(payment: Payment, **fields: Any) -> Attempt:
    """The payment's next attempt, in flight, whose question is due at NOW."""
    wanted: dict[str, Any] = {
        "slot": payment.slot,
        "token": payment.token,
        "number": payment.attempts + 1,
        "reference": operator_reference(payment.slot),
        "connector": "moov-3pp",
        "method": "FLOOZ",
        "phone": PHONE,
        "amount": payment.amount,
        "currency": payment.currency,
        "status": AttemptStatus.SENT,
        "code": Code.WAITING_TO_VALIDATE,
        "started_at": NOW,
        "sent_at": NOW,
        "next_ask_at": NOW,
    }
    return Attempt(**(wanted | fields))


def started(payment: Payment, attempt: Attempt | None = None) -> Change:
    return moves.started(payment, attempt or sent_attempt(payment), None, NOW, new_id())


def paid(payment: Payment, attempt: Attempt) -> Change:
    outcome = Accepted(operator_id="OP-1", amount=None, currency=None, paid_at=NOW)
    return _made(moves.settled(payment, attempt, outcome, NOW + 1, new_id()))


def refused(payment: Payment, attempt: Attempt) -> Change:
    return _made(
        moves.settled(payment, attempt, Refused(Code.INSUFFICIENT_BALANCE, "NSF"), NOW + 1, new_id())
    )


def cancelled(payment: Payment) -> Change:
    return _made(moves.ended_without_payment(payment, None, NOW + 1, new_id(), "cancelled"))


def left(payment: Payment) -> Change:
    return _made(moves.left(payment, NOW, new_id()))


def _made(change: Change | None) -> Change:
    assert change is not None
    return change
