"""MTN's rule for silence beside our own troubles: a question that we could not put is no word of MTN's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from msgspec.structs import replace

from cauri.app import Gateway
from cauri.clock import MINUTE, SECOND, ManualClock
from cauri.domain.payment import AttemptStatus
from tests.conftest import StartGateway
from tests.lifecycle.shopping import Purchase, Shop
from tests.notifier.receiver import Receiver


@pytest.fixture
async def shop(start_gateway: StartGateway) -> AsyncIterator[Shop]:
    """A gateway whose loops only the test moves, with MTN in Côte d'Ivoire."""
    running = await start_gateway(clock=ManualClock(), methods={"MOMO": "mtn_ci"})
    for loop in running.sandbox.gateway._loops:
        await loop.stop()
    receiver = Receiver()
    await receiver.start()
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        yield Shop(await running.new_site(attempts_max=1), receiver, client)
    await receiver.stop()


async def asked_with_wrong_keys(shop: Shop) -> None:
    """A gateway on the same database whose api_key MTN refuses has the next question."""
    settings = shop.running.sandbox.gateway.settings
    country = replace(settings.operators.mtn["CI"], api_key="an-old-key")
    wrong = replace(settings, operators=replace(settings.operators, mtn={"CI": country}))
    other = Gateway(wrong, shop.clock)
    try:
        shop.clock.advance(5 * SECOND)
        await other.poller.tick(shop.clock.now())
        await other.poller.idle()
    finally:
        await other.stop()


async def paid_for(shop: Shop, answer: str) -> Purchase:
    buyer = await shop.opens()
    await shop.control("next", operator="mtn", outcomes=[{"outcome": "never", "answer": answer}])
    await buyer.post("pay", country="CI", number="+2250502000001", method="MOMO")
    return buyer


async def later(shop: Shop, minutes: int) -> None:
    shop.clock.advance(minutes * MINUTE)
    await shop.turn()


async def test_a_start_that_mtn_never_heard_of_ends_by_its_rule_though_our_keys_were_wrong_for_a_while(
    shop: Shop,
) -> None:
    buyer = await paid_for(shop, "drop_before")
    await asked_with_wrong_keys(shop)
    timeline = await buyer.timeline()
    assert "unclear" in [each.event for each in timeline.history], "a person hears of it"
    assert timeline.attempts[-1].word == "the check has no token: login_failed"
    await later(shop, 14)
    assert await buyer.code() == "623"
    await later(shop, 2)
    assert await buyer.code() == "804"


async def test_what_mtn_has_said_is_not_wiped_out_by_wrong_keys(shop: Shop) -> None:
    buyer = await paid_for(shop, "normal")
    await asked_with_wrong_keys(shop)
    # MTN forgets what it had acknowledged.
    await shop.client.post(f"{shop.running.simulator_url}/_control/reset")
    await later(shop, 20)
    attempt = (await buyer.timeline()).attempts[-1]
    assert (attempt.status, attempt.word) == (
        AttemptStatus.SENT,
        "202; the check has no token: login_failed",
    )
