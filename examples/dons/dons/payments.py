"""All of the integration: a payment without a notify_url, and asking the gateway when somebody looks."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from cauri_shop import AsyncCheckout, AsyncPaymentBook, CauriError, Payment, PaymentEvent
from cauri_shop.sqlalchemy import SqlAlchemyStore

from .gifts import BOOK_TABLES, Gift, Gifts, arrived
from .settings import CURRENCY, Settings

_log = logging.getLogger("dons")
_PAUSE = timedelta(seconds=2)
_AT_ONCE = 20


class Payments:
    """The payments of the gifts."""

    def __init__(self, settings: Settings, gifts: Gifts) -> None:
        self.checkout = AsyncCheckout(
            settings.apikey, settings.site_id, settings.secret_key or None, settings.gateway
        )
        self.book = AsyncPaymentBook(
            SqlAlchemyStore(gifts.engine, BOOK_TABLES),
            self.checkout,
            return_url=f"{settings.url}/merci",
            prefix="DON",
        )
        self._asking = asyncio.Lock()

        @self.book.on_paid
        async def count(event: PaymentEvent) -> None:
            await arrived(event.session, event.order_ref)

    async def url(self, gift: Gift) -> str:
        """The page where this gift is paid. Raises OrderAlreadyPaid, CauriError."""
        return await self.book.start(
            gift.ref, amount=gift.amount, currency=CURRENCY, description="Don : de l'eau à l'école de Fakaha",
            notify_url=None, customer_surname=gift.name or None, lang="fr",
        )  # fmt: skip

    async def looked_at(self, payment: Payment) -> Payment:
        """The payment, asked about unless that was just done: a page that reloads must not pester the gateway."""
        now = datetime.now(UTC)
        if not payment.open or (payment.asked_at and now - payment.asked_at < _PAUSE):
            return payment
        try:
            return await self.book.refresh(payment.transaction_id)
        except CauriError as error:
            _log.warning("%s: %s", payment.transaction_id, type(error).__name__)
            return payment

    async def ask_about_others(self) -> None:
        """Asks about donors who did not come back, those whose time has come, in one run at a time."""
        if self._asking.locked():
            return
        async with self._asking:
            try:
                await self.book.reconcile(limit=_AT_ONCE)
            except CauriError as error:
                _log.warning("reconcile: %s: %s", type(error).__name__, error)
