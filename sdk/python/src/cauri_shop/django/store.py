"""The book's storage in Django's default database. Every lock is a write, so one code serves all its engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db import router, transaction
from django.db.models import F, QuerySet

from ..book import EffectRow, OrderRow, Payment, State
from .models import BookOrder, BookPayment, OutboxEffect

_PAYMENT_COLUMNS = tuple(field.name for field in fields(Payment) if field.name != "order_ref")
_FIXED = {
    "transaction_id",
    "number",
    "site_id",
    "amount",
    "currency",
    "idempotency_key",
    "created_at",
    "version",
}
_PAYMENT_CHANGES = tuple(name for name in _PAYMENT_COLUMNS if name not in _FIXED)
_EFFECT_COLUMNS = tuple(field.name for field in fields(EffectRow))


class DjangoTransaction:
    """The book's statements in the connection's current transaction. Hooks use the ORM as always; `session` is None."""

    session: Any = None

    def __init__(self, using: str) -> None:
        self._using = using

    @property
    def _orders(self) -> QuerySet[BookOrder]:
        return BookOrder._default_manager.using(self._using)

    @property
    def _payments(self) -> QuerySet[BookPayment]:
        return BookPayment._default_manager.using(self._using)

    @property
    def _effects(self) -> QuerySet[OutboxEffect]:
        return OutboxEffect._default_manager.using(self._using)

    def lock_order(self, order_ref: str) -> OrderRow | None:
        """Writes the row, which locks it (SQLite: the database) until the end of the transaction, and reads it."""
        self._orders.filter(pk=order_ref).update(touched=F("touched") + 1)
        row = self._orders.filter(pk=order_ref).first()
        if row is None:
            return None
        return OrderRow(row.order_ref, row.amount, row.currency, row.fulfilled_by, row.fulfilled_at)

    def add_order(self, order: OrderRow) -> None:
        """Inserts the order unless it is there."""
        self._orders.bulk_create(
            [BookOrder(order_ref=order.order_ref, amount=order.amount, currency=order.currency)],
            ignore_conflicts=True,
        )

    def save_order(self, order: OrderRow) -> None:
        """Writes what the order is expected to bring."""
        self._orders.filter(pk=order.order_ref).update(amount=order.amount, currency=order.currency)

    def fulfil(self, order_ref: str, transaction_id: str, at: datetime) -> bool:
        """Marks the order as delivered by this payment; False when it already was."""
        free = self._orders.filter(pk=order_ref, fulfilled_by=None)
        return free.update(fulfilled_by=transaction_id, fulfilled_at=at) == 1

    def payments_of(self, order_ref: str) -> Sequence[Payment]:
        """The payments of an order, by number."""
        return [_payment(row) for row in self._payments.filter(order_id=order_ref).order_by("number")]

    def add_payment(self, payment: Payment) -> None:
        """Inserts a payment."""
        columns = {name: _column(payment, name) for name in _PAYMENT_COLUMNS}
        self._payments.create(order_id=payment.order_ref, **columns)

    def save_payment(self, payment: Payment) -> bool:
        """Writes what changes, if the row is as it was read."""
        changes: dict[str, Any] = {name: _column(payment, name) for name in _PAYMENT_CHANGES}
        same = self._payments.filter(pk=payment.transaction_id, version=payment.version)
        return same.update(version=payment.version + 1, **changes) == 1

    def add_effect(self, effect: EffectRow) -> None:
        """Inserts an effect unless its key is there."""
        row = OutboxEffect(**{name: getattr(effect, name) for name in _EFFECT_COLUMNS})
        self._effects.bulk_create([row], ignore_conflicts=True)

    def payment(self, transaction_id: str) -> Payment | None:
        """The payment of this name."""
        row = self._payments.filter(pk=transaction_id).first()
        return _payment(row) if row else None

    def payment_by_token(self, payment_token: str) -> Payment | None:
        """The payment of this token."""
        row = self._payments.filter(payment_token=payment_token).first() if payment_token else None
        return _payment(row) if row else None

    def count_due(self, site_id: str, now: datetime) -> int:
        """How many payments are due."""
        return self._due(site_id, now).count()

    def due_payments(self, site_id: str, now: datetime, limit: int) -> Sequence[Payment]:
        """Payments to ask about, oldest first."""
        return [_payment(row) for row in self._due(site_id, now).order_by("created_at", "pk")[:limit]]

    def claim_effects(
        self, now: datetime, until: datetime, limit: int, order_ref: str | None
    ) -> Sequence[EffectRow]:
        """Takes effects that are due; of two who claim one, one gets it."""
        # A first statement that writes: SQLite cannot turn a transaction that has read into one that writes.
        self._effects.filter(pk="").update(tries=0)
        due = self._effects.filter(done_at=None, next_try_at__lte=now).order_by("next_try_at", "pk")
        if order_ref is not None:
            due = due.filter(order_ref=order_ref)
        taken = []
        for row in due[:limit]:
            seen = self._effects.filter(pk=row.pk, tries=row.tries, done_at=None, next_try_at=row.next_try_at)
            if seen.update(tries=row.tries + 1, next_try_at=until):
                row.tries, row.next_try_at = row.tries + 1, until
                taken.append(EffectRow(**{name: getattr(row, name) for name in _EFFECT_COLUMNS}))
        return taken

    def save_effect(self, effect: EffectRow) -> None:
        """Writes how an effect went; one that is done stays so."""
        self._effects.filter(pk=effect.key, done_at=None).update(
            done_at=effect.done_at, next_try_at=effect.next_try_at, last_error=effect.last_error
        )

    def _due(self, site_id: str, now: datetime) -> QuerySet[BookPayment]:
        return self._payments.filter(site_id=site_id, next_ask_at__lte=now)


class DjangoStore:
    """The book in the database that the router names for writing it: your orders must be there too."""

    @contextmanager
    def begin(self) -> Iterator[DjangoTransaction]:
        """A transaction of its own. Raises RuntimeError inside `transaction.atomic` (or ATOMIC_REQUESTS)."""
        using = router.db_for_write(BookOrder)
        # durable: Django refuses it inside another transaction, which would hide the row until after the network call.
        with transaction.atomic(using=using, durable=True):
            yield DjangoTransaction(using)

    @contextmanager
    def reading(self) -> Iterator[DjangoTransaction]:
        """The latest committed rows; from the database that is written, since a replica may lag behind."""
        yield DjangoTransaction(router.db_for_write(BookOrder))


def _column(payment: Payment, name: str) -> Any:
    value = getattr(payment, name)
    return value.value if isinstance(value, State) else value


def _payment(row: BookPayment) -> Payment:
    columns = {name: getattr(row, name) for name in _PAYMENT_COLUMNS}
    return Payment(**{**columns, "order_ref": row.order_id, "state": State(row.state)})
