# mypy: ignore-errors
"""The shop on django-payments: ``python -m bench.shop.with_django_payments DATABASE GATEWAY dummy|checkout`` prints what it counted.

``dummy`` is the provider that it ships (told the result in the address, it asks nobody); ``checkout`` is
bench.shop.rival.provider, which verifies and asks as cauri-shop does.
"""

from __future__ import annotations

import json
import logging
import sys
from importlib import metadata

from bench.shop import race
from bench.shop.gateway import AMOUNT, CURRENCY
from bench.shop.settings import set_up


def main(database: str, gateway: str, variant: str) -> None:
    logging.disable(logging.CRITICAL)
    keys = {"apikey": race.APIKEY, "site_id": race.SITE_ID, "secret_key": race.SECRET, "base_url": gateway}
    set_up(
        database, "payments.urls", ["payments", "bench.shop.rival"], PAYMENT_HOST="127.0.0.1:9",
        PAYMENT_MODEL="rival.Payment", PAYMENT_VARIANTS={
            "dummy": ("payments.dummy.DummyProvider", {}),
            "checkout": ("bench.shop.rival.provider.CheckoutProvider", keys),
        },
    )  # fmt: skip
    from django.test import Client
    from payments import PaymentStatus
    from payments.signals import status_changed

    from bench.shop.goods.models import Delivered
    from bench.shop.rival.models import Payment

    def deliver(sender, instance, **_) -> None:
        if instance.status == PaymentStatus.CONFIRMED:
            Delivered.objects.create(order_ref=instance.transaction_id)

    status_changed.connect(deliver)
    names = [f"order-{n}" for n in range(race.PAYMENTS)]
    urls = {}
    for name in names:
        payment = Payment.objects.create(
            variant=variant, transaction_id=name, total=AMOUNT, currency=CURRENCY
        )
        urls[name] = payment.get_process_url()

    def notify(name: str, failed: bool) -> int:
        body, token = race.notification(name)
        result = PaymentStatus.REJECTED if failed else PaymentStatus.CONFIRMED
        url = urls[name] + (f"?verification_result={result}" if variant == "dummy" else "")
        return Client().post(url, body, content_type=race.FORM, headers={"x-token": token}).status_code

    def paid() -> int:
        return Payment.objects.filter(status=PaymentStatus.CONFIRMED).count()

    version = f"django-payments {metadata.version('django-payments')}"
    print(json.dumps(race.run(version, names, notify, paid, gateway)))


if __name__ == "__main__":
    main(*sys.argv[1:])
