"""The poller and the expiry loop on real payments."""

from __future__ import annotations

import asyncio
import itertools

from cauri.clock import HOUR, MINUTE, SECOND
from cauri.loops.expire_payments import BATCH, ExpirePayments
from cauri.loops.poll_operators import PollOperators
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import pays, take


async def next_ask_at(buyer: Purchase) -> int:
    at = (await buyer.timeline()).attempts[0].next_ask_at
    assert at is not None
    return at


async def test_an_operator_that_stays_silent_is_asked_by_the_schedule(shop: Shop) -> None:
    """After 1, 2, 3, 5, 8, 13, 21, 34 s and then every minute, each within ten percent."""
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    moments: list[int] = []
    sent_at = (await buyer.timeline()).attempts[0].sent_at or 0
    for _ in range(11):
        at = await next_ask_at(buyer)
        moments.append(at - sent_at)
        shop.clock.advance(max(0, at - shop.clock.now()))
        asks = (await buyer.timeline()).attempts[0].asks
        while (await buyer.timeline()).attempts[0].asks == asks:
            await shop.turn()
    for moment, expected in zip(moments, (1, 2, 3, 5, 8, 13, 21, 34), strict=False):
        assert 0.9 * expected <= moment / 1000 <= 1.1 * expected
    minutes = [later - earlier for earlier, later in itertools.pairwise(moments[7:])]
    assert all(54 * SECOND <= gap <= 66 * SECOND for gap in minutes)
    assert len(minutes) == 3


async def test_long_silence_is_asked_every_five_minutes_and_then_hourly(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    for elapsed, gap in [(HOUR, 5 * MINUTE), (7 * HOUR, HOUR)]:
        attempt = (await buyer.timeline()).attempts[0]
        shop.clock.advance((attempt.sent_at or 0) + elapsed - shop.clock.now())
        while (await buyer.timeline()).attempts[0].asks == attempt.asks:
            await shop.turn()
        assert 0.9 * gap <= await next_ask_at(buyer) - shop.clock.now() <= 1.1 * gap


async def test_more_sessions_than_one_batch_end_at_once(shop: Shop) -> None:
    buyers = await asyncio.gather(*(shop.opens() for _ in range(BATCH + 7)))
    shop.clock.advance(31 * MINUTE)
    expiry = ExpirePayments(shop.running.lifecycle)
    while await expiry.tick(shop.clock.now()):
        pass
    payments = await asyncio.gather(*(buyer.payment() for buyer in buyers))
    assert {payment.code.number for payment in payments} == {"627"}
    assert await expiry.tick(shop.clock.now()) == 0


async def test_a_question_cut_off_is_asked_again_after_its_lease(shop: Shop) -> None:
    """Another process claims the question and dies."""
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    shop.clock.advance(20 * MINUTE)
    now = shop.clock.now()
    while True:
        claimed = await shop.running.store.claim_asks(
            connector="pawapay", now=now, until=now + 90 * SECOND, claim="dead", limit=1000
        )
        if any(attempt.token == buyer.token for attempt in claimed):
            break
        shop.clock.advance(2 * MINUTE)
        now = shop.clock.now()
    await buyer.operator_says("paid", callback=True)
    shop.clock.advance(89 * SECOND)
    await shop.turn()
    assert await buyer.code() == "623"
    shop.clock.advance(2 * SECOND)
    await buyer.comes_to("00")


async def test_two_pollers_take_up_a_question_once(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    pollers = [PollOperators(shop.running.lifecycle, shop.clock) for _ in range(4)]
    before = (await buyer.timeline()).attempts[0].asks
    shop.clock.advance(max(0, await next_ask_at(buyer) - shop.clock.now()))
    await asyncio.gather(*(poller.tick(shop.clock.now()) for poller in pollers for _ in range(3)))
    for poller in pollers:
        await poller.idle()
    await shop.turn()
    assert (await buyer.timeline()).attempts[0].asks == before + 1
