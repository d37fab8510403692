"""410: parked at once, and told when its endpoint next answers; what is gone for good costs the others nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.typing import EventDict

from cauri.clock import HOUR, MINUTE, SECOND
from cauri.domain.errors import StoreUnavailable
from cauri.loops.alerts import Alerts
from cauri.notifier.delivering import Task
from cauri.notifier.sender import Sent
from cauri.store import Endpoint
from tests.logs import own_lines
from tests.notifier.queueing import Queue
from tests.notifier.receiver import Answer, http
from tests.store.conftest import empty_database, open_store

from .test_endpoints import all_told, fall, paths_of, queue, rise, trouble

__all__ = ["empty_database", "open_store", "queue"]

GONE = Answer(http(410))
BROKEN = Answer(http(500))


async def test_410_parks_at_once_and_is_tried_once_more_when_its_endpoint_answers(queue: Queue) -> None:
    fall(queue, ["/gone"], GONE)
    gone = await queue.ends("/gone")
    await queue.settles()
    state = await queue.state(gone)
    assert (state.due_at, state.parked_at, state.tries) == (None, queue.clock.now(), 1)
    found = await trouble(queue)
    assert found is not None
    assert (found.state, found.parked) == ("parked", 1)

    await queue.ends("/there")
    await queue.passes(2 * MINUTE, 10 * SECOND)
    assert (queue.receiver.codes("/there"), queue.receiver.codes("/gone")) == (["627"], ["627"] * 2)
    await all_answer_again(queue, "others")
    await queue.passes(5 * HOUR, MINUTE)
    assert len(queue.receiver.posts["/gone"]) == 2
    assert await trouble(queue) is None

    await queue.store.notifications.replay_payment(gone.site_id, gone.transaction_id, queue.clock.now())
    await queue.settles()
    await all_answer_again(queue, "still others")
    assert len(queue.receiver.posts["/gone"]) == 4, "told again by hand it has both its tries again"


async def all_answer_again(queue: Queue, name: str) -> None:
    """Others at the same endpoint fail, so that its breaker opens, and are told everything."""
    others = paths_of(name.replace(" ", "-"), 8)
    fall(queue, others)
    payments = await queue.all_end(others)
    await queue.settles()
    rise(queue, others)
    await queue.passes(5 * MINUTE, 10 * SECOND)
    await all_told(queue, payments, others)


@pytest.mark.parametrize("number", [1, 4, 8])
@pytest.mark.parametrize("sign", ["a newer one", "the hourly try"])
async def test_a_shop_that_said_410_to_everything_is_told_everything_when_it_answers_again(
    queue: Queue, number: int, sign: str
) -> None:
    paths = paths_of("maintenance", number)
    fall(queue, paths, GONE)
    payments = await queue.all_end(paths)
    await queue.settles()
    rise(queue, paths)
    if sign == "a newer one":
        paths.append("/newer")
        payments.append(await queue.ends("/newer"))
        await queue.passes(2 * MINUTE, 5 * SECOND)
    else:
        await queue.passes(HOUR + 2 * MINUTE, MINUTE)
    await all_told(queue, payments, paths)
    assert await trouble(queue) is None


async def test_addresses_that_are_gone_beside_one_that_answers_cost_two_tries_each(queue: Queue) -> None:
    gone, there = paths_of("gone", 12), paths_of("there", 12)
    fall(queue, gone, GONE)
    for pair in zip(gone, there, strict=True):
        await queue.all_end(pair)
        await queue.passes(MINUTE, 10 * SECOND)
    await queue.ends("/last")
    await queue.passes(MINUTE, 10 * SECOND)
    assert {len(queue.receiver.posts[path]) for path in gone} == {2}
    assert [queue.receiver.codes(path) for path in there] == [["627"]] * 12


async def test_one_that_is_gone_is_not_the_only_one_that_is_tried(queue: Queue) -> None:
    fall(queue, ["/maintenance", "/gone"], GONE)
    await queue.ends("/maintenance")
    await queue.settles()
    queue.clock.advance(10 * MINUTE)
    await queue.ends("/gone")
    await queue.settles()
    rise(queue, ["/maintenance"])
    await queue.passes(3 * HOUR, 10 * MINUTE)
    assert queue.receiver.codes("/maintenance") == ["627"]


async def begins_to_catch_up(queue: Queue) -> None:
    """One that said 410 answers again."""
    fall(queue, ["/first"], GONE)
    await queue.ends("/first")
    await queue.settles()
    rise(queue, ["/first"])
    await queue.passes(2 * SECOND, SECOND)
    await queue.ends("/fine")
    await queue.settles()


async def test_what_is_answered_410_while_its_endpoint_catches_up_waits_for_the_next_answer(
    queue: Queue,
) -> None:
    """The answer that it catches up by is from before the maintenance."""
    await begins_to_catch_up(queue)
    paths = paths_of("maintenance", 4)
    fall(queue, paths, GONE)
    queue.clock.advance(500)
    payments = await queue.all_end(paths)
    await queue.passes(20 * SECOND, SECOND)
    found = await trouble(queue)
    assert found is not None
    assert (found.state, found.parked) == ("parked", 4)
    rise(queue, paths)
    await queue.passes(HOUR + MINUTE, MINUTE)
    await all_told(queue, payments, paths)


async def test_410_to_another_process_at_the_moment_when_an_endpoint_has_caught_up_is_not_forgotten(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begins_to_catch_up(queue)
    other, store_says, between = queue.another(), queue.store.notifications.endpoint_caught_up, []

    async def nothing_new(now: int) -> bool:
        return False

    async def caught_up(endpoint: Endpoint, now: int, **more: Any) -> str | None:
        if not between:
            fall(queue, ["/between"], GONE)
            between.append(await queue.ends("/between"))
            await other.tick(queue.clock.now())
            await other.idle()
        return await store_says(endpoint, now, **more)

    monkeypatch.setattr(other._endpoints, "look", nothing_new)
    monkeypatch.setattr(queue.notifier._queue, "endpoint_caught_up", caught_up)
    await queue.passes(10 * SECOND, SECOND)
    rise(queue, ["/between"])
    await queue.ends("/fine-too")
    await queue.passes(2 * MINUTE, 10 * SECOND)
    await other.stop()
    await all_told(queue, between, ["/between"])


async def test_an_endpoint_that_has_caught_up_before_a_410_is_written_down_is_marked_all_the_same(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begins_to_catch_up(queue)
    await queue.passes(4 * SECOND, SECOND)
    delivering = queue.notifier._delivering
    record = delivering._record

    async def later(task: Task, sent: Sent, next_try_at: int | None) -> None:
        if sent.status == 410:
            queue.clock.advance(2 * SECOND)
            await queue.notifier._endpoints.look(queue.clock.now())
            assert await trouble(queue) is None
        await record(task, sent, next_try_at)

    monkeypatch.setattr(delivering, "_record", later)
    fall(queue, ["/between"], GONE)
    payment = await queue.ends("/between")
    await queue.settles()
    rise(queue, ["/between"])
    await queue.ends("/fine-too")
    await queue.passes(2 * MINUTE, 10 * SECOND)
    await all_told(queue, [payment], ["/between"])


async def test_a_slow_try_that_is_answered_410_after_all_was_well_is_not_forgotten(queue: Queue) -> None:
    paths, answers = paths_of("down", 8), asyncio.Event()
    fall(queue, paths)
    payments = await queue.all_end(paths)
    await queue.settles()
    found = await trouble(queue)
    assert found is not None
    assert found.state == "open"
    rise(queue, paths)
    fall(queue, paths, Answer(http(410), answers))
    queue.clock.advance(11 * SECOND)
    await queue.notifier.tick(queue.clock.now())
    while not (asked := [path for path in paths if queue.receiver.posts[path]]):
        await asyncio.sleep(0.01)
    rise(queue, [path for path in paths if path not in asked])
    await queue.store.notifications.endpoint_answered(found.endpoint, queue.clock.now())
    for _ in range(12):
        queue.clock.advance(SECOND)
        await queue.notifier._endpoints.look(queue.clock.now())
    assert await trouble(queue) is None
    for path in asked:
        del queue.receiver.standing[path]
    answers.set()
    await queue.settles()
    await queue.ends("/fine")
    await queue.passes(2 * MINUTE, 10 * SECOND)
    for payment in payments:
        state = await queue.state(payment)
        assert (state.parked_at, state.told_version) == (None, payment.version)


async def test_a_process_that_dies_between_a_410_and_its_record_leaves_nothing_behind_unseen(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any) -> None:
        raise StoreUnavailable("it is killed here")

    fall(queue, ["/gone"], GONE)
    monkeypatch.setattr(queue.notifier._endpoints, "_park", dies)
    payment = await queue.ends("/gone")
    await queue.settles()
    await queue.stop()
    queue.notifier = queue.another()
    rise(queue, ["/gone"])
    await queue.ends("/fine")
    await queue.passes(5 * MINUTE, 10 * SECOND)
    await all_told(queue, [payment], ["/gone"])


async def test_what_fails_by_itself_keeps_its_schedule_beside_addresses_that_are_gone(queue: Queue) -> None:
    fall(queue, ["/broken"], BROKEN)
    broken = await queue.ends("/broken")
    await queue.settles()
    for number in range(12):
        fall(queue, [f"/gone-{number}"], GONE)
        await queue.all_end([f"/gone-{number}", f"/fine-{number}"])
        await queue.passes(MINUTE, 2 * SECOND)
    assert len(queue.receiver.posts["/broken"]) == 4, "at once, after 10 s, 1 min and 5 min"
    due_at = (await queue.state(broken)).due_at
    assert due_at is not None
    assert due_at - queue.clock.now() < 35 * MINUTE


async def test_a_person_is_called_for_what_is_gone_and_not_every_hour(queue: Queue) -> None:
    fall(queue, ["/gone"], GONE)
    alerts = Alerts(queue.store, 10 * MINUTE)
    with own_lines() as logs:
        await queue.ends("/gone")
        await queue.settles()
        for _ in range(24):
            await queue.passes(HOUR + SECOND, HOUR + SECOND)
            await alerts.tick(queue.clock.now())
    called: list[EventDict] = [line for line in logs if line.get("alert")]
    assert [line["event"] for line in called] == ["notification_parked"]
    assert len(queue.receiver.posts["/gone"]) == 25, "it is tried hourly"
