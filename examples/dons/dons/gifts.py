"""The gifts: what donors wrote, and whether the money arrived. Beside them stand the payment book's tables."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cauri_shop.sqlalchemy import tables
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of this site."""


class Gift(Base):
    """One gift, counted once `arrived_at` is written. `amount` in whole francs; `name` may be empty."""

    __tablename__ = "gift"
    ref: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    words: Mapped[str]
    amount: Mapped[int]
    arrived_at: Mapped[datetime | None]


BOOK_TABLES = tables(Base.metadata)


@dataclass(frozen=True)
class Total:
    """What arrived so far, in whole francs, and from how many gifts."""

    amount: int
    gifts: int


class Gifts:
    """The gifts of one database."""

    def __init__(self, path: Path) -> None:
        self.engine = _engine(path)

    async def prepare(self) -> None:
        """Makes the tables that are missing."""
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def keep(self, ref: str, name: str, words: str, amount: int) -> Gift:
        """The gift of this form: a form sent twice is one gift, sent again with another amount it is another."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            gift = await session.get(Gift, ref)
            if gift is not None and gift.amount == amount:
                return gift
            kept = Gift(
                ref=ref if gift is None else secrets.token_hex(8), name=name, words=words, amount=amount
            )
            session.add(kept)
            return kept

    async def get(self, ref: str) -> Gift | None:
        """The gift of this ref."""
        async with AsyncSession(self.engine) as session:
            return await session.get(Gift, ref)

    async def total(self) -> Total:
        """The sum of the gifts that arrived."""
        async with AsyncSession(self.engine) as session:
            arrived = select(func.coalesce(func.sum(Gift.amount), 0), func.count()).where(
                Gift.arrived_at.is_not(None)
            )
            amount, gifts = (await session.execute(arrived)).one()
            return Total(int(amount), gifts)

    async def latest(self, limit: int = 8) -> list[Gift]:
        """The newest gifts that arrived."""
        newest = (
            select(Gift).where(Gift.arrived_at.is_not(None)).order_by(Gift.arrived_at.desc()).limit(limit)
        )
        async with AsyncSession(self.engine) as session:
            return list(await session.scalars(newest))


async def arrived(session: AsyncSession, ref: str) -> None:
    """Counts a gift, in the transaction in which the book records its payment."""
    gift = await session.get(Gift, ref)
    if gift is not None:
        gift.arrived_at = datetime.now(UTC).replace(tzinfo=None)


def _engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": 20})

    @event.listens_for(engine.sync_engine, "connect")
    def readers_and_a_writer_at_once(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")

    return engine
