"""The listener on both engines, with several processes that make notifications at once."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from cauri.clock import SECOND, Clock, ManualClock
from cauri.keys import SANDBOX_ADMIN_TOKEN
from cauri.listening import Beginning, CannotKeep, GatewayFeed, Kept, Listener
from cauri.listening.listener import MAYBE_FOR, SIGNED_FOR
from cauri.notifier.sender import Sender
from tests.api.admin.test_feed import ended
from tests.conftest import StartGateway
from tests.lifecycle.second import second_gateway
from tests.notifier.receiver import Answer, http
from tests.running import Running

from .conftest import ComingAndGoing

PAYMENTS = 120


async def test_of_many_made_by_two_processes_at_once_each_comes_once(
    gateway: Running, shop: ComingAndGoing, tmp_path: Path
) -> None:
    await shop.start()
    kept, clock = Kept(tmp_path / "kept"), Clock()
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


@pytest.mark.parametrize("last", [2, None])
async def test_killed_within_its_first_page_it_hears_of_what_is_committed_late(
    last: int | None, start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = await start_gateway(clock=ManualClock())
    now, lines = gateway.clock.now(), list[str]()
    for number in range(3):
        await ended(gateway, f"n{number}", now - (10 - number) * SECOND)
    sender = Sender(gateway.clock, private_allowed=True, ports=(0,))
    async with GatewayFeed(gateway.url, SANDBOX_ADMIN_TOKEN, gateway.site_id) as feed:

        def listener(kept: Kept) -> Listener:
            kept.open()
            return Listener(feed, kept, sender, gateway.clock, forward_to=None, tell=lines.append)

        await listener(killed := Kept(tmp_path / "kept"))._begun(Beginning(last=last))
        killed.close()
        await ended(gateway, "late", now - 12 * SECOND)
        again = listener(kept := Kept(tmp_path / "kept"))
        page = await again._begun(Beginning())
        while page.notifications:
            await again._take(page)
            page = await again._next(wait=False)
            if all(kept.knows(each.id) for each in page.notifications):
                break
        kept.close()
    told = [line.split()[1] for line in lines]
    assert told == (["late", "n1", "n2"] if last else ["late"])


async def test_what_was_held_for_long_is_told_as_it_is_now_with_a_new_signature(
    gateway: Running, shop: ComingAndGoing, tmp_path: Path
) -> None:
    """Receivers check the moment of a signature. That it was fetched anew shows by the site's format, changed meanwhile."""
    site = await gateway.new_site()
    kept, clock, held = Kept(tmp_path / "kept"), ManualClock(), asyncio.Event()
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


@pytest.mark.in_turn
@pytest.mark.parametrize("answer", [b"", http(502), http(503)], ids=["closed at once", "502", "503"])
async def test_a_port_without_its_application_is_waited_for_but_not_for_ever(
    answer: bytes, gateway: Running, shop: ComingAndGoing, tmp_path: Path
) -> None:
    """A container that starts, a proxy without its server. Or one notification breaks the shop: the others must come."""
    site = await gateway.new_site()
    kept, clock, lines = Kept(tmp_path / "kept"), ManualClock(), asyncio.Queue[str]()
    kept.open()
    sender = Sender(clock, private_allowed=True, ports=(0,))

    async def says(words: str) -> None:
        async with asyncio.timeout(20):
            while words not in await lines.get():
                pass

    async with (
        GatewayFeed(gateway.url, SANDBOX_ADMIN_TOKEN, site.site_id) as feed,
        httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client,
    ):
        listener = Listener(feed, kept, sender, clock, forward_to=f"{shop.url}/notify", tell=lines.put_nowait)
        running = asyncio.create_task(listener.run(Beginning()))
        await says("listening to")
        await _cancelled(client, site, gateway.url, "starts")
        await says("held until somebody answers")
        clock.advance(2 * MAYBE_FOR)  # nobody was there at all until now
        shop.standing["/notify"] = Answer(answer)
        await shop.start()
        await shop.heard("/notify", 2)
        del shop.standing["/notify"]
        await says("starts  627 TRANSACTION_CANCEL  → 200")

        shop.standing["/notify"] = Answer(answer)
        await _cancelled(client, site, gateway.url, "breaks")
        await says("held until somebody answers")
        clock.advance(MAYBE_FOR)
        await says("given up here after 3 tries, the gateway's own go on; a replay brings it here, too")
        del shop.standing["/notify"]
        await _cancelled(client, site, gateway.url, "next")
        await says("next  627 TRANSACTION_CANCEL  → 200")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await sender.close()
    kept.close()


def test_what_is_settled_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    kept = Kept(path)
    kept.open()
    kept.begin("2026-11-30T09:59:59.000Z", ["seen"], "2026-11-30T10:00:00.000Z")
    assert kept.since == "2026-11-30T09:59:59.000Z"
    kept.done("2026-11-30T10:00:01.000Z", "a", "b")
    kept.reached("cursor-1", "2026-11-30T10:00:00.000Z")
    kept.close()

    kept = Kept(path)
    kept.open()
    assert (kept.cursor, kept.newest) == ("cursor-1", "2026-11-30T10:00:01.000Z")
    assert [kept.knows(each) for each in ("seen", "a", "b", "c")] == [True, True, True, False]
    kept.reached("cursor-2", "2026-11-30T10:00:01.000Z")
    assert [kept.knows(each) for each in ("seen", "a", "b")] == [False, True, True]
    assert kept.since == ""
    kept.begin("", [], "2026-11-30T10:00:02.000Z")
    assert (kept.cursor, kept.newest, kept.knows("a")) == ("", "", False)
    kept.close()


def test_a_journal_that_was_cut_off_loses_its_last_line_alone_and_does_not_grow_for_ever(
    tmp_path: Path,
) -> None:
    path = tmp_path / "kept"
    kept = Kept(path)
    kept.open()
    for number in range(5_000):
        at = f"2026-11-30T10:{number // 60:02}:{number % 60:02}.000Z"
        kept.done(at, f"id-{number}")
        if number % 100 == 99:
            kept.reached(f"cursor-{number}", at)
    kept.close()
    assert path.stat().st_size < 150_000
    path.write_bytes(path.read_bytes() + b'[2,"id-5000","2026-11-30T1')

    kept = Kept(path)
    kept.open()
    assert (kept.cursor, kept.knows("id-4999"), kept.knows("id-5000")) == ("cursor-4999", True, False)
    kept.close()


def test_a_full_disk_is_told_and_what_was_written_before_is_there(tmp_path: Path) -> None:
    """A line that could not be written whole would hide all that comes after it."""
    path, at = tmp_path / "kept", "2026-11-30T10:00:00.000Z"
    kept = Kept(path)
    kept.open()
    kept.done(at, "before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, limits[1]))
    try:
        with pytest.raises(CannotKeep):
            kept.done(at, "never")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    kept.close()
    kept = Kept(path)
    kept.open()
    assert (kept.knows("before"), kept.knows("never")) == (True, False)
    kept.close()


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
