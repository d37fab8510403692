"""The sites lately told, each read again from the store when it is older than two seconds."""

from __future__ import annotations

import asyncio

from cauri.clock import SECOND, Clock
from cauri.domain.site import Site
from cauri.store import Store

# A changed secret key or format is felt this soon, as everywhere (api/auth).
FRESH_FOR = 2 * SECOND
REMEMBERED_MAX = 10_000


class Sites:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, tuple[int, Site | None]] = {}
        self._reading: dict[str, asyncio.Task[Site | None]] = {}

    async def get(self, site_id: str) -> Site | None:
        """None where there is no such site. Raises StoreUnavailable."""
        known = self._known.get(site_id)
        if known is not None and 0 <= self._clock.now() - known[0] < FRESH_FOR:
            return known[1]
        task = self._reading.get(site_id)
        if task is None:
            task = self._reading[site_id] = asyncio.create_task(self._read(site_id))
            task.add_done_callback(lambda _: self._reading.pop(site_id, None))
        # One delivery that is cut off must not take the answer from the others.
        return await asyncio.shield(task)

    async def _read(self, site_id: str) -> Site | None:
        asked_at = self._clock.now()
        site = await self._store.site(site_id)
        self._known.pop(site_id, None)
        self._known[site_id] = (asked_at, site)
        if len(self._known) > REMEMBERED_MAX:
            del self._known[next(iter(self._known))]
        return site
