"""What is under way in this process: looks at the queue, which must come to their end, and deliveries, which begin at once or in turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from cauri.notifier.delivering import Task

T = TypeVar("T")

STOP_S = 2
UNPROVEN_GAP_S = 0.005


class UnderWay:
    """``deliver`` is one delivery; it never raises."""

    def __init__(self, deliver: Callable[[Task], Coroutine[Any, Any, None]]) -> None:
        self._deliver = deliver
        self._looks: set[asyncio.Task[Any]] = set()
        self._deliveries: set[asyncio.Task[Any]] = set()
        self._in_turn: deque[Task] = deque()
        self._pacing = False

    async def to_its_end(self, look: Coroutine[Any, Any, T]) -> T:
        """What it gives. A loop that is stopped meanwhile must not leave claims that nobody sends."""
        return await asyncio.shield(_spawned(look, self._looks))

    def begin(self, task: Task) -> None:
        _spawned(self._deliver(task), self._deliveries)

    def begin_in_turn(self, task: Task) -> None:
        """One after the other begins: a crowd that fails at once would keep this process from those that answer."""
        self._in_turn.append(task)
        if not self._pacing:
            self._pacing = True
            _spawned(self._pace(), self._deliveries)

    async def _pace(self) -> None:
        try:
            while self._in_turn:
                self.begin(self._in_turn.popleft())
                await asyncio.sleep(UNPROVEN_GAP_S)
        finally:
            self._pacing = False

    async def idle(self) -> None:
        """Returns when every look has come to its end and every delivery taken up has been made."""
        while under_way := {*self._deliveries, *self._looks}:
            await asyncio.wait(under_way)

    async def end(self) -> None:
        """All get a moment to end, then they are cut off. A database that hangs must not keep the process."""
        for tasks in (self._looks, self._deliveries):
            if tasks:
                await asyncio.wait(tasks, timeout=STOP_S)
        left = [*self._deliveries, *self._looks]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _spawned(work: Coroutine[Any, Any, T], among: set[asyncio.Task[Any]]) -> asyncio.Task[T]:
    task = asyncio.get_running_loop().create_task(work)
    among.add(task)
    task.add_done_callback(among.discard)
    return task
