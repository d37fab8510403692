"""Sites and keys: one key for many sites, two keys during a rotation, and no secret in clear in the database."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from cauri.domain.errors import StoreUnavailable
from cauri.domain.site import Site, SiteSettings, SiteStatus
from cauri.store import Store, Vault, engine_for
from tests.store.conftest import SECRET, OpenStore
from tests.store.records import NOW


def _site(**fields: object) -> Site:
    wanted = {"site_id": str(secrets.randbelow(10**12)), "name": "Chez Awa", "created_at": NOW}
    return Site(**(wanted | fields))  # type: ignore[arg-type]


def _hash() -> str:
    return hashlib.sha256(secrets.token_bytes(16)).hexdigest()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"secret_key": "clé secrète ☕"},
        {"status": SiteStatus.CLOSED},
        {"status": SiteStatus.SUSPENDED, "currencies": ("XOF",), "countries": ("CI", "SN")},
        {"settings": SiteSettings(attempts_max=1, success_word="SUCCESS", wire_revision=2022)},
        {"currencies": (), "countries": ()},
        {"secret_key": "new", "old_secret_key": "old ☕", "old_secret_until": NOW + 1},
    ],
)
async def test_a_site_is_read_back_as_it_was_written(store: Store, fields: dict[str, object]) -> None:
    site = _site(**fields)
    assert await store.add_site(site)
    assert await store.site(site.site_id) == site
    assert site in await store.sites()


async def test_a_taken_site_id_is_not_given_twice(store: Store) -> None:
    site = _site()
    assert await store.add_site(site)
    assert not await store.add_site(replace(site, name="Somebody else"))
    assert await store.site(site.site_id) == site
    await store.save_site(changed := replace(site, name="New name", status=SiteStatus.CLOSED))
    assert await store.site(site.site_id) == changed
    assert await store.site("no such site") is None


async def test_a_key_opens_all_its_sites_and_an_unknown_one_nothing(store: Store) -> None:
    sites = [_site(), _site()]
    key = _hash()
    for site in sites:
        await store.add_site(site)
        await store.give_key(key, site.site_id, label="one", now=NOW)
        await store.give_key(key, site.site_id, label="again", now=NOW + 1)  # giving it twice is no fault
    found = await store.sites_of_key(key, NOW)
    assert found is not None
    assert set(found) == set(sites)
    assert await store.sites_of_key(_hash(), NOW) is None
    assert await store.keys_of_site(sites[0].site_id) == [("one", NOW, None)]


async def test_during_a_rotation_both_keys_open_and_afterwards_one(store: Store) -> None:
    site, elsewhere = _site(), _site()
    old, new = _hash(), _hash()
    for each in (site, elsewhere):
        await store.add_site(each)
    await store.give_key(old, site.site_id, label="old", now=NOW)
    await store.give_key(old, elsewhere.site_id, label="old", now=NOW)
    await store.give_key(new, site.site_id, label="new", now=NOW + 1)
    await store.revoke_other_keys(site.site_id, new, NOW + 100)
    assert await store.sites_of_key(old, NOW + 99) is not None
    assert set(await store.sites_of_key(old, NOW + 99) or ()) == {site, elsewhere}
    assert await store.sites_of_key(old, NOW + 100) == (elsewhere,)
    assert await store.sites_of_key(new, NOW + 100) == (site,)
    await store.revoke_other_keys(site.site_id, new, NOW + 500)  # a revoked key keeps its moment
    assert await store.keys_of_site(site.site_id) == [("new", NOW + 1, None), ("old", NOW, NOW + 100)]


async def test_a_rotation_keeps_the_old_secret_until_its_grace_ends(store: Store) -> None:
    site = _site(secret_key="old")
    await store.add_site(site)
    assert await store.rotate_secret(site.site_id, "new", until=NOW + 100, now=NOW)
    rotating = await store.site(site.site_id)
    assert rotating == replace(site, secret_key="new", old_secret_key="old", old_secret_until=NOW + 100)
    assert rotating.signing_keys(NOW + 99) == ("old", "new")
    assert rotating.signing_keys(NOW + 100) == ("new",)
    assert not await store.rotate_secret(site.site_id, "newer", until=NOW + 200, now=NOW + 99)
    await store.drop_old_secrets(NOW + 99)
    assert await store.site(site.site_id) == rotating
    assert await store.drop_old_secrets(NOW + 100) >= 1
    assert await store.site(site.site_id) == replace(site, secret_key="new")


async def test_a_rotation_can_be_finished_before_its_time_and_then_begun_again(store: Store) -> None:
    site = _site(secret_key="old")
    await store.add_site(site)
    assert not await store.finish_rotation(site.site_id, NOW)
    await store.rotate_secret(site.site_id, "new", until=NOW + 100, now=NOW)
    assert await store.finish_rotation(site.site_id, NOW + 1)
    assert not await store.finish_rotation(site.site_id, NOW + 1)
    assert await store.site(site.site_id) == replace(site, secret_key="new")
    assert await store.rotate_secret(site.site_id, "newer", until=NOW + 200, now=NOW + 2)
    assert await store.rotate_secret(site.site_id, "newest", until=NOW + 400, now=NOW + 200)
    found = await store.site(site.site_id)
    assert found is not None
    assert found.signing_keys(NOW + 399) == ("newer", "newest")
    assert not await store.rotate_secret("no such site", "new", until=NOW + 100, now=NOW)


async def test_a_site_without_secret_gets_one_at_once(store: Store) -> None:
    site = _site()
    await store.add_site(site)
    assert await store.rotate_secret(site.site_id, "first", until=NOW + 100, now=NOW)
    assert await store.site(site.site_id) == replace(site, secret_key="first")


async def test_two_rotations_at_once_are_one(store: Store) -> None:
    site = _site(secret_key="old")
    await store.add_site(site)
    both = await asyncio.gather(
        *(store.rotate_secret(site.site_id, f"new {n}", until=NOW + 100, now=NOW) for n in range(2))
    )
    assert sorted(both) == [False, True]
    found = await store.site(site.site_id)
    assert found is not None
    assert found.signing_keys(NOW) == ("old", f"new {both.index(True)}")


async def test_changing_a_site_leaves_its_secrets_alone(store: Store) -> None:
    site = _site(secret_key="old")
    await store.add_site(site)
    await store.rotate_secret(site.site_id, "new", until=NOW + 100, now=NOW)
    assert await store.change_site(
        replace(site, name="Chez Aya", status=SiteStatus.CLOSED)
    )  # read before the rotation
    found = await store.site(site.site_id)
    assert found is not None
    assert (found.name, found.status, found.signing_keys(NOW)) == (
        "Chez Aya", SiteStatus.CLOSED, ("old", "new"),
    )  # fmt: skip
    assert not await store.change_site(_site())


async def test_no_secret_key_is_in_clear_in_the_database(
    empty_database: str, open_store: OpenStore, engine: str
) -> None:
    store = await open_store(empty_database)
    secret_key = "a-very-recognisable-secret-key"
    site = _site(secret_key=secret_key)
    await store.add_site(site)
    await store.rotate_secret(site.site_id, "another-recognisable-key", until=NOW, now=NOW)
    if engine == "sqlite":
        files = Path(empty_database.removeprefix("sqlite:///"))
        kept = b"".join(path.read_bytes() for path in files.parent.iterdir())
    else:
        session = await asyncpg.connect(empty_database)
        kept = str(await session.fetch("SELECT * FROM site")).encode()
        await session.close()
    assert site.site_id.encode() in kept
    assert secret_key.encode() not in kept
    assert b"another-recognisable-key" not in kept


async def test_another_instance_secret_opens_no_sealed_key_and_says_what_to_do(
    database: str, store: Store
) -> None:
    site = _site(secret_key="sealed")
    await store.add_site(site)
    stranger = Store(engine_for(database), Vault("another secret altogether"))
    with pytest.raises(StoreUnavailable, match="secret"):
        await stranger.site(site.site_id)
    await stranger.close()
    assert Vault(SECRET).opened(Vault(SECRET).sealed("sealed")) == "sealed"


@pytest.mark.parametrize("text", ["", "nonsense", "gAAAAA", "é"])
def test_a_text_that_was_never_sealed_is_not_opened(text: str) -> None:
    with pytest.raises(StoreUnavailable):
        Vault(SECRET).opened(text)
