"""`python -m cauri_shop reconcile MODULE:BOOK`, as cron runs it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

pytest.importorskip("sqlalchemy")

SHOP = """
import os
from datetime import datetime, timezone
from sqlalchemy import MetaData, create_engine, update
from cauri_shop import Checkout, PaymentBook
from cauri_shop.sqlalchemy import SqlAlchemyStore, tables

engine = create_engine("sqlite:///shop.sqlite3")
metadata = MetaData()
own = tables(metadata)
metadata.create_all(engine)
book = PaymentBook(SqlAlchemyStore(engine), Checkout("cauri-sandbox-apikey", "445160", base_url=os.environ["GATEWAY"]))
NOT_A_BOOK = 5


@book.on_paid
def deliver(event):
    print("delivered", event.order_ref)
"""

ASYNC_SHOP = """
import os
from sqlalchemy.ext.asyncio import create_async_engine
from cauri_shop import AsyncCheckout, AsyncPaymentBook
from cauri_shop.sqlalchemy import SqlAlchemyStore

engine = create_async_engine("sqlite+aiosqlite:///shop.sqlite3")
book = AsyncPaymentBook(SqlAlchemyStore(engine), AsyncCheckout("cauri-sandbox-apikey", "445160", base_url=os.environ["GATEWAY"]))


@book.on_paid
async def deliver(event):
    print("delivered", event.order_ref)
"""

OPEN = """
import shop
from sqlalchemy import update
shop.book.start("o1", amount=1500, currency="XOF", description="Pagne", return_url="https://shop.example/r")
print(shop.book.payments_of("o1")[0].transaction_id)
with shop.engine.begin() as connection:
    connection.execute(update(shop.own.payments).values(next_ask_at=shop.datetime.now(shop.timezone.utc)))
"""


def run(folder, gateway, *command):
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "GATEWAY": gateway.url},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def shop(tmp_path, gateway):
    """A shop with one payment that is due; gives its folder."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "ashop.py").write_text(ASYNC_SHOP)
    opened = run(tmp_path, gateway, "-c", OPEN)
    assert opened.returncode == 0, opened.stderr
    gateway.settle(opened.stdout.strip(), ("00", "SUCCES"))
    return tmp_path


@pytest.mark.parametrize("name", ["shop:book", "ashop:book"])
def test_one_command_learns_of_the_lost_notification_and_delivers_once(shop, gateway, name):
    first = run(shop, gateway, "-m", "cauri_shop", "reconcile", name, "--rate", "1000")
    assert first.returncode == 0, first.stderr
    assert "delivered o1" in first.stdout
    assert "asked about 1: 1 paid" in first.stdout
    assert "asked about 0" in run(shop, gateway, "-m", "cauri_shop", "reconcile", name).stdout


def test_in_a_terminal_a_bar_shows_how_far_the_run_has_come(shop, gateway):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cauri_shop", "reconcile", "shop:book"]
    environment = {**os.environ, "GATEWAY": gateway.url}
    subprocess.run(command, cwd=shop, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=True)
    assert "█] 1/1" in os.read(ours, 1000).decode()
    os.close(theirs)
    os.close(ours)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("shop", "MODULE:BOOK"),
        ("nothing:book", "cannot be found"),
        ("shop:nothing", "cannot be found"),
        ("shop:NOT_A_BOOK", "not a payment book"),
    ],
)
def test_a_book_that_is_none_is_told_in_words(shop, gateway, name, told):
    done = run(shop, gateway, "-m", "cauri_shop", "reconcile", name)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
