"""SQLite: one file, one writing thread, WAL, every commit on the disk before it is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from cauri.domain.errors import StoreRefused, StoreUnavailable
from cauri.store.engine import Operation, Row, Statement
from cauri.store.queries import Dialect, Query, queries

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5_000
_REFUSALS = (
    apsw.ConstraintError,
    apsw.MismatchError,
    apsw.TooBigError,
    apsw.RangeError,
    OverflowError,  # an integer of more than 64 bits
    UnicodeError,  # a lone surrogate
)


class SqliteEngine:
    """``path`` None keeps everything in memory, in one connection."""

    dialect: Dialect = "sqlite"
    lanes = 1

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._queries = queries("sqlite")
        self._writer = _Worker(path)
        self._reader = self._writer if path is None else _Worker(path)

    async def write(self, operation: Callable[[], Operation[T]], *, single: bool = False) -> T:
        return await self._writer.run(lambda connection: self._transaction(connection, operation))

    async def read(self, statement: Statement) -> list[Row]:
        return await self._reader.run(lambda connection: self._rows(connection, statement))

    async def script(self, statements: Sequence[str]) -> None:
        def work(connection: apsw.Connection) -> None:
            with _Immediate(connection):
                for statement in statements:
                    connection.execute(statement)

        await self._writer.run(work)

    async def close(self) -> None:
        await self._writer.close()
        if self._reader is not self._writer:
            await self._reader.close()

    def _transaction(self, connection: apsw.Connection, operation: Callable[[], Operation[T]]) -> T:
        with _Immediate(connection):
            steps = operation()
            rows: list[Row] | None = None
            while True:
                try:
                    statement = next(steps) if rows is None else steps.send(rows)
                except StopIteration as done:
                    answer: T = done.value
                    return answer
                rows = self._rows(connection, statement)

    def _rows(self, connection: apsw.Connection, statement: Statement) -> list[Row]:
        query: Query | None = self._queries.get(statement.name)
        if query is None:  # a statement that only the other engine needs
            return []
        if query.each:
            rows = statement.rows or ()
            values = [row[name] for row in rows for name in query.parameters]
            return list(connection.execute(query.sql_for(len(rows)), values))
        return list(connection.execute(query.sql, {name: statement.value(name) for name in query.parameters}))


class _Immediate:
    """BEGIN IMMEDIATE … COMMIT, rolled back when anything is raised."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except apsw.Error:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class _Worker:
    """One connection in one thread: SQLite waits for the disk, the event loop does not."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._connection: apsw.Connection | None = None
        self._closed = False

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        if self._closed:
            raise StoreUnavailable("SQLite: the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._thread.shutdown()

    def _guarded(self, work: Callable[[apsw.Connection], T]) -> T:
        """A writer of another process may hold the file: waited for as long as ``busy_timeout``, then told."""
        try:
            return work(self._open())
        except _REFUSALS as error:
            raise StoreRefused(str(error)) from error
        except apsw.Error as error:
            raise StoreUnavailable(f"SQLite: {error}") from error

    def _open(self) -> apsw.Connection:
        if self._connection is None:
            connection = apsw.Connection(":memory:" if self._path is None else str(self._path))
            connection.set_busy_timeout(BUSY_TIMEOUT_MS)
            _switch_to_wal(connection)
            connection.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
            self._connection = connection
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _switch_to_wal(connection: apsw.Connection) -> None:
    """SQLite answers a second connection that switches at the same moment with BUSY at once, whatever the time-out."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
