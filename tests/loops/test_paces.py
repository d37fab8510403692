"""Each operator is asked within its own places and its own pace; one that cannot be asked never is."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
import structlog
from msgspec.structs import replace

from cauri.app import Gateway
from cauri.clock import HOUR, MINUTE, SECOND
from cauri.domain.breaker import BreakerRule
from cauri.domain.outcome import Unknown
from cauri.lifecycle.standing import Standing
from cauri.loops.pace import Pace
from cauri.loops.poll_operators import PLACES, PollOperators
from cauri.operators.base import Order, Silence
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.pawapay import PawaPay
from tests.conftest import StartGateway
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import pays, take


@pytest.mark.parametrize(
    ("per_s", "moments", "free"),
    [
        (2.0, [0], [2]),
        (2.0, [0, 0], [2, 0]),
        (2.0, [0, 500, 999, 1_000, 1_500], [2, 0, 0, 2, 0]),
        (2.0, [0, 60_000], [2, 2]),  # nothing is saved up beyond a second
        (2.5, [0, 800, 1_000], [2, 0, 2]),
        (0.2, [0, 1_000, 5_000, 6_000], [1, 0, 1, 0]),
        (50.0, [0, 10, 20, 1_000], [50, 0, 0, 50]),
        (2.0, [0, -5_000, -4_001, -4_000], [2, 0, 0, 2]),  # nothing for a second after a clock is put back
    ],
)
def test_a_pace_never_gives_more_than_so_many_a_second(
    per_s: float, moments: list[int], free: list[int]
) -> None:
    pace, given = Pace(per_s), []
    for moment in moments:
        given.append(pace.free(moment))
        for question in pace.take(given[-1], moment):
            pace.answered(question, moment)
    assert given == free


def test_a_question_counts_until_a_second_after_its_answer() -> None:
    """It may have arrived at any moment between; but not later than three seconds after it left."""
    pace = Pace(2.0)
    first, second = pace.take(2, 4_000)
    assert (pace.free(4_900), pace.opens_at) == (0, 7_000)
    pace.answered(first, 5_000)
    pace.answered(second, 5_400)
    assert pace.opens_at == 6_000
    assert [pace.free(moment) for moment in (5_999, 6_000, 6_399, 6_400)] == [0, 1, 1, 2]
    assert pace.opens_at is None, "nothing keeps a question back"
    slow, slower = pace.take(2, 10_000)
    assert [pace.free(moment) for moment in (12_999, 13_000)] == [0, 2], "an operator that answers late"
    for late in (slow, slower):
        pace.answered(late, 25_000)
    assert pace.free(25_000) == 2
    pace.per_s = 1.0  # another process has come
    pace.answered(pace.take(2, 30_000)[0], 30_400)
    assert [pace.free(31_400), pace.opens_at, pace.free(33_000)] == [0, 33_000, 1]


def test_a_clock_that_is_put_back_silences_nobody() -> None:
    """Not even where an answer comes before anybody looks at the clock again."""
    hour = 3_600_000
    pace = Pace(10.0)
    questions = pace.take(10, hour)
    for question in questions[:5]:
        pace.answered(question, hour)
    pace.answered(questions[5], 0)
    assert [pace.free(moment) for moment in (0, 999, 1_000, 3_000)] == [0, 0, 6, 10]


async def in_flight(shop: Shop, method: str, number: int) -> list[Purchase]:
    buyers = [await shop.opens() for _ in range(number)]
    for buyer in buyers:
        await buyer.pays(method, ending="129")
    return buyers


@pytest.fixture
async def quiet(start_gateway: StartGateway, shop: Shop) -> Shop:
    """A gateway of the test's own, whose loops are stopped: only the test's pollers ask."""
    running = await start_gateway(clock=shop.clock)
    for loop in running.sandbox.gateway._loops:
        await loop.stop()
    return Shop(running, shop.receiver, shop.client)


async def test_a_slow_operator_takes_nobody_elses_places(
    quiet: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = asyncio.Event(), Counter[str]()

    async def slow(self: PawaPay, order: Order) -> Unknown:
        if not order.page_url.startswith(quiet.running.url):
            return Unknown("of another gateway in this process")
        asked["pawapay"] += 1
        await answers.wait()
        return Unknown("slow")

    monkeypatch.setattr(PawaPay, "check", slow)
    await in_flight(quiet, "OM", PLACES + 5)
    (other,) = await in_flight(quiet, "FLOOZ", 1)
    poller = PollOperators(quiet.running.lifecycle, quiet.clock)
    quiet.clock.advance(20 * MINUTE)
    assert await poller.tick(quiet.clock.now()) == PLACES + 1
    await quiet.control("settle", reference=await other.reference(1), outcome="paid")
    for _ in range(3):
        quiet.clock.advance(2 * MINUTE)
        await poller.tick(quiet.clock.now())
        while await other.code() == "623" and len(poller._asking["moov_3pp_ci"]) > 0:
            await asyncio.wait(poller._asking["moov_3pp_ci"])
    assert await other.code() == "00"
    assert asked["pawapay"] == PLACES
    answers.set()
    await poller.idle()
    assert await poller.tick(quiet.clock.now()) == 5


async def test_an_operator_is_asked_no_faster_than_it_allows(
    quiet: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PawaPay, "asks_per_s", 2.0)
    await in_flight(quiet, "OM", 7)
    poller = PollOperators(quiet.running.lifecycle, quiet.clock)
    quiet.clock.advance(20 * MINUTE)
    taken = []
    for _ in range(6):
        taken.append(await poller.tick(quiet.clock.now()))
        await poller.idle()
        quiet.clock.advance(SECOND)
    assert taken == [2, 2, 2, 1, 0, 0]


async def test_processes_share_what_an_operator_allows(quiet: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PawaPay, "asks_per_s", 4.0)
    running, clock = quiet.running, quiet.clock
    standing, store = running.lifecycle.standing, running.store
    other = Standing(running.sandbox.gateway.operators, clock, BreakerRule(), "another process")
    await in_flight(quiet, "OM", 10)
    clock.advance(20 * MINUTE)
    poller, taken = PollOperators(running.lifecycle, clock), []
    for told in (True, True, False, False):
        if told:
            await other.save(store)
        await standing.save(store)
        taken.append(await poller.tick(clock.now()))
        await poller.idle()
        clock.advance(30 * SECOND)
    assert taken == [2, 2, 2, 4], "the other is counted until it has been silent for 45 seconds"
    for leaves, number in ((False, 2), (True, 1)):
        await (other.leave(store) if leaves else other.save(store))
        await standing.save(store)
        assert standing.processes("pawapay") == number, "one that ends says so"


async def test_an_operator_that_cannot_be_asked_never_is_and_goes_to_the_reconcile_list(
    quiet: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def check(self: Moov3pp, order: Order) -> Unknown:
        if order.page_url.startswith(quiet.running.url):
            asked.append(order.reference)
        return Unknown("asked all the same")

    monkeypatch.setattr(Moov3pp, "check", check)
    monkeypatch.setattr(Moov3pp, "silence", Silence(None, askable=False))
    buyer = await quiet.opens()
    await take(pays("623", "FLOOZ", answer="drop_after"), buyer)
    poller = PollOperators(quiet.running.lifecycle, quiet.clock)
    await quiet.running.lifecycle.hint(buyer.token)
    for _ in range(4):
        quiet.clock.advance(20 * MINUTE)
        await poller.tick(quiet.clock.now())
        await poller.idle()
    assert asked == []
    assert await buyer.code() == "623"
    unended = await quiet.running.store.unended(quiet.clock.now() - HOUR)
    assert [name for _, _, name in unended] == [buyer.transaction_id]


async def test_attempts_of_a_connector_that_is_no_longer_configured_are_told_to_a_person(quiet: Shop) -> None:
    buyer = await quiet.opens()
    await take(pays("623"), buyer)
    gateway = quiet.running.sandbox.gateway
    without = replace(
        gateway.settings, operators=replace(gateway.settings.operators, pawapay=None), methods={}
    )
    other = Gateway(without, quiet.clock)
    try:
        with structlog.testing.capture_logs() as logs:
            await other.poller.tick(quiet.clock.now())
            await other.poller.tick(quiet.clock.now())
        told = [each for each in logs if each["event"] == "attempts_without_connector"]
        assert [(each["connector"], each["alert"]) for each in told] == [("pawapay", True)]
    finally:
        await other.stop()
    assert await buyer.code() == "623"
