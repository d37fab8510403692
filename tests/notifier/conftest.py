"""The same shop as in the histories, what is heard of one payment, and a database that comes and goes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conftest import NewDatabase
from tests.lifecycle.conftest import client, receiver, shop, timed_gateway
from tests.store.conftest import _migrated
from tests.store.cutting_proxy import CuttingProxy

__all__ = ["client", "receiver", "shop", "timed_gateway"]


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(new_database: NewDatabase) -> AsyncIterator[CuttingProxy]:
    """PostgreSQL, migrated, behind a line that can be cut."""
    url = await new_database("postgres")
    await _migrated(url)
    proxy = CuttingProxy(url)
    await proxy.come()
    yield proxy
    await proxy.go()
