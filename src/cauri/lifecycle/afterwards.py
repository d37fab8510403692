"""What operators are told once something is recorded: best effort, after the commit, never awaited by anybody.

A customer who leaves, or who has paid by another attempt, has the request in flight taken back where its operator can; what became of
it is asked all the same. A payer who has paid is told through the operator, where it offers that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from cauri.domain.payment import Attempt, AttemptStatus, Change, Payment
from cauri.lifecycle.orders import order_of
from cauri.operators.registry import Operators
from cauri.store import Store

log = structlog.get_logger("cauri.operators")

CALL_TIMEOUT_S = 30.0


class Afterwards:
    """``hint(reference)`` brings the next question about an attempt forward."""

    def __init__(
        self,
        store: Store,
        operators: Operators,
        public_url: str,
        hint: Callable[[str], Coroutine[Any, Any, None]],
    ) -> None:
        self._store = store
        self._operators = operators
        self._public_url = public_url
        self._hint = hint
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, change: Change) -> None:
        """A change that this process has committed."""
        if not self._operators.names:
            return
        if change.event == "left":
            self._begin(self._take_back(change.after))
        elif change.event == "paid":
            before, attempt = change.attempts[-1]
            self._begin(self._tell_paid(change.after, attempt))
            if before is AttemptStatus.FAILED:  # only then can a rival be in flight
                self._begin(self._take_back(change.after))

    async def idle(self) -> None:
        """Returns when every call has ended."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def stop(self, within_s: float = 5.0) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within_s)
        for task in self._tasks:
            task.cancel()

    async def _take_back(self, payment: Payment) -> None:
        for attempt in await self._store.attempts(payment):
            connector = self._operators.named(attempt.connector)
            if attempt.status is AttemptStatus.SENT and connector is not None:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    await connector.cancel(order_of(payment, attempt, self._public_url))
                await self._hint(attempt.reference)

    async def _tell_paid(self, payment: Payment, attempt: Attempt) -> None:
        connector = self._operators.named(attempt.connector)
        if connector is not None:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await connector.after_paid(order_of(payment, attempt, self._public_url))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_told(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _told(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:
        log.warning("afterwards_failed", error=type(error).__name__)
