"""What happens when: the simulator's only way to let time pass."""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from cauri.simulator.shifted_clock import Clock

_SLICE_S = 0.05
"""Longest real sleep while something is planned: a clock that is moved by hand is noticed this soon."""

_log = logging.getLogger(__name__)


class Agenda:
    """Jobs by the clock's time, run in order of their time; background work that is stopped with the app.

    A job is a plain function that changes state; whatever waits for the network goes through `spawn`.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: list[tuple[int, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sleepers: set[asyncio.Event] = set()
        self._runner: asyncio.Task[None] | None = None

    def now(self) -> int:
        return self._clock.now()

    def after(self, seconds: float, job: Callable[[], object]) -> None:
        """Plans `job` for `seconds` of the clock from now."""
        due = self._clock.now() + round(seconds * 1000)
        heapq.heappush(self._jobs, (due, next(self._order), job))
        self._changed.set()

    async def sleep(self, seconds: float) -> None:
        """Waits for `seconds` of the clock, or until the agenda is cleared."""
        over = asyncio.Event()
        self._sleepers.add(over)
        self.after(seconds, over.set)
        try:
            await over.wait()
        finally:
            self._sleepers.discard(over)

    def next_due(self) -> int | None:
        """When the next job is due, in ms since the epoch; None when nothing is planned."""
        return self._jobs[0][0] if self._jobs else None

    def run_due(self) -> None:
        """Runs every job whose time has come.

        Doors call it first, so that an answer never lags behind the clock.
        """
        while self._jobs and self._jobs[0][0] <= self._clock.now():
            heapq.heappop(self._jobs)[2]()

    def wake(self) -> None:
        """Looks at the clock now, which was moved."""
        self._changed.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` beside the requests until it ends or the agenda is cleared."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def clear(self) -> None:
        """Forgets every planned job, wakes the sleepers and stops the work under way."""
        self._jobs.clear()
        for sleeper in self._sleepers:
            sleeper.set()
        for task in self._tasks:
            task.cancel()

    def start(self) -> None:
        self._runner = asyncio.get_running_loop().create_task(self._run())
        self._runner.add_done_callback(self._over)

    async def stop(self) -> None:
        self.clear()
        tasks = list(self._tasks)
        if self._runner is not None:
            self._runner.cancel()
            tasks.append(self._runner)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the simulator's background work failed", exc_info=error)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            self.run_due()
            if self._jobs:
                gap_s = max((self._jobs[0][0] - self._clock.now()) / 1000, 0.001)
                await self._wait(min(gap_s, _SLICE_S))
            else:
                await self._changed.wait()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return
