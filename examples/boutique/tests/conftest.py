"""The real shop as a process, a customer's browser, and a small server that plays the gateway's two endpoints."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import queue
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

SITE_ID, SECRET = "445160", "cauri-sandbox-secret-key"
MANAGE = Path(__file__).resolve().parents[1] / "manage.py"
FORM = "application/x-www-form-urlencoded"
NAMES = (
    "cpm_site_id", "cpm_trans_id", "cpm_trans_date", "cpm_amount", "cpm_currency", "signature", "payment_method",
    "cel_phone_num", "cpm_phone_prefixe", "cpm_language", "cpm_version", "cpm_payment_config", "cpm_page_action",
    "cpm_custom", "cpm_designation", "cpm_error_message",
)  # fmt: skip


class Gateway:
    """Opens payments, and answers checks by `settle`; `down` makes it answer 503."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def forget(self) -> None:
        """As it was at first."""
        self.payments: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, dict[str, Any]] = {}
        self.checks: list[str] = []
        self.down = False
        # While a barrier stands, checks wait until as many are there: none may be answered before all have asked.
        self.barrier: threading.Barrier | None = None

    def settle(self, transaction_id: str, code: str, message: str, **data: Any) -> None:
        self.payments[transaction_id].update(code=code, message=message, **data)

    def open(self, fields: dict[str, Any], key: str | None) -> tuple[int, dict[str, Any]]:
        with self.lock:
            if key in self.by_key:
                return 200, self.by_key[key]
            name = fields["transaction_id"]
            if name in self.payments:
                return 400, _error("620", "ERROR_DOUBLE_PAYEMNT")
            token = f"{len(self.payments) + 1:032x}"
            self.payments[name] = {
                "code": "662", "message": "WAITING_CUSTOMER_PAYMENT", "amount": str(fields["amount"]),
                "currency": fields["currency"], "token": token, "asked": fields,
            }  # fmt: skip
            data = {"payment_token": token, "payment_url": f"{self.url}/payment/{token}"}
            answer = {
                "code": "201",
                "message": "CREATED",
                "description": "",
                "data": data,
                "api_response_id": "1.0001",
            }
            self.by_key[key or token] = answer
            return 200, answer

    def check(self, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.barrier:
            self.barrier.wait(20)
        self.checks.append(fields["transaction_id"])
        payment = self.payments.get(fields["transaction_id"])
        if payment is None:
            return 404, _error("404", "TRANSACTION_NOT_FOUND")
        data = {"operator_id": "82104", "payment_method": "FLOOZ", "amount": payment["amount"],
                "currency": payment["currency"], "payment_date": "2026-11-23 10:00:00"}  # fmt: skip
        return 200, {
            "code": payment["code"],
            "message": payment["message"],
            "api_response_id": "1.0002",
            "data": data,
        }


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "description": message, "api_response_id": "1.0003"}


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if gateway.down:
                status, body = 503, _error("503", "TEMPORARILY_UNAVAILABLE")
            elif self.path == "/v2/payment":
                status, body = gateway.open(fields, self.headers.get("Idempotency-Key"))
            else:
                status, body = gateway.check(fields)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: Any) -> None:
            """Silent."""

    return Handler


class Shop:
    """`manage.py serve` on a free port, and everything it prints."""

    def __init__(self, database: Path, gateway: Gateway) -> None:
        self.database, self.gateway, self.printed = database, gateway, []
        self.start()

    def start(self) -> None:
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BOUTIQUE_", "CAURI_", "DJANGO"))
        }
        self.process = subprocess.Popen(
            [sys.executable, MANAGE, "serve", "--port", "0", "--database", self.database],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**env, "CAURI_BASE_URL": self.gateway.url, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(
            target=self._read, args=[self.process.stdout, self._lines], daemon=True
        )
        self._reader.start()
        self.url = self.wait_for("boutique ready on ").split()[3].rstrip("/")

    def _read(self, stream: Any, lines: queue.Queue[str]) -> None:
        for line in stream:
            self.printed.append(line.rstrip("\n"))
            lines.put(line.rstrip("\n"))
        lines.put("(the shop stopped)")

    def wait_for(self, text: str) -> str:
        """The next printed line that holds this text."""
        while True:
            line = self._lines.get(timeout=30)
            if text in line:
                return line
            assert line != "(the shop stopped)", "\n".join(self.printed)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self._reader.join(20)

    def forget(self) -> None:
        """Empties its tables and what it has printed."""
        self.printed.clear()
        with closing(sqlite3.connect(self.database, timeout=20)) as database, database:
            kept = "name LIKE 'sqlite_%' OR name = 'django_migrations'"
            for (table,) in database.execute(
                f"SELECT name FROM sqlite_master WHERE type = 'table' AND NOT ({kept})"
            ):
                database.execute(f"DELETE FROM {table}")

    def order(self, order_id: str) -> dict[str, Any]:
        return httpx.get(f"{self.url}/orders/{order_id}.json").json()

    def notify(self, transaction_id: str, token: str | None = None, **changed: str) -> httpx.Response:
        """Posts the sixteen fields, signed as the contract says unless another token is given."""
        fields = dict.fromkeys(NAMES, "") | {
            "cpm_site_id": SITE_ID, "cpm_trans_id": transaction_id, "cpm_designation": "Café", **changed
        }  # fmt: skip
        if token is None:
            token = hmac.new(SECRET.encode(), "".join(fields.values()).encode(), hashlib.sha256).hexdigest()
        headers = {"Content-Type": FORM, "x-token": token}
        return httpx.post(f"{self.url}/notify", content=urlencode(fields), headers=headers, timeout=40)


class Customer(httpx.Client):
    """A browser without script: it keeps cookies and posts the forms that the pages hold."""

    def post_form(self, page: str, action: str, **fields: Any) -> httpx.Response:
        """Posts a page's form to `action`, with the form's hidden fields, and says where it comes from as a browser does."""
        shown = self.get(page)
        form = next(
            part for part in re.findall(r"<form.*?</form>", shown.text, re.S) if f'action="{action}"' in part
        )
        silent = shown.headers.get("Referrer-Policy") == "no-referrer"
        origin = "null" if silent else str(self.base_url).rstrip("/")
        hidden = {
            name: unescape(value)
            for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
        }
        return self.post(action, data={**hidden, **fields}, headers={"Origin": origin})

    def buy(self, *products: str) -> tuple[str, str]:
        """Orders products and presses "Payer"; gives the order's id and the payment's URL."""
        for product in products or ("cafe",):
            assert self.post_form("/", "/basket", product=product).status_code == 303
        answer = self.post_form("/basket", "/pay", **WHO)
        assert answer.status_code == 303, answer.text
        token = answer.headers["location"].rsplit("/", 1)[1]
        return self.shop.order_of(token), answer.headers["location"]


WHO = {
    "customer_surname": "Awa", "customer_name": "Koné", "customer_phone": "07 07 12 34 56",
    "customer_email": "awa@example.org",
}  # fmt: skip


@pytest.fixture(scope="session")
def running_gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    yield gateway
    gateway.server.shutdown()
    gateway.server.server_close()


@pytest.fixture(scope="session")
def running_shop(tmp_path_factory: pytest.TempPathFactory, running_gateway: Gateway) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("boutique") / "shop.sqlite3", running_gateway)
    yield shop
    shop.kill()


@pytest.fixture
def gateway(running_gateway: Gateway) -> Gateway:
    """A gateway that knows of no payment."""
    running_gateway.forget()
    return running_gateway


@pytest.fixture
def shop(running_shop: Shop, gateway: Gateway) -> Shop:
    """A shop without orders that has printed nothing; it is started again where a test has stopped it."""
    if running_shop.process.poll() is not None:
        running_shop.start()
    running_shop.forget()
    return running_shop


@pytest.fixture
def customer(shop: Shop, gateway: Gateway) -> Iterator[Customer]:
    with Customer(base_url=shop.url) as customer:
        customer.shop = shop
        shop.order_of = lambda token: next(
            name.removeprefix("CMD-")
            for name, payment in gateway.payments.items()
            if payment["token"] == token
        )
        yield customer


@pytest.fixture
def who() -> dict[str, str]:
    return dict(WHO)
