"""Between the orders and the gateway: opening a payment, and settling an order by what check says."""

from __future__ import annotations

from functools import lru_cache

from cauri_shop import Checkout, DuplicatePayment, PaymentState, PaymentStatus
from django.conf import settings

from . import orders
from .console import say
from .models import Order
from .templatetags.francs import francs


@lru_cache(maxsize=1)
def checkout() -> Checkout:
    """The one Checkout of this process; threads share its connections."""
    return Checkout(
        settings.CAURI_APIKEY,
        settings.CAURI_SITE_ID,
        settings.CAURI_SECRET_KEY or None,
        settings.CAURI_BASE_URL,
    )


def payment_url(order: Order) -> str:
    """The page where this order is paid, opened at the gateway if it was not yet. Raises CauriError.

    No database transaction is open meanwhile. The idempotency key makes a repeated start safe against Cauri.
    """
    if order.payment_url:
        return order.payment_url
    try:
        started = checkout().start(
            transaction_id=order.transaction_id,
            amount=order.amount,
            currency=order.currency,
            description=f"Commande {order.pk}",
            return_url=f"{settings.BOUTIQUE_URL}/return",
            notify_url=f"{settings.BOUTIQUE_URL}/notify",
            customer_name=order.customer_name,
            customer_surname=order.customer_surname,
            lang="fr",
            metadata=order.pk,
            invoice_data={
                f"{line.quantity} × {line.name}": francs(line.amount) for line in order.lines.all()[:3]
            },
            idempotency_key=order.transaction_id,
        )
    except DuplicatePayment:
        # The other click of a double click was answered first: its URL is stored by now, or this error stands.
        order.refresh_from_db()
        if order.payment_url:
            return order.payment_url
        raise
    orders.keep_payment(order, started)
    return order.payment_url


def ask_and_settle(order: Order) -> None:
    """Asks the gateway and settles the order by its answer. Raises CauriError when nothing was learnt."""
    status = checkout().check(order.transaction_id)
    say(f"checked {order.transaction_id} {status.code}")
    settle(order, status)


def settle(order: Order, status: PaymentStatus) -> None:
    """The guide's post-processing: paid → compare, then deliver once; refused → cancel; waiting, unknown → nothing."""
    if status.state is PaymentState.PAID and not status.matches(amount=order.amount, currency=order.currency):
        told = f"{status.amount} {status.currency}"
        orders.ask_a_person(order, f"the gateway says {told}, the order says {order.amount} {order.currency}")
    elif status.state is PaymentState.PAID:
        orders.mark_paid(order, status)
    elif status.state is PaymentState.REFUSED:
        orders.mark_cancelled(order, status)
