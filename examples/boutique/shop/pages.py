"""The pages that customers see, and the JSON of an order. None of them settles anything: the book does, when notified."""

from __future__ import annotations

import logging
import secrets

from cauri_shop import CauriError, Payment, State
from cauri_shop.django.views import ReturnView
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from . import basket, orders, payments
from .catalogue import PRODUCTS
from .forms import CustomerForm
from .models import Order
from .reasons import reason

_log = logging.getLogger("shop")


@require_safe
def shop_window(request: HttpRequest) -> HttpResponse:
    """The products, each with its button."""
    shown = [
        {"product": product, "quantity": basket.quantity(request, product.id)}
        for product in PRODUCTS.values()
    ]
    return render(request, "shop/window.html", {"title": "Boutique", "shown": shown})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def basket_page(request: HttpRequest) -> HttpResponse:
    """The basket with the customer's form; a POST of `product` adds one, or sets `quantity`."""
    if request.method == "POST":
        return _change_basket(request)
    return _show_basket(
        request, CustomerForm(initial=request.session.get("customer", {})), secrets.token_urlsafe(16)
    )


@require_POST
def pay(request: HttpRequest) -> HttpResponse:
    """Makes the order of this basket and sends the customer to the page where it is paid."""
    form, form_key = CustomerForm(request.POST), request.POST.get("form_key", "")
    known = Order.objects.filter(form_key=form_key).first() if form_key.isprintable() else None
    if known:
        return _to_payment(known)
    lines = basket.lines(request)
    if not lines or not form.is_valid():
        return _show_basket(request, form, form_key or secrets.token_urlsafe(16), status=422)
    if not (form_key.isprintable() and 8 <= len(form_key) <= 64):
        form_key = secrets.token_urlsafe(16)
    request.session["customer"] = form.cleaned_data
    order = orders.place(form_key, lines, form.cleaned_data)
    basket.empty(request)
    return _to_payment(order)


@require_POST
def pay_order(request: HttpRequest, order_id: str) -> HttpResponse:
    """Back to the payment of an order that still waits."""
    order = _order(order_id)
    return _to_payment(order) if order.status == Order.Status.WAITING else _see_other(f"/orders/{order.pk}")


@require_POST
def order_again(request: HttpRequest, order_id: str) -> HttpResponse:
    """Puts the lines of an order into the basket, for a new order."""
    for line in _order(order_id).lines.all():
        if line.product_id in PRODUCTS:
            basket.put(request, line.product_id, line.quantity)
    return _see_other("/basket")


@never_cache
@require_safe
def order_page(request: HttpRequest, order_id: str) -> HttpResponse:
    """What our record says of an order."""
    return show(request, _order(order_id))


@never_cache
@require_GET
def order_json(request: HttpRequest, order_id: str) -> JsonResponse:
    """The same for programs: `status` is waiting, paid or cancelled; `delivered` counts the times goods left."""
    order = _order(order_id)
    payment = payments.newest(order)
    return JsonResponse(
        {
            "id": order.pk, "transaction_id": payment.transaction_id if payment else "", "status": order.status,
            "amount": order.amount, "currency": order.currency, "delivered": order.deliveries.count(),
            "refused_code": _refused_code(payment), "problem": _problem(payment),
        }
    )  # fmt: skip


class ReturnPage(ReturnView):
    """The customer comes back from the payment: the page of the order, by our own record."""

    def show(self, request: HttpRequest, payment: Payment | None) -> HttpResponse:
        order = Order.objects.filter(pk=payment.order_ref).first() if payment else None
        return show(request, order) if order else render(request, "shop/nowhere.html", {"title": "Bienvenue"})


def show(request: HttpRequest, order: Order) -> HttpResponse:
    """The page of an order; while it waits, the page asks again by itself."""
    payment = payments.newest(order)
    url = payment.payment_url if payment else ""
    context = {
        "title": f"Commande {order.pk}", "order": order, "payment": payment, "opened": bool(url),
        "problem": _problem(payment), "reason": reason(_refused_code(payment)),
        "refresh": order.status == Order.Status.WAITING and bool(url),
    }  # fmt: skip
    return render(request, "shop/order.html", context)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for addresses that do not exist."""
    return render(request, "shop/nowhere.html", {"title": "Page introuvable"}, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """The page for our own mistakes."""
    return render(request, "shop/broken.html", {"title": "Un instant"}, status=500)


def _refused_code(payment: Payment | None) -> str:
    return payment.code if payment and payment.refused else ""


def _problem(payment: Payment | None) -> bool:
    return payment is not None and payment.state is State.MISMATCH


def _order(order_id: str) -> Order:
    if not order_id.isprintable():
        raise Http404
    return get_object_or_404(Order, pk=order_id)


def _change_basket(request: HttpRequest) -> HttpResponse:
    product_id, wanted = request.POST.get("product", ""), request.POST.get("quantity", "")
    if product_id not in PRODUCTS:
        raise Http404
    if not wanted:
        basket.put(request, product_id, basket.quantity(request, product_id) + 1)
        return _see_other("/")
    if wanted.isascii() and wanted.isdigit():
        basket.put(request, product_id, int(wanted[:4]))
    return _see_other("/basket")


def _show_basket(request: HttpRequest, form: CustomerForm, form_key: str, status: int = 200) -> HttpResponse:
    lines = basket.lines(request)
    context = {
        "title": "Panier",
        "lines": lines,
        "total": basket.total(lines),
        "form": form,
        "form_key": form_key,
    }
    return render(request, "shop/basket.html", context, status=status)


def _to_payment(order: Order) -> HttpResponse:
    """To the page where the order is paid; to the order's own page, with a button to try again, if none was opened."""
    try:
        return _see_other(payments.payment_url(order))
    except CauriError as error:
        _log.error("order %s: its payment could not be opened: %s", order.pk, error)
        return _see_other(f"/orders/{order.pk}")


def _see_other(url: str) -> HttpResponse:
    # Not HttpResponseRedirect: 303 makes every browser GET the next page, whatever brought it here.
    return HttpResponse(status=303, headers={"Location": url})
