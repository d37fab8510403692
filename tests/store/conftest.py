"""Stores over databases of their own; each is closed at the end of its test."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from cauri.store import Store, Vault, engine_for
from cauri.store.migrate import migrate
from tests.conftest import NewDatabase

SECRET = "a secret of the instance"

OpenStore = Callable[..., Awaitable[Store]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(engine: str, new_database: NewDatabase) -> str:
    """One migrated database of this engine, which the tests share: each looks only at payments of its own."""
    url = await new_database(engine)
    await _migrated(url)
    return url


@pytest_asyncio.fixture(loop_scope="session")
async def empty_database(engine: str, new_database: NewDatabase) -> str:
    """A migrated database for this test alone."""
    url = await new_database(engine)
    await _migrated(url)
    return url


@pytest_asyncio.fixture(loop_scope="session")
async def open_store() -> AsyncIterator[OpenStore]:
    """Opens one more store on a database; each has its own connections, like a process of its own."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(url: str | None) -> Store:
            store = Store(engine_for(url), Vault(SECRET))
            stack.push_async_callback(store.close)
            return store

        yield open_one


@pytest_asyncio.fixture(loop_scope="session")
async def store(database: str, open_store: OpenStore) -> Store:
    return await open_store(database)


async def _migrated(url: str) -> None:
    made = engine_for(url)
    await migrate(made)
    await made.close()
