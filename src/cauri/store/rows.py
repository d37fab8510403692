"""Database rows ↔ domain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cauri.domain.codes import Code
from cauri.domain.endpoints import endpoint_of
from cauri.domain.errors import StoreUnavailable
from cauri.domain.payment import (
    Attempt,
    AttemptStatus,
    Change,
    DeliveryRow,
    HistoryRow,
    Payment,
    PaymentRequest,
    PaymentStatus,
    Surplus,
    slot_of_token,
)
from cauri.domain.phone import Phone
from cauri.domain.site import Site, SiteSettings, SiteStatus
from cauri.store.queries import ATTEMPT_COLUMNS, PAYMENT_COLUMNS
from cauri.store.vault import Vault

Row = Sequence[Any]
Fields = dict[str, Any]

_request = msgspec.json.Decoder(PaymentRequest)
_settings = msgspec.json.Decoder(SiteSettings)
_texts = msgspec.json.Decoder(tuple[str, ...])
_STATUSES = {status.value: status for status in PaymentStatus}
_CODES = {code.number: code for code in Code}


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """One POST and what follows from it: ``row.next_try_at`` None ends the schedule (delivered or parked)."""

    slot: int
    token: str
    site_id: str
    transaction_id: str
    claim: str
    delivery_id: str
    delivered: bool
    row: DeliveryRow


class AskedAgain(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a claim on an attempt. ``hinted_ask_at``: used instead where a hint came after ``asked_at``.

    ``word``: the operator's own word, None where it said nothing that could be read.
    """

    attempt: Attempt
    claim: str
    asked_at: int
    next_ask_at: int | None
    hinted_ask_at: int
    word: str | None = None


def text_of(value: Any) -> str:
    """As JSON text."""
    return msgspec.json.encode(value).decode()


def read_texts(text: str) -> tuple[str, ...]:
    """A JSON list of texts."""
    return _texts.decode(text)


def phone_text(phone: Phone | None) -> str | None:
    return None if phone is None else f"{phone.country}:{phone.prefix}:{phone.national}"


def _phone(text: str | None) -> Phone | None:
    return None if text is None else Phone(*text.split(":"))


def slot_of_reference(text: str) -> int | None:
    """The slot of the attempt that an operator knows by this text; None for one that cannot be a reference of ours."""
    try:
        return slot_of_token(text) if text.isascii() else None
    except ValueError:
        return None


def payment_of(row: Row) -> Payment:
    """A row of PAYMENT_COLUMNS."""
    fields: Fields = dict(zip(PAYMENT_COLUMNS, row, strict=True))
    failed = fields["failed_code"]
    fields.update(
        status=_STATUSES[fields["status"]],
        code=_CODES[fields["code"]],
        failed_code=None if failed is None else _CODES[failed],
        phone=_phone(fields["phone"]),
        request=_request.decode(fields["request"]),
    )
    return Payment(**fields)


def new_payment_fields(payment: Payment) -> Fields:
    """A payment that is about to be opened, for ``insert_payments``."""
    return {
        "slot": payment.slot,
        "site_id": payment.site_id,
        "transaction_id": payment.transaction_id,
        "token": payment.token,
        "amount": payment.amount,
        "currency": payment.currency,
        "created_at": payment.created_at,
        "expires_at": payment.expires_at,
        "request": text_of(payment.request),
        "idempotency_key": payment.idempotency_key,
        "body_hash": payment.body_hash,
    }


def change_fields(change: Change) -> Fields:
    """A change, for ``move_payments`` and ``insert_history``."""
    after = change.after
    return {
        "slot": after.slot,
        "token": after.token,
        "site_id": after.site_id,
        "endpoint": endpoint_of(after.site_id, after.request.notify_url or ""),
        "from_version": change.before.version,
        "from_status": change.before.status.value,
        "from_code": change.before.code.number,
        "version": after.version,
        "status": after.status.value,
        "code": after.code.number,
        "attempts": after.attempts,
        "tries": after.tries,
        "method": after.method,
        "phone": phone_text(after.phone),
        "attempt_at": after.attempt_at,
        "failed_code": after.failed_code.number if after.failed_code else None,
        "operator_id": after.operator_id,
        "paid_at": after.paid_at,
        "ended_at": after.ended_at,
        "left_at": after.left_at,
        "at": change.at,
        "event": change.event,
        "attempt": change.attempt,
        "actor": change.actor,
        "note": change.note,
        "move_id": change.move_id,
        "refunded": change.refunded,
    }


def attempt_of(row: Row) -> Attempt:
    """A row of ATTEMPT_COLUMNS."""
    fields: Fields = dict(zip(ATTEMPT_COLUMNS, row, strict=True))
    fields.update(
        status=AttemptStatus(fields["status"]), code=_CODES[fields["code"]], phone=_phone(fields["phone"])
    )
    return Attempt(**fields)


def attempt_fields(attempt: Attempt, from_status: AttemptStatus | None) -> Fields:
    """An attempt, for ``insert_attempts`` and ``move_attempts``."""
    fields: Fields = {name: getattr(attempt, name) for name in ATTEMPT_COLUMNS}
    fields.update(
        status=attempt.status.value,
        code=attempt.code.number,
        phone=phone_text(attempt.phone),
        from_status=from_status.value if from_status else None,
    )
    return fields


def new_attempt_fields(change: Change, attempt: Attempt) -> Fields:
    """An attempt of this change's payment, for ``insert_attempts``."""
    return {**attempt_fields(attempt, None), "site_id": change.after.site_id}


def surplus_fields(change: Change, surplus: Surplus) -> Fields:
    own = msgspec.structs.asdict(surplus)
    return {**own, "slot": change.after.slot, "token": change.after.token, "at": change.at}


def history_of(row: Row) -> HistoryRow:
    names = ("version", "at", "event", "from_code", "to_code", "attempt", "actor", "note")
    return HistoryRow(**dict(zip(names, row, strict=True)))


def delivery_of(row: Row) -> DeliveryRow:
    names = (
        "at",
        "number",
        "version",
        "code",
        "url",
        "status",
        "duration_ms",
        "answer",
        "error",
        "next_try_at",
    )
    return DeliveryRow(**dict(zip(names, row, strict=True)))


def surplus_of(row: Row) -> Surplus:
    names = ("attempt", "operator_id", "amount", "currency", "refunded_at", "refunded_by", "refund_why")
    return Surplus(**dict(zip(names, row, strict=True)))


def site_of(row: Row, vault: Vault) -> Site:
    """A row of SITE_COLUMNS. Raises StoreUnavailable where it holds what no version of Cauri has written."""
    site_id, name, status, sealed, currencies, countries, settings, created_at, sealed_old, old_until = row
    try:
        read_settings = _settings.decode(settings)
    except msgspec.DecodeError as error:
        raise StoreUnavailable(f"the settings of site {site_id} cannot be read: {error}") from None
    return Site(
        site_id=site_id,
        name=name,
        status=SiteStatus(status),
        secret_key=None if sealed is None else vault.opened(sealed),
        currencies=_texts.decode(currencies),
        countries=_texts.decode(countries),
        settings=read_settings,
        created_at=created_at,
        old_secret_key=None if sealed_old is None else vault.opened(sealed_old),
        old_secret_until=old_until,
    )


def site_fields(site: Site, vault: Vault) -> Fields:
    return {
        "site_id": site.site_id,
        "name": site.name,
        "status": site.status.value,
        "sealed_secret_key": None if site.secret_key is None else vault.sealed(site.secret_key),
        "currencies": text_of(site.currencies),
        "countries": text_of(site.countries),
        "settings": text_of(site.settings),
        "created_at": site.created_at,
        "sealed_old_secret_key": None if site.old_secret_key is None else vault.sealed(site.old_secret_key),
        "old_secret_until": site.old_secret_until,
    }


def asked_fields(asked: AskedAgain) -> Fields:
    """The end of a claim on an attempt, for ``release_asks``."""
    attempt = asked.attempt
    return {
        "slot": attempt.slot,
        "token": attempt.token,
        "number": attempt.number,
        "reference": attempt.reference,
        "claim": asked.claim,
        "asked_at": asked.asked_at,
        "next_ask_at": asked.next_ask_at,
        "hinted_ask_at": asked.hinted_ask_at,
        "word": asked.word,
    }


def delivered_fields(delivered: Delivered) -> Fields:
    """A delivery, for ``record_tries`` and ``insert_deliveries``."""
    return {
        **msgspec.structs.asdict(delivered.row),
        "slot": delivered.slot,
        "token": delivered.token,
        "site_id": delivered.site_id,
        "endpoint": endpoint_of(delivered.site_id, delivered.row.url),
        "transaction_id": delivered.transaction_id,
        "claim": delivered.claim,
        "delivery_id": delivered.delivery_id,
        "delivered": "1" if delivered.delivered else "0",
    }
