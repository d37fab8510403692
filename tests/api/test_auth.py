"""Keys: known by their hash only, read again within 3 s of a change, one read for many requests."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from cauri.api import auth
from cauri.api.auth import KeyRing
from cauri.clock import SECOND, ManualClock
from cauri.domain.errors import StoreUnavailable
from cauri.domain.site import Site, SiteStatus

from .conftest import Merchant, fresh, open_with_key


@pytest.fixture
def counted(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that the real store was asked for."""
    asked: list[str] = []
    read = gateway.store.sites_of_key

    async def sites_of_key(key_hash: str, now: int) -> Any:
        asked.append(key_hash)
        return await read(key_hash, now)

    monkeypatch.setattr(gateway.store, "sites_of_key", sites_of_key)
    return asked


async def test_one_read_serves_all_requests_until_it_is_old(
    gateway: Any, merchant: Merchant, counted: list[str]
) -> None:
    clock = ManualClock(gateway.clock.now())
    keys = KeyRing(gateway.store, clock)
    await asyncio.gather(*(keys.open(merchant.apikey) for _ in range(20)))
    assert len(counted) == 1
    assert keys.remembered(merchant.apikey) is not None
    clock.advance(3 * SECOND)
    assert keys.remembered(merchant.apikey) is None


async def test_the_store_sees_only_the_hash(merchant: Merchant, gateway: Any, counted: list[str]) -> None:
    await KeyRing(gateway.store, gateway.clock).open(merchant.apikey)
    assert counted == [sha256(merchant.apikey.encode()).hexdigest()]


async def test_a_change_is_seen_within_3_seconds(gateway: Any, site_with: Any) -> None:
    merchant = await site_with()
    clock = ManualClock(gateway.clock.now())
    keys = KeyRing(gateway.store, clock)
    await keys.open(merchant.apikey)
    site = await gateway.store.site(merchant.site_id)
    await gateway.store.save_site(replace(site, status=SiteStatus.CLOSED))
    clock.advance(3 * SECOND)
    opened = await keys.open(merchant.apikey)
    assert opened is not None
    assert opened.sites[merchant.site_id].status is SiteStatus.CLOSED


async def test_a_new_key_opens_at_once_and_an_unknown_one_is_not_remembered(gateway: Any) -> None:
    keys, apikey, site_id = KeyRing(gateway.store, gateway.clock), fresh("key"), fresh("site")
    assert await keys.open(apikey) is None
    await gateway.store.add_site(Site(site_id=site_id, name="Boutique"))
    await open_with_key(gateway, apikey, site_id)
    opened = await keys.open(apikey)
    assert opened is not None
    assert set(opened.sites) == {site_id}


async def test_a_clock_set_back_makes_old_knowledge_not_young(gateway: Any, merchant: Merchant) -> None:
    clock = ManualClock(gateway.clock.now())
    keys = KeyRing(gateway.store, clock)
    await keys.open(merchant.apikey)
    clock.advance(-SECOND)
    assert keys.remembered(merchant.apikey) is None


async def test_memory_is_bounded(gateway: Any, site_with: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REMEMBERED_MAX", 2)
    keys = KeyRing(gateway.store, gateway.clock)
    merchants = [await site_with() for _ in range(3)]
    for merchant in merchants:
        await keys.open(merchant.apikey)
    assert [keys.remembered(merchant.apikey) is not None for merchant in merchants] == [False, True, True]


async def test_a_store_that_is_down_is_told_to_all_who_wait_and_asked_again_later(
    gateway: Any, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: Any) -> Any:
        raise StoreUnavailable("down")

    keys = KeyRing(gateway.store, gateway.clock)
    with monkeypatch.context() as broken:
        broken.setattr(gateway.store, "sites_of_key", down)
        results = await asyncio.gather(
            *(keys.open(merchant.apikey) for _ in range(3)), return_exceptions=True
        )
    assert [type(result) for result in results] == [StoreUnavailable] * 3
    assert await keys.open(merchant.apikey) is not None


async def test_one_who_leaves_does_not_take_the_answer_from_the_others(
    gateway: Any, merchant: Merchant
) -> None:
    keys = KeyRing(gateway.store, gateway.clock)
    first, second = (asyncio.create_task(keys.open(merchant.apikey)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None


async def test_a_key_is_never_logged(merchant: Merchant, log_lines: list[dict[str, Any]]) -> None:
    apikey = fresh("secret")
    assert (await merchant.open(apikey=apikey)).json()["code"] == "609"
    assert [line["event"] for line in log_lines] == ["unknown_apikey"]
    assert apikey not in repr(log_lines)


async def test_a_key_of_any_characters_is_only_unknown(merchant: Merchant) -> None:
    for apikey in ("é" * 1_000, "' OR 1=1", "\u202e", "x" * 60_000, 12345):
        assert (await merchant.open(apikey=apikey)).json()["code"] == "609"
