"""What is answered in a second: the floor, the rival, and initialisations and checks on each database."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.database import new_postgres_database, value
from bench.load import Measured, load
from bench.pgbench import pgbench
from bench.processes import Failed, child, sandbox
from bench.requests import check_template, payment_template

WARM_UP_S = 1
NOBODY = {"apikey": "nobody", "site_id": "0"}


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each measurement takes, and how many clients ask at once."""

    seconds: int
    connections: int


def floor(effort: Effort) -> Measured:
    """Our HTTP server with nothing behind it."""
    with child("bench.floor") as facts:
        template = payment_template({**facts, **NOBODY}, "F")
        return _loaded(facts["base_url"], template, effort)


def rival(server: str, effort: Effort) -> Measured:
    with new_postgres_database(server, "pgbench") as url:
        return pgbench(url, seconds=effort.seconds, connections=effort.connections)


def postgres(server: str, effort: Effort) -> tuple[Measured, Measured]:
    """Initialisations and checks a second."""
    with new_postgres_database(server, "gateway") as url, sandbox("--database", url) as facts:
        opened, checked = _opened_and_checked(facts, effort)
        for table in ("payment", "payment_history"):
            _check_written(table, int(value(url, f"SELECT count(*) FROM {table}")), opened)
        return opened, checked


def sqlite(effort: Effort) -> tuple[Measured, Measured]:
    with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
        with sandbox("--data", folder) as facts:
            opened, checked = _opened_and_checked(facts, effort)
        with _sqlite_file(Path(folder) / "cauri.sqlite3") as connection:
            for table in ("payment", "payment_history"):
                (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                _check_written(table, count, opened)
        return opened, checked


def _opened_and_checked(facts: dict[str, Any], effort: Effort) -> tuple[Measured, Measured]:
    load(facts["base_url"], payment_template(facts, "W"), seconds=WARM_UP_S, connections=effort.connections)
    opened = _loaded(facts["base_url"], payment_template(facts, "B"), effort)
    # Only the older half: the last ones may have been on their way when the load ended, and its processes differ in speed.
    numbers = max(opened.requests // 2, 1)
    return opened, _loaded(facts["base_url"], check_template(facts, "B"), effort, numbers)


def _loaded(url: str, template: str, effort: Effort, numbers: int = 0) -> Measured:
    measured = load(url, template, seconds=effort.seconds, connections=effort.connections, numbers=numbers)
    if measured.errors:
        raise Failed(
            f"{measured.errors} of {measured.requests} requests were not answered 200: nothing is measured"
        )
    return measured


def _check_written(table: str, count: int, opened: Measured) -> None:
    if count < opened.requests:
        raise Failed(f"{opened.requests} payments were acknowledged and {table} holds {count} rows")


@contextmanager
def _sqlite_file(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    try:
        yield connection
    finally:
        connection.close()
