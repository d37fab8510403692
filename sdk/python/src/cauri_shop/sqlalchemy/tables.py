"""The book's three tables, in plain column types that any migration tool can write down."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

ORDERS, PAYMENTS, EFFECTS = "cauri_shop_order", "cauri_shop_payment", "cauri_shop_effect"


@dataclass(frozen=True)
class BookTables:
    """One order of the shop, its payments, and what is to be done after the commit that fulfilled it."""

    orders: Table
    payments: Table
    effects: Table


def tables(metadata: MetaData) -> BookTables:
    """Puts the book's tables into `metadata`, or finds them there. They take its schema and naming convention."""
    prefix = f"{metadata.schema}." if metadata.schema else ""
    if prefix + ORDERS not in metadata.tables:
        return BookTables(_orders(metadata), _payments(metadata, prefix), _effects(metadata))
    return BookTables(*(metadata.tables[prefix + name] for name in (ORDERS, PAYMENTS, EFFECTS)))


def _orders(metadata: MetaData) -> Table:
    return Table(
        ORDERS,
        metadata,
        Column("order_ref", String(100), primary_key=True),
        Column("amount", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("fulfilled_by", String(100), unique=True),
        _date("fulfilled_at", nullable=True),
        # The lock: writing it takes SQLite's write lock and holds the row elsewhere.
        Column("touched", BigInteger, nullable=False, server_default="0"),
    )


def _payments(metadata: MetaData, prefix: str) -> Table:
    return Table(
        PAYMENTS,
        metadata,
        Column("transaction_id", String(100), primary_key=True),
        Column("order_ref", String(100), nullable=False),
        Column("number", Integer, nullable=False),
        Column("site_id", String(100), nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("state", String(10), nullable=False),
        Column("idempotency_key", String(255), nullable=False),
        _date("created_at"),
        _date("updated_at"),
        _date("started_at"),
        Column("payment_token", String(255), nullable=False, index=True),
        Column("payment_url", String(2000), nullable=False),
        Column("code", String(20), nullable=False),
        Column("payment_method", String(40), nullable=False),
        Column("operator_id", String(255), nullable=False),
        _date("paid_at", nullable=True),
        Column("problem", String(500), nullable=False),
        Column("asks", Integer, nullable=False),
        _date("asked_at", nullable=True),
        _date("next_ask_at", nullable=True),
        Column("version", Integer, nullable=False),
        ForeignKeyConstraint(["order_ref"], [f"{prefix}{ORDERS}.order_ref"], name="cauri_shop_payment_order"),
        UniqueConstraint("order_ref", "number", name="cauri_shop_payment_number"),
        Index("cauri_shop_payment_due", "site_id", "next_ask_at"),
    )


def _effects(metadata: MetaData) -> Table:
    return Table(
        EFFECTS,
        metadata,
        Column("key", String(255), primary_key=True),
        Column("name", String(100), nullable=False),
        Column("order_ref", String(100), nullable=False, index=True),
        Column("transaction_id", String(100), nullable=False),
        Column("payload", Text, nullable=False),
        _date("created_at"),
        _date("next_try_at"),
        Column("tries", Integer, nullable=False),
        _date("done_at", nullable=True),
        Column("last_error", String(200), nullable=False),
        Index("cauri_shop_effect_due", "done_at", "next_try_at"),
    )


def _date(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)
