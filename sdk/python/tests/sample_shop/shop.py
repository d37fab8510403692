"""The shop: three orders' worth of state, the book's hooks, and the two doors as plain functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cauri_shop import Checkout, Effect, OrderAlreadyPaid, Payment, PaymentBook, PaymentEvent, payable_amount
from cauri_shop.book import DoorAnswer, return_query

from .store import new_store


@dataclass
class Shop:
    """What it delivered and whom it wrote to, in order of occurrence."""

    checkout: Checkout
    notify_url: str
    delivered: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book = PaymentBook(
            new_store(),
            self.checkout,
            return_url="https://boutique.example/return",
            notify_url=self.notify_url,
        )
        self.book.on_paid(self._deliver)
        self.book.on_refused(self._cancel)
        self.book.on_overpaid(self._alarm)
        self.book.on_mismatch(self._alarm)
        self.book.after_paid("mail")(self._thank)

    def press_pay(self, order: str | int, amount: int) -> str | None:
        """Where to send the customer; None when the order is paid already."""
        price = payable_amount(amount, "XOF")
        try:
            return self.book.start(
                order, amount=price, currency="XOF", description=f"Commande {order}", lang="fr"
            )
        except OrderAlreadyPaid as paid:
            self.alarms.append(f"{paid.order_ref} is paid by {paid.transaction_id}")
            return None

    def notified(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The notify door; gives the HTTP status."""
        answer: DoorAnswer = self.book.handle_notification(
            body, headers.get("Content-Type"), headers.get("x-token")
        )
        return answer.status

    def come_back(self, form: Mapping[str, str]) -> str:
        """The return door; gives the address to redirect to."""
        payment: Payment | None = self.book.handle_return(form)
        return "/return" + return_query(payment)

    def paid_amounts(self, order: str | int) -> list[int]:
        """Of the order's payments."""
        return [payment.amount for payment in self.book.payments_of(order) if payment.paid]

    def _deliver(self, event: PaymentEvent) -> None:
        self.delivered.append(event.order_ref)

    def _cancel(self, event: PaymentEvent) -> None:
        self.cancelled.append(f"{event.order_ref} {event.code}")

    def _alarm(self, event: PaymentEvent) -> None:
        self.alarms.append(f"{event.order_ref}: {event.problem}")

    def _thank(self, effect: Effect) -> None:
        self.mails.append(f"{effect.key} {effect.amount} {effect.currency} by {effect.payment_method}")
