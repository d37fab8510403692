"""The queue of notifications: what comes from before endpoints, what is told again, what is counted, what is pruned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from cauri.clock import DAY, HOUR, SECOND
from cauri.domain.errors import StoreRefused
from cauri.domain.notifying import NotificationSettings
from cauri.domain.payment import DeliveryRow, Payment
from cauri.notifier.pruning import BATCH, Pruning
from cauri.store import Delivered, Store, engine_for
from cauri.store.engine import Engine
from cauri.store.migrate import _NOTE_VERSION, _VERSION_TABLE, _statements, migrate, migrations
from tests.conftest import NewDatabase
from tests.store.conftest import OpenStore, _migrated
from tests.store.records import NOW, SITE_ID, cancelled, new_payment, refused, started

ENDPOINT = f"{SITE_ID} https://shop.example:443"
LAST = 72 * HOUR
SETTINGS = NotificationSettings()

Writes = Callable[[Store, list[Payment]], Awaitable[list[Awaitable[bool]]]]


async def ended(store: Store, name: str | None = None) -> Payment:
    change = cancelled(await store.open_payment(new_payment(name)))
    assert await store.apply(change)
    return change.after


async def all_ended(store: Store, number: int) -> list[Payment]:
    return list(await asyncio.gather(*(ended(store) for _ in range(number))))


async def delivered(
    store: Store, payment: Payment, at: int, *, status: int = 200, next_at: int | None = None
) -> None:
    """A delivery made at ``at`` by whoever holds the claim ``one``."""
    queue = store.notifications
    await queue.claim(await queue.due(at, 500), now=at, until=at + SECOND, claim="one")
    await store.record_delivery(delivery_of(payment, at, status=status, next_at=next_at))


def delivery_of(payment: Payment, at: int, *, status: int = 200, next_at: int | None = None) -> Delivered:
    row = DeliveryRow(
        at=at,
        number=1,
        version=payment.version,
        code=payment.code.number,
        url="https://shop.example/notify",
        status=status,
        duration_ms=1,
        answer="",
        error=None,
        next_try_at=next_at,
    )
    return Delivered(
        slot=payment.slot,
        token=payment.token,
        site_id=payment.site_id,
        transaction_id=payment.transaction_id,
        claim="one",
        delivery_id=f"{payment.token}-{at}",
        delivered=status == 200,
        row=row,
    )


async def schema_of(engine: Engine, version: int) -> None:
    """The database as this version of the schema had it."""
    await engine.script([_VERSION_TABLE])
    for number, text in migrations().items():
        if number <= version:
            await engine.script([_NOTE_VERSION.format(number), *_statements(engine, text)])


async def test_rows_of_the_schema_before_endpoints_are_due_and_parked_as_they_were(
    engine: str, new_database: NewDatabase, open_store: OpenStore
) -> None:
    url = await new_database(engine)
    old = engine_for(url)
    await schema_of(old, 3)
    store = await open_store(url)
    payments = [await store.open_payment(new_payment()) for _ in range(3)]
    columns = "slot, token, site_id, due_version, told_version, tried_version, due_at, since, tries, parked_at, claimed_until"
    for payment, (due_at, parked_at) in zip(
        payments, [(NOW, "NULL"), ("NULL", NOW), ("NULL", "NULL")], strict=True
    ):
        await old.script(
            [
                f"INSERT INTO notification ({columns}) VALUES ({payment.slot}, '{payment.token}', '{SITE_ID}', 2, 0, 1, {due_at}, {NOW}, 3, {parked_at}, 0)"
            ]
        )
    await migrate(old)
    await old.close()
    [due] = await store.notifications.due(NOW + 1, 10)
    assert (due.token, due.endpoint, due.tries) == (payments[0].token, "", 3)
    assert await store.notifications.fill_endpoints() == 2
    [due] = await store.notifications.due(NOW + 1, 10)
    assert due.endpoint == ENDPOINT
    assert (await store.notifications.counts(NOW + 1)).parked == 1
    state = await store.notification(payments[2])
    assert state is not None
    assert (state.due_at, state.parked_at) == (None, None)


async def test_the_mark_of_a_change_names_the_endpoint(empty_database: str, open_store: OpenStore) -> None:
    store = await open_store(empty_database)
    await ended(store)
    [due] = await store.notifications.due(NOW + 1, 10)
    assert due.endpoint == ENDPOINT


async def test_only_what_an_open_breaker_has_due_is_held(empty_database: str, open_store: OpenStore) -> None:
    store = await open_store(empty_database)
    queue = store.notifications
    await all_ended(store, 3)
    due = await queue.due(NOW + 1, 10)
    assert await queue.hold(due, now=NOW + 1, last=LAST) == (0, 0)
    assert await queue.open_endpoint(ENDPOINT, SITE_ID, now=NOW, probe_at=NOW + 9, error="503")
    assert not await queue.open_endpoint(ENDPOINT, SITE_ID, now=NOW, probe_at=NOW + 9, error="503")
    [claimed] = await queue.claim(due[:1], now=NOW + 1, until=NOW + 99, claim="a")
    assert await queue.hold(due, now=NOW + 1, last=LAST) == (2, 0), "what is under way is left alone"
    await queue.release([claimed], "a")
    assert await queue.hold(due, now=NOW + LAST + 1, last=LAST) == (0, 3), "past its last try it is parked"
    [trouble] = await queue.in_trouble()
    assert (trouble.state, trouble.waiting, trouble.parked, trouble.origin) == (
        "open",
        0,
        3,
        "https://shop.example:443",
    )
    assert await queue.in_trouble(site_id="another") == []


async def test_an_endpoint_is_tried_by_one_process(empty_database: str, open_store: OpenStore) -> None:
    stores = [await open_store(empty_database) for _ in range(4)]
    await stores[0].notifications.open_endpoint(ENDPOINT, SITE_ID, now=NOW, probe_at=NOW + 9, error="503")
    claims = [store.notifications.claim_probes(now=NOW + 10, until=NOW + 99, limit=5) for store in stores * 3]
    won = [each for found in await asyncio.gather(*claims) for each in found]
    assert [each.endpoint for each in won] == [ENDPOINT]
    assert not await stores[0].notifications.probe_now(ENDPOINT, NOW + 11)
    assert await stores[0].notifications.probe_now(ENDPOINT, NOW + 100)


async def test_what_is_told_again(empty_database: str, open_store: OpenStore) -> None:
    store = await open_store(empty_database)
    queue = store.notifications
    payment, other = await ended(store, "CMD-1"), await ended(store, "CMD-2")
    await delivered(store, payment, NOW + 5)
    await delivered(store, other, NOW + 5, status=500)  # parked: no next try
    assert await queue.due(NOW + 9, 10) == []
    assert await queue.replay_payment(SITE_ID, "CMD-1", NOW + 10)
    assert not await queue.replay_payment(SITE_ID, "CMD-3", NOW + 10)
    assert not await queue.replay_payment("another", "CMD-1", NOW + 10)
    assert [each.token for each in await queue.due(NOW + 10, 10)] == [payment.token]
    assert await queue.replay_parked(NOW + 11, "another") == 0
    assert await queue.replay_parked(NOW + 11) == 1
    assert await queue.replay_parked(NOW + 11) == 0
    due = {each.token: each for each in await queue.due(NOW + 11, 10)}
    assert {(each.tries, each.since) for each in due.values()} == {(0, NOW + 10), (0, NOW + 11)}


async def test_what_is_parked_again_while_it_is_replayed_is_not_replayed_for_ever(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    payment = await ended(store)
    await delivered(store, payment, NOW + 5, status=410)
    assert await store.notifications.replay_parked(NOW + 11) == 1
    await delivered(store, payment, NOW + 12, status=410)
    assert await store.notifications.replay_parked(NOW + 11) == 0
    assert await store.notifications.replay_parked(NOW + 13) == 1


async def test_a_site_is_told_again_what_changed_since_a_moment_in_slices(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    payments = await all_ended(store, 25)
    for payment in payments:
        await delivered(store, payment, NOW + 5)
    again, slices = NOW + HOUR, []
    while number := await store.notifications.replay_since(SITE_ID, NOW, again, limit=10):
        slices.append(number)
    assert slices == [10, 10, 5]
    assert len(await store.notifications.due(again, 100)) == 25
    assert await store.notifications.replay_since(SITE_ID, again + 1, again + 2) == 0


async def test_what_a_sender_is_just_writing_is_told_again_too(
    new_database: NewDatabase, open_store: OpenStore
) -> None:
    """PostgreSQL: its row is locked while the slices are taken."""
    server_database = await new_database("postgres")
    await _migrated(server_database)
    store = await open_store(server_database)
    payments = await all_ended(store, 3)
    for payment in payments:
        await delivered(store, payment, NOW + 5, status=500)
    writer = await asyncpg.connect(server_database)
    for replay in (
        lambda: store.notifications.replay_parked(NOW + HOUR),
        lambda: store.notifications.replay_since(SITE_ID, NOW, NOW + 2 * HOUR),
    ):
        writing = writer.transaction()
        await writing.start()
        await writer.execute("SELECT 1 FROM notification WHERE token = $1 FOR UPDATE", payments[1].token)
        assert await replay() == 2
        last = asyncio.create_task(replay())
        await asyncio.sleep(0.2)
        assert not last.done()
        await writing.commit()
        assert await last == 1
        assert await replay() == 0
    await writer.close()


async def somebody_waits_for_a_lock(writer: asyncpg.Connection) -> None:
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not await writer.fetchval(waits):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("status", [200, 500])
async def test_a_change_that_commits_while_its_delivery_is_being_written_stays_due(
    status: int, new_database: NewDatabase, open_store: OpenStore
) -> None:
    """PostgreSQL: the delivery's row was read before the change was committed, and is judged after it."""
    server_database = await new_database("postgres")
    await _migrated(server_database)
    store = await open_store(server_database)
    payment = await ended(store)
    at, later, queue = NOW + 5, NOW + 7, store.notifications
    assert await queue.claim(await queue.due(at, 9), now=at, until=at + SECOND, claim="one")
    writer = await asyncpg.connect(server_database)
    changing = writer.transaction()
    await changing.start()
    marked = "UPDATE notification SET due_version = due_version + 1, due_at = $2, tries = 0 WHERE token = $1"
    await writer.execute(marked, payment.token, later)
    recording = asyncio.create_task(
        store.record_delivery(delivery_of(payment, at, status=status, next_at=NOW + DAY))
    )
    await somebody_waits_for_a_lock(writer)
    await changing.commit()
    await writer.close()
    assert await recording
    assert [(each.token, each.tries) for each in await queue.due(later, 9)] == [(payment.token, 0)]
    assert len((await store.timeline(payment)).deliveries) == 1


async def test_the_queue_is_counted(empty_database: str, open_store: OpenStore) -> None:
    store = await open_store(empty_database)
    queue = store.notifications
    empty = await queue.counts(NOW)
    assert (empty.due, empty.undelivered, empty.oldest_since, empty.parked) == (0, 0, None, 0)
    first, second, _ = [await ended(store) for _ in range(3)]
    await delivered(store, first, NOW + 5, status=500, next_at=NOW + HOUR)
    await delivered(store, second, NOW + 5, status=410)
    await queue.park_endpoint(ENDPOINT, SITE_ID, now=NOW, probe_at=NOW + 9, error="410")
    counts = await queue.counts(NOW + 10)
    assert (counts.due, counts.undelivered, counts.oldest_since, counts.parked) == (1, 2, NOW + 1, 1)
    assert (counts.endpoints_open, counts.endpoints_parked, counts.endpoints_catching_up) == (0, 1, 0)


@pytest.mark.parametrize("undelivered", [0, BATCH + 20], ids=["few", "behind many that are needed"])
async def test_old_deliveries_are_pruned_unless_they_explain_what_is_undelivered(
    empty_database: str, open_store: OpenStore, undelivered: int
) -> None:
    store = await open_store(empty_database)
    needed = await all_ended(store, undelivered)
    await asyncio.gather(
        *(delivered(store, each, NOW + 2, status=500, next_at=NOW + HOUR) for each in needed)
    )
    old, parked, waiting, young = [await ended(store) for _ in range(4)]
    await delivered(store, old, NOW + 5)
    await delivered(store, parked, NOW + 6, status=410)
    await delivered(store, waiting, NOW + 7, status=500, next_at=NOW + HOUR)
    await delivered(store, young, NOW + 20)
    pruning, now = Pruning(store, SETTINGS), NOW + 10 + 30 * DAY
    for _ in range(2):
        while await pruning.tick(now):
            pass
    kept = [len((await store.timeline(each)).deliveries) for each in (old, parked, waiting, young)]
    assert kept == [0, 1, 1, 1]
    for each in needed:
        assert len((await store.timeline(each)).deliveries) == 1


async def deliveries(store: Store, pair: list[Payment]) -> list[Awaitable[bool]]:
    at, queue = NOW + 5, store.notifications
    assert len(await queue.claim(await queue.due(at, 9), now=at, until=at + SECOND, claim="one")) == len(pair)
    return [store.record_delivery(delivery_of(each, at)) for each in pair]


async def changes(store: Store, pair: list[Payment]) -> list[Awaitable[bool]]:
    """The operator's word on each, which the shop is to be told."""
    attempts = [(await store.attempts(each))[0] for each in pair]
    return [store.apply(refused(each, attempt)) for each, attempt in zip(pair, attempts, strict=True)]


@pytest.mark.parametrize("writes", [deliveries, changes])
async def test_whatever_order_they_came_in_notifications_are_locked_in_key_order(
    new_database: NewDatabase, open_store: OpenStore, writes: Writes
) -> None:
    """PostgreSQL: while it waits for the first row it holds no other, so that whoever goes the same way meets no deadlock."""
    server_database = await new_database("postgres")
    await _migrated(server_database)
    store = await open_store(server_database)
    asked = [started(await store.open_payment(new_payment())) for _ in range(2)]
    assert await asyncio.gather(*map(store.apply, asked)) == [True, True]
    pair = sorted([each.after for each in asked], key=lambda each: (each.slot, each.token))
    writing = await writes(store, pair[::-1])
    writer = await asyncpg.connect(server_database)
    changing = writer.transaction()
    await changing.start()
    locked = "SELECT 1 FROM notification WHERE token = $1 FOR UPDATE"
    await writer.execute(locked, pair[0].token)
    written = asyncio.gather(*writing)
    await somebody_waits_for_a_lock(writer)
    await writer.execute(locked + " NOWAIT", pair[1].token)
    await changing.commit()
    await writer.close()
    assert await written == [True, True]


POISONS: dict[str, dict[str, Any]] = {
    "a number that no column can hold": {"duration_ms": 2**70},
    "a lone surrogate": {"answer": "\ud800"},
    "a NUL": {"answer": "\0"},
}


@pytest.mark.parametrize("poison", POISONS)
async def test_one_poisoned_delivery_among_20_is_refused_alone(
    empty_database: str, open_store: OpenStore, engine: str, poison: str
) -> None:
    if engine == "sqlite" and poison != "a lone surrogate":
        pytest.skip(
            "SQLite keeps U+0000, which the sender replaces, and the largest number for one that is larger"
        )
    store = await open_store(empty_database)
    at, queue = NOW + 5, store.notifications
    payments = await all_ended(store, 20)
    await queue.claim(await queue.due(at, 99), now=at, until=at + SECOND, claim="one")
    rows = [delivery_of(payment, at) for payment in payments]
    rows[7] = replace(rows[7], row=replace(rows[7].row, **POISONS[poison]))
    answers = await asyncio.gather(*map(store.record_delivery, rows), return_exceptions=True)
    assert isinstance(answers.pop(7), StoreRefused)
    assert answers == [True] * 19
    poisoned = payments.pop(7)
    assert not (await store.timeline(poisoned)).deliveries
    assert [len((await store.timeline(each)).deliveries) for each in payments] == [1] * 19


async def test_a_delivery_that_is_written_twice_is_one_and_the_second_time_the_claim_is_over(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    payment = await ended(store)
    at, queue = NOW + 5, store.notifications
    await queue.claim(await queue.due(at, 99), now=at, until=at + SECOND, claim="one")
    assert await store.record_delivery(delivery_of(payment, at))
    assert not await store.record_delivery(delivery_of(payment, at))
    assert len((await store.timeline(payment)).deliveries) == 1
