"""The book in the admin, to read: a payment is changed by what the gateway says, never by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import BookOrder, BookPayment, OutboxEffect


class _ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(BookPayment)
class BookPaymentAdmin(_ReadOnly):
    """Payments, the newest first. The token and the URL open the payment's page, so they are not shown."""

    list_display = (
        "transaction_id",
        "order_id",
        "state",
        "code",
        "amount",
        "currency",
        "payment_method",
        "created_at",
        "problem",
    )
    list_filter = ("state", "currency", "payment_method")
    search_fields = ("transaction_id", "order__order_ref", "operator_id")
    ordering = ("-created_at",)
    exclude = ("payment_token", "payment_url", "idempotency_key")


@admin.register(BookOrder)
class BookOrderAdmin(_ReadOnly):
    """Orders and what paid them."""

    list_display = ("order_ref", "amount", "currency", "fulfilled_by", "fulfilled_at")
    search_fields = ("order_ref", "fulfilled_by")


@admin.register(OutboxEffect)
class OutboxEffectAdmin(_ReadOnly):
    """Effects: those not done first."""

    list_display = ("key", "tries", "done_at", "next_try_at", "last_error")
    list_filter = ("name",)
    search_fields = ("key", "transaction_id")
    ordering = ("-next_try_at",)
