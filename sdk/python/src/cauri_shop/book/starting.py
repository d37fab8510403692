"""Starting a payment: the row first, the gateway second, the token third. A crash leaves a row to ask about."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..answers import Started
from ..errors import (
    CauriError,
    DuplicatePayment,
    IdempotencyMismatch,
    InvalidField,
    OrderAlreadyPaid,
    RequestRefused,
    TooManyRequests,
)
from ..fields import payment_fields
from .asking import ask
from .colours import entered, settled
from .decide import Move, next_ask
from .parts import Crossed, Parts, move, saved
from .rows import OrderRow, Payment, State
from .store import BookTransaction

_URL_FRESH = timedelta(minutes=20)
_CALL_LASTS = timedelta(seconds=45)
_PAYMENTS_AT_ONCE = 4
_LOOK_EVERY_S, _LOOKS = 0.2, 25


@dataclass(frozen=True)
class Wanted:
    """What the shop asks to collect for an order."""

    order_ref: str
    amount: int
    currency: str
    fields: Mapping[str, Any]

    def __post_init__(self) -> None:
        ref = self.order_ref
        if (
            not isinstance(ref, str)
            or not 1 <= len(ref) <= 100
            or not ref.isprintable()
            or ref != ref.strip()
        ):
            raise InvalidField(
                "order_ref", "must be 1 to 100 printable characters, as text, none blank at the ends"
            )
        for name in ("transaction_id", "idempotency_key"):
            if name in self.fields:
                raise InvalidField(name, "is the book's to choose; see @book.transaction_ids")
        # Before a row is written: what no gateway accepts leaves no trace.
        payment_fields({**self.request, "transaction_id": "X"})

    @property
    def request(self) -> dict[str, Any]:
        """The arguments of Checkout.start, but for the payment's name."""
        return {"amount": self.amount, "currency": self.currency, **self.fields}


@dataclass(frozen=True)
class _Opened:
    payment: Payment
    perhaps_under_way: bool


async def start(parts: Parts, wanted: Wanted) -> str:
    """The URL of the page where the order is paid. Raises OrderAlreadyPaid, RequestRefused, NetworkTrouble."""
    spent: set[str] = set()
    while True:
        opened = await _open(parts, wanted, spent)
        if opened.payment.payment_url:
            payment = await _looked_at(parts, opened.payment)
            if payment.open or payment.state is State.MISMATCH:
                return payment.payment_url
            continue
        try:
            return await _started(parts, wanted, opened.payment)
        except (DuplicatePayment, IdempotencyMismatch):
            # The gateway opened it for a call whose answer was lost, or is on its way to whoever pressed first.
            url = await _stored_meanwhile(parts, opened)
            if url:
                return url
            spent.add(opened.payment.transaction_id)
            if len(spent) >= _PAYMENTS_AT_ONCE:
                raise


async def _open(parts: Parts, wanted: Wanted, spent: Collection[str]) -> _Opened:
    """The order's newest payment if it can still be used, or a new row, committed."""
    while True:
        try:
            async with entered(parts.store.begin()) as tx:
                order = await _locked(tx, wanted)
                payments = await settled(tx.payments_of(wanted.order_ref))
                now, newest = parts.now(), payments[-1] if payments else None
                if newest and _usable(newest, order, spent, parts.site_id):
                    return await _again(tx, newest, now)
                payment = _fresh(parts, wanted, len(payments) + 1, now)
                await settled(tx.add_payment(payment))
            return _Opened(payment, perhaps_under_way=False)
        except Crossed:
            continue


async def _locked(tx: BookTransaction, wanted: Wanted) -> OrderRow:
    order = await settled(tx.lock_order(wanted.order_ref))
    if order is None:
        await settled(tx.add_order(OrderRow(wanted.order_ref, wanted.amount, wanted.currency)))
        order = await settled(tx.lock_order(wanted.order_ref))
    if order is None:
        raise Crossed
    if order.fulfilled_by is not None:
        raise OrderAlreadyPaid(wanted.order_ref, order.fulfilled_by)
    if (order.amount, order.currency) != (wanted.amount, wanted.currency):
        order = replace(order, amount=wanted.amount, currency=wanted.currency)
        await settled(tx.save_order(order))
    return order


def _usable(payment: Payment, order: OrderRow, spent: Collection[str], site_id: str) -> bool:
    same = (payment.amount, payment.currency, payment.site_id) == (order.amount, order.currency, site_id)
    # While a person looks at a mismatch, the customer is not led to pay a second time.
    pending = payment.open or bool(payment.state is State.MISMATCH and payment.payment_url)
    return same and pending and payment.transaction_id not in spent


async def _again(tx: BookTransaction, payment: Payment, now: datetime) -> _Opened:
    if payment.payment_url:
        return _Opened(payment, perhaps_under_way=False)
    under_way = now - payment.started_at < _CALL_LASTS
    return _Opened(await saved(tx, replace(payment, started_at=now)), under_way)


def _fresh(parts: Parts, wanted: Wanted, number: int, now: datetime) -> Payment:
    payment = Payment(
        transaction_id=parts.hooks.name_payment(wanted.order_ref, number),
        order_ref=wanted.order_ref, number=number, site_id=parts.site_id,
        amount=wanted.amount, currency=wanted.currency, state=State.OPENED,
        idempotency_key=secrets.token_hex(16), created_at=now, updated_at=now, started_at=now,
    )  # fmt: skip
    payment_fields({**wanted.request, "transaction_id": payment.transaction_id})
    return replace(payment, next_ask_at=next_ask(payment, now))


async def _looked_at(parts: Parts, payment: Payment) -> Payment:
    """An old URL may lead to a page that is over, so the gateway is asked before the customer is sent there."""
    if parts.now() - payment.started_at < _URL_FRESH:
        return payment
    try:
        return await ask(parts, payment)
    except CauriError:
        return payment


async def _started(parts: Parts, wanted: Wanted, payment: Payment) -> str:
    try:
        started: Started = await settled(
            parts.checkout().start(
                transaction_id=payment.transaction_id,
                idempotency_key=payment.idempotency_key,
                **wanted.request,
            )
        )
    except (DuplicatePayment, IdempotencyMismatch, TooManyRequests):
        raise
    except RequestRefused as error:
        code = error.code
        await move(parts, payment, lambda order, row: Move(_never_opened(row, code, parts.now())))
        raise
    kept = await move(parts, payment, lambda order, row: Move(_with_url(row, started, parts.now())))
    return kept.payment_url


def _with_url(row: Payment, started: Started, now: datetime) -> Payment:
    """The token and the URL are kept whatever the state is by now: a notification may have been faster."""
    if row.payment_token:
        return row
    state = State.WAITING if row.state in (State.OPENED, State.CLOSED) else row.state
    return replace(
        row, state=state, payment_token=started.payment_token, payment_url=started.payment_url, updated_at=now
    )


def _never_opened(row: Payment, code: str, now: datetime) -> Payment:
    """The gateway refused to open it. Only a first call proves that no earlier one, now forgotten, had opened it."""
    if row.state is not State.OPENED or row.started_at != row.created_at:
        return row
    return replace(row, state=State.CLOSED, code=code[:20], next_ask_at=None, updated_at=now)


async def _stored_meanwhile(parts: Parts, opened: _Opened) -> str:
    for _ in range(_LOOKS):
        async with entered(parts.store.reading()) as tx:
            payment = await settled(tx.payment(opened.payment.transaction_id))
        if payment is not None and payment.payment_url:
            return payment.payment_url
        # Whoever pressed after us wrote the row too, and may have reached the gateway first.
        pressed_since = payment is not None and payment.started_at != opened.payment.started_at
        if not (opened.perhaps_under_way or pressed_since):
            break
        await settled(parts.sleep(_LOOK_EVERY_S))
    return ""
