"""A little gateway over real HTTP that answers as the contract says, and both shells of the library in front of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from typing import Any

import httpx
import pytest
from hypothesis import settings

from cauri_shop import AsyncCheckout, Checkout

settings.register_profile("patient", deadline=None)  # nothing here is timed
settings.load_profile("patient")

APIKEY, SITE_ID, SECRET = "cauri-sandbox-apikey", "445160", "cauri-sandbox-secret-key"
RESPONSE_ID = "1617808789.7749"


class Gateway:
    """Opens payments and answers checks; `next_answer` says something else once, `hold` keeps a caller waiting."""

    def __init__(self) -> None:
        self.payments: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.next_answer: tuple[int, bytes, dict[str, str]] | None = None
        self.hold: threading.Event | None = None
        # What a check answers for payments that nobody settled one by one: (code, message).
        self.word = ("662", "WAITING_CUSTOMER_PAYMENT")
        self.settled: dict[str, Iterator[tuple[str, str]]] = {}
        self.lock = threading.Lock()
        self.cut = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def close(self) -> None:
        if self.hold:
            self.hold.set()
        self.server.shutdown()
        self.server.server_close()

    def will_answer(self, status: int, body: Any, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.next_answer = (status, raw, headers)

    def settle(self, transaction_id: str, *words: tuple[str, str], **told: Any) -> None:
        """Each check gets the next word; the last one stays. `told` changes fields of the answer's data."""
        self.payments[transaction_id]["told"] = told
        self.settled[transaction_id] = chain(words[:-1], repeat(words[-1]))

    def answer(
        self, path: str, headers: dict[str, str], fields: dict[str, Any]
    ) -> tuple[int, bytes, dict[str, str]]:
        self.requests.append((path, headers, fields))
        if self.next_answer:
            answer, self.next_answer = self.next_answer, None
            return answer
        act = {"/v2/payment": self._open, "/v2/payment/check": self._check}.get(path)
        with self.lock:
            status, envelope = act(fields) if act else (404, error("404", "NOT_FOUND"))
        return status, json.dumps(envelope).encode(), {}

    def _open(self, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        refused = self._authenticate(fields)
        if refused:
            return refused
        if fields["transaction_id"] in self.payments:
            return 400, error("620", "ERROR_DOUBLE_PAYEMNT", "transaction_id déjà utilisé")
        token = f"{len(self.payments):032x}"
        self.payments[fields["transaction_id"]] = {**fields, "payment_token": token}
        data = {"payment_token": token, "payment_url": f"{self.url}/payment/{token}"}
        return 200, {"code": "201", "message": "CREATED", "description": "Transaction created with success",
                     "data": data, "api_response_id": RESPONSE_ID}  # fmt: skip

    def _check(self, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        refused = self._authenticate(fields)
        if refused:
            return refused
        for transaction_id, payment in self.payments.items():
            if transaction_id == fields.get("transaction_id") or payment["payment_token"] == fields.get(
                "payment_token"
            ):
                code, message = next(self.settled.get(transaction_id, iter(())), self.word)
                known = {"amount": str(payment["amount"]), "currency": payment["currency"]}
                return 200, status(code, message, **{**known, **payment.get("told", {})})
        return 404, error("404", "TRANSACTION_NOT_FOUND")

    def _authenticate(self, fields: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if fields.get("apikey") != APIKEY:
            return 400, error("609", "AUTH_NOT_FOUND", f"apikey {fields.get('apikey')} inconnue")
        if fields.get("site_id") != SITE_ID:
            return 400, error("613", "ERROR_SITE_ID_NOTVALID")
        return None


def error(code: str, message: str, description: str = "") -> dict[str, Any]:
    """The error envelope: no `data` key."""
    return {"code": code, "message": message, "description": description, "api_response_id": RESPONSE_ID}


def status(code: Any, message: str, **data: Any) -> dict[str, Any]:
    """A check's answer with all the fields of all eras."""
    whole = {
        "operator_id": None, "payment_method": None, "payment_date": "", "phone_number": None, "phone_prefix": None,
        "amount": "100", "currency": "XOF", "status": "WAITING_FOR_CUSTOMER", "description": "Pagne",
        "metadata": None, "fund_availability_date": None,
    }  # fmt: skip
    return {"code": code, "message": message, "api_response_id": RESPONSE_ID, "data": {**whole, **data}}


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = gateway.answer(
                self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)
            )
            if gateway.hold:
                gateway.hold.wait(30)
            if gateway.cut:
                self.close_connection = True
                return
            self.send_response(answer[0])
            for name, value in {"Content-Length": str(len(answer[1])), **answer[2]}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *args: Any) -> None:
            """Silent: pytest shows what matters."""

    return Handler


class Shell:
    """Calls either shell in the same words: an AsyncCheckout's awaitables are run to their end."""

    def __init__(self, kind: type[Checkout] | type[AsyncCheckout], loop: asyncio.AbstractEventLoop) -> None:
        self.kind, self._loop, self._clients = kind, loop, []

    def make(self, **changed: Any) -> Any:
        # Loading certificates takes 50 ms a client, and plain http needs none.
        client = (httpx.Client if self.kind is Checkout else httpx.AsyncClient)(verify=False)
        self._clients.append(client)
        return self.kind(
            **{"apikey": APIKEY, "site_id": SITE_ID, "secret_key": SECRET, "client": client, **changed}
        )

    def run(self, result: Any) -> Any:
        return self._loop.run_until_complete(result) if asyncio.iscoroutine(result) else result

    def close(self) -> None:
        for client in self._clients:
            self.run(client.close() if isinstance(client, httpx.Client) else client.aclose())


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    yield gateway
    gateway.close()


@pytest.fixture(params=[Checkout, AsyncCheckout], ids=["sync", "async"])
def shell(request: pytest.FixtureRequest) -> Iterator[Shell]:
    loop = asyncio.new_event_loop()
    shell = Shell(request.param, loop)
    yield shell
    shell.close()
    loop.close()


@pytest.fixture
def start(shell: Shell, gateway: Gateway) -> Any:
    """Opens a payment of 100 XOF, with any argument changed."""
    checkout = shell.make(base_url=gateway.url)

    def start(**changed: Any) -> Any:
        wanted = {
            "transaction_id": "CMD-1", "amount": 100, "currency": "XOF", "description": "Pagne",
            "return_url": "https://boutique.example/return", **changed,
        }  # fmt: skip
        return shell.run(checkout.start(**wanted))

    return start


@pytest.fixture
def check(shell: Shell, gateway: Gateway) -> Any:
    checkout = shell.make(base_url=gateway.url)
    return lambda *args, **kwargs: shell.run(checkout.check(*args, **kwargs))


@pytest.fixture
def answers() -> Any:
    """The makers of answers, for tests that word their own: `answers.error(...)`, `answers.status(...)`."""

    class Answers:
        error = staticmethod(error)
        status = staticmethod(status)

    return Answers
