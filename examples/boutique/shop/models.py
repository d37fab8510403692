"""The shop's own record: orders, their lines, and each time goods left. Payments are the payment book's."""

from __future__ import annotations

import secrets

from django.db import models

from .catalogue import CURRENCY

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


def new_order_id() -> str:
    """Twelve characters that nobody guesses: whoever knows them sees the order's page."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


class Order(models.Model):
    """What a customer ordered."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        PAID = "paid"
        CANCELLED = "cancelled"

    id = models.CharField(primary_key=True, max_length=12, default=new_order_id)
    # The form's own number: a double click on "Payer" finds the first click's order.
    form_key = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    amount = models.PositiveIntegerField(help_text="whole units of the currency")
    currency = models.CharField(max_length=3, default=CURRENCY)
    customer_name = models.CharField(max_length=80)
    customer_surname = models.CharField(max_length=80)
    customer_phone = models.CharField(max_length=20)
    customer_email = models.EmailField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class OrderLine(models.Model):
    """A product as it was when ordered: a later price changes no order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product_id = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    price = models.PositiveIntegerField()
    quantity = models.PositiveSmallIntegerField()

    @property
    def amount(self) -> int:
        return self.price * self.quantity


class Delivery(models.Model):
    """Goods left for the customer. Nothing forbids a second row: the book's promise is what is tested."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="deliveries")
    at = models.DateTimeField(auto_now_add=True)
