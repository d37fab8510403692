"""The admin doors, assembled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from cauri.api.admin.desk import Desk
from cauri.api.admin.door import Call, Door, Table, Text
from cauri.api.admin.feed import Bell, Feed
from cauri.api.admin.log_doors import LogDoors
from cauri.api.admin.metrics import Deliveries, Metrics
from cauri.api.admin.openapi import document
from cauri.api.admin.operator_doors import OperatorDoors
from cauri.api.admin.page import rendered
from cauri.api.admin.queue_doors import QueueDoors
from cauri.api.admin.surplus_doors import SurplusDoors
from cauri.api.admin.tokens import Guard
from cauri.api.admin.try_door import TryDoor
from cauri.clock import Clock
from cauri.notifier.sender import Sender
from cauri.wire.callers import Addresses, Buckets

if TYPE_CHECKING:
    from cauri.lifecycle import Lifecycle
    from cauri.store import AdminRecords, Store, Vault


def all_doors(
    store: Store,
    vault: Vault,
    clock: Clock,
    *,
    lifecycle: Lifecycle,
    bell: Bell,
    deliveries: Deliveries,
    sender: Sender,
    wake: Callable[[], None],
) -> list[Door]:
    """Every door that wants a token. Another subject brings a class with ``doors()``, and a line here."""
    return [
        *LogDoors(store).doors(),
        *QueueDoors(store, clock, wake).doors(),
        *Feed(store, vault, clock, bell).doors(),
        *Metrics(store, deliveries).doors(),
        *TryDoor(store, sender, clock).doors(),
        *OperatorDoors(store).doors(),
        *SurplusDoors(store, lifecycle).doors(),
    ]


def described(public_url: str, doors: list[Door]) -> list[Door]:
    """The doors and two that tell of them all: for machines, for people; made when somebody first asks."""

    @cache
    def machine() -> Text:
        return Text("application/json", msgspec.json.encode(document(public_url, tuple(doors))))

    @cache
    def human() -> Text:
        page, policy = rendered(document(public_url, tuple(doors)))
        return Text("text/html; charset=utf-8", page, ((b"content-security-policy", policy.encode()),))

    async def openapi(_: Call) -> Text:
        return machine()

    async def docs(_: Call) -> Text:
        return human()

    return [
        *doors,
        Door(
            method="GET",
            path="/openapi.json",
            operation="openapi",
            scope=None,
            summary="This document",
            answer=dict,
            act=openapi,
        ),
        Door(
            method="GET",
            path="/docs",
            operation="docs",
            scope=None,
            summary="This document for people",
            answer=str,
            media_type="text/html",
            act=docs,
        ),
    ]


def build(
    doors: list[Door],
    records: AdminRecords,
    clock: Clock,
    *,
    public_url: str,
    rate_per_token: int = 0,
    failed_auth_per_address: int = 0,
    trusted_proxies: Iterable[str] = (),
) -> Desk:
    """``rate_per_token`` requests a second and ``failed_auth_per_address`` failures a minute, 0 for no limit."""
    guard = Guard(
        records,
        clock,
        requests_of_token=Buckets(clock, rate_per_token, per_s=1),
        failures_of_address=Buckets(clock, failed_auth_per_address, per_s=60),
        addresses=Addresses(trusted_proxies),
    )
    return Desk(Table(described(public_url, doors)), records, guard, clock)
