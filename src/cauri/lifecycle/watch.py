"""Waiting for a payment to change: one grouped query a second for all that is waited for in this process."""

from __future__ import annotations

import asyncio

from cauri.store import Store


class Watch:
    """``tell`` is how this process hears of its own changes at once; ``tick`` finds those of other processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[
            str, dict[asyncio.Future[int], int]
        ] = {}  # token → who waits, and the version each has seen

    async def changed(self, token: str, seen: int, wait_s: float) -> int | None:
        """The newest version: at once where it is not ``seen``, else when it changes, at the latest after ``wait_s``. None: no such payment."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(token, {})
        waiting[future] = seen
        try:
            version = (await self._store.versions([token])).get(token)
            if version is None or version != seen:
                return version
            async with asyncio.timeout(wait_s):
                return await future
        except TimeoutError:
            return seen
        finally:
            waiting.pop(future, None)
            if not waiting and self._waiting.get(token) is waiting:
                del self._waiting[token]

    def tell(self, token: str, version: int) -> None:
        """The payment has this version now."""
        for future, seen in self._waiting.get(token, {}).items():
            if version != seen and not future.done():
                future.set_result(version)

    async def tick(self, _now: int) -> int:
        """Reads the versions waited for; run once a second."""
        if self._waiting:
            for token, version in (await self._store.versions(list(self._waiting))).items():
                self.tell(token, version)
        return 0
