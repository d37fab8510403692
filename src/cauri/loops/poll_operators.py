"""Asks operators about attempts whose question is due (contract section 8, "asking operators")."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from cauri.clock import HOUR, SECOND, Clock, new_id
from cauri.domain.payment import Attempt
from cauri.lifecycle import Lifecycle
from cauri.lifecycle.asking import ASK_LEASE
from cauri.loops.pace import Pace, Question

log = structlog.get_logger("cauri.loops")

PLACES = 16
"""Questions to one operator that may be under way at once in this process: a slow one takes no other's places."""

STRANGERS_EVERY = HOUR


class PollOperators:
    """Claims due questions and asks them side by side, each operator within its own places and its own pace, which all processes share.

    Which question is due is the database's to say: what a process had claimed when it died is asked again by another after its lease.
    """

    def __init__(self, lifecycle: Lifecycle, clock: Clock) -> None:
        self._lifecycle = lifecycle
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self._asking: dict[str, set[asyncio.Task[None]]] = {}
        self._looked_for_strangers_at: int | None = None
        self._again: asyncio.TimerHandle | None = None

    async def tick(self, now: int) -> int:
        """How many questions were taken up; they are asked in tasks of their own."""
        await self._look_for_strangers(now)
        free = {
            connector.name: free
            for connector in self._lifecycle.operators.all
            if connector.silence.askable
            and (free := self._free(connector.name, connector.asks_per_s, now)) > 0
        }
        self._look_again(now)
        due = await self._lifecycle.store.connectors_due(list(free), now)
        return sum([await self._take_up(name, free[name], now) for name in due])

    async def idle(self) -> None:
        """Returns when every question taken up has been answered."""
        while under_way := [task for tasks in self._asking.values() for task in tasks]:
            await asyncio.wait(under_way)

    async def stop(self) -> None:
        """Questions that are cut off are asked again when their lease ends."""
        if self._again is not None:
            self._again.cancel()
        under_way = [task for tasks in self._asking.values() for task in tasks]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _free(self, connector: str, asks_per_s: float, now: int) -> int:
        pace = self._paces.setdefault(connector, Pace(asks_per_s))
        pace.per_s = asks_per_s / self._lifecycle.standing.processes(connector)
        return min(pace.free(now), PLACES - len(self._asking.get(connector, ())))

    async def _take_up(self, connector: str, free: int, now: int) -> int:
        due = await self._lifecycle.store.claim_asks(
            connector=connector, now=now, until=now + ASK_LEASE, claim=new_id(), limit=free
        )
        tasks = self._asking.setdefault(connector, set())
        for attempt, question in zip(due, self._paces[connector].take(len(due), now), strict=True):
            task = asyncio.get_running_loop().create_task(self._ask(attempt))
            tasks.add(task)
            task.add_done_callback(partial(self._answered, connector, question))
        return len(due)

    def _look_again(self, now: int) -> None:
        """As soon as a pace allows it: the loop's own period would make it a slower one."""
        opening = min(
            (at for pace in self._paces.values() if (at := pace.opens_at) is not None), default=None
        )
        if self._again is not None:
            self._again.cancel()
        if opening is None:
            return
        self._again = asyncio.get_running_loop().call_later(max(0, opening - now) / SECOND, self._wake)

    def _wake(self) -> None:
        self._again = None
        self._lifecycle.on_question()

    def _answered(self, connector: str, question: Question, task: asyncio.Task[None]) -> None:
        self._asking[connector].discard(task)
        self._paces[connector].answered(question, self._clock.now())

    async def _ask(self, attempt: Attempt) -> None:
        try:
            await self._lifecycle.asking.ask(attempt)
        except Exception as error:
            log.error("ask_failed", reference=attempt.reference, error=f"{type(error).__name__}: {error}")

    async def _look_for_strangers(self, now: int) -> None:
        """Attempts whose connector is no longer configured are asked by nobody: a person must hear of it, at the start and hourly."""
        if (
            self._looked_for_strangers_at is not None
            and now - self._looked_for_strangers_at < STRANGERS_EVERY
        ):
            return
        self._looked_for_strangers_at = now
        for name in await self._lifecycle.store.connectors_in_flight():
            if self._lifecycle.operators.named(name) is None:
                log.error("attempts_without_connector", alert=True, connector=name)
