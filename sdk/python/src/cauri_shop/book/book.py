"""The payment book, in both colours. All it does is written once, in the files beside this one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Callable, Union
from uuid import UUID

from anyio import sleep as _async_sleep

from ..checkout import AsyncCheckout, Checkout
from ..errors import InvalidField, UnknownPayment
from . import doors, outbox, reconcile, starting
from .asking import ask
from .colours import entered, finish, settled
from .doors import DoorAnswer
from .hooks import Hooks
from .outbox import OutboxRun
from .parts import Parts
from .reconcile import Progress, Reconciled
from .rows import Payment
from .store import BookStore

Url = Union[str, Callable[[], str], None]
OrderKey = Union[str, int, UUID]


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


def _text(order: OrderKey) -> str:
    """The shop's key of an order as the book writes it; what is no key is left for `start` to refuse."""
    return str(order) if isinstance(order, (int, UUID)) and not isinstance(order, bool) else order  # type: ignore[return-value]


class _Book(Hooks):
    """What both colours share: the hooks, the defaults of `start`, and the procedures as coroutines."""

    def __init__(
        self, store: BookStore, checkout: Any, sleep: Any, *, asynchronous: bool,
        return_url: Url, notify_url: Url, prefix: str, now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        super().__init__(prefix=prefix, asynchronous=asynchronous)
        self._defaults: dict[str, Url] = {"return_url": return_url, "notify_url": notify_url}
        given = checkout if callable(checkout) else lambda: checkout
        self._parts = Parts(store, given, self, now, sleep)
        self.effects_at_once = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}(store={type(self._parts.store).__name__})"

    @property
    def checkout(self) -> Any:
        """The Checkout that this book asks with."""
        return self._parts.checkout()

    async def _start(self, order: OrderKey, fields: dict[str, Any]) -> str:
        for name, default in self._defaults.items():
            fields.setdefault(name, default() if callable(default) else default)
        if not fields.get("return_url"):
            raise InvalidField("return_url", "is required, here or where the book is made")
        amount, currency = fields.pop("amount"), fields.pop("currency")
        return await starting.start(self._parts, starting.Wanted(_text(order), amount, currency, fields))

    async def _handle_notification(
        self,
        body: bytes,
        content_type: str | None,
        x_token: str | None,
        headers: Mapping[str, str] | None,
    ) -> DoorAnswer:
        answer = await doors.handle_notification(self._parts, body, content_type, x_token, headers)
        if answer.payment is not None:
            await self._work_effects(answer.payment)
        return answer

    async def _refresh(self, transaction_id: str) -> Payment:
        payment = await doors.find(self._parts, transaction_id)
        if payment is None:
            raise UnknownPayment("404", "NOT_IN_THIS_BOOK", "no start() opened it here", http_status=404)
        payment = await ask(self._parts, payment)
        await self._work_effects(payment)
        return payment

    async def _payments_of(self, order: OrderKey) -> Sequence[Payment]:
        async with entered(self._parts.store.reading()) as tx:
            return await settled(tx.payments_of(_text(order)))

    async def _reconcile(self, limit: int | None, rate: float, progress: Progress | None) -> Reconciled:
        found = await reconcile.reconcile(self._parts, limit=limit, rate=rate, progress=progress)
        if self.effects_at_once:
            await outbox.run_outbox(self._parts)
        return found

    async def _work_effects(self, payment: Payment) -> None:
        # Also for a payment that was paid before: a process killed after its commit left its effects behind.
        if payment.paid and self.effects_at_once and self.effect_names:
            await outbox.run_outbox(self._parts, order_ref=payment.order_ref)


class PaymentBook(_Book):
    """The shop's own record of its payments, blocking: it delivers each order once, whatever arrives how often.

    `store` keeps it in the shop's database, `checkout` is a Checkout or gives one. `return_url` and `notify_url` are
    the defaults of `start` (text, or a function giving it). `prefix` begins generated transaction ids.
    """

    def __init__(
        self,
        store: BookStore,
        checkout: Checkout | Callable[[], Checkout],
        *,
        return_url: Url = None,
        notify_url: Url = None,
        prefix: str = "CMD",
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__(
            store, checkout, time.sleep, asynchronous=False,
            return_url=return_url, notify_url=notify_url, prefix=prefix, now=now,
        )  # fmt: skip

    def start(
        self, order_ref: OrderKey, *, amount: int, currency: str, description: str, **fields: Any
    ) -> str:
        """Opens a payment of this order and gives the URL of its page; the same URL when pressed again.

        `order_ref` is the shop's key of the order, text, int or UUID; hooks get its text. The row is committed before the gateway is asked. `amount` counts whole currency units. `fields` are those of
        `Checkout.start`; `notify_url=None` asks for no notification. Raises OrderAlreadyPaid, InvalidField,
        RequestRefused, and NotSent or OutcomeUnknown, after which it may be called again.
        """
        given = {"amount": amount, "currency": currency, "description": description, **fields}
        return finish(self._start(order_ref, given))

    def handle_notification(
        self,
        body: bytes,
        content_type: str | None,
        x_token: str | None,
        headers: Mapping[str, str] | None = None,
    ) -> DoorAnswer:
        """What to answer to a POST on the notify_url, after doing what it asks for. Raises what your hooks raise.

        With the request's `headers`, a JSON body that carries a webhook-signature is verified by that.
        """
        return finish(self._handle_notification(body, content_type, x_token, headers))

    def handle_return(self, form_or_query: Mapping[str, Any] | str | bytes) -> Payment | None:
        """The payment that a customer comes back from. It asks nobody and decides nothing."""
        return finish(doors.handle_return(self._parts, form_or_query))

    def refresh(self, transaction_id: str) -> Payment:
        """Asks the gateway now and moves the book by its answer. Raises UnknownPayment, NetworkTrouble."""
        return finish(self._refresh(transaction_id))

    def payment(self, transaction_id: str) -> Payment | None:
        """A payment as the book has it."""
        return finish(doors.find(self._parts, transaction_id))

    def payments_of(self, order_ref: OrderKey) -> Sequence[Payment]:
        """The payments of an order, oldest first."""
        return finish(self._payments_of(order_ref))

    def reconcile(
        self, limit: int | None = None, rate: float = 5.0, progress: Progress | None = None
    ) -> Reconciled:
        """Asks about payments that are due, oldest first, at most `rate` a second; `progress(done, total)`."""
        return finish(self._reconcile(limit, rate, progress))

    def run_outbox(self, limit: int | None = None, order_ref: str | None = None) -> OutboxRun:
        """Carries out the effects that are due, of one order or of all."""
        return finish(outbox.run_outbox(self._parts, limit, order_ref))


class AsyncPaymentBook(_Book):
    """The same as `PaymentBook`, awaited; hooks and effects may be plain or `async` functions."""

    def __init__(
        self,
        store: BookStore,
        checkout: AsyncCheckout | Callable[[], AsyncCheckout],
        *,
        return_url: Url = None,
        notify_url: Url = None,
        prefix: str = "CMD",
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__(
            store, checkout, _async_sleep, asynchronous=True,
            return_url=return_url, notify_url=notify_url, prefix=prefix, now=now,
        )  # fmt: skip

    async def start(
        self, order_ref: str, *, amount: int, currency: str, description: str, **fields: Any
    ) -> str:
        """See `PaymentBook.start`."""
        given = {"amount": amount, "currency": currency, "description": description, **fields}
        return await self._start(order_ref, given)

    async def handle_notification(
        self,
        body: bytes,
        content_type: str | None,
        x_token: str | None,
        headers: Mapping[str, str] | None = None,
    ) -> DoorAnswer:
        """See `PaymentBook.handle_notification`."""
        return await self._handle_notification(body, content_type, x_token, headers)

    async def handle_return(self, form_or_query: Mapping[str, Any] | str | bytes) -> Payment | None:
        """See `PaymentBook.handle_return`."""
        return await doors.handle_return(self._parts, form_or_query)

    async def refresh(self, transaction_id: str) -> Payment:
        """See `PaymentBook.refresh`."""
        return await self._refresh(transaction_id)

    async def payment(self, transaction_id: str) -> Payment | None:
        """See `PaymentBook.payment`."""
        return await doors.find(self._parts, transaction_id)

    async def payments_of(self, order_ref: OrderKey) -> Sequence[Payment]:
        """See `PaymentBook.payments_of`."""
        return await self._payments_of(order_ref)

    async def reconcile(
        self, limit: int | None = None, rate: float = 5.0, progress: Progress | None = None
    ) -> Reconciled:
        """See `PaymentBook.reconcile`."""
        return await self._reconcile(limit, rate, progress)

    async def run_outbox(self, limit: int | None = None, order_ref: str | None = None) -> OutboxRun:
        """See `PaymentBook.run_outbox`."""
        return await outbox.run_outbox(self._parts, limit, order_ref)
