"""What this shop does, as naively as a shop may: the book must make it right."""

from cauri_shop.django import book

from .models import Sale, Told

FAIL = {"mail": 0, "paid": 0}


@book.on_paid
def deliver(event):
    Sale.objects.filter(pk=event.order_ref).update(status="paid")
    Told.objects.create(what="paid", ref=event.order_ref)
    if FAIL["paid"] > 0:
        FAIL["paid"] -= 1
        raise RuntimeError("the shop's own mistake")


@book.on_refused
def cancel(event):
    Sale.objects.filter(pk=event.order_ref).update(status="cancelled")
    Told.objects.create(what="refused", ref=event.transaction_id)


@book.on_overpaid
def refund(event):
    Told.objects.create(what="overpaid", ref=event.transaction_id)


@book.on_mismatch
def alarm(event):
    Told.objects.create(what="mismatch", ref=event.transaction_id)


@book.after_paid("mail")
def mail(effect):
    if FAIL["mail"] > 0:
        FAIL["mail"] -= 1
        raise ConnectionError("the mail server sleeps")
    Told.objects.create(what="mail", ref=effect.order_ref, key=effect.key)
