"""Placing an order. What a payment does to it stands in `payments.py`."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from .basket import Line, total
from .console import say
from .models import Order, OrderLine


def place(form_key: str, lines: list[Line], customer: dict[str, str]) -> Order:
    """The order of this form, made on its first click and found again on the second."""
    with transaction.atomic():
        order, made = Order.objects.get_or_create(
            form_key=form_key, defaults={"amount": total(lines), **customer}
        )
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
