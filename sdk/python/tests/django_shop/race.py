"""CAURI_SHOP_RACE payments; for each eight equal notifications, a forged one and a return, with reconcile runs, all at once.

Run by test_django_races.py. Says "started" and the payments, waits for a line, races, says what it counted.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from django.core.management import call_command
from django.db import connection

from django_shop import scene
from django_shop.goods.models import Sale

PAYMENTS, EQUAL, THREADS = int(os.environ["CAURI_SHOP_RACE"]), 8, 12


def main() -> None:
    call_command("migrate", verbosity=0, run_syncdb=True)
    refs = [f"order-{n}" for n in range(PAYMENTS)]
    with ThreadPoolExecutor(THREADS) as pool:
        urls = list(pool.map(scene.start, refs * 2))
    names = {
        payment.order_ref: payment.transaction_id for ref in refs for payment in scene.book.payments_of(ref)
    }
    print(json.dumps({"names": names, "urls": len(set(urls))}), flush=True)
    sys.stdin.readline()
    scene.let_time_pass()
    tasks = [(scene.notify, name) for name in names.values()] * EQUAL
    tasks += [(scene.come_back, name) for name in names.values()]
    tasks += [(forge, name) for name in names.values()]
    tasks += [(reconciled, "") for _ in range(3)]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda task: (task[0].__name__, task[0](task[1])), scene.shuffled(tasks)))
    scene.let_time_pass()
    scene.book.run_outbox()
    print(json.dumps({
        "answers": sorted({(name, status) for name, status in answers}),
        "statuses": dict(Sale.objects.values_list("ref", "status")),
        **{what: scene.counts(what) for what in ("paid", "refused", "mail", "overpaid", "mismatch")},
    }), flush=True)  # fmt: skip
    connection.close()


def forge(name: str) -> int:
    return scene.notify(name, "0" * 64)


def reconciled(_: str) -> int:
    return scene.reconcile().unreached


if __name__ == "__main__":
    main()
