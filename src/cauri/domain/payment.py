"""Payment and attempt: their states, the moves between them, and the record of a move."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from zlib import crc32

import msgspec

from cauri.domain.codes import Code
from cauri.domain.limits import Guard
from cauri.domain.phone import Phone


class PaymentStatus(StrEnum):
    WAITING = "waiting"
    PAID = "paid"
    REFUSED = "refused"


class AttemptStatus(StrEnum):
    ASKED = "asked"  # we wait for a code; nothing has left
    SENT = "sent"  # in flight: only the operator's word ends it
    PAID = "paid"
    FAILED = "failed"
    DROPPED = "dropped"  # asked, then overtaken by a new attempt, a cancel or the session's end
    SURPLUS = "surplus"  # paid after the payment was already final


PAYMENT_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.WAITING: frozenset({PaymentStatus.WAITING, PaymentStatus.PAID, PaymentStatus.REFUSED}),
    PaymentStatus.PAID: frozenset(),
    PaymentStatus.REFUSED: frozenset(),
}

ATTEMPT_MOVES: dict[AttemptStatus, frozenset[AttemptStatus]] = {
    AttemptStatus.ASKED: frozenset({AttemptStatus.SENT, AttemptStatus.FAILED, AttemptStatus.DROPPED}),
    AttemptStatus.SENT: frozenset(
        {AttemptStatus.SENT, AttemptStatus.PAID, AttemptStatus.FAILED, AttemptStatus.SURPLUS}
    ),
    AttemptStatus.FAILED: frozenset({AttemptStatus.PAID, AttemptStatus.SURPLUS}),
    AttemptStatus.PAID: frozenset({AttemptStatus.PAID}),  # a contradiction is noted on it
    AttemptStatus.DROPPED: frozenset(),
    AttemptStatus.SURPLUS: frozenset({AttemptStatus.SURPLUS}),
}

OPEN_ATTEMPTS = frozenset({AttemptStatus.ASKED, AttemptStatus.SENT})


def slot_of(site_id: str, transaction_id: str) -> int:
    """0–255, the same for every row of a payment (design, "Slots")."""
    return crc32(f"{site_id}/{transaction_id}".encode()) & 0xFF


def slot_of_token(token: str) -> int:
    """The slot that a payment's token, or an attempt's reference, begins with. Raises ValueError for a text that begins otherwise."""
    return int(token[:2], 16)


class PaymentRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the site asked, as validated; it never changes. Also the JSON kept in ``payment.request``."""

    description: str
    return_url: str
    notify_url: str | None = None
    channels: tuple[str, ...] = ("ALL",)
    lang: str | None = (
        None  # None: the merchant did not say; the wire then says French, the page asks the browser
    )
    metadata: str | None = None
    invoice_data: tuple[tuple[str, str], ...] = ()
    lock_phone_number: bool = False
    customer_phone: str | None = None  # international, without +
    customer_name: str | None = None
    customer_surname: str | None = None
    card_block: dict[str, str] | None = None  # customer_id, _email … only when complete and valid
    signature: str = ""  # opaque, sent as the notification's "signature"
    attempts_max: int = 3
    settlement_days: int = 2


class NewPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A valid request to open a payment, before the site's own rules (contract section 5, rows 7–12) were applied.

    ``customer_phone_number`` is as the merchant wrote it. ``body_hash`` is there whenever ``idempotency_key`` is.
    """

    transaction_id: str
    amount: int
    currency: str
    request: PaymentRequest
    customer_phone_number: str | None = None
    idempotency_key: str | None = None
    body_hash: str | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment's row. Amounts in whole currency units, times in milliseconds UTC.

    ``version`` grows by one with every change. ``method``, ``phone`` and ``attempt_at`` are the last attempt's.
    """

    slot: int
    site_id: str
    transaction_id: str
    token: str
    amount: int
    currency: str
    status: PaymentStatus = PaymentStatus.WAITING
    code: Code = Code.WAITING_PAYMENT
    version: int = 1
    created_at: int
    expires_at: int
    request: PaymentRequest
    attempts: int = 0
    tries: int = 0
    method: str | None = None
    phone: Phone | None = None
    attempt_at: int | None = None
    failed_code: Code | None = None
    operator_id: str | None = None
    paid_at: int | None = None
    ended_at: int | None = None
    left_at: int | None = None
    idempotency_key: str | None = None
    body_hash: str | None = None

    @property
    def final(self) -> bool:
        return self.status is not PaymentStatus.WAITING


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to collect a payment from one payer through one operator.

    ``reference`` is the name the operator knows it by. ``claimed_until``: nobody else asks the operator before. ``next_ask_at``:
    when the operator is to be asked, None when no question is open.
    """

    slot: int
    token: str
    number: int
    reference: str
    connector: str
    method: str
    phone: Phone
    amount: int
    currency: str
    status: AttemptStatus
    code: Code
    started_at: int
    sent_at: int | None = None
    ended_at: int | None = None
    operator_id: str | None = None
    page_url: str | None = None
    handle: str | None = None  # the operator's own handle, where it gave one
    word: str = ""
    next_ask_at: int | None = None
    asks: int = 0
    claimed_until: int = 0
    claimed_by: str | None = None


class Surplus(msgspec.Struct, frozen=True, kw_only=True):
    """Money received for a payment that was already final, until a person has given it back (``refunded_*``)."""

    attempt: int
    operator_id: str
    amount: int
    currency: str
    refunded_at: int | None = None
    refunded_by: str = ""
    refund_why: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One move of one payment, written in one database transaction or not at all.

    The guard is ``(before.version, before.status)``: where the row has moved on, nothing is written. ``attempts`` holds the rows
    that are new or changed, each with the status it must still have (None: the row must be new). ``event`` is the history's word.
    ``guard``: what the store must find to hold of the new attempt. ``refunded``: the attempt whose surplus was given back.
    ``rang_nobody``: the attempt that ends never left, so that its prompt does not count.
    """

    before: Payment
    after: Payment
    event: str
    at: int
    move_id: str
    attempts: tuple[tuple[AttemptStatus | None, Attempt], ...] = ()
    attempt: int | None = None
    surplus: Surplus | None = None
    refunded: int | None = None
    rang_nobody: bool = False
    guard: Guard | None = None
    actor: str = ""
    note: str = ""

    @property
    def notify(self) -> bool:
        """The site hears of every change of the code, and always of the end (contract section 4)."""
        if self.after.request.notify_url is None:
            return False
        return self.before.code is not self.after.code or self.before.status is not self.after.status


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One move of a payment: ``at`` in milliseconds UTC, codes by their numbers, ``attempt`` the number of the one it was about, if any.

    ``actor`` and ``note``: who decided and why, where a person did.
    """

    version: int
    at: int
    event: str
    from_code: str
    to_code: str
    attempt: int | None
    actor: str
    note: str


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One POST to a notify_url. ``status`` is the HTTP status, None where no answer came; ``answer`` its first characters.

    ``number``: which try it was since the state changed, from 1.
    """

    at: int
    number: int
    version: int
    code: str
    url: str
    status: int | None
    duration_ms: int
    answer: str
    error: str | None
    next_try_at: int | None

    @property
    def delivered(self) -> bool:
        """Answered 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one payment."""

    payment: Payment
    history: tuple[HistoryRow, ...]
    attempts: tuple[Attempt, ...]
    deliveries: tuple[DeliveryRow, ...]
    surpluses: tuple[Surplus, ...]
    notification: dict[str, Any] | None
