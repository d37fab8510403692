"""PostgreSQL lost at the worst moments: everybody is answered what is so, nothing is written twice, and it comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from cauri.domain.errors import StoreUnavailable
from cauri.store import Store, postgres
from tests.conftest import NewDatabase
from tests.store.conftest import OpenStore, _migrated
from tests.store.cutting_proxy import Cut, CuttingProxy
from tests.store.records import cancelled, new_payment, sent_attempt, started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server_database(new_database: NewDatabase) -> str:
    url = await new_database("postgres")
    await _migrated(url)
    return url


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(server_database: str) -> AsyncIterator[CuttingProxy]:
    proxy = CuttingProxy(server_database)
    await proxy.come()
    yield proxy
    await proxy.go()


@pytest_asyncio.fixture(loop_scope="session")
async def store(proxy: CuttingProxy, open_store: OpenStore) -> Store:
    """A store that reaches the database through the proxy."""
    return await open_store(proxy.url)


@pytest_asyncio.fixture(loop_scope="session")
async def direct(server_database: str, open_store: OpenStore) -> Store:
    """A store that nothing stands before."""
    return await open_store(server_database)


@pytest.fixture
def soon_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "GIVE_UP_AFTER_S", 0.3)


@pytest.fixture
def never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every dead connection of the pool costs a try: on a busy machine all of them may not be through in the usual seconds."""
    monkeypatch.setattr(postgres, "GIVE_UP_AFTER_S", 60)


@pytest.mark.parametrize("when", Cut)
async def test_payments_whose_statement_was_cut_are_answered_once_and_written_once(
    store: Store, direct: Store, proxy: CuttingProxy, when: Cut
) -> None:
    payments = [new_payment() for _ in range(64)]
    taken = await direct.open_payment(new_payment(payments[7].transaction_id))
    proxy.cut(payments[3].token.encode(), when)
    answers = await asyncio.gather(*map(store.open_payment, payments))
    assert proxy.cuts == 1
    assert answers == [*payments[:7], taken, *payments[8:]]
    for payment in (payments[0], payments[63]):
        assert [row.event for row in (await direct.timeline(payment)).history] == ["opened"]


@pytest.mark.parametrize("when", Cut)
async def test_changes_whose_commit_was_cut_are_answered_once_and_written_once(
    store: Store, direct: Store, proxy: CuttingProxy, when: Cut
) -> None:
    payments = await asyncio.gather(*(store.open_payment(new_payment()) for _ in range(16)))
    changes = [started(payment, sent_attempt(payment)) for payment in payments]
    overtaken = cancelled(payments[5])
    assert await direct.apply(overtaken)
    proxy.cut(b"COMMIT", when)
    answers = await asyncio.gather(*map(store.apply, changes))
    assert proxy.cuts == 1
    assert answers == [index != 5 for index in range(16)]
    for index, change in enumerate(changes):
        timeline = await direct.timeline(change.after)
        stored = await direct.payment_by_token(change.after.token)
        assert stored == (overtaken if index == 5 else change).after
        assert [row.event for row in timeline.history] == ["opened", "cancelled" if index == 5 else "sent"]
        assert len(timeline.attempts) == (0 if index == 5 else 1)


async def test_a_database_gone_before_anything_was_sent_has_recorded_nothing_and_says_so(
    store: Store, direct: Store, proxy: CuttingProxy, soon_given_up: None
) -> None:
    await proxy.go()
    payment = new_payment()
    with pytest.raises(StoreUnavailable) as trouble:
        await store.open_payment(payment)
    assert not trouble.value.maybe_recorded
    with pytest.raises(StoreUnavailable) as trouble:
        await store.payment_by_token(payment.token)
    assert not trouble.value.maybe_recorded
    with pytest.raises(StoreUnavailable):
        await store.ready()
    assert await direct.payment_by_token(payment.token) is None


async def test_a_database_gone_inside_the_commit_may_have_recorded_it_and_says_so(
    store: Store, direct: Store, proxy: CuttingProxy, soon_given_up: None
) -> None:
    await store.ready()
    payment = new_payment()
    proxy.cut(payment.token.encode(), Cut.AFTER, gone_afterwards=True)
    with pytest.raises(StoreUnavailable) as trouble:
        await store.open_payment(payment)
    assert trouble.value.maybe_recorded
    assert await direct.payment_by_token(payment.token) == payment


async def test_the_store_comes_back_by_itself_when_the_database_does(
    store: Store, proxy: CuttingProxy, soon_given_up: None
) -> None:
    before = await store.open_payment(new_payment())
    await proxy.go()
    with pytest.raises(StoreUnavailable):
        await store.open_payment(new_payment())
    await proxy.come()
    assert await store.ready()
    assert await store.payment_by_token(before.token) == before
    after = new_payment()
    assert await store.open_payment(after) == after


async def test_a_database_that_comes_back_in_time_is_only_waited_for(
    store: Store, proxy: CuttingProxy
) -> None:
    await store.ready()
    await proxy.go()
    call = asyncio.create_task(store.open_payment(payment := new_payment()))
    await asyncio.sleep(0)
    await proxy.come()
    assert await call == payment


async def test_connections_that_an_administrator_ends_are_made_again(
    never_given_up: None, store: Store, server_database: str
) -> None:
    await store.ready()
    administrator = await asyncpg.connect(server_database)
    try:
        calls = [asyncio.create_task(store.open_payment(new_payment())) for _ in range(300)]
        await asyncio.sleep(0)
        await administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        opened = await asyncio.gather(*calls)
    finally:
        await administrator.close()
    for payment in opened[::50]:
        assert len((await store.timeline(payment)).history) == 1
