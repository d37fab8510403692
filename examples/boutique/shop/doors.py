"""The two doors that the gateway knows: /notify, where the order is settled, and /return, which decides nothing."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from cauri_shop import BadSignature, CauriError, Notification, NotificationRefused, read_return
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from . import pages, payments
from .console import say
from .models import Order

_log = logging.getLogger("shop")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def notify(request: HttpRequest) -> HttpResponse:
    """The gateway says that a payment changed; a GET is its test whether this address answers."""
    if request.method != "POST":
        return _text("ok")
    try:
        notification = payments.checkout().read_notification(
            request.body, request.headers.get("Content-Type"), request.headers.get("x-token")
        )
    except BadSignature as refused:
        _log.warning("notification refused: %s", refused)
        return _text("x-token does not match", 401)
    except NotificationRefused as refused:
        return _text(str(refused), 400)
    return _settle(notification)


def _settle(notification: Notification) -> HttpResponse:
    order = Order.objects.filter(transaction_id=notification.transaction_id).first()
    if order is None:
        return _text("no such order here", 404)
    say(f"notified {order.transaction_id}")
    if order.status == Order.Status.PAID:
        return _text("already paid")
    try:
        payments.ask_and_settle(order)
    except CauriError as error:
        # Nothing was learnt, so nothing changes; a 503 brings the notification again.
        _log.error("order %s: %s", order.pk, error)
        return _text("could not ask, notify me again", 503)
    return _text("ok")


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """The customer returns. POST → the same page as GET, so that their cookie comes along; it shows our own record."""
    back = read_return(request.POST if request.method == "POST" else request.GET)
    order = Order.objects.filter(transaction_id=back.transaction_id).first() if back.transaction_id else None
    if order is None and back.token:
        order = Order.objects.filter(payment_token=back.token).first()
    if request.method == "POST":
        # The token opens the payment's page, so it does not go into an address that browsers remember.
        query = f"?{urlencode({'transaction_id': order.transaction_id})}" if order else ""
        return HttpResponse(status=303, headers={"Location": request.path + query})
    if order is None:
        return render(request, "shop/nowhere.html", {"title": "Bienvenue"})
    return pages.show(request, order)


def _text(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
