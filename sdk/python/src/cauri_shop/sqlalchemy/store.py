"""Where the book is kept: sessions of its own on the shop's engine, blocking or asyncio, by what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Union

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from ..book.colours import settled
from ..book.unreachable import StoreUnreachable
from .statements import INSERTS, AnySession, SqlAlchemyTransaction
from .tables import BookTables, tables

SessionSource = Union[
    Engine, AsyncEngine, Callable[[], AnySession], "scoped_session[Any]", "async_scoped_session[Any]"
]

_OURS_ENDED = (
    "the transaction of the payment book was ended by a hook: leave commit and rollback to the book, "
    "which commits your writes together with its own"
)


class _Block:
    """One `begin`, while it lasts; a task that a hook leaves behind may call the book once it is over."""

    open = True


_block: ContextVar[_Block | None] = ContextVar("cauri_shop_block", default=None)


class SqlAlchemyStore:
    """The book in the database of an Engine or AsyncEngine, a sessionmaker, or whatever gives a new Session when called.

    Of a `scoped_session` (Flask-SQLAlchemy's `db.session`) it takes the factory: the book never works in the session
    of a request. With an AsyncEngine or an async_sessionmaker it serves an AsyncPaymentBook, otherwise a PaymentBook.
    PostgreSQL and SQLite; implement `cauri_shop.book.BookStore` for another engine.
    """

    def __init__(self, sessions: SessionSource, book_tables: BookTables | None = None) -> None:
        self._new_session = _factory(sessions)
        self.tables = book_tables or tables(MetaData())

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlAlchemyTransaction]:
        """A transaction of its own. Raises RuntimeError in a hook, or when the connection's transaction is not ours."""
        with _alone():
            async with self._session() as session:
                dialect = await self._connected(session)
                ours = _transaction_of(session)
                yield SqlAlchemyTransaction(session, self.tables, dialect)
                # A hook that rolled back took the book's rows with it: better loud than believed.
                if _transaction_of(session) is not ours:
                    raise RuntimeError(_OURS_ENDED)
                await settled(session.commit())

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlAlchemyTransaction]:
        """The latest committed rows."""
        async with self._session() as session:
            yield SqlAlchemyTransaction(session, self.tables, await self._connected(session))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AnySession]:
        session = self._new_session()
        if isinstance(session, AsyncSession):
            _require_loop()
        if session.in_transaction():
            raise RuntimeError(
                "this session is in a transaction already: give SqlAlchemyStore an engine or a sessionmaker, "
                "so that the book's rows are committed before the gateway is asked"
            )
        try:
            with _named():
                yield session
        finally:
            # Whatever was not committed is rolled back.
            await settled(session.close())

    async def _connected(self, session: AnySession) -> str:
        """The dialect's name, connected. Never AUTOCOMMIT; whoever waited for a lock sees what was written meanwhile."""
        bind = session.get_bind(clause=self.tables.orders)
        if isinstance(bind, Connection) and bind.in_transaction():
            raise RuntimeError(
                "this session's connection is in a transaction already, so that a commit would not be one; "
                "in tests, create the tables anew instead of rolling back"
            )
        dialect = bind.dialect.name
        if dialect not in INSERTS:
            raise RuntimeError(
                f"SqlAlchemyStore speaks {' and '.join(INSERTS)}, not {dialect}: implement cauri_shop.book.BookStore"
            )
        options = {"isolation_level": "SERIALIZABLE" if dialect == "sqlite" else "READ COMMITTED"}
        where = {"clause": self.tables.orders}
        try:
            connection: Any = session.connection(bind_arguments=where, execution_options=options)
            await settled(connection)
        except SQLAlchemyError:
            raise
        except Exception as error:
            # asyncpg's own errors, and the socket's, while connecting.
            raise StoreUnreachable(type(error).__name__) from error
        return dialect


def _factory(sessions: SessionSource) -> Callable[[], AnySession]:
    if isinstance(sessions, AsyncEngine):
        return lambda: AsyncSession(sessions)
    if isinstance(sessions, Engine):
        return lambda: Session(sessions)
    if isinstance(sessions, (scoped_session, async_scoped_session)):
        factory: Callable[[], AnySession] = sessions.session_factory
        return factory
    if not callable(sessions) or isinstance(sessions, (Session, AsyncSession)):
        raise TypeError(
            f"SqlAlchemyStore takes an engine or a sessionmaker, not {type(sessions).__name__}: each "
            "transaction of the book needs a session of its own"
        )
    return sessions


def _require_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise TypeError(
            "an AsyncEngine, or its sessions, is for an AsyncPaymentBook, awaited in asyncio"
        ) from None


def _transaction_of(session: AnySession) -> SessionTransaction | None:
    return (session.sync_session if isinstance(session, AsyncSession) else session).get_transaction()


@contextmanager
def _alone() -> Iterator[None]:
    """Refuses the book inside its own transaction, where it would wait for itself."""
    around = _block.get()
    if around is not None and around.open:
        raise RuntimeError(
            "a hook called the payment book inside the book's own transaction; do it in @book.after_paid"
        )
    block = _Block()
    token = _block.set(block)
    try:
        yield
    finally:
        block.open = False
        _block.reset(token)


@contextmanager
def _named() -> Iterator[None]:
    """Gives a database that is gone, or locked for too long, its one name."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreUnreachable(type(error).__name__) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnreachable(type(error).__name__) from error
        raise
