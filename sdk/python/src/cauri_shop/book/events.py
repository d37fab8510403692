"""What hooks and effects are given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..answers import PaymentStatus
from .rows import EffectRow, Payment


@dataclass(frozen=True)
class PaymentEvent:
    """What happened to a payment, told inside the database transaction that records it.

    `session` is that transaction's SQLAlchemy session, None under Django. `payment` is the row after the move,
    `status` what check said. `problem` says in words why a person must look (on_overpaid, on_mismatch).
    """

    payment: Payment
    status: PaymentStatus = field(repr=False)
    session: Any = field(default=None, repr=False)

    @property
    def order_ref(self) -> str:
        """The order, as the shop named it to `start`."""
        return self.payment.order_ref

    @property
    def transaction_id(self) -> str:
        """The payment's name at the gateway."""
        return self.payment.transaction_id

    @property
    def amount(self) -> int:
        """What the shop asked for, in whole currency units."""
        return self.payment.amount

    @property
    def currency(self) -> str:
        """The currency that the shop asked for."""
        return self.payment.currency

    @property
    def code(self) -> str:
        """The gateway's code, for instance "00" or "602"."""
        return self.payment.code

    @property
    def problem(self) -> str:
        """Why a person must look; empty when nobody must."""
        return self.payment.problem


@dataclass(frozen=True)
class Effect:
    """An effect to carry out after the commit: at least once, so `key` is for a receiver that can tell repeats.

    `amount` counts whole currency units; `tries` counts from 1.
    """

    key: str
    name: str
    order_ref: str
    transaction_id: str
    amount: int
    currency: str
    code: str
    payment_method: str
    operator_id: str
    tries: int

    @classmethod
    def of(cls, row: EffectRow) -> Effect:
        """The effect that a row of the outbox stands for."""
        payload = json.loads(row.payload)
        return cls(row.key, row.name, row.order_ref, row.transaction_id, tries=row.tries, **payload)


def effect_payload(payment: Payment) -> str:
    """The payload of an effect: what is known of the payment at its commit, as JSON text."""
    names = ("amount", "currency", "code", "payment_method", "operator_id")
    return json.dumps({name: getattr(payment, name) for name in names})
