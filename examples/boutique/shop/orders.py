"""Every change of an order. Moves are guarded UPDATEs: of two that come at once, one changes the row."""

from __future__ import annotations

from functools import partial

from cauri_shop import PaymentStatus, Started
from django.db import transaction
from django.utils import timezone

from . import messages
from .basket import Line, total
from .console import say
from .models import Delivery, Order, OrderLine, new_order_id

WAITING, PAID, CANCELLED = Order.Status.WAITING, Order.Status.PAID, Order.Status.CANCELLED


def place(form_key: str, lines: list[Line], customer: dict[str, str]) -> Order:
    """The order of this form, made on its first click and found again on the second."""
    order_id = new_order_id()
    fresh = {"id": order_id, "transaction_id": f"CMD-{order_id}", "amount": total(lines), **customer}
    with transaction.atomic():
        order, made = Order.objects.get_or_create(form_key=form_key, defaults=fresh)
        if made:
            OrderLine.objects.bulk_create(
                OrderLine(
                    order=order, product_id=line.product.id, name=line.product.name, price=line.product.price,
                    quantity=line.quantity,
                )
                for line in lines
            )  # fmt: skip
            transaction.on_commit(partial(say, f"order {order.pk} placed, {order.amount} {order.currency}"))
    return order


def keep_payment(order: Order, started: Started) -> None:
    """Stores the token and the URL of the order's payment."""
    Order.objects.filter(pk=order.pk).update(
        payment_token=started.payment_token, payment_url=started.payment_url
    )
    order.refresh_from_db()


def mark_paid(order: Order, status: PaymentStatus) -> bool:
    """Waiting or cancelled → paid, and the goods leave: in one database transaction, once. False: somebody was faster.

    A cancelled order becomes paid when a check says so: the operator's money is there.
    """
    with transaction.atomic():
        moved = Order.objects.filter(pk=order.pk, status__in=[WAITING, CANCELLED]).update(
            status=PAID,
            paid_at=timezone.now(),
            payment_method=status.payment_method or "",
            refused_code="",
            problem="",
        )
        if not moved:
            return False
        Delivery.objects.create(order=order)
        transaction.on_commit(partial(_tell_delivered, order), robust=True)
    return True


def mark_cancelled(order: Order, status: PaymentStatus) -> bool:
    """Waiting → cancelled. False when the order was not waiting any more: a late refusal changes nothing."""
    moved = Order.objects.filter(pk=order.pk, status=WAITING).update(
        status=CANCELLED, refused_code=status.code
    )
    if moved:
        say(f"order {order.pk} cancelled {status.code}")
    return bool(moved)


def ask_a_person(order: Order, problem: str) -> None:
    """Marks an order that the program must not decide, and says so loudly."""
    Order.objects.filter(pk=order.pk).exclude(status=PAID).update(problem=problem[:200])
    say(f"!!! order {order.pk} NOT delivered: {problem}")


def _tell_delivered(order: Order) -> None:
    say(f"order {order.pk} delivered")
    messages.thank(Order.objects.get(pk=order.pk))
