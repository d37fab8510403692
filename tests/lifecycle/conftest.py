"""One gateway of each engine for all histories, on a clock that stands still until a step moves it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from cauri.clock import ManualClock
from tests.conftest import NewDatabase
from tests.lifecycle.shopping import Shop
from tests.notifier.receiver import Receiver
from tests.running import Running, run


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def timed_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    running = await run(await new_database(engine), clock=ManualClock())
    yield running
    await running.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
async def shop(timed_gateway: Running, receiver: Receiver, client: httpx.AsyncClient) -> Shop:
    """A shop with a site of its own and the usual three tries."""
    return Shop(await timed_gateway.new_site(), receiver, client)
