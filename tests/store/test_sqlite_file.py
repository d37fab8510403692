"""SQLite's own ways: a file that another process holds is waited for, a database in memory is one, a lost folder is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw
import pytest

from cauri.domain.errors import StoreUnavailable
from cauri.store import Store, sqlite
from cauri.store.migrate import migrate
from tests.conftest import NewDatabase
from tests.store.conftest import OpenStore
from tests.store.records import cancelled, new_payment


@pytest.fixture
async def file(new_database: NewDatabase) -> str:
    return await new_database("sqlite")


@pytest.fixture
async def store(file: str, open_store: OpenStore) -> Store:
    store = await open_store(file)
    await migrate(store.engine)
    return store


def _locked(file: str) -> apsw.Connection:
    """Another process that is writing."""
    connection = apsw.Connection(file.removeprefix("sqlite:///"))
    connection.execute("BEGIN IMMEDIATE")
    return connection


async def test_a_file_locked_for_a_while_is_waited_for(store: Store, file: str) -> None:
    other = _locked(file)
    payments = [new_payment() for _ in range(20)]
    calls = [asyncio.create_task(store.open_payment(payment)) for payment in payments]
    assert await store.payment_by_token(payments[0].token) is None  # readers do not wait for writers
    assert not any(call.done() for call in calls)
    other.execute("COMMIT")
    assert await asyncio.gather(*calls) == payments
    other.close()


async def test_a_file_locked_for_too_long_is_unavailable_and_nothing_was_recorded(
    store: Store, file: str, monkeypatch: pytest.MonkeyPatch, open_store: OpenStore
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    impatient = await open_store(file)
    await impatient.ready()
    other = _locked(file)
    payment = new_payment()
    with pytest.raises(StoreUnavailable, match="SQLite") as trouble:
        await impatient.open_payment(payment)
    assert not trouble.value.maybe_recorded
    other.execute("ROLLBACK")
    other.close()
    assert await impatient.payment_by_token(payment.token) is None
    assert await impatient.open_payment(payment) == payment


async def test_two_processes_share_a_file(store: Store, file: str, open_store: OpenStore) -> None:
    other = await open_store(file)
    opened = await asyncio.gather(
        *(each.open_payment(new_payment()) for _ in range(100) for each in (store, other))
    )
    for payment in opened:
        assert await other.payment_by_token(payment.token) == payment


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path, open_store: OpenStore) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/nowhere/cauri.sqlite3")
    with pytest.raises(StoreUnavailable, match="SQLite"):
        await store.ready()
    (tmp_path / "nowhere").mkdir()
    assert await store.ready()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path, open_store: OpenStore) -> None:
    (tmp_path / "cauri.sqlite3").write_text("Dear diary, " * 200)
    store = await open_store(f"sqlite:///{tmp_path}/cauri.sqlite3")
    with pytest.raises(StoreUnavailable, match="SQLite"):
        await store.ready()


async def test_what_was_answered_is_in_the_file_when_the_process_is_gone(
    store: Store, file: str, open_store: OpenStore
) -> None:
    payments = await asyncio.gather(*(store.open_payment(new_payment()) for _ in range(50)))
    await store.close()
    again = await open_store(file)
    for payment in payments:
        assert await again.payment_by_token(payment.token) == payment


async def test_a_database_in_memory_is_one_database_and_forgets(open_store: OpenStore) -> None:
    store, other = await open_store(None), await open_store(None)
    for each in (store, other):
        await migrate(each.engine)
    payment = await store.open_payment(new_payment())
    assert await store.apply(end := cancelled(payment))
    assert await store.payment_by_token(payment.token) == end.after
    assert await other.payment_by_token(payment.token) is None


async def test_every_commit_waits_for_the_disk(store: Store, file: str) -> None:
    """WAL and FULL, asked of a connection that the engine itself has opened."""
    opened = await store.engine._writer.run(lambda connection: connection)  # type: ignore[attr-defined]
    asked = {
        name: next(iter(opened.execute(f"PRAGMA {name}")))[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
