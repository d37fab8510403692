"""What the admin doors answer. Moments are ISO 8601 in UTC; phone numbers are masked to their last two digits."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from cauri.domain.admin import AuditRow
from cauri.domain.moments import iso, iso_or_none
from cauri.domain.payment import Attempt, HistoryRow, Payment, Surplus, Timeline
from cauri.store import LoggedDelivery, Owed, Place


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


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a payment's history."""

    at: str
    version: int
    event: str
    from_code: str
    to_code: str
    attempt: int | None
    actor: str
    note: str


class AttemptSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One try to collect a payment. `phone`: masked. `word`: the operator's last one."""

    number: int
    method: str
    connector: str
    phone: str
    phone_prefix: str
    status: str
    code: str
    started_at: str
    ended_at: str | None
    reference: str
    operator_id: str | None
    word: str


class SurplusSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came after the payment's end. `refunded_at`: when a person gave it back, null until then."""

    attempt: int
    operator_id: str
    amount: int
    currency: str
    refunded_at: str | None
    refunded_by: str
    refund_why: str


class NotificationSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What is still to be told. `state`: `told`, `due` or `parked`."""

    state: Literal["told", "due", "parked"]
    due_version: int
    told_version: int
    tries: int
    since: str
    due_at: str | None
    parked_at: str | None


class PaymentDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All that happened to a payment. Amounts in whole currency units."""

    site: str
    transaction_id: str
    amount: int
    currency: str
    status: str
    code: str
    message: str
    version: int
    created_at: str
    expires_at: str
    ended_at: str | None
    tries: int
    history: list[Move]
    attempts: list[AttemptSeen]
    deliveries: list[DeliverySeen]
    surpluses: list[SurplusSeen]
    notification: NotificationSeen | None


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


def _delivery_fields(row: LoggedDelivery) -> dict[str, Any]:
    return {
        "id": delivery_id_of(row),
        "at": iso(row.at),
        "site": row.site_id,
        "transaction_id": row.transaction_id,
        "number": row.number,
        "version": row.version,
        "code": row.code,
        "url": row.url,
        "status": row.status,
        "delivered": row.delivered,
        "duration_ms": row.duration_ms,
        "advice": row.error,
        "next_try_at": iso_or_none(row.next_try_at),
    }


def payment_detail(timeline: Timeline) -> PaymentDetail:
    payment: Payment = timeline.payment
    return PaymentDetail(
        site=payment.site_id,
        transaction_id=payment.transaction_id,
        amount=payment.amount,
        currency=payment.currency,
        status=payment.status.value,
        code=payment.code.number,
        message=payment.code.message,
        version=payment.version,
        created_at=iso(payment.created_at),
        expires_at=iso(payment.expires_at),
        ended_at=iso_or_none(payment.ended_at),
        tries=payment.tries,
        history=[_move(row) for row in timeline.history],
        attempts=[_attempt(each) for each in timeline.attempts],
        deliveries=[
            DeliverySeen(
                at=iso(row.at),
                number=row.number,
                version=row.version,
                code=row.code,
                url=row.url,
                status=row.status,
                duration_ms=row.duration_ms,
                advice=row.error,
                next_try_at=iso_or_none(row.next_try_at),
            )
            for row in timeline.deliveries
        ],
        surpluses=[_surplus(each) for each in timeline.surpluses],
        notification=None if timeline.notification is None else _notification(timeline.notification),
    )


def _move(row: HistoryRow) -> Move:
    return Move(
        at=iso(row.at),
        version=row.version,
        event=row.event,
        from_code=row.from_code,
        to_code=row.to_code,
        attempt=row.attempt,
        actor=row.actor,
        note=row.note,
    )


def _attempt(attempt: Attempt) -> AttemptSeen:
    return AttemptSeen(
        number=attempt.number,
        method=attempt.method,
        connector=attempt.connector,
        phone=attempt.phone.masked,
        phone_prefix=attempt.phone.prefix,
        status=attempt.status.value,
        code=attempt.code.number,
        started_at=iso(attempt.started_at),
        ended_at=iso_or_none(attempt.ended_at),
        reference=attempt.reference,
        operator_id=attempt.operator_id,
        word=attempt.word,
    )


def _surplus(surplus: Surplus) -> SurplusSeen:
    own = msgspec.structs.asdict(surplus)
    return SurplusSeen(**{**own, "refunded_at": iso_or_none(surplus.refunded_at)})


def _notification(state: dict[str, int | None]) -> NotificationSeen:
    word: Literal["told", "due", "parked"] = (
        "parked" if state["parked_at"] else "due" if state["due_at"] else "told"
    )
    return NotificationSeen(
        state=word,
        due_version=state["due_version"] or 0,
        told_version=state["told_version"] or 0,
        tries=state["tries"] or 0,
        since=iso(state["since"] or 0),
        due_at=iso_or_none(state["due_at"]),
        parked_at=iso_or_none(state["parked_at"]),
    )


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
