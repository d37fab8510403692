"""The database goes away while notifications are taken up: what was not sent is taken up again once it is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from cauri.clock import MINUTE, SECOND
from cauri.domain.errors import StoreUnavailable
from cauri.store import postgres
from tests.notifier.queueing import Queue
from tests.notifier.receiver import Answer, Receiver, http
from tests.store.conftest import OpenStore, open_store
from tests.store.cutting_proxy import Cut, CuttingProxy

__all__ = ["open_store"]

SITES = [f"away-{number}" for number in range(6)]


@pytest_asyncio.fixture(loop_scope="session")
async def queue(proxy: CuttingProxy, open_store: OpenStore, receiver: Receiver) -> AsyncIterator[Queue]:
    receiver.posts.clear()
    receiver.standing.clear()
    queue = Queue(await open_store(proxy.url), receiver)
    yield queue
    receiver.standing.clear()
    await queue.stop()


@pytest.mark.parametrize("site_id", SITES)
async def test_a_round_of_probes_that_is_broken_off_holds_nothing_back(
    site_id: str, queue: Queue, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the addresses in trouble is being read about when the database goes."""
    paths = {site: [f"/{site}-{number}" for number in range(6)] for site in SITES}
    every = [path for found in paths.values() for path in found]
    queue.receiver.standing.update(dict.fromkeys(every, Answer(http(503))))
    for site, found in paths.items():
        await queue.all_end(found, site_id=site)
    await queue.settles()
    assert len(await queue.store.notifications.in_trouble()) == len(SITES)

    queue.clock.advance(11 * SECOND)
    monkeypatch.setattr(postgres, "GIVE_UP_AFTER_S", 0.3)
    proxy.cut(f"{site_id} http".encode(), Cut.BEFORE, gone_afterwards=True)
    with pytest.raises(StoreUnavailable):
        await queue.turn()
    await proxy.come()
    monkeypatch.setattr(postgres, "GIVE_UP_AFTER_S", 10)

    queue.receiver.standing.clear()
    for path in every:
        queue.receiver.posts[path].clear()
    await queue.passes(5 * MINUTE, 10 * SECOND)
    assert queue.heard(every) == len(every)


async def test_a_database_that_hangs_does_not_keep_the_process(queue: Queue, proxy: CuttingProxy) -> None:
    await queue.ends("/hanging")
    other = await asyncpg.connect(proxy.url)
    holding = other.transaction()
    await holding.start()
    await other.execute("LOCK TABLE notification IN ACCESS EXCLUSIVE MODE")
    ticking = asyncio.create_task(queue.notifier.tick(queue.clock.now()))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await queue.notifier.stop()
    assert time.monotonic() - began < 4
    await asyncio.gather(ticking, return_exceptions=True)
    await holding.rollback()
    await other.close()
