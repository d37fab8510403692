"""The book's storage protocol on dictionaries, blocking and fully typed: what a user writes for a database of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from cauri_shop.book import BookStore, EffectRow, OrderRow
from cauri_shop.book.rows import Payment


@dataclass
class Tables:
    """The rows by their primary keys."""

    orders: dict[str, OrderRow] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    effects: dict[str, EffectRow] = field(default_factory=dict)

    def copy(self) -> Tables:
        return Tables(dict(self.orders), dict(self.payments), dict(self.effects))


class DictStore:
    """One lock is the transaction; an exception puts everything back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables = Tables()

    @contextmanager
    def begin(self) -> Iterator[DictTransaction]:
        with self._lock:
            draft = self._tables.copy()
            yield DictTransaction(draft)
            self._tables = draft

    @contextmanager
    def reading(self) -> Iterator[DictTransaction]:
        yield DictTransaction(self._tables.copy())


class DictTransaction:
    """Works on a copy, which becomes the tables when the block ends well."""

    session: None = None

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def lock_order(self, order_ref: str) -> OrderRow | None:
        return self._tables.orders.get(order_ref)

    def add_order(self, order: OrderRow) -> None:
        self._tables.orders.setdefault(order.order_ref, order)

    def save_order(self, order: OrderRow) -> None:
        kept = self._tables.orders[order.order_ref]
        self._tables.orders[order.order_ref] = replace(kept, amount=order.amount, currency=order.currency)

    def fulfil(self, order_ref: str, transaction_id: str, at: datetime) -> bool:
        order = self._tables.orders[order_ref]
        if order.fulfilled_by is not None:
            return False
        self._tables.orders[order_ref] = replace(order, fulfilled_by=transaction_id, fulfilled_at=at)
        return True

    def payments_of(self, order_ref: str) -> Sequence[Payment]:
        mine = [one for one in self._tables.payments.values() if one.order_ref == order_ref]
        return sorted(mine, key=lambda one: one.number)

    def add_payment(self, payment: Payment) -> None:
        self._tables.payments[payment.transaction_id] = payment

    def save_payment(self, payment: Payment) -> bool:
        if self._tables.payments[payment.transaction_id].version != payment.version:
            return False
        self._tables.payments[payment.transaction_id] = replace(payment, version=payment.version + 1)
        return True

    def add_effect(self, effect: EffectRow) -> None:
        self._tables.effects.setdefault(effect.key, effect)

    def payment(self, transaction_id: str) -> Payment | None:
        return self._tables.payments.get(transaction_id)

    def payment_by_token(self, payment_token: str) -> Payment | None:
        found = (one for one in self._tables.payments.values() if one.payment_token == payment_token)
        return next(found, None)

    def count_due(self, site_id: str, now: datetime) -> int:
        return len(self._due(site_id, now))

    def due_payments(self, site_id: str, now: datetime, limit: int) -> Sequence[Payment]:
        return sorted(self._due(site_id, now), key=lambda one: one.created_at)[:limit]

    def claim_effects(
        self, now: datetime, until: datetime, limit: int, order_ref: str | None
    ) -> Sequence[EffectRow]:
        due = [
            one for one in self._tables.effects.values()
            if one.done_at is None and one.next_try_at <= now and order_ref in (None, one.order_ref)
        ]  # fmt: skip
        taken = [replace(one, tries=one.tries + 1, next_try_at=until) for one in due[:limit]]
        self._tables.effects.update({one.key: one for one in taken})
        return taken

    def save_effect(self, effect: EffectRow) -> None:
        self._tables.effects[effect.key] = effect

    def _due(self, site_id: str, now: datetime) -> list[Payment]:
        return [
            one for one in self._tables.payments.values()
            if one.site_id == site_id and one.next_ask_at is not None and one.next_ask_at <= now
        ]  # fmt: skip


def new_store() -> BookStore:
    """The class keeps the protocol, as mypy sees it."""
    return DictStore()
