"""What every procedure of the book stands on, and the move that all of them end in."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Callable

from ..answers import PaymentStatus
from .colours import entered, settled
from .decide import Hook, Move
from .events import PaymentEvent, effect_payload
from .hooks import Hooks
from .rows import EffectRow, OrderRow, Payment
from .store import BookStore, BookTransaction

_log = logging.getLogger("cauri_shop.book")
_CROSSINGS_MAX = 20

Decision = Callable[[OrderRow, Payment], Move]


class Crossed(Exception):
    """Somebody else wrote the row first: the transaction is rolled back and begun again with what stands there now."""


@dataclass(frozen=True)
class Parts:
    """The store, the hooks, a clock, and how to wait. `checkout` gives the Checkout; both colours are called alike."""

    store: BookStore
    checkout: Callable[[], Any]
    hooks: Hooks
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None] | None]

    @property
    def site_id(self) -> str:
        """The site that this book asks about."""
        site_id: str = self.checkout().site_id
        return site_id


async def move(
    parts: Parts, payment: Payment, decision: Decision, status: PaymentStatus | None = None
) -> Payment:
    """One database transaction: lock the order, decide by what stands there, write, run the hooks. Gives the new row.

    Whatever a hook raises undoes all of it and reaches the caller.
    """
    for _ in range(_CROSSINGS_MAX):
        try:
            return await _moved(parts, payment, decision, status)
        except Crossed:
            _log.debug("crossed %s", payment.transaction_id)
    raise RuntimeError(
        f"payment {payment.transaction_id} changed {_CROSSINGS_MAX} times under our hands; ask again"
    )


async def _moved(parts: Parts, payment: Payment, decision: Decision, status: PaymentStatus | None) -> Payment:
    async with entered(parts.store.begin()) as tx:
        order = await settled(tx.lock_order(payment.order_ref))
        seen = await settled(tx.payment(payment.transaction_id))
        if order is None or seen is None:
            raise LookupError(f"payment {payment.transaction_id} is not in the book any more")
        decided = decision(order, seen)
        if decided.payment == seen:
            return seen
        after = await saved(tx, decided.payment)
        if decided.hook is not None and status is not None:
            await _told(parts, tx, decided.hook, PaymentEvent(after, status, tx.session))
    if after.state is not seen.state:
        _log.info("settled %s %s -> %s", after.transaction_id, seen.state.value, after.state.value)
    return after


async def saved(tx: BookTransaction, payment: Payment) -> Payment:
    """The row as written. Raises Crossed when it was changed since it was read."""
    if not await settled(tx.save_payment(payment)):
        raise Crossed
    return replace(payment, version=payment.version + 1)


async def _told(parts: Parts, tx: BookTransaction, hook: Hook, event: PaymentEvent) -> None:
    if hook is Hook.PAID:
        now = parts.now()
        if not await settled(tx.fulfil(event.order_ref, event.transaction_id, now)):
            raise Crossed
        for name in parts.hooks.effect_names:
            await settled(tx.add_effect(_effect(name, event.payment, now)))
    await parts.hooks.run(hook, event)


def _effect(name: str, payment: Payment, now: datetime) -> EffectRow:
    key = f"{name}:{payment.order_ref}"
    return EffectRow(key, name, payment.order_ref, payment.transaction_id, effect_payload(payment), now, now)
