"""The database is away when an operator answers: what cannot be asked again is kept until it can be written."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace

from cauri.config import Settings
from cauri.domain.payment import AttemptStatus, Payment
from cauri.lifecycle import asking
from cauri.store import postgres
from tests.conftest import NewDatabase
from tests.lifecycle.shopping import Purchase, Shop
from tests.notifier.receiver import Receiver
from tests.running import run
from tests.store.cutting_proxy import CuttingProxy


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(new_database: NewDatabase) -> AsyncIterator[CuttingProxy]:
    proxy = CuttingProxy(await new_database("postgres"))
    await proxy.come()
    yield proxy
    await proxy.go()


@pytest.fixture
def unreachable() -> Iterator[str]:
    """An address where a connection is neither made nor refused: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as waiting:
        waiting.setblocking(False)
        waiting.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}"


@pytest_asyncio.fixture(loop_scope="session")
async def shop_behind(
    request: pytest.FixtureRequest,
    proxy: CuttingProxy,
    receiver: Receiver,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Shop]:
    """A shop whose gateway has its database behind the proxy."""
    monkeypatch.setattr(asking, "WRITTEN_AGAIN_AFTER_S", 0.1)
    url = request.getfixturevalue("unreachable") if "unreachable" in request.fixturenames else None

    def adjusted(settings: Settings) -> Settings:
        own = settings.operators.orange_ompreq
        if url is None or own is None:
            return settings
        return replace(
            settings, operators=replace(settings.operators, orange_ompreq=replace(own, base_url=url))
        )

    running = await run(proxy.url, methods={"OMBF": "orange_ompreq"}, adjusted=adjusted)
    yield Shop(running, receiver, client)
    await running.stop()


@pytest.mark.parametrize(("code", "end"), [("123456", "00"), ("000000", "662")])
async def test_orange_burkinas_only_answer_outlives_a_database_that_is_away(
    proxy: CuttingProxy, shop_behind: Shop, code: str, end: str
) -> None:
    buyer = await shop_behind.opens(notify_url="")
    await buyer.pays("OMBF")
    await shop_behind.control("faults", operator="orange-burkina", door="start", fault="slow:1")
    await is_answered_without_a_database(buyer, proxy, code, answer_takes_s=1)
    found = await has_ended(buyer)
    assert found.code.number == end
    assert len(await shop_behind.debits(buyer.phones[0])) == (end == "00")


async def test_a_start_that_never_left_while_the_database_is_away_has_failed_once_it_is_back(
    proxy: CuttingProxy, unreachable: str, shop_behind: Shop
) -> None:
    buyer = await shop_behind.opens(notify_url="")
    await buyer.pays("OMBF")
    await is_answered_without_a_database(buyer, proxy, "123456", answer_takes_s=5)
    assert (await has_ended(buyer)).code.number == "662"
    (attempt,) = (await buyer.timeline()).attempts
    assert (attempt.status, attempt.code.number) == (AttemptStatus.FAILED, "804")


async def is_answered_without_a_database(
    buyer: Purchase, proxy: CuttingProxy, code: str, *, answer_takes_s: int
) -> None:
    """The database goes when the code was sent on, and comes back when the answer could not be written."""
    giving = asyncio.create_task(buyer.post("code", code=code))
    while not (await buyer.timeline()).attempts[0].sent_at:
        await asyncio.sleep(0.02)
    with (
        pytest.MonkeyPatch.context() as impatient
    ):  # while it is away alone: a busy machine is slower than this
        impatient.setattr(postgres, "GIVE_UP_AFTER_S", 0.3)
        await proxy.go()
        await asyncio.sleep(answer_takes_s + 1)
        await asyncio.gather(giving, return_exceptions=True)
    await proxy.come()


async def has_ended(buyer: Purchase) -> Payment:
    async with asyncio.timeout(20):
        while (found := await buyer.payment()).code.number == "663":
            await asyncio.sleep(0.1)
    return found
