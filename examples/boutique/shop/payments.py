"""What a payment does to an order. The book calls these, each as often as it promises; nothing here counts or locks."""

from __future__ import annotations

from functools import partial

from cauri_shop import Effect, Payment, PaymentEvent
from cauri_shop.django import book
from django.db import transaction

from . import messages
from .console import say
from .models import Delivery, Order
from .templatetags.francs import francs


@book.transaction_ids
def name_payment(order_ref: str, number: int) -> str:
    """`CMD-` and the order; a second payment of the same order adds its number."""
    return f"CMD-{order_ref}" if number == 1 else f"CMD-{order_ref}-{number}"


@book.on_paid
def deliver(event: PaymentEvent) -> None:
    """The goods leave, in the transaction that records the payment."""
    Order.objects.filter(pk=event.order_ref).update(status=Order.Status.PAID)
    Delivery.objects.create(order_id=event.order_ref)
    _say_after_commit(f"order {event.order_ref} delivered")


@book.on_refused
def cancel(event: PaymentEvent) -> None:
    """The order is cancelled; a check that says paid later brings it back."""
    Order.objects.filter(pk=event.order_ref).update(status=Order.Status.CANCELLED)
    _say_after_commit(f"order {event.order_ref} cancelled {event.code}")


@book.on_mismatch
def ask_a_person(event: PaymentEvent) -> None:
    """A payment that the program must not decide."""
    _say_after_commit(f"!!! order {event.order_ref} NOT delivered: {event.problem}")


@book.on_overpaid
def pay_back(event: PaymentEvent) -> None:
    """Money that belongs to the customer."""
    _say_after_commit(
        f"!!! order {event.order_ref} paid twice, pay back {event.transaction_id}: {event.problem}"
    )


@book.after_paid("sms")
def send_sms(effect: Effect) -> None:
    """Tells the customer by SMS."""
    messages.sms(Order.objects.get(pk=effect.order_ref))


@book.after_paid("mail")
def send_mail(effect: Effect) -> None:
    """Tells the customer by mail."""
    messages.mail(Order.objects.get(pk=effect.order_ref))


def payment_url(order: Order) -> str:
    """The page where this order is paid. Raises CauriError."""
    return book.start(
        order.pk,
        amount=order.amount,
        currency=order.currency,
        description=f"Commande {order.pk}",
        customer_name=order.customer_name,
        customer_surname=order.customer_surname,
        lang="fr",
        metadata=order.pk,
        invoice_data={
            f"{line.quantity} × {line.name}": francs(line.amount) for line in order.lines.all()[:3]
        },
    )


def newest(order: Order) -> Payment | None:
    """The order's last payment, as the book has it."""
    payments = book.payments_of(order.pk)
    return payments[-1] if payments else None


def _say_after_commit(line: str) -> None:
    transaction.on_commit(partial(say, line), robust=True)
