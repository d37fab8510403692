"""The listener on both engines, with several processes that make notifications at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from msgspec.structs import replace

from cauri.clock import Clock, ManualClock
from cauri.keys import SANDBOX_ADMIN_TOKEN
from cauri.listening import Beginning, GatewayFeed, Kept, Listener
from cauri.listening.listener import SIGNED_FOR
from cauri.notifier.sender import Sender
from tests.lifecycle.second import second_gateway
from tests.running import Running

from .conftest import ComingAndGoing

PAYMENTS = 120


async def test_of_many_made_by_two_processes_at_once_each_comes_once(
    gateway: Running, shop: ComingAndGoing, tmp_path: Path
) -> None:
    await shop.start()
    kept, clock = Kept(tmp_path / "kept.json"), Clock()
    kept.open()
    sender = Sender(clock, private_allowed=True, ports=(0,))
    listens = asyncio.Event()

    def tell(line: str) -> None:
        if line.startswith("listening to"):
            listens.set()

    async with (
        second_gateway(gateway) as second,
        GatewayFeed(gateway.url, SANDBOX_ADMIN_TOKEN, gateway.site_id) as feed,
        httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client,
    ):
        listener = Listener(feed, kept, sender, clock, forward_to=f"{shop.url}/notify", tell=tell)
        running = asyncio.create_task(listener.run(Beginning()))
        await asyncio.wait_for(listens.wait(), 10)
        urls = (gateway.url, second.url)
        await asyncio.gather(*(_cancelled(client, gateway, urls[n % 2], f"m{n}") for n in range(PAYMENTS)))
        await shop.heard("/notify", PAYMENTS, within_s=30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await sender.close()
    kept.close()
    assert sorted(shop.names()) == sorted(f"m{n}" for n in range(PAYMENTS))


async def test_what_was_held_for_long_is_told_as_it_is_now_with_a_new_signature(
    gateway: Running, shop: ComingAndGoing, tmp_path: Path
) -> None:
    """Receivers check the moment of a signature. That it was fetched anew shows by the site's format, changed meanwhile."""
    site = await gateway.new_site()
    kept, clock, held = Kept(tmp_path / "kept.json"), ManualClock(), asyncio.Event()
    kept.open()
    sender = Sender(clock, private_allowed=True, ports=(0,))
    async with (
        GatewayFeed(gateway.url, SANDBOX_ADMIN_TOKEN, site.site_id) as feed,
        httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client,
    ):
        await _cancelled(client, site, gateway.url, "T1")

        def tell(line: str) -> None:
            if "held until" in line:
                held.set()

        listener = Listener(feed, kept, sender, clock, forward_to=f"{shop.url}/notify", tell=tell)
        running = asyncio.create_task(listener.run(Beginning(last=1)))
        await asyncio.wait_for(held.wait(), 10)
        known = await gateway.store.site(site.site_id)
        assert known is not None
        changed = replace(known, settings=replace(known.settings, notification_format="json"))
        await gateway.store.save_site(changed)
        clock.advance(SIGNED_FOR + 1)
        await shop.start()
        [post] = await shop.heard("/notify", 1, within_s=30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await sender.close()
    kept.close()
    assert post.headers["content-type"] == "application/json"
    assert b"T1" in post.body


async def _cancelled(client: httpx.AsyncClient, gateway: Running, url: str, name: str) -> None:
    body = {
        "apikey": gateway.apikey,
        "site_id": gateway.site_id,
        "transaction_id": name,
        "amount": 100,
        "currency": "XOF",
        "description": "d",
        "return_url": "http://127.0.0.1:9/return",
        "notify_url": "http://127.0.0.1:9/notify",
    }
    token = (await client.post(f"{url}/v2/payment", json=body)).json()["data"]["payment_token"]
    await client.post(f"{url}/payment/{token}/cancel", data={"": ""})
