"""The book's tables. Everything that changes them is in `store.py`; read them as you like."""

from __future__ import annotations

from django.db import models

from ..book import State


class BookOrder(models.Model):
    """One order of the shop; `fulfilled_by` is written once. `touched` is the lock: a write of this row."""

    order_ref = models.CharField(primary_key=True, max_length=100)
    amount = models.BigIntegerField(help_text="whole units of the currency")
    currency = models.CharField(max_length=3)
    fulfilled_by = models.CharField(max_length=100, null=True, unique=True)
    fulfilled_at = models.DateTimeField(null=True)
    touched = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "order"

    def __str__(self) -> str:
        return self.order_ref


class BookPayment(models.Model):
    """One payment of an order, named by its transaction_id at the gateway."""

    transaction_id = models.CharField(primary_key=True, max_length=100)
    order = models.ForeignKey(
        BookOrder, on_delete=models.PROTECT, db_column="order_ref", related_name="payments"
    )
    number = models.PositiveIntegerField()
    site_id = models.CharField(max_length=100)
    amount = models.BigIntegerField(help_text="whole units of the currency")
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in State])
    idempotency_key = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    started_at = models.DateTimeField()
    payment_token = models.CharField(max_length=255, blank=True, db_index=True)
    payment_url = models.CharField(max_length=2000, blank=True)
    code = models.CharField(max_length=20, blank=True)
    payment_method = models.CharField(max_length=40, blank=True)
    operator_id = models.CharField(max_length=255, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    asks = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(null=True, blank=True)
    next_ask_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "payment"
        constraints = (models.UniqueConstraint(fields=["order", "number"], name="cauri_shop_payment_number"),)
        indexes = (models.Index(fields=["site_id", "next_ask_at"], name="cauri_shop_payment_due"),)

    def __str__(self) -> str:
        return self.transaction_id


class OutboxEffect(models.Model):
    """Something to do after the commit that fulfilled an order, until it succeeds."""

    key = models.CharField(primary_key=True, max_length=255)
    name = models.CharField(max_length=100)
    order_ref = models.CharField(max_length=100, db_index=True)
    transaction_id = models.CharField(max_length=100)
    payload = models.TextField()
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "effect"
        indexes = (models.Index(fields=["done_at", "next_try_at"], name="cauri_shop_effect_due"),)

    def __str__(self) -> str:
        return self.key
