"""Forgets the secret keys that a rotation has replaced, once their grace is over."""

from __future__ import annotations

import structlog

from cauri.store import Store

log = structlog.get_logger("cauri.loops")


class DropOldSecrets:
    """Signing stops with the grace by itself; this takes the sealed key out of the database too."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tick(self, now: int) -> int:
        dropped = await self._store.drop_old_secrets(now)
        if dropped:
            log.info("old_secrets_dropped", sites=dropped)
        return dropped
