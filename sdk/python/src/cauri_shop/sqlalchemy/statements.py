"""The book's statements. One class serves both colours: what a Session gives and what an AsyncSession promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timezone
from typing import Any, TypeVar, Union, cast

from sqlalchemy import ColumnElement, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.sql import Executable

from ..book.colours import settled
from ..book.rows import EffectRow, OrderRow, Payment, State
from .tables import BookTables

AnySession = Union[Session, AsyncSession]
R = TypeVar("R", OrderRow, Payment, EffectRow)

# The engines whose "insert unless it is there" and whose locks are tested here.
INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

_FIXED = {
    "transaction_id", "order_ref", "number", "site_id", "amount", "currency", "idempotency_key", "created_at",
    "version",
}  # fmt: skip


class SqlAlchemyTransaction:
    """The book's statements in one transaction of `session`, which hooks are given to write with."""

    def __init__(self, session: AnySession, tables: BookTables, dialect: str) -> None:
        self.session = session
        self._orders, self._payments, self._effects = tables.orders, tables.payments, tables.effects
        self._insert = INSERTS[dialect]

    async def lock_order(self, order_ref: str) -> OrderRow | None:
        """Writes the row, which locks it (SQLite: the database) until the end of the transaction, and reads it."""
        orders = self._orders.c
        here = orders.order_ref == order_ref
        await self._changed(update(self._orders).where(here).values(touched=orders.touched + 1))
        return await self._first(OrderRow, self._orders, here)

    async def add_order(self, order: OrderRow) -> None:
        """Inserts the order unless it is there."""
        await self._add(self._orders, {**_columns(order), "touched": 0})

    async def save_order(self, order: OrderRow) -> None:
        """Writes what the order is expected to bring."""
        row = update(self._orders).where(self._orders.c.order_ref == order.order_ref)
        await self._changed(row.values(amount=order.amount, currency=order.currency))

    async def fulfil(self, order_ref: str, transaction_id: str, at: datetime) -> bool:
        """Marks the order as delivered by this payment; False when it already was."""
        orders = self._orders.c
        free = update(self._orders).where(orders.order_ref == order_ref, orders.fulfilled_by.is_(None))
        return await self._changed(free.values(fulfilled_by=transaction_id, fulfilled_at=_stored(at)))

    async def payments_of(self, order_ref: str) -> Sequence[Payment]:
        """The payments of an order, by number."""
        payments = self._payments.c
        found = select(self._payments).where(payments.order_ref == order_ref).order_by(payments.number)
        return await self._rows(Payment, found)

    async def add_payment(self, payment: Payment) -> None:
        """Inserts a payment."""
        await self._done(self._payments.insert().values(_columns(payment)))

    async def save_payment(self, payment: Payment) -> bool:
        """Writes what changes, if the row is as it was read."""
        payments = self._payments.c
        same = update(self._payments).where(
            payments.transaction_id == payment.transaction_id, payments.version == payment.version
        )
        changes = {name: value for name, value in _columns(payment).items() if name not in _FIXED}
        return await self._changed(same.values(version=payment.version + 1, **changes))

    async def add_effect(self, effect: EffectRow) -> None:
        """Inserts an effect unless its key is there."""
        await self._add(self._effects, _columns(effect))

    async def payment(self, transaction_id: str) -> Payment | None:
        """The payment of this name."""
        return await self._first(Payment, self._payments, self._payments.c.transaction_id == transaction_id)

    async def payment_by_token(self, payment_token: str) -> Payment | None:
        """The payment of this token."""
        if not payment_token:
            return None
        return await self._first(Payment, self._payments, self._payments.c.payment_token == payment_token)

    async def count_due(self, site_id: str, now: datetime) -> int:
        """How many payments are due."""
        due = select(func.count()).select_from(self._payments).where(*self._due(site_id, now))
        return int((await self._done(due)).scalar_one())

    async def due_payments(self, site_id: str, now: datetime, limit: int) -> Sequence[Payment]:
        """Payments to ask about, oldest first."""
        payments = self._payments.c
        due = select(self._payments).where(*self._due(site_id, now))
        return await self._rows(
            Payment, due.order_by(payments.created_at, payments.transaction_id).limit(limit)
        )

    async def claim_effects(
        self, now: datetime, until: datetime, limit: int, order_ref: str | None
    ) -> Sequence[EffectRow]:
        """Takes effects that are due; of two who claim one, one gets it."""
        effects = self._effects.c
        # A first statement that writes: SQLite cannot turn a transaction that has read into one that writes.
        await self._changed(update(self._effects).where(effects.key == "").values(tries=0))
        due = select(self._effects).where(effects.done_at.is_(None), effects.next_try_at <= _stored(now))
        if order_ref is not None:
            due = due.where(effects.order_ref == order_ref)
        found = await self._rows(EffectRow, due.order_by(effects.next_try_at, effects.key).limit(limit))
        # Everybody takes them in the order of their keys, so that two who claim never wait for each other in a circle.
        return [
            replace(row, tries=row.tries + 1, next_try_at=until)
            for row in sorted(found, key=lambda row: row.key)
            if await self._claimed(row, until)
        ]

    async def save_effect(self, effect: EffectRow) -> None:
        """Writes how an effect went; one that is done stays so."""
        effects = self._effects.c
        row = update(self._effects).where(effects.key == effect.key, effects.done_at.is_(None))
        names = ("done_at", "next_try_at", "last_error")
        await self._changed(row.values({name: _stored(getattr(effect, name)) for name in names}))

    async def _claimed(self, row: EffectRow, until: datetime) -> bool:
        effects = self._effects.c
        seen = update(self._effects).where(
            effects.key == row.key, effects.tries == row.tries, effects.done_at.is_(None),
            effects.next_try_at == _stored(row.next_try_at),
        )  # fmt: skip
        return await self._changed(seen.values(tries=row.tries + 1, next_try_at=_stored(until)))

    def _due(self, site_id: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
        payments = self._payments.c
        return payments.site_id == site_id, payments.next_ask_at <= _stored(now)

    async def _add(self, table: Table, columns: Mapping[str, Any]) -> None:
        await self._done(self._insert(table).values(columns).on_conflict_do_nothing())

    async def _changed(self, statement: Executable) -> bool:
        return (await self._done(statement)).rowcount == 1

    async def _first(self, kind: type[R], table: Table, here: ColumnElement[bool]) -> R | None:
        rows = await self._rows(kind, select(table).where(here).limit(1))
        return rows[0] if rows else None

    async def _rows(self, kind: type[R], statement: Executable) -> list[R]:
        return [_row(kind, found) for found in (await self._done(statement)).mappings()]

    async def _done(self, statement: Executable) -> CursorResult[Any]:
        result: Any = await settled(self.session.execute(statement))
        return cast("CursorResult[Any]", result)


def _row(kind: Any, found: Mapping[Any, Any]) -> Any:
    columns = {field.name: _read(found[field.name]) for field in fields(kind)}
    if kind is Payment:
        columns["state"] = State(columns["state"])
    return kind(**columns)


def _columns(row: OrderRow | Payment | EffectRow) -> dict[str, Any]:
    return {field.name: _stored(getattr(row, field.name)) for field in fields(row)}


def _stored(value: Any) -> Any:
    if isinstance(value, State):
        return value.value
    # SQLite keeps the digits and forgets the zone, so that every date is written, and compared, in UTC.
    return value.astimezone(timezone.utc) if isinstance(value, datetime) else value


def _read(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
