"""Endpoints that do not answer: they are held, tried now and then, and told everything once they answer again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cauri.clock import DAY, HOUR, MINUTE, SECOND
from cauri.domain.payment import Payment
from cauri.loops.alerts import Alerts
from cauri.store import EndpointTrouble
from tests.logs import own_lines
from tests.notifier.queueing import Queue
from tests.notifier.receiver import Answer, Receiver, http
from tests.store.conftest import OpenStore, empty_database, open_store

__all__ = ["empty_database", "open_store"]

DOWN = Answer(http(503, b"back soon"))


@pytest_asyncio.fixture(loop_scope="session")
async def queue(empty_database: str, open_store: OpenStore, receiver: Receiver) -> AsyncIterator[Queue]:
    receiver.posts.clear()
    receiver.standing.clear()
    queue = Queue(await open_store(empty_database), receiver)
    yield queue
    receiver.standing.clear()
    await queue.stop()


def paths_of(name: str, number: int) -> list[str]:
    return [f"/{name}-{index}" for index in range(number)]


def fall(queue: Queue, paths: list[str], answer: Answer = DOWN) -> None:
    queue.receiver.standing.update(dict.fromkeys(paths, answer))


def rise(queue: Queue, paths: list[str]) -> None:
    for path in paths:
        queue.receiver.standing.pop(path, None)
        queue.receiver.posts[path].clear()


async def trouble(queue: Queue) -> EndpointTrouble | None:
    found = await queue.store.notifications.in_trouble()
    assert len(found) <= 1
    return found[0] if found else None


async def all_told(queue: Queue, payments: list[Payment], paths: list[str]) -> None:
    """Every one was told its end, once since the shop is up, and nothing is left to do."""
    assert [queue.receiver.codes(path) for path in paths] == [["627"]] * len(paths)
    for payment in payments:
        state = await queue.state(payment)
        assert (state.due_at, state.parked_at, state.told_version) == (None, None, payment.version)


async def test_a_shop_that_is_down_for_three_days_is_told_everything_once_it_is_up(queue: Queue) -> None:
    early, late = paths_of("early", 30), paths_of("late", 30)
    fall(queue, early + late)
    payments = await queue.all_end(early)
    await queue.settles()
    found = await trouble(queue)
    assert found is not None
    assert found.state == "open"
    assert "503" in found.error
    await queue.passes(DAY, 5 * MINUTE)
    payments += await queue.all_end(late, created_at=queue.clock.now())
    await queue.passes(2 * DAY + HOUR, 20 * MINUTE)
    counts = await queue.store.notifications.counts(queue.clock.now())
    assert counts.parked >= 30, "what is older than 72 h is parked"
    assert counts.endpoints_open + counts.endpoints_parked == 1

    rise(queue, early + late)
    await queue.passes(HOUR + MINUTE, 30 * SECOND)
    await all_told(queue, payments, early + late)
    assert await trouble(queue) is None


async def test_while_a_breaker_is_open_the_shop_hears_one_try_at_a_time(queue: Queue) -> None:
    paths = paths_of("held", 60)
    fall(queue, paths)
    await queue.all_end(paths)
    await queue.settles()
    before = sum(len(queue.receiver.posts[path]) for path in paths)
    assert before < 15, "some were tried before it opened, the others were spared"
    await queue.passes(10 * MINUTE, 10 * SECOND)
    tried = sum(len(queue.receiver.posts[path]) for path in paths) - before
    assert 8 <= tried <= 13, "after 10, 20, 40 s, then every minute"
    assert await queue.store.notifications.due(queue.clock.now(), 100) == [], (
        "the front of the queue is clear"
    )


async def test_a_silent_address_calls_a_person_once(queue: Queue) -> None:
    """The event of the moment is none; the alert is the loop's, which any process may be the one to tell."""
    paths = paths_of("silent", 8)
    fall(queue, paths)
    with own_lines() as logs:
        await queue.all_end(paths)
        await queue.settles()
        await queue.passes(11 * MINUTE, MINUTE)
        for alerts in (Alerts(queue.store, 10 * MINUTE), Alerts(queue.store, 10 * MINUTE)):
            await alerts.tick(queue.clock.now())
    about = [line for line in logs if "endpoint" in line]
    assert [line["event"] for line in about if line["event"] == "endpoint_opened"] == ["endpoint_opened"]
    called = [line["event"] for line in about if line.get("alert")]
    assert called == ["endpoint_in_trouble"]


async def test_one_payment_that_cannot_be_told_holds_nothing_back(queue: Queue) -> None:
    fall(queue, ["/broken"])
    await queue.ends("/broken")
    await queue.passes(HOUR, MINUTE)
    assert await trouble(queue) is None
    await queue.ends("/fine")
    await queue.settles()
    assert queue.receiver.codes("/fine") == ["627"]


async def test_a_parked_endpoint_that_answers_again_gets_everything_it_missed(queue: Queue) -> None:
    paths = paths_of("parked", 3)
    fall(queue, paths)
    payments = await queue.all_end(paths)
    await queue.passes(73 * HOUR, 10 * MINUTE)
    assert {(await queue.state(payment)).due_at for payment in payments} == {None}
    found = await trouble(queue)
    assert found is not None
    assert (found.state, found.parked) == ("parked", 3)
    heard = sum(len(queue.receiver.posts[path]) for path in paths)
    with own_lines() as logs:
        await queue.passes(10 * HOUR, 10 * MINUTE)
    assert [line["event"] for line in logs if line.get("alert")] == [], "a person knows of it already"
    assert sum(len(queue.receiver.posts[path]) for path in paths) - heard == 10, "one try an hour"

    rise(queue, paths)
    await queue.passes(HOUR + MINUTE, MINUTE)
    await all_told(queue, payments, paths)


async def test_what_was_parked_by_its_schedule_comes_back_however_often(queue: Queue) -> None:
    paths = paths_of("again", 2)
    fall(queue, paths)
    payments = await queue.all_end(paths)
    await queue.passes(73 * HOUR, 10 * MINUTE)
    await queue.ends("/fine")
    await queue.passes(10 * SECOND, SECOND)
    assert {(await queue.state(payment)).parked_at for payment in payments} == {None}
    await queue.passes(73 * HOUR, 10 * MINUTE)
    assert None not in {(await queue.state(payment)).parked_at for payment in payments}
    rise(queue, paths)
    await queue.ends("/fine-too")
    await queue.passes(HOUR + MINUTE, MINUTE)
    await all_told(queue, payments, paths)


async def test_a_parked_endpoint_is_given_up_after_the_days_of_the_log(queue: Queue) -> None:
    fall(queue, ["/dead"])
    await queue.ends("/dead")
    await queue.passes(73 * HOUR, 20 * MINUTE)
    await queue.passes(31 * DAY, 6 * HOUR)
    heard = len(queue.receiver.posts["/dead"])
    assert await trouble(queue) is None
    await queue.passes(3 * DAY, 6 * HOUR)
    assert len(queue.receiver.posts["/dead"]) == heard
    assert (await queue.store.notifications.counts(queue.clock.now())).parked == 1, (
        "and it is still there to be replayed"
    )
    rise(queue, ["/dead"])
    assert await queue.store.notifications.replay_parked(queue.clock.now()) == 1
    await queue.settles()
    assert queue.receiver.codes("/dead") == ["627"]


async def test_an_endpoint_that_falls_again_while_it_catches_up_loses_nothing(queue: Queue) -> None:
    paths = paths_of("flap", 80)
    fall(queue, paths)
    payments = await queue.all_end(paths)
    await queue.settles()
    for _ in range(3):
        rise(queue, paths[:7])
        await queue.passes(2 * MINUTE, 10 * SECOND)
        fall(queue, paths)
        await queue.passes(2 * MINUTE, 10 * SECOND)
    rise(queue, paths)
    await queue.passes(3 * MINUTE, 10 * SECOND)
    states = [await queue.state(payment) for payment in payments]
    assert {state.told_version for state in states} == {2}
    assert all(len(queue.receiver.posts[path]) <= 1 for path in paths)


async def test_another_process_hears_that_a_breaker_is_open_and_that_it_closed(
    queue: Queue, empty_database: str, open_store: OpenStore
) -> None:
    paths = paths_of("shared", 20)
    fall(queue, paths)
    await queue.all_end(paths)
    await queue.settles()
    other = queue.another(await open_store(empty_database))
    new = paths_of("new", 5)
    fall(queue, new)
    payments = await queue.all_end(new)
    await other.tick(queue.clock.now())
    await other.idle()
    assert queue.heard(new) == 0, "held by the process that has never tried it"
    rise(queue, paths + new)
    for _ in range(40):
        queue.clock.advance(2 * SECOND)
        await queue.settles()
        await other.tick(queue.clock.now())
        await other.idle()
    await all_told(queue, payments, new)
    await other.stop()


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_breaker_that_was_closed_by_a_slower_clock_is_closed_here_too(
    queue: Queue, forgotten: bool
) -> None:
    """The other process lives on a machine a minute behind, and is gone soon after."""
    paths = paths_of("skewed", 8)
    fall(queue, paths)
    await queue.all_end(paths)
    await queue.settles()
    found = await trouble(queue)
    assert found is not None
    rise(queue, paths)
    behind = queue.clock.now() - MINUTE
    assert await queue.store.notifications.endpoint_answered(found.endpoint, behind) is not None
    if forgotten:
        await queue.store.engine.script(["DELETE FROM endpoint"])
    await queue.ends("/new")
    await queue.passes(MINUTE, 10 * SECOND)
    assert queue.receiver.codes("/new") == ["627"]


async def test_what_is_known_survives_a_restart(queue: Queue) -> None:
    paths = paths_of("kept", 20)
    fall(queue, paths)
    payments = await queue.all_end(paths)
    await queue.settles()
    await queue.notifier.stop()
    queue.notifier = queue.another()
    fresh = await queue.ends("/fresh")
    fall(queue, ["/fresh"])
    await queue.settles()
    assert queue.receiver.posts["/fresh"] == []
    rise(queue, [*paths, "/fresh"])
    await queue.passes(2 * MINUTE, 10 * SECOND)
    await all_told(queue, [*payments, fresh], [*paths, "/fresh"])


async def test_a_crowd_of_endpoints_that_hang_leaves_room_for_one_that_answers(queue: Queue) -> None:
    """Every shop that hangs is let go only when the healthy one has heard everything."""
    let_go = asyncio.Event()
    dead = [f"/dead-{index}" for index in range(300)]
    healthy = paths_of("healthy", 50)
    fall(queue, dead, Answer(http(), when=let_go))
    await queue.ends("/hello", site_id="healthy")
    await queue.settles()
    for index, path in enumerate(dead):
        await queue.ends(path, site_id=f"dead-{index}")
    await queue.all_end(healthy, site_id="healthy")
    for _ in range(200):
        await queue.notifier.tick(queue.clock.now())
        await asyncio.sleep(0.005)
        if queue.heard(healthy) == len(healthy):
            break
    assert queue.heard(healthy) == len(healthy)
    assert all(len(queue.receiver.posts[path]) <= 1 for path in dead)
    let_go.set()
    await queue.notifier.idle()


async def test_what_one_shop_has_due_does_not_stand_before_anothers(queue: Queue) -> None:
    """Its backlog is longer than what is looked at in one go; it answers, and takes its time."""
    crowd = paths_of("crowd", 700)
    let_go = asyncio.Event()
    fall(queue, crowd, Answer(http(), when=let_go))
    await queue.all_end(crowd, site_id="crowd")
    await queue.ends("/small", site_id="small", created_at=queue.clock.now())
    for _ in range(50):
        await queue.notifier.tick(queue.clock.now())
        await asyncio.sleep(0.005)
        if queue.receiver.posts["/small"]:
            break
    assert queue.receiver.codes("/small") == ["627"]
    assert queue.heard(crowd) <= queue.settings.per_host
    let_go.set()
    await queue.notifier.idle()


@pytest.mark.parametrize("rows", [1, 30])
async def test_rows_from_before_endpoints_were_written_down_are_told(queue: Queue, rows: int) -> None:
    paths = paths_of("old", rows)
    payments = await queue.all_end(paths)
    await queue.store.engine.script(["UPDATE notification SET endpoint = ''"])
    await queue.settles()
    await all_told(queue, payments, paths)


async def test_old_rows_that_wait_or_are_parked_get_their_endpoint(queue: Queue) -> None:
    paths = paths_of("old", 3)
    fall(queue, paths)
    await queue.all_end(paths)
    await queue.settles()
    await queue.store.engine.script(["UPDATE notification SET endpoint = ''"])
    assert await queue.store.notifications.fill_endpoints() == 3
    assert await queue.store.notifications.fill_endpoints() == 0
    lanes = await queue.store.notifications.due_by_endpoint(
        queue.clock.now() + HOUR, after="", lanes=10, most=10
    )
    assert [(name, len(due)) for name, due in lanes] == [(f"1 {queue.receiver.url}", 3)]


@pytest.mark.parametrize("answer", [http(200), http(500), http(410)], ids=["heard", "failed", "gone"])
@pytest.mark.parametrize("parked", [False, True], ids=["waiting", "on its last try"])
async def test_a_replay_during_a_delivery_is_told_after_it(queue: Queue, answer: bytes, parked: bool) -> None:
    """What was on its way already is not what was asked for, whatever comes of it."""
    if parked:
        fall(queue, ["/asked"])
    payment = await queue.ends("/asked")
    if parked:
        await queue.passes(73 * HOUR, 10 * MINUTE)
        await queue.store.notifications.probe_now(f"1 {queue.receiver.url}", queue.clock.now())
        rise(queue, ["/asked"])
    let_go = asyncio.Event()
    queue.receiver.answers["/asked"].append(Answer(answer, when=let_go))
    queue.clock.advance(2 * SECOND)
    await queue.notifier.tick(queue.clock.now())
    await queue.receiver.heard("/asked", 1)
    queue.clock.advance(5 * SECOND)
    assert await queue.store.notifications.replay_payment("1", payment.transaction_id, queue.clock.now())
    let_go.set()
    await queue.notifier.idle()
    await queue.settles()
    assert queue.receiver.codes("/asked") == ["627", "627"]
    state = await queue.state(payment)
    assert (state.due_at, state.parked_at, state.told_version) == (None, None, payment.version)


async def test_a_shop_that_stumbles_over_what_it_missed_is_told_the_rest_later(queue: Queue) -> None:
    """After three days it is up, and has its hands full: it answers some, and the others when they come again."""
    paths = paths_of("many", 6)
    fall(queue, paths)
    payments = await queue.all_end(paths)
    await queue.passes(73 * HOUR, 20 * MINUTE)
    assert (await queue.store.notifications.counts(queue.clock.now())).parked == 6
    rise(queue, paths)
    for path in paths[::2]:
        queue.receiver.answers[path].append(Answer(http(429, b"", "Retry-After: 5")))
    # Each hour another is tried: the first three may be those, the fourth is heard.
    await queue.passes(4 * HOUR + 30 * MINUTE, 5 * MINUTE)
    assert queue.heard(paths) == 6
    for payment in payments:
        state = await queue.state(payment)
        assert (state.due_at, state.parked_at, state.told_version) == (None, None, payment.version)


@pytest.mark.parametrize(("asked_s", "waits_s"), [(0, 10), (5, 10), (600, 600), (10**6, 3600)])
async def test_an_open_breaker_waits_for_as_long_as_the_shop_asks_up_to_the_cap(
    queue: Queue, asked_s: int, waits_s: int
) -> None:
    paths = paths_of("patience", 8)
    fall(queue, paths, Answer(http(503, b"", f"Retry-After: {asked_s}")))
    await queue.all_end(paths)
    await queue.settles()
    found = await trouble(queue)
    assert found is not None
    assert found.probe_at - queue.clock.now() == waits_s * SECOND
    queue.clock.advance(waits_s * SECOND)
    await queue.settles()
    found = await trouble(queue)
    assert found is not None
    assert (found.failures, found.probe_at - queue.clock.now()) == (1, max(20, waits_s) * SECOND)
