"""The store: the only folder that speaks SQL. One text for two engines, SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from cauri.store.admin import AdminRecords, Alert
from cauri.store.delivery_log import DeliveryLog, Heard, LoggedDelivery, OldDelivery, Owed, Place
from cauri.store.engine import Engine
from cauri.store.notifications import (
    DueNotification,
    Endpoint,
    EndpointTrouble,
    NotificationQueue,
    QueueCounts,
)
from cauri.store.postgres import PostgresEngine
from cauri.store.rows import AskedAgain, Delivered
from cauri.store.sqlite import SqliteEngine
from cauri.store.store import NotificationState, Store
from cauri.store.vault import Vault

__all__ = [
    "AdminRecords",
    "Alert",
    "AskedAgain",
    "Delivered",
    "DeliveryLog",
    "DueNotification",
    "Endpoint",
    "EndpointTrouble",
    "Heard",
    "LoggedDelivery",
    "NotificationQueue",
    "NotificationState",
    "OldDelivery",
    "Owed",
    "Place",
    "QueueCounts",
    "Store",
    "Vault",
    "engine_for",
]


def engine_for(database: str | None) -> Engine:
    """``postgresql://…``, ``sqlite:///PATH``, or None for a database in memory. Raises ValueError for anything else."""
    if database is None:
        return SqliteEngine(None)
    if database.startswith(("postgresql://", "postgres://")):
        return PostgresEngine(database)
    if database.startswith("sqlite:///"):
        return SqliteEngine(Path(database.removeprefix("sqlite:///")))
    raise ValueError(f"database must begin with postgresql:// or sqlite:///, not {database.split(':')[0]!r}")
