"""Two gateways over one database: nothing is asked, told or debited twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from cauri.clock import DAY, SECOND
from tests.lifecycle.second import second_gateway
from tests.lifecycle.shopping import Purchase, Shop, number_of
from tests.races.test_customers import all_debits, delivered_once

PAYMENTS = 24


# SQLite has one serving process (design, "Store").
pytestmark = pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")


async def test_both_serve_poll_and_tell_and_every_order_is_delivered_once(shop: Shop) -> None:
    async with second_gateway(shop.running) as other:
        buyers = [await shop.opens() for _ in range(PAYMENTS)]
        await asyncio.gather(*(pay_at_both(buyer, other.url) for buyer in buyers))
        for buyer in buyers:
            await buyer.becomes("00")
            await delivered_once(buyer)
        for buyer in buyers:
            assert len((await buyer.timeline()).attempts) == 1
            assert len(await all_debits(buyer)) == 1


async def pay_at_both(buyer: Purchase, other_url: str) -> None:
    """The same form, sent to both gateways at once."""
    country, phone = number_of("OM", "130")
    form = {"country": country, "number": f"+{phone}", "method": "OM"}
    await asyncio.gather(
        buyer.post("pay", **form),
        buyer.shop.client.post(f"{other_url}/payment/{buyer.token}/pay", data=form),
        buyer.post("pay", **form),
    )


async def test_a_notification_is_claimed_by_one(timed_shop: Shop) -> None:
    """Both claim again and again what has become due; each is handed out once for each lease."""
    shop = timed_shop
    async with second_gateway(shop.running, loops=False) as other:
        buyers = [await shop.opens() for _ in range(PAYMENTS)]
        await asyncio.gather(*(buyer.post("cancel") for buyer in buyers))
        ticks = [
            gateway.notifier.tick(shop.clock.now())
            for _ in range(5)
            for gateway in (shop.running.sandbox.gateway, other.gateway)
        ]
        await asyncio.gather(*ticks)
        for buyer in buyers:
            await buyer.is_told()
        await other.gateway.notifier.idle()
    assert [shop.receiver.codes(buyer.path) for buyer in buyers] == [["627"]] * PAYMENTS
    assert {len((await buyer.timeline()).deliveries) for buyer in buyers} == {1}


async def test_a_question_is_claimed_by_one(timed_shop: Shop) -> None:
    shop = timed_shop
    async with second_gateway(shop.running, loops=False) as other:
        buyers = [await shop.opens() for _ in range(PAYMENTS)]
        for buyer in buyers:
            await buyer.pays("OM", ending="129")
        for round_number in range(5):
            now = shop.clock.now() + (round_number + 1) * DAY  # every question is due, every lease is over
            claims = [
                store.claim_asks(
                    connector="pawapay", now=now, until=now + 90 * SECOND, claim=f"c{index}", limit=1000
                )
                for index, store in enumerate([shop.running.store, other.gateway.store] * 4)
            ]
            claimed = Counter(
                attempt.reference for batch in await asyncio.gather(*claims) for attempt in batch
            )
            ours = {await buyer.reference(1) for buyer in buyers}
            assert ours <= set(claimed)
            assert set(claimed.values()) == {1}


async def test_who_waits_at_one_gateway_hears_of_a_change_made_at_the_other(shop: Shop) -> None:
    async with second_gateway(shop.running) as other:
        buyer = await shop.opens()
        waiting = asyncio.create_task(
            shop.client.get(f"{other.url}/payment/{buyer.token}/state", params={"seen": 1, "wait": 10})
        )
        await asyncio.sleep(0)
        await buyer.post("cancel")
        assert (await waiting).json() == {"version": 2, "status": "refused"}
