"""Group commit: the calls that arrive while a batch is under way are written together in the next one.

Every caller is answered after the commit that holds its row. When a batch is refused it is halved until the bad row stands alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from cauri.domain.errors import StoreRefused, StoreUnavailable

R = TypeVar("R")
A = TypeVar("A")

BATCH_ROWS_MAX = 256
WAITING_ROWS_MAX = 20_000


class Group(Generic[R, A]):
    """Gathers rows for ``write``, which takes rows and gives back their answers in the same order.

    ``key``: rows of the same key never share a batch. ``lanes``: how many batches may be under way at once.
    """

    def __init__(
        self,
        write: Callable[[list[R]], Awaitable[Sequence[A]]],
        *,
        lanes: int = 1,
        key: Callable[[R], Hashable] | None = None,
        batch_rows_max: int = BATCH_ROWS_MAX,
    ) -> None:
        self._write = write
        self._lanes = lanes
        self._key = key
        self._batch_rows_max = batch_rows_max
        self._waiting: deque[tuple[R, asyncio.Future[A]]] = deque()
        self._keys_under_way: set[Hashable] = set()
        self._lanes_open = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, row: R) -> A:
        """The row's answer, after its commit. Raises StoreRefused for this row alone, StoreUnavailable, or what ``write`` raised."""
        if len(self._waiting) >= WAITING_ROWS_MAX:
            raise StoreUnavailable("the store is overloaded: too many rows are waiting to be written")
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._lanes_open < self._lanes:
            self._open_lane()
        return await future

    def _open_lane(self) -> None:
        self._lanes_open += 1
        task = asyncio.get_running_loop().create_task(self._lane())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _lane(self) -> None:
        """Ends, and says so, in the same step in which it finds nothing to take: no row can slip in between."""
        try:
            while batch := self._take():
                keys = {self._key(row) for row, _ in batch} if self._key else set()
                self._keys_under_way |= keys
                try:
                    await self._settle(batch)
                finally:
                    self._keys_under_way -= keys
        finally:
            self._lanes_open -= 1

    def _take(self) -> list[tuple[R, asyncio.Future[A]]]:
        """The oldest waiting rows, at most one of each key; the others keep their place."""
        waiting = self._waiting
        if self._key is None:
            return [waiting.popleft() for _ in range(min(len(waiting), self._batch_rows_max))]
        batch: list[tuple[R, asyncio.Future[A]]] = []
        kept: deque[tuple[R, asyncio.Future[A]]] = deque()
        seen = set(self._keys_under_way)
        while waiting and len(batch) < self._batch_rows_max:
            row, future = waiting.popleft()
            key = self._key(row)
            (kept if key in seen else batch).append((row, future))
            seen.add(key)
        waiting.extendleft(reversed(kept))
        return batch

    async def _settle(self, batch: list[tuple[R, asyncio.Future[A]]]) -> None:
        try:
            answers = await self._write([row for row, _ in batch])
            if len(answers) != len(batch):
                raise RuntimeError(f"{len(batch)} rows were written and {len(answers)} answered")
        except StoreRefused as refusal:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._settle(batch[:middle])
                await self._settle(batch[middle:])
            else:
                _fail(batch, refusal)
        except asyncio.CancelledError:
            _fail(batch, StoreUnavailable("the process is stopping", maybe_recorded=True))
            raise
        except Exception as error:
            _fail(batch, error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _fail(batch: list[tuple[R, asyncio.Future[A]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
