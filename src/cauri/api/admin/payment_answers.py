"""What the admin doors answer of one payment. Moments are ISO 8601 in UTC; phone numbers are masked to their last two digits."""

from __future__ import annotations

from typing import Literal

import msgspec

from cauri.api.admin.answers import DeliverySeen, delivery_seen
from cauri.domain.moments import iso, iso_or_none
from cauri.domain.payment import Attempt, HistoryRow, Surplus, Timeline


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


def payment_detail(timeline: Timeline) -> PaymentDetail:
    payment = timeline.payment
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
        deliveries=[delivery_seen(row) for row in timeline.deliveries],
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
