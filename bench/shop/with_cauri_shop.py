# mypy: disable-error-code="import-untyped, misc"
"""The shop on cauri-shop: ``python -m bench.shop.with_cauri_shop DATABASE GATEWAY`` prints what it counted."""

from __future__ import annotations

import json
import logging
import sys

from bench.shop import race
from bench.shop.gateway import AMOUNT, CURRENCY
from bench.shop.settings import set_up


def main(database: str, gateway: str) -> None:
    logging.disable(logging.CRITICAL)
    keys = {"APIKEY": race.APIKEY, "SITE_ID": race.SITE_ID, "SECRET_KEY": race.SECRET, "BASE_URL": gateway}
    set_up(
        database, "bench.shop.urls", ["cauri_shop.django"],
        CAURI_SHOP={**keys, "PUBLIC_URL": "http://127.0.0.1:9"},
    )  # fmt: skip
    import cauri_shop
    from cauri_shop.django import book
    from django.test import Client

    from bench.shop.goods.models import Delivered

    @book.on_paid
    def deliver(event: cauri_shop.PaymentEvent) -> None:
        Delivered.objects.create(order_ref=event.order_ref)

    orders = [f"order-{n}" for n in range(race.PAYMENTS)]
    for order in orders:
        book.start(order, amount=AMOUNT, currency=CURRENCY, description="Panier")
    names = [book.payments_of(order)[0].transaction_id for order in orders]

    def notify(name: str, failed: bool) -> int:
        body, token = race.notification(name)
        answer = Client().post("/cauri/notify", body, content_type=race.FORM, headers={"x-token": token})
        return int(answer.status_code)

    def paid() -> int:
        return sum(any(payment.paid for payment in book.payments_of(order)) for order in orders)

    print(json.dumps(race.run(f"cauri-shop {cauri_shop.__version__}", names, notify, paid, gateway)))


if __name__ == "__main__":
    main(*sys.argv[1:])
