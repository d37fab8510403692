"""The operators' gauges of GET /admin/metrics, in a gateway of the test's own whose loops stand still and whose clock is moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from cauri.clock import HOUR, MINUTE, SECOND, ManualClock
from cauri.domain.breaker import BreakerRule
from cauri.domain.outcome import Unknown, Waiting
from tests.conftest import StartGateway
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import pays, says, says_in_vain, take
from tests.notifier.receiver import Receiver

from .conftest import Admin, admin_of
from .test_queue import _gauges as gauges_of


@pytest_asyncio.fixture
async def shop(
    start_gateway: StartGateway, receiver: Receiver, client: httpx.AsyncClient
) -> AsyncIterator[Shop]:
    running = await start_gateway(clock=ManualClock())
    for loop in running.sandbox.gateway._loops:
        await loop.stop()
    yield Shop(await running.new_site(attempts_max=1), receiver, client)


@pytest_asyncio.fixture
async def admin(shop: Shop) -> AsyncIterator[Admin]:
    async with admin_of(shop.running) as admin:
        yield admin


async def gauges(admin: Admin) -> dict[str, float]:
    await admin.running.lifecycle.standing.save(admin.running.store)
    answer = await admin.get("/metrics")
    assert answer.status_code == 200, answer.text
    return gauges_of(answer.text)


async def in_flight(shop: Shop) -> Purchase:
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    return buyer


async def test_breakers_are_told_by_provider(shop: Shop, admin: Admin) -> None:
    orange = 'cauri_operator_breaker{connector="pawapay",provider="ORANGE_CIV"}'
    mtn = 'cauri_operator_breaker{connector="pawapay",provider="MTN_MOMO_CIV"}'
    standing, gateway = shop.running.lifecycle.standing, shop.running.sandbox.gateway
    standing._rule = BreakerRule(2, 30 * SECOND)  # the sandbox has none
    connector = gateway.operators.named("pawapay")
    assert connector is not None
    assert (await gauges(admin))[orange] == 0
    for _ in range(2):
        standing.heard(connector, "OM", Unknown("lost"))
    shown = await gauges(admin)
    assert (shown[orange], shown[mtn]) == (2, 0)
    shop.clock.advance(30 * SECOND)
    assert (await gauges(admin))[orange] == 1
    standing.heard(connector, "OM", Waiting())
    assert (await gauges(admin))[orange] == 0


async def test_a_method_that_its_operator_closes_is_told_as_closed(shop: Shop, admin: Admin) -> None:
    orange = 'cauri_operator_method_closed{connector="pawapay",method="OM"}'
    for status, closed in (("OPERATIONAL", 0), ("CLOSED", 1), ("OPERATIONAL", 0)):
        await shop.control("pawapay/provider", provider="ORANGE_CIV", status=status)
        await shop.running.lifecycle.standing.ask_operators(shop.clock.now())
        shown = await gauges(admin)
        assert shown[orange] == closed
        assert shown['cauri_operator_method_closed{connector="pawapay",method="MOMO"}'] == 0
        assert not [name for name in shown if "method_closed" in name and "moov" in name]


async def test_a_surplus_is_told_until_it_is_given_back(shop: Shop, admin: Admin) -> None:
    assert (await gauges(admin))["cauri_surpluses_held"] == 0
    buyer = await in_flight(shop)
    for step in (says("600", "600"), says_in_vain("paid", "600")):
        await take(step, buyer)
    assert (await gauges(admin))["cauri_surpluses_held"] == 1
    await shop.running.lifecycle.refund(await buyer.reference(1), who="Awa", why="R-12")
    assert (await gauges(admin))["cauri_surpluses_held"] == 0


async def test_what_has_no_end_and_what_is_not_asked_is_told(shop: Shop, admin: Admin) -> None:
    unended, oldest = "cauri_attempts_unended", "cauri_operator_oldest_question_seconds"
    shown = await gauges(admin)
    assert (shown[unended], shown[oldest]) == (0, 0)
    await in_flight(shop)
    assert (await gauges(admin))[oldest] == 0, "its first question is not due yet"
    shop.clock.advance(10 * MINUTE)
    shown = await gauges(admin)
    assert shown[unended] == 0
    assert 9 * 60 <= shown[oldest] <= 10 * 60
    shop.clock.advance(HOUR)
    assert (await gauges(admin))[unended] == 1
    await shop.turn()
    shown = await gauges(admin)
    assert (shown[unended], shown[oldest]) == (1, 0), "asked; its next question is not due yet"
