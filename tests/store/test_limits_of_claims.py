"""However PostgreSQL plans it, a claim of so many rows takes no more: its planner is told to compare row by row, as it does by itself now and
then, when it has looked at the tables at a bad moment."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio

from cauri.store import Store
from tests.conftest import NewDatabase
from tests.store.conftest import OpenStore, _migrated, open_store
from tests.store.records import NOW, cancelled, new_payment, sent_attempt, started

__all__ = ["open_store"]

ROW_BY_ROW = ("enable_hashagg", "enable_hashjoin", "enable_mergejoin", "enable_material", "enable_sort")

LATER = NOW + 1000


@pytest_asyncio.fixture(loop_scope="session")
async def url(new_database: NewDatabase) -> str:
    url = await new_database("postgres")
    await _migrated(url)
    connection = await asyncpg.connect(url)
    for setting in ROW_BY_ROW:
        await connection.execute(f"ALTER DATABASE {url.split('?')[0].rsplit('/', 1)[1]} SET {setting} = off")
    await connection.close()
    return url


async def number(url: str, what: str) -> int:
    connection = await asyncpg.connect(url)
    found = await connection.fetchval(f"SELECT count(*) FROM {what}")
    await connection.close()
    return int(found)


async def six_due(store: Store) -> str:
    """Six notifications are due at one endpoint, whose name it gives."""
    for _ in range(6):
        assert await store.apply(cancelled(await store.open_payment(new_payment())))
    [(endpoint, _)] = await store.notifications.due_by_endpoint(LATER, after="", lanes=1, most=1)
    return endpoint


async def test_one_notification_tries_an_endpoint_that_has_many_waiting(
    url: str, open_store: OpenStore
) -> None:
    store = await open_store(url)
    endpoint = await six_due(store)
    assert await store.notifications.claim_held(endpoint, now=LATER, until=LATER + 1, claim="probe")
    assert await number(url, "notification WHERE claimed_by = 'probe'") == 1


async def test_one_notification_tries_an_endpoint_that_has_many_parked(
    url: str, open_store: OpenStore
) -> None:
    store = await open_store(url)
    endpoint = await six_due(store)
    await store.engine.script([f"UPDATE notification SET due_at = NULL, parked_at = {NOW}"])
    queue = store.notifications
    assert await queue.claim_parked(endpoint, now=LATER, until=LATER + 1, claim="probe", parked_after=0)
    assert await number(url, "notification WHERE claimed_by = 'probe'") == 1


@pytest.mark.parametrize("limit", [1, 3])
async def test_what_was_parked_is_told_again_in_slices(limit: int, url: str, open_store: OpenStore) -> None:
    store = await open_store(url)
    await six_due(store)
    await store.engine.script([f"UPDATE notification SET due_at = NULL, parked_at = {NOW}"])
    assert await store.notifications.replay_parked(LATER, limit=limit) == limit
    assert await number(url, f"notification WHERE due_at = {LATER}") == limit


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_endpoints_are_tried_than_there_are_places(
    limit: int, url: str, open_store: OpenStore
) -> None:
    queue = (await open_store(url)).notifications
    for shop in range(6):
        await queue.open_endpoint(f"1 https://shop{shop}.example:443", "1", now=NOW, probe_at=NOW, error="")
    assert len(await queue.claim_probes(now=LATER, until=LATER + 1, limit=limit)) == limit


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_questions_are_handed_out_than_the_pace_allows(
    limit: int, url: str, open_store: OpenStore
) -> None:
    store = await open_store(url)
    for _ in range(6):
        payment = await store.open_payment(new_payment())
        assert await store.apply(started(payment, sent_attempt(payment)))
    [connector] = await store.connectors_in_flight()
    asked = await store.claim_asks(
        connector=connector, now=NOW + 10**6, until=NOW + 10**7, claim="asker", limit=limit
    )
    assert len(asked) == limit
