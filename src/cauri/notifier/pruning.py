"""Keeps the log of deliveries short, and the queue's small tables tidy."""

from __future__ import annotations

import structlog

from cauri.clock import DAY
from cauri.domain.notifying import NotificationSettings
from cauri.store import Store

log = structlog.get_logger("cauri.notifier")

BATCH = 500
# A closed endpoint's row is kept until every process has surely read it.
CLOSED_KEPT = DAY


class Pruning:
    """Deliveries older than the setting are deleted, a batch at a time. Those of a notification that is still undelivered stay:
    they say why."""

    def __init__(self, store: Store, settings: NotificationSettings) -> None:
        self._queue = store.notifications
        self._log = store.deliveries
        self._settings = settings
        self._after = 0

    async def tick(self, now: int) -> int:
        """How many rows were looked at; 0: nothing older is left, and the next tick begins anew."""
        if self._after == 0:
            await self._queue.forget_endpoints(now - CLOSED_KEPT)
            if filled := await self._queue.fill_endpoints(BATCH):
                return filled
        before = now - self._settings.keep
        old = await self._log.old(after=self._after, before=before, limit=BATCH)
        unneeded = [each for each in old if not each.needed]
        if unneeded:
            deleted = await self._log.delete(unneeded)
            log.info("deliveries_pruned", number=deleted)
        if len(old) < BATCH:
            self._after = 0
            return 0
        # A whole batch of one moment, all of it needed, must not be looked at for ever.
        self._after = max(old[-1].at, self._after + (0 if unneeded else 1))
        return len(old)
