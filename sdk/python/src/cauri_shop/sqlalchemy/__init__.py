"""SQLAlchemy 2: the book in your own database, with a Session or an AsyncSession.

    book_tables = tables(Base.metadata)          # beside your models, where Alembic and create_all find them
    book = PaymentBook(SqlAlchemyStore(engine), checkout)
    book = AsyncPaymentBook(SqlAlchemyStore(async_engine), async_checkout)

Alembic: call `tables(Base.metadata)` where env.py imports your models; `alembic revision --autogenerate` then writes
the three tables in plain SQLAlchemy types, and nothing of this package needs to be imported by a migration.
"""

from ..book.unreachable import StoreUnreachable
from .store import SqlAlchemyStore
from .tables import BookTables, tables

__all__ = ["BookTables", "SqlAlchemyStore", "StoreUnreachable", "tables"]
