"""What the races and the kills share: a set-up shop, signed notifications, and the counts that must hold."""

from __future__ import annotations

import os
import random
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

os.environ["DJANGO_SETTINGS_MODULE"] = "django_shop.settings"

import django

django.setup()
del os.environ["DJANGO_SETTINGS_MODULE"]  # read by now; other shops that this process starts have their own

from django.test import Client

from cauri_shop.book.reconcile import Reconciled
from cauri_shop.django import book
from cauri_shop.django.models import BookPayment, OutboxEffect
from cauri_shop.notification import SIGNED_FIELDS, x_token
from django_shop.goods.models import Sale, Told

SECRET = "cauri-sandbox-secret-key"
FORM = "application/x-www-form-urlencoded"


def notification(transaction_id: str, site_id: str = "445160") -> tuple[bytes, str]:
    """The sixteen fields as a body, and their x-token."""
    fields = {**dict.fromkeys(SIGNED_FIELDS, ""), "cpm_site_id": site_id, "cpm_trans_id": transaction_id}
    return urlencode(fields).encode(), x_token(SECRET, fields.values())


def notify(transaction_id: str, token: str | None = None) -> int:
    """One POST to the notify door; gives the HTTP status."""
    body, right = notification(transaction_id)
    headers = {"x-token": right if token is None else token}
    return Client().post("/cauri/notify", body, content_type=FORM, headers=headers).status_code


def come_back(transaction_id: str) -> int:
    """The customer's return, as POST and then GET."""
    answer = Client(enforce_csrf_checks=True).post("/cauri/return", {"transaction_id": transaction_id})
    assert answer.status_code == 303
    return Client().get(answer.headers["Location"]).status_code


def start(ref: str, amount: int = 1500) -> str:
    """Presses "Pay" for an order, which exists."""
    Sale.objects.get_or_create(pk=ref)
    return book.start(ref, amount=amount, currency="XOF", description="Pagne")


def let_time_pass() -> None:
    """Everything that is scheduled becomes due."""
    now = datetime.now(timezone.utc)
    BookPayment.objects.update(started_at=now - timedelta(minutes=2))
    BookPayment.objects.exclude(next_ask_at=None).update(next_ask_at=now)
    OutboxEffect.objects.filter(done_at=None).update(next_try_at=now)


def reconcile() -> Reconciled:
    """One run, without pauses."""
    return book.reconcile(rate=1e6)


def counts(what: str) -> dict[str, int]:
    """How often a hook or an effect ran, by what it ran for."""
    found: dict[str, int] = {}
    for ref in Told.objects.filter(what=what).values_list("ref", flat=True):
        found[ref] = found.get(ref, 0) + 1
    return found


def shuffled(tasks: list) -> list:
    """In an order that a seed repeats; it is printed with whatever fails."""
    seed = int(os.environ.get("SHOP_SEED", "20261123"))
    print("seed", seed, file=sys.stderr)
    random.Random(seed).shuffle(tasks)
    return tasks
