"""Which sites an apikey opens. Keys are known by their SHA-256 only; they are neither kept nor logged in clear."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from cauri.clock import SECOND, Clock

if TYPE_CHECKING:
    from cauri.domain.site import Site
    from cauri.store import Store

# A key revoked or a site closed is felt everywhere this soon, and one read of the store serves all requests until then.
FRESH_FOR = 2 * SECOND
REMEMBERED_MAX = 10_000


class Opened(NamedTuple):
    """What a key opens: its hash and its sites by ``site_id``."""

    key_hash: str
    sites: Mapping[str, Site]
    loaded_at: int


class KeyRing:
    """The keys lately used in this process, each read again from the store when it is older than FRESH_FOR.

    A key is looked up by its hash: the time that takes says nothing about how much of a guessed key is right.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._opened: dict[str, Opened] = {}
        self._loading: dict[str, asyncio.Task[Opened | None]] = {}

    def remembered(self, apikey: str) -> Opened | None:
        """What the key opens, as far as this process knows without asking anybody."""
        opened = self._opened.get(sha256(apikey.encode()).hexdigest())
        if opened is not None and 0 <= self._clock.now() - opened.loaded_at < FRESH_FOR:
            return opened
        return None

    async def open(self, apikey: str) -> Opened | None:
        """What the key opens, None for an unknown or revoked key. Raises StoreUnavailable."""
        key_hash = sha256(apikey.encode()).hexdigest()
        task = self._loading.get(key_hash)
        if task is None:
            task = self._loading[key_hash] = asyncio.create_task(self._load(key_hash))
            task.add_done_callback(lambda done: self._loaded(key_hash, done))
        # One reader's leaving must not take the answer from the others.
        return await asyncio.shield(task)

    async def _load(self, key_hash: str) -> Opened | None:
        asked_at = self._clock.now()
        sites = await self._store.sites_of_key(key_hash, asked_at)
        if sites is None:
            self._opened.pop(key_hash, None)
            return None
        self._opened.pop(key_hash, None)
        opened = self._opened[key_hash] = Opened(key_hash, {site.site_id: site for site in sites}, asked_at)
        if len(self._opened) > REMEMBERED_MAX:
            del self._opened[next(iter(self._opened))]
        return opened

    def _loaded(self, key_hash: str, task: asyncio.Task[Opened | None]) -> None:
        del self._loading[key_hash]
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may be left to hear of it
