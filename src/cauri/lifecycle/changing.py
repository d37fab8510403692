"""Guarded changes: decide on the newest state, write under its version, and decide again where somebody was faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cauri.domain.errors import PaymentNotFound, StoreUnavailable
from cauri.domain.limits import LimitReached, PromptsReached
from cauri.domain.payment import Attempt, Change, Payment
from cauri.lifecycle.view import last_open
from cauri.store import Store

RACES_MAX = 50

Decision = Callable[[Payment], Awaitable[Change | None]]


class GuardRefused(Exception):
    """The change's guard does not hold: a limit is reached, nothing was written."""

    def __init__(self, reached: LimitReached | PromptsReached) -> None:
        super().__init__(str(reached))
        self.reached = reached


class Changing:
    """``on_change`` hears of every change that this process has committed."""

    def __init__(self, store: Store, on_change: Callable[[Change], None]) -> None:
        self._store = store
        self._on_change = on_change

    async def change(self, token: str, decide: Decision) -> tuple[Payment | None, Change | None]:
        """The payment as it now is, and the change that was made, if any.

        ``decide`` may run several times and must not write. Raises what ``decide`` raises, and GuardRefused.
        """
        for _ in range(RACES_MAX):
            payment = await self._store.payment_by_token(token)
            if payment is None:
                return None, None
            change = await decide(payment)
            if change is None:
                return payment, None
            verdict = await self._store.apply(change)
            if verdict is True:
                self._on_change(change)
                return change.after, change
            if verdict is not False:
                raise GuardRefused(verdict)
        raise StoreUnavailable("the payment kept changing while we tried to change it")

    async def changed(self, token: str, decide: Decision) -> Payment:
        """The payment as it now is. Raises PaymentNotFound, and what ``change`` raises."""
        payment, _ = await self.change(token, decide)
        if payment is None:
            raise PaymentNotFound
        return payment

    async def open_attempt(self, payment: Payment) -> Attempt | None:
        """The attempt in flight, or the one that waits for a code."""
        return None if payment.attempts == 0 else last_open(await self._store.attempts(payment))
