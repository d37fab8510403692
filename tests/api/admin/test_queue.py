"""Telling again, addresses in trouble, what is owed, and the metrics: on a clock that is moved by hand."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from cauri.api.admin.cursors import cursor_of
from cauri.clock import DAY, HOUR
from tests.lifecycle.conftest import shop, timed_gateway
from tests.lifecycle.shopping import Purchase, Shop
from tests.notifier.receiver import Answer, http

from .conftest import Admin, admin_of, code_of, fields_of
from .test_log import every_page

__all__ = ["shop", "timed_gateway"]

DOWN = Answer(http(503))


@pytest_asyncio.fixture
async def admin(shop: Shop) -> AsyncIterator[Admin]:
    async with admin_of(shop.running) as admin:
        yield admin


async def cancelled(shop: Shop, **fields: Any) -> Purchase:
    """A payment that ended: the quickest way to something to tell."""
    purchase = await shop.opens(**fields)
    await purchase.post("cancel")
    assert await purchase.code() == "627"
    return purchase


async def told(purchase: Purchase, times: int) -> None:
    """Heard so often, and written down."""
    for _ in range(20):
        if len(purchase.shop.receiver.posts[purchase.path]) >= times:
            await purchase.shop.running.sandbox.gateway.notifier.idle()
            return
        await purchase.shop.turn()
    raise AssertionError(f"told {len(purchase.shop.receiver.posts[purchase.path])} times, not {times}")


async def test_a_delivered_state_is_told_again(shop: Shop, admin: Admin) -> None:
    purchase = await cancelled(shop)
    await told(purchase, 1)
    body = {"site": shop.running.site_id, "transaction_id": purchase.transaction_id}
    answer = await admin.post("/deliveries/replay", body)
    assert (answer.status_code, answer.json()) == (200, {"replayed": 1, "cursor": None})
    await told(purchase, 2)
    first, second = shop.receiver.posts[purchase.path]
    assert first.body == second.body
    listed = await every_page(admin, "/deliveries", "deliveries", **body)
    assert [(each["number"], each["delivered"]) for each in listed] == [(1, True), (1, True)]


async def test_what_cannot_be_told_is_refused_with_the_reason(shop: Shop, admin: Admin) -> None:
    site = shop.running.site_id
    untold = await cancelled(shop, notify_url=None)
    fresh = await shop.opens()
    for name in (untold.transaction_id, fresh.transaction_id):
        answer = await admin.post("/deliveries/replay", {"site": site, "transaction_id": name})
        assert code_of(answer) == (409, "conflict")
        assert "notify_url" in answer.json()["error"]["message"]
    answer = await admin.post("/deliveries/replay", {"site": site, "transaction_id": "nix"})
    assert code_of(answer) == (404, "not_found")


async def test_everything_since_a_moment_is_told_again_and_nothing_older(shop: Shop, admin: Admin) -> None:
    old = await cancelled(shop)
    await told(old, 1)
    shop.clock.advance(HOUR)
    since = shop.clock.now()
    new = [await cancelled(shop) for _ in range(3)]
    for purchase in new:
        await told(purchase, 1)
    shop.clock.advance(1_000)
    answer = await admin.post(
        "/deliveries/replay-since", {"site": shop.running.site_id, "since": _iso(since)}
    )
    assert answer.json() == {"replayed": 3, "cursor": None}
    for purchase in new:
        await told(purchase, 2)
    assert len(shop.receiver.posts[old.path]) == 1


async def parked(shop: Shop) -> Purchase:
    """One that ended at an address that is gone."""
    purchase = await shop.opens()
    shop.receiver.standing[purchase.path] = Answer(http(410))
    await purchase.post("cancel")
    await told(purchase, 1)
    return purchase


async def test_a_parked_notification_is_listed_and_told_again(shop: Shop, admin: Admin) -> None:
    purchase = await parked(shop)
    site = shop.running.site_id
    [listed] = await every_page(admin, "/notifications", "notifications", state="parked", site=site)
    assert (listed["transaction_id"], listed["code"]) == (purchase.transaction_id, "627")
    assert listed["parked_at"] is not None
    assert await every_page(admin, "/notifications", "notifications", site=site) == []

    del shop.receiver.standing[purchase.path]
    answer = await admin.post("/deliveries/replay-parked", {"site": site})
    assert answer.json()["replayed"] == 1
    await told(purchase, 2)
    await purchase.is_told()
    assert await every_page(admin, "/notifications", "notifications", state="parked", site=site) == []


@pytest.mark.parametrize("door", ["replay-since", "replay-parked"])
async def test_a_replay_goes_on_where_its_cursor_says(
    door: str, shop: Shop, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cauri.api.admin.queue_doors.SLICES_A_CALL", 1)
    purchase = await parked(shop)
    del shop.receiver.standing[purchase.path]
    shop.clock.advance(1)
    body = {"site": shop.running.site_id} | ({"since": "1h"} if door == "replay-since" else {})
    first = (await admin.post(f"/deliveries/{door}", body)).json()
    assert first["replayed"] == 1
    rest = await admin.post(f"/deliveries/{door}", body | {"cursor": first["cursor"]})
    assert (rest.status_code, rest.json()) == (200, {"replayed": 0, "cursor": None})
    await told(purchase, 2)


@pytest.mark.parametrize("hours", [-2, 28, 10**9], ids=["of yesterday", "of tomorrow", "of no date"])
@pytest.mark.parametrize("door", ["replay-since", "replay-parked"])
async def test_a_made_up_cursor_of_a_replay_is_refused_and_nothing_is_moved(
    door: str, hours: int, shop: Shop, admin: Admin
) -> None:
    """Its moment would be written down as when the notifications are due."""
    purchase, site = await parked(shop), shop.running.site_id
    at = min(shop.running.clock.now() + hours * HOUR, 2**53)
    place = (0, at) if door == "replay-since" else (at,)
    body = {"site": site, "cursor": cursor_of(*place)} | ({"since": "1h"} if len(place) == 2 else {})
    answer = await admin.post(f"/deliveries/{door}", body)
    assert fields_of(answer) == {"cursor"}
    assert "begin anew" in answer.json()["error"]["message"]
    [still] = await every_page(admin, "/notifications", "notifications", state="parked", site=site)
    assert still["transaction_id"] == purchase.transaction_id


async def test_what_is_due_comes_in_pages_the_next_first(shop: Shop, admin: Admin) -> None:
    purchases = [await shop.opens() for _ in range(4)]
    for purchase in purchases:
        shop.receiver.standing[purchase.path] = DOWN
        await purchase.post("cancel")
        await told(purchase, 1)
        shop.clock.advance(1)
    site = shop.running.site_id
    for limit in (1, 3, 50):
        found = await every_page(admin, "/notifications", "notifications", site=site, limit=limit)
        assert {each["transaction_id"] for each in found} == {each.transaction_id for each in purchases}
        assert [each["due_at"] for each in found] == sorted(each["due_at"] for each in found)


async def test_an_address_in_trouble_is_listed_and_can_be_tried_at_once(shop: Shop, admin: Admin) -> None:
    site = shop.running.site_id
    purchases = [await shop.opens() for _ in range(8)]
    for purchase in purchases:
        shop.receiver.standing[purchase.path] = DOWN
        await purchase.post("cancel")
    for _ in range(20):
        await shop.turn()
        if (await admin.get("/endpoints", site=site)).json()["endpoints"]:
            break
    [found] = (await admin.get("/endpoints", site=site)).json()["endpoints"]
    assert (found["site"], found["state"], found["origin"]) == (site, "open", shop.receiver.url)
    assert found["waiting"] == 8
    assert "503" in found["last_word"]

    for purchase in purchases:
        del shop.receiver.standing[purchase.path]
    probe = {"site": site, "origin": found["origin"]}
    assert (await admin.post("/endpoints/probe", probe)).json() == probe
    for _ in range(9):  # less than the 10 s after which it would have been tried by itself
        shop.clock.advance(1_000)
        await shop.turn()
    assert (await admin.get("/endpoints", site=site)).json()["endpoints"] == []
    assert code_of(await admin.post("/endpoints/probe", probe)) == (404, "not_found")
    for purchase in purchases:
        await purchase.is_told()


def _gauges(text: str) -> dict[str, float]:
    """By name, labels included."""
    return {
        name: float(value) for name, value in re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
    }


async def test_metrics_follow_what_happens(shop: Shop, admin: Admin) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    before = _gauges((await admin.get("/metrics")).text)
    purchase = await shop.opens()
    shop.receiver.standing[purchase.path] = DOWN
    await purchase.post("cancel")
    await told(purchase, 1)
    answer = await admin.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {
        "cauri_notifications_oldest_undelivered_seconds",
        "cauri_notifications_due",
        "cauri_notifications_undelivered",
        "cauri_notifications_parked",
        "cauri_endpoints_in_trouble",
        "cauri_payments_waiting",
        "cauri_attempts_in_flight",
        "cauri_alerts",
        "cauri_deliveries",
    } <= families
    now = _gauges(answer.text)
    undelivered = "cauri_notifications_undelivered"
    assert now[undelivered] == before[undelivered] + 1
    refused = next(name for name in now if name.startswith("cauri_deliveries_total") and '"refused"' in name)
    assert now[refused] == before[refused] + 1

    shop.clock.advance(DAY)
    oldest = "cauri_notifications_oldest_undelivered_seconds"
    assert _gauges((await admin.get("/metrics")).text)[oldest] >= DAY / 1000


async def test_a_test_of_a_url_says_what_a_delivery_would_meet(shop: Shop, admin: Admin) -> None:
    site = shop.running.site_id
    good = await admin.post(f"/sites/{site}/try-url", {"url": f"{shop.receiver.url}/good"})
    assert (good.status_code, good.json()["told"]) == (200, True)
    assert good.json()["transaction_id"].startswith("cauri-test-")
    shop.receiver.standing["/bad"] = Answer(http(404))
    bad = (await admin.post(f"/sites/{site}/try-url", {"url": f"{shop.receiver.url}/bad"})).json()
    assert bad["told"] is False
    assert bad["advice"]
    assert shop.running.secret_key not in repr(bad)
    assert code_of(await admin.post("/sites/nobody/try-url", {"url": "http://x/"})) == (404, "not_found")


async def test_the_record_of_a_test_has_no_secret_of_its_url(shop: Shop, admin: Admin) -> None:
    site = shop.running.site_id
    await admin.post(f"/sites/{site}/try-url", {"url": "http://awa:s3cret@127.0.0.1:9/notify?key=s3cret"})
    entries = (await admin.get("/audit", limit=50)).json()["entries"]
    assert any("http://127.0.0.1:9/notify" in each["target"] for each in entries)
    assert "s3cret" not in repr(entries)


def _iso(milliseconds: int) -> str:
    from cauri.domain.moments import iso

    return iso(milliseconds)
