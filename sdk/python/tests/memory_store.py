"""The storage protocol in plain dictionaries, asynchronous: the smallest store that keeps the book's promises."""

from __future__ import annotations

import asyncio
import copy
from contextlib import asynccontextmanager
from dataclasses import replace

from cauri_shop.book import OrderRow


class MemoryStore:
    """One lock is the transaction; an exception puts everything back."""

    def __init__(self):
        self.orders, self.payments, self.effects = {}, {}, {}
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def begin(self):
        async with self._lock:
            before = copy.copy((dict(self.orders), dict(self.payments), dict(self.effects)))
            try:
                yield _Transaction(self)
            except BaseException:
                self.orders, self.payments, self.effects = before
                raise

    @asynccontextmanager
    async def reading(self):
        yield _Transaction(self)


class _Transaction:
    session = "the session"

    def __init__(self, store):
        self._store = store

    async def lock_order(self, order_ref):
        await asyncio.sleep(0)
        return self._store.orders.get(order_ref)

    async def add_order(self, order):
        self._store.orders.setdefault(order.order_ref, order)

    async def save_order(self, order: OrderRow):
        kept = self._store.orders[order.order_ref]
        self._store.orders[order.order_ref] = replace(kept, amount=order.amount, currency=order.currency)

    async def fulfil(self, order_ref, transaction_id, at):
        order = self._store.orders[order_ref]
        if order.fulfilled_by is not None:
            return False
        self._store.orders[order_ref] = replace(order, fulfilled_by=transaction_id, fulfilled_at=at)
        return True

    def payments_of(self, order_ref):
        return sorted(
            (p for p in self._store.payments.values() if p.order_ref == order_ref), key=lambda p: p.number
        )

    async def add_payment(self, payment):
        self._store.payments[payment.transaction_id] = payment

    async def save_payment(self, payment):
        await asyncio.sleep(0)
        if self._store.payments[payment.transaction_id].version != payment.version:
            return False
        self._store.payments[payment.transaction_id] = replace(payment, version=payment.version + 1)
        return True

    async def add_effect(self, effect):
        self._store.effects.setdefault(effect.key, effect)

    async def payment(self, transaction_id):
        return self._store.payments.get(transaction_id)

    async def payment_by_token(self, payment_token):
        return next((p for p in self._store.payments.values() if p.payment_token == payment_token), None)

    async def count_due(self, site_id, now):
        return len(self.due_payments(site_id, now, 10**6))

    def due_payments(self, site_id, now, limit):
        due = [
            p
            for p in self._store.payments.values()
            if p.site_id == site_id and p.next_ask_at and p.next_ask_at <= now
        ]
        return sorted(due, key=lambda p: p.created_at)[:limit]

    async def claim_effects(self, now, until, limit, order_ref):
        due = [e for e in self._store.effects.values()
               if e.done_at is None and e.next_try_at <= now and order_ref in (None, e.order_ref)][:limit]  # fmt: skip
        taken = [replace(effect, tries=effect.tries + 1, next_try_at=until) for effect in due]
        self._store.effects.update({effect.key: effect for effect in taken})
        return taken

    async def save_effect(self, effect):
        self._store.effects[effect.key] = effect
