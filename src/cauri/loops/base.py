"""One loop: start, stop, wake; the work is a tick that tests call themselves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from cauri.clock import Clock

log = structlog.get_logger("cauri.loops")

Tick = Callable[[int], Awaitable[int]]


class Loop:
    """Runs ``tick(now)`` every ``period_s`` seconds, at once when woken, and again at once while it says that more is waiting.

    A tick gives back how much it found to do; it never ends the loop, whatever it raises.
    """

    def __init__(self, name: str, tick: Tick, *, period_s: float, clock: Clock) -> None:
        self.name = name
        self.tick = tick
        self._period_s = period_s
        self._clock = clock
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.name)

    def wake(self) -> None:
        self._woken.set()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            if await self._ticked() == 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._period_s):
                        await self._woken.wait()

    async def _ticked(self) -> int:
        try:
            return await self.tick(self._clock.now())
        except Exception as error:
            log.error("tick_failed", loop=self.name, error=f"{type(error).__name__}: {error}")
            return 0
