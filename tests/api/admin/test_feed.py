"""The feed of a site's notifications: nothing is missed, nothing is told that was not asked for, whatever the order of commits."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import pytest
from standardwebhooks.webhooks import Webhook

from cauri.api.admin.feed import Feed
from cauri.clock import HOUR, MINUTE, SECOND, ManualClock, new_id
from cauri.domain import moves
from cauri.domain.payment import Payment
from cauri.keys import webhook_secret
from cauri.store import Heard, NotificationQueue, Vault
from cauri.store.notifications import SLICE
from tests.api.conftest import Merchant
from tests.conftest import StartGateway
from tests.running import Running
from tests.store.records import new_payment

from .conftest import Admin, admin_of, code_of, fields_of


async def ended(running: Running, name: str, at: int) -> Payment:
    """A payment whose end is to be told, as if it had happened at ``at``; committed now."""
    payment = await running.store.open_payment(
        new_payment(name, site_id=running.site_id, created_at=at, expires_at=at + 1)
    )
    change = moves.ended_without_payment(payment, None, at, new_id(), "cancelled")
    assert change is not None
    assert await running.store.apply(change)
    return change.after


class Reader:
    """Asks again and again, and keeps what is new, as ``cauri listen`` does."""

    def __init__(self, admin: Admin, site_id: str) -> None:
        self.admin = admin
        self.path = f"/sites/{site_id}/notifications"
        self.cursor = ""
        self.ids: dict[str, str] = {}
        self.names: list[str] = []

    async def begin(self, **parameters: Any) -> list[str]:
        return await self._take(await self.admin.get(self.path, **parameters))

    async def more(
        self, between: Callable[[], Awaitable[None]] | None = None, **parameters: Any
    ) -> list[str]:
        """``between``: what happens after each page."""
        new: list[str] = []
        while True:
            answer = await self.admin.get(self.path, after=self.cursor, **parameters)
            new += await self._take(answer)
            if between is not None:
                await between()
            if not answer.json()["more"]:
                return new

    async def _take(self, answer: Any) -> list[str]:
        assert answer.status_code == 200, answer.text
        page = answer.json()
        self.cursor = page["cursor"]
        self.ids |= dict.fromkeys(page["seen"], page["now"])
        new = [each for each in page["notifications"] if each["id"] not in self.ids]
        self.ids |= {each["id"]: each["at"] for each in new}
        self.ids = {name: at for name, at in self.ids.items() if at >= page["settled"]}
        self.names += [each["transaction_id"] for each in new]
        return [each["transaction_id"] for each in new]


@pytest.fixture
async def timed(start_gateway: StartGateway) -> Running:
    return await start_gateway(clock=ManualClock())


async def test_from_now_on_each_comes_once_and_what_was_before_does_not(timed: Running) -> None:
    now = timed.clock.now()
    await ended(timed, "before", now - 10 * SECOND)
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        assert await reader.begin() == []
        assert await reader.more() == []
        await ended(timed, "after", now + 1)
        assert await reader.more() == ["after"]
        assert await reader.more() == []


async def test_one_that_is_committed_late_comes_all_the_same(timed: Running) -> None:
    """On PostgreSQL a change of 12:00:00 may be seen after one of 12:00:02."""
    now = timed.clock.now()
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        await reader.begin()
        await ended(timed, "second", now + 5 * SECOND)
        assert await reader.more() == ["second"]
        await ended(timed, "first", now + 3 * SECOND)
        await ended(timed, "third", now + 20 * SECOND)
        assert await reader.more() == ["first", "third"]
        await ended(timed, "latest of the late", now - 5 * SECOND)
        assert await reader.more() == ["latest of the late"]
        assert await reader.more() == []


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
async def test_any_page_length_brings_all_in_order(limit: int, timed: Running) -> None:
    now = timed.clock.now()
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        await reader.begin()
        for number in range(9):
            await ended(timed, f"{limit}-{number}", now + number // 3)
        new = await reader.more(limit=limit)
        assert sorted(new) == [f"{limit}-{number}" for number in range(9)]
        moments = [int(name.split("-")[1]) // 3 for name in new]
        assert moments == sorted(moments)
        assert await reader.more(limit=limit) == []
        await ended(timed, f"{limit}-9", now + 4)
        assert await reader.more(limit=limit) == [f"{limit}-9"]


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_whatever_the_order_of_commits_each_comes_once_and_ids_need_not_be_kept(
    limit: int, timed: Running
) -> None:
    """The reader forgets what the gateway calls settled."""
    clock, chance, made = timed.clock, Random(limit), []
    assert isinstance(clock, ManualClock)
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        await reader.begin()

        async def commits() -> None:
            for _ in range(chance.randrange(4) if len(made) < 90 else 0):
                made.append(f"c{len(made)}")
                await ended(timed, made[-1], clock.now() - chance.randrange(29 * SECOND))
            clock.advance(chance.choice([1, SECOND, 7 * SECOND, 40 * SECOND]))

        while len(made) < 90:
            await commits()
            if chance.random() < 0.7:
                await reader.more(commits, limit=limit)
        await reader.more(limit=limit)
        assert sorted(reader.names) == sorted(made)
        clock.advance(31 * SECOND)
        await reader.more(limit=limit)
        answer = await admin.get(reader.path, after=reader.cursor)
        assert (answer.json()["notifications"], reader.ids) == ([], {})


async def test_a_crowd_of_one_moment_is_not_told_again_and_again(timed: Running) -> None:
    clock = timed.clock
    assert isinstance(clock, ManualClock)
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        await reader.begin()
        await asyncio.gather(*(ended(timed, f"crowd-{number}", clock.now()) for number in range(30)))
        assert len(await reader.more(limit=4)) == 30
        for _ in range(3):
            clock.advance(20 * SECOND)
            assert await reader.more(limit=4) == []
        assert (await admin.get(reader.path, after=reader.cursor)).json()["notifications"] == []


async def test_a_token_that_is_revoked_during_the_wait_hears_nothing_more(
    gateway: Running, merchant: Merchant
) -> None:
    async with admin_of(gateway) as admin:
        listener = await admin.given("notifications:listen")
        path = f"/sites/{gateway.site_id}/notifications"
        cursor = (await listener.get(path)).json()["cursor"]
        waiting = asyncio.create_task(listener.get(path, after=cursor, wait=20))
        await asyncio.sleep(2.5)  # a token is read again after two seconds
        assert await gateway.store.admin.revoke(listener.label, gateway.clock.now())  # type: ignore[attr-defined]
        name, token = await merchant.opened(notify_url="http://127.0.0.1:9/notify")
        await merchant.client.post(f"{gateway.url}/payment/{token}/cancel", data={"": ""})
        answer = await asyncio.wait_for(waiting, 10)
        assert code_of(answer) == (401, "unauthorized")
        assert name not in answer.text


async def test_a_secret_that_changes_during_the_wait_signs(gateway: Running, merchant: Merchant) -> None:
    async with admin_of(gateway) as admin:
        path = f"/sites/{gateway.site_id}/notifications"
        cursor = (await admin.get(path)).json()["cursor"]
        waiting = asyncio.create_task(admin.get(path, after=cursor, wait=20))
        await asyncio.sleep(0.5)
        now = gateway.clock.now()
        assert await gateway.store.rotate_secret(gateway.site_id, "a-new-secret", until=now + HOUR, now=now)
        _, token = await merchant.opened(notify_url="http://127.0.0.1:9/notify")
        await merchant.client.post(f"{gateway.url}/payment/{token}/cancel", data={"": ""})
        [told] = (await asyncio.wait_for(waiting, 10)).json()["notifications"]
        assert len(told["headers"]["webhook-signature"].split()) == 2


async def test_the_newest_few_and_those_since_a_moment(timed: Running) -> None:
    now = timed.clock.now()
    for number in range(5):
        await ended(timed, f"n{number}", now - (5 - number) * SECOND)
    async with admin_of(timed) as admin:
        last = Reader(admin, timed.site_id)
        assert await last.begin(last=2) == ["n3", "n4"]
        assert await last.more() == []
        since = Reader(admin, timed.site_id)
        assert await since.begin(since="3s") == ["n2", "n3", "n4"]
        assert await since.more() == []
        for reader in (last, since):
            await ended(timed, f"new{id(reader)}", now + 1)
            assert f"new{id(reader)}" in await reader.more()


async def test_a_replay_comes_again(timed: Running) -> None:
    clock = timed.clock
    assert isinstance(clock, ManualClock)
    payment = await ended(timed, "told", clock.now() - 1)
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        await reader.begin()
        clock.advance(SECOND)
        body = {"site": timed.site_id, "transaction_id": payment.transaction_id}
        assert (await admin.post("/deliveries/replay", body)).status_code == 200
        assert await reader.more() == ["told"]


@pytest.mark.parametrize("slices", [1, 10], ids=["in requests", "in one slow request"])
async def test_a_replay_that_takes_long_comes_whole(
    slices: int, timed: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, number, told = timed.clock, SLICE + 20, []
    assert isinstance(clock, ManualClock)
    await asyncio.gather(*(ended(timed, f"p{n}", clock.now() - HOUR + n) for n in range(number)))
    replay = NotificationQueue.replay_since
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        await reader.begin()

        async def slowly(*arguments: Any, **named: Any) -> int:
            found = await replay(*arguments, **named)
            clock.advance(35 * SECOND)
            told.extend(await reader.more())
            return found

        monkeypatch.setattr("cauri.api.admin.queue_doors.SLICES_A_CALL", slices)
        monkeypatch.setattr(NotificationQueue, "replay_since", slowly)
        asked, answer = {"site": timed.site_id, "since": "2h"}, {"cursor": ""}
        while answer["cursor"] is not None:
            body = asked | ({"cursor": answer["cursor"]} if answer["cursor"] else {})
            answer = (await admin.post("/deliveries/replay-since", body)).json()
        assert sorted(told) == sorted(f"p{n}" for n in range(number))


async def test_what_is_committed_while_the_newest_are_read_is_told(
    timed: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, read = timed.clock.now(), Feed._coming_again
    for number in range(3):
        await ended(timed, f"n{number}", now - (10 - number) * SECOND)

    async def after_one_more(*arguments: Any) -> list[Heard]:
        await ended(timed, "meanwhile", now - 1)
        return await read(*arguments)

    monkeypatch.setattr(Feed, "_coming_again", after_one_more)
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        assert await reader.begin(last=2) == ["n1", "n2"]
        assert await reader.more() == ["meanwhile"]


async def test_after_a_clock_was_put_back_what_is_new_comes(timed: Running) -> None:
    clock = timed.clock
    assert isinstance(clock, ManualClock)
    async with admin_of(timed) as admin:
        reader = Reader(admin, timed.site_id)
        await reader.begin()
        clock.advance(-10 * MINUTE)
        await ended(timed, "new", clock.now())
        assert await reader.more() == ["new"]
        clock.advance(SECOND)
        assert await reader.more() == []


async def test_a_waiting_reader_hears_of_what_was_committed_late(gateway: Running) -> None:
    async with admin_of(gateway) as admin:
        reader = Reader(admin, gateway.site_id)
        await reader.begin()
        waiting = asyncio.create_task(reader.more(wait=20))
        await asyncio.sleep(0.5)
        payment = await ended(gateway, f"late-{new_id()}", gateway.clock.now() - 5 * SECOND)
        assert await asyncio.wait_for(waiting, 10) == [payment.transaction_id]


async def test_a_cursor_of_before_says_that_it_is_none(timed: Running) -> None:
    """Of an earlier version: it does not say what is settled."""
    old = Vault(timed.sandbox.gateway.settings.secret).sealed(f'["{timed.site_id}",1,"",false]')
    async with admin_of(timed) as admin:
        assert fields_of(await admin.get(f"/sites/{timed.site_id}/notifications", after=old)) == {"after"}


async def test_a_waiting_reader_hears_at_once(gateway: Running, merchant: Merchant) -> None:
    async with admin_of(gateway) as admin:
        reader = Reader(admin, gateway.site_id)
        await reader.begin()
        waiting = asyncio.create_task(reader.more(wait=20))
        name, token = await merchant.opened(notify_url="http://127.0.0.1:9/notify")
        await merchant.client.post(f"{gateway.url}/payment/{token}/cancel", data={"": ""})
        assert await asyncio.wait_for(waiting, 10) == [name]


async def test_a_reader_of_another_process_hears_too(gateway: Running, merchant: Merchant) -> None:
    """Nothing rings there: it looks by itself."""
    from tests.lifecycle.second import second_gateway

    async with second_gateway(gateway, loops=False) as second, admin_of(gateway) as admin:
        far = Admin(admin.client, type("There", (), {"url": second.url})())  # type: ignore[arg-type]
        far.headers = admin.headers
        reader = Reader(far, gateway.site_id)
        await reader.begin()
        waiting = asyncio.create_task(reader.more(wait=20))
        name, token = await merchant.opened(notify_url="http://127.0.0.1:9/notify")
        await merchant.client.post(f"{gateway.url}/payment/{token}/cancel", data={"": ""})
        assert await asyncio.wait_for(waiting, 10) == [name]


async def test_it_is_signed_as_a_delivery_is_and_the_secret_stays(
    gateway: Running, merchant: Merchant
) -> None:
    name, token = await merchant.opened(notify_url="http://127.0.0.1:9/notify")
    await merchant.client.post(f"{gateway.url}/payment/{token}/cancel", data={"": ""})
    async with admin_of(gateway) as admin:
        answer = await admin.get(f"/sites/{gateway.site_id}/notifications", last=1)
        [told] = answer.json()["notifications"]
        again = (await admin.get(f"/sites/{gateway.site_id}/notifications/{name}")).json()
    assert again["id"] == told["id"]
    assert gateway.secret_key not in answer.text
    assert token not in answer.text
    fields = parse_qsl(told["body"], keep_blank_values=True)
    signed = hmac.new(
        gateway.secret_key.encode(), "".join(v for _, v in fields).encode(), "sha256"
    ).hexdigest()
    assert told["headers"]["x-token"] == signed
    assert dict(fields)["cpm_trans_id"] == name
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= set(told["headers"])
    assert told["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


async def test_its_standard_webhooks_headers_are_verified_by_their_own_library(gateway: Running) -> None:
    json_site = await gateway.new_site(notification_format="json")
    payment = await ended(json_site, f"json-{new_id()[:8]}", gateway.clock.now())
    async with admin_of(gateway) as admin:
        path = f"/sites/{json_site.site_id}/notifications/{payment.transaction_id}"
        told = (await admin.get(path)).json()
    verified = Webhook(webhook_secret(json_site.secret_key)).verify(told["body"], told["headers"])
    assert verified == {"cpm_trans_id": payment.transaction_id, "cpm_site_id": json_site.site_id}


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "g" * 1999, "gAAAAABrBAcioJnQ", "ü"])
async def test_a_cursor_that_is_none(cursor: str, gateway: Running) -> None:
    async with admin_of(gateway) as admin:
        assert fields_of(await admin.get(f"/sites/{gateway.site_id}/notifications", after=cursor)) == {
            "after"
        }


async def test_a_cursor_of_another_site_is_none(gateway: Running) -> None:
    other = await gateway.new_site()
    async with admin_of(gateway) as admin:
        cursor = (await admin.get(f"/sites/{other.site_id}/notifications")).json()["cursor"]
        answer = await admin.get(f"/sites/{gateway.site_id}/notifications", after=cursor)
        assert fields_of(answer) == {"after"}


@pytest.mark.parametrize(
    ("parameters", "faulty"),
    [
        ({"wait": "26"}, {"wait"}),
        ({"wait": "-1"}, {"wait"}),
        ({"wait": "soon"}, {"wait"}),
        ({"last": "201"}, {"last"}),
        ({"limit": "0"}, {"limit"}),
        ({"since": "yesterday"}, {"since"}),
        ({"last": "1", "since": "1h"}, {"last"}),
        ({"after": "x", "last": "1"}, {"after"}),
        ({"befor": "x"}, {"befor"}),
    ],
)
async def test_nonsense_names_its_field(
    parameters: dict[str, str], faulty: set[str], gateway: Running
) -> None:
    async with admin_of(gateway) as admin:
        assert fields_of(await admin.get(f"/sites/{gateway.site_id}/notifications", **parameters)) == faulty


async def test_a_payment_that_has_nothing_to_tell(gateway: Running, merchant: Merchant) -> None:
    name, _ = await merchant.opened()
    async with admin_of(gateway) as admin:
        for asked in (name, "nix"):
            answer = await admin.get(f"/sites/{gateway.site_id}/notifications/{asked}")
            assert code_of(answer) == (404, "not_found")
