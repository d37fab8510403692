"""The database is away when an operator answers: what cannot be asked again is kept until it can be written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from cauri.lifecycle import asking
from cauri.store import postgres
from tests.conftest import NewDatabase
from tests.lifecycle.shopping import Shop
from tests.notifier.receiver import Receiver
from tests.running import run
from tests.store.cutting_proxy import CuttingProxy


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(new_database: NewDatabase) -> AsyncIterator[CuttingProxy]:
    proxy = CuttingProxy(await new_database("postgres"))
    await proxy.come()
    yield proxy
    await proxy.go()


@pytest_asyncio.fixture(loop_scope="session")
async def shop_behind(
    proxy: CuttingProxy, receiver: Receiver, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shop]:
    """A shop whose gateway has its database behind the proxy, and gives up on it soon."""
    monkeypatch.setattr(postgres, "GIVE_UP_AFTER_S", 0.3)
    monkeypatch.setattr(asking, "WRITTEN_AGAIN_AFTER_S", 0.1)
    running = await run(proxy.url, methods={"OMBF": "orange_ompreq"})
    yield Shop(running, receiver, client)
    await running.stop()


@pytest.mark.parametrize(("code", "end"), [("123456", "00"), ("000000", "662")])
async def test_orange_burkinas_only_answer_outlives_a_database_that_is_away(
    proxy: CuttingProxy, shop_behind: Shop, code: str, end: str
) -> None:
    buyer = await shop_behind.opens(notify_url="")
    await buyer.pays("OMBF")
    await shop_behind.control("faults", operator="orange-burkina", door="start", fault="slow:1")
    giving = asyncio.create_task(buyer.post("code", code=code))
    while await buyer.code() != "663" or not (await buyer.timeline()).attempts[0].sent_at:
        await asyncio.sleep(0.02)
    await proxy.go()
    await asyncio.sleep(2)  # the answer has come, and could not be written
    await asyncio.gather(giving, return_exceptions=True)
    await proxy.come()
    async with asyncio.timeout(20):
        while (found := await buyer.payment()).code.number == "663":
            await asyncio.sleep(0.1)
    assert found.code.number == end
    assert len(await shop_behind.debits(buyer.phones[0])) == (end == "00")
