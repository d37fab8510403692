"""PostgreSQL through asyncpg: pooled connections, retried conflicts, and honesty about a connection lost inside COMMIT."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from cauri.domain.errors import StoreRefused, StoreUnavailable
from cauri.store.engine import Operation, Row, Statement
from cauri.store.queries import Dialect, queries

T = TypeVar("T")

POOL_SIZE = 8
GIVE_UP_AFTER_S = 5.0
SCRIPT_TIMEOUT_S = 3_600.0  # a schema change on a large table
_MIGRATION_LOCK = 0x6361757269  # "cauri"

_CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
_REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeError,  # a lone surrogate, found before anything is sent
)
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut in the middle of a statement, used again
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,  # the server is there and does not let us in
    asyncpg.InvalidCatalogNameError,
    OSError,
    TimeoutError,
)


class PostgresEngine:
    """``lanes`` batches of one kind may be under way at once; the pool opens connections as they are needed."""

    dialect: Dialect = "postgres"
    lanes = 2

    def __init__(self, url: str) -> None:
        self._url = url
        self._queries = queries("postgres")
        self._pool: asyncpg.Pool[Any] | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def write(self, operation: Callable[[], Operation[T]], *, single: bool = False) -> T:
        return await self._retried(lambda connection: self._run(connection, operation, single))

    async def read(self, statement: Statement) -> list[Row]:
        return await self._retried(lambda connection: self._rows(connection, statement), writes=False)

    async def script(self, statements: Sequence[str]) -> None:
        async def work(connection: Any) -> None:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
                for statement in statements:
                    await connection.execute(statement, timeout=SCRIPT_TIMEOUT_S)

        await self._retried(work)

    async def close(self) -> None:
        self._closed = True
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def _run(self, connection: Any, operation: Callable[[], Operation[T]], single: bool) -> T:
        if single:
            return await self._steps(connection, operation())
        async with connection.transaction():
            return await self._steps(connection, operation())

    async def _steps(self, connection: Any, steps: Operation[T]) -> T:
        rows: list[Row] | None = None
        while True:
            try:
                statement = next(steps) if rows is None else steps.send(rows)
            except StopIteration as done:
                answer: T = done.value
                return answer
            rows = await self._rows(connection, statement)

    async def _rows(self, connection: Any, statement: Statement) -> list[Row]:
        query = self._queries.get(statement.name)
        if query is None:  # a statement that only the other engine needs
            return []
        rows: list[Row] = await connection.fetch(query.sql, *map(statement.value, query.parameters))
        return rows

    async def _retried(self, work: Callable[[Any], Awaitable[T]], *, writes: bool = True) -> T:
        """Conflicts are tried again at once; after a lost connection the work is repeated, which reads back what was written."""
        deadline = time.monotonic() + GIVE_UP_AFTER_S
        started = False
        for pause_s in _pauses():
            try:
                async with self._connection() as connection:
                    started = True
                    return await work(connection)
            except _CONFLICTS as error:
                trouble: Exception = error
            except _REFUSALS as error:
                raise StoreRefused(str(error)) from error
            except _LOST as error:
                trouble = error
            if time.monotonic() + pause_s > deadline:
                raise StoreUnavailable(
                    f"PostgreSQL: {trouble}", maybe_recorded=writes and started
                ) from trouble
            await asyncio.sleep(pause_s)
        raise StoreUnavailable("PostgreSQL: no more tries", maybe_recorded=writes and started)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        pool = self._pool or await self._open()
        connection = await pool.acquire(timeout=GIVE_UP_AFTER_S)
        try:
            yield connection
        except _LOST:  # it may be in the middle of something: nobody else is to have it
            connection.terminate()
            raise
        finally:
            await pool.release(connection)

    async def _open(self) -> asyncpg.Pool[Any]:
        async with self._opening:
            if self._closed:
                raise StoreUnavailable("PostgreSQL: the store is closed")
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=1,
                    max_size=POOL_SIZE,
                    timeout=GIVE_UP_AFTER_S,
                    command_timeout=GIVE_UP_AFTER_S,
                    reset=_keep,
                )
            return self._pool


async def _keep(_: Any) -> None:
    """Nothing of a session is ever changed, so there is nothing to reset, and a round trip to save."""


def _pauses() -> Iterator[float]:
    yield 0.0
    pause_s = 0.02
    while True:
        yield pause_s
        pause_s = min(pause_s * 2, 0.5)
