"""Asks operators about attempts whose question is due (contract section 8, "asking operators")."""

from __future__ import annotations

import asyncio

import structlog

from cauri.clock import Clock, new_id
from cauri.domain.payment import Attempt
from cauri.lifecycle import Lifecycle
from cauri.lifecycle.asking import ASK_LEASE

log = structlog.get_logger("cauri.loops")

IN_FLIGHT_MAX = 64


class PollOperators:
    """Claims due questions and asks them side by side, so many at once for all operators together."""

    def __init__(self, lifecycle: Lifecycle, clock: Clock) -> None:
        self._lifecycle = lifecycle
        self._clock = clock
        self._asking: set[asyncio.Task[None]] = set()

    async def tick(self, now: int) -> int:
        """How many questions were taken up; they are asked in tasks of their own."""
        free = IN_FLIGHT_MAX - len(self._asking)
        if free <= 0:
            return 0
        due = await self._lifecycle.store.claim_asks(
            now=now, until=now + ASK_LEASE, claim=new_id(), limit=free
        )
        for attempt in due:
            task = asyncio.get_running_loop().create_task(self._ask(attempt))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return len(due)

    async def idle(self) -> None:
        """Returns when every question taken up has been answered."""
        while self._asking:
            await asyncio.wait(set(self._asking))

    async def stop(self) -> None:
        """Questions that are cut off are asked again when their lease ends."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _ask(self, attempt: Attempt) -> None:
        try:
            await self._lifecycle.asking.ask(attempt)
        except Exception as error:
            log.error("ask_failed", reference=attempt.reference, error=f"{type(error).__name__}: {error}")
