"""What the admin doors answer of deliveries, of what is owed, and of the record. Moments are ISO 8601 in UTC."""

from __future__ import annotations

from typing import Any

import msgspec

from cauri.domain.admin import AuditRow
from cauri.domain.moments import iso, iso_or_none
from cauri.domain.payment import DeliveryRow
from cauri.store import LoggedDelivery, Owed, Place


class DeliverySeen(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery inside its payment."""

    at: str
    number: int
    version: int
    code: str
    url: str
    status: int | None
    duration_ms: int
    advice: str | None
    next_try_at: str | None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One POST to a `notify_url`. `number`: which try of the payment's state it was. `advice`: what the shop can do, in words."""

    id: str
    at: str
    site: str
    transaction_id: str
    number: int
    version: int
    code: str
    url: str
    status: int | None
    delivered: bool
    duration_ms: int
    advice: str | None
    next_try_at: str | None


class DeliveryDetail(Delivery, frozen=True, kw_only=True):
    """A delivery and the first characters of what the shop answered."""

    answer: str


class DeliveryPage(msgspec.Struct, frozen=True):
    """Newest first. `cursor`: for the next, older page; null at the end."""

    deliveries: list[Delivery]
    cursor: str | None


class OwedNotification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that its shop has not heard. `since`: when the state changed."""

    site: str
    transaction_id: str
    code: str
    since: str
    tries: int
    due_at: str | None
    parked_at: str | None


class OwedPage(msgspec.Struct, frozen=True):
    """The next due, or the longest parked, first. `cursor`: for the next page; null at the end."""

    notifications: list[OwedNotification]
    cursor: str | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One write that was asked for. `token`: its label, empty where none was recognised. `result`: HTTP status and code."""

    at: str
    token: str
    address: str
    what: str
    target: str
    result: str


class AuditPage(msgspec.Struct, frozen=True):
    """Newest first. `cursor`: for the next, older page; null at the end."""

    entries: list[AuditEntry]
    cursor: str | None


def delivery_id_of(row: LoggedDelivery) -> str:
    """44 hex digits: the moment, then the row's own id, so that it finds the row by itself."""
    return f"{row.at:012x}{row.delivery_id}"


def place_of_delivery(text: str) -> Place | None:
    if len(text) != 44 or any(each not in "0123456789abcdef" for each in text):
        return None
    return Place(int(text[:12], 16), text[12:])


def delivery(row: LoggedDelivery) -> Delivery:
    return Delivery(**_delivery_fields(row))


def delivery_detail(row: LoggedDelivery) -> DeliveryDetail:
    return DeliveryDetail(**_delivery_fields(row), answer=row.answer)


def delivery_seen(row: DeliveryRow) -> DeliverySeen:
    return DeliverySeen(**_seen_fields(row))


def _delivery_fields(row: LoggedDelivery) -> dict[str, Any]:
    return {
        **_seen_fields(row),
        "id": delivery_id_of(row),
        "site": row.site_id,
        "transaction_id": row.transaction_id,
        "delivered": row.delivered,
    }


def _seen_fields(row: DeliveryRow) -> dict[str, Any]:
    return {
        "at": iso(row.at),
        "number": row.number,
        "version": row.version,
        "code": row.code,
        "url": row.url,
        "status": row.status,
        "duration_ms": row.duration_ms,
        "advice": row.error,
        "next_try_at": iso_or_none(row.next_try_at),
    }


def owed(row: Owed) -> OwedNotification:
    return OwedNotification(
        site=row.site_id,
        transaction_id=row.transaction_id,
        code=row.code,
        since=iso(row.since),
        tries=row.tries,
        due_at=iso_or_none(row.due_at),
        parked_at=iso_or_none(row.parked_at),
    )


def audit_entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        at=iso(row.at),
        token=row.label,
        address=row.address,
        what=row.what,
        target=row.target,
        result=row.result,
    )
