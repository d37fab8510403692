"""A notify_url for tests: it verifies what the sandbox posts, keeps it, and lets a test wait for it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ..book import BODY_MAX_BYTES
from ..checkout import Checkout
from ..errors import BadSignature, NotificationRefused
from ..notification import Notification


@dataclass(frozen=True)
class Received:
    """One notification as it came, rightly signed: hand `body` and `headers` to your shop's own door.

    Django: `client.post("/cauri/notify", n.body, content_type=n.content_type, headers=n.headers)`; Flask:
    `client.post(url, data=n.body, headers=n.headers)`; Starlette and FastAPI: `client.post(url, content=n.body, headers=n.headers)`.
    """

    transaction_id: str
    path: str
    content_type: str
    x_token: str = field(repr=False)
    body: bytes = field(repr=False)
    verified: bool
    fields: Mapping[str, str] = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """Content-Type and x-token."""
        return {"Content-Type": self.content_type, "x-token": self.x_token}


class Receiver:
    """An HTTP server on a free port: 200 to what is rightly signed (kept), 401 or 400 to the rest (also kept), 200 to GET.

    `base_url` answers at every path, so it may stand as the public address of a shop whose paths your test then calls.
    """

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._changed = threading.Condition()
        self._received: list[Received] = []
        self._refused: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def post(self, path: str, body: bytes, content_type: str, x_token: str) -> int:
        """Takes one POST; the HTTP status to answer."""
        try:
            read = self._checkout.read_notification(body, content_type, x_token or None)
        except NotificationRefused as refused:
            with self._changed:
                self._refused.append((path, str(refused)))
                self._changed.notify_all()
            return 401 if isinstance(refused, BadSignature) else 400
        with self._changed:
            self._received.append(_received(read, path, body, content_type, x_token))
            self._changed.notify_all()
        return 200

    def seen(self) -> tuple[list[Received], list[tuple[str, str]]]:
        """Everything kept and everything refused (path and why) so far."""
        with self._changed:
            return list(self._received), list(self._refused)

    def wait_for_change(self, known: int, seconds: float) -> None:
        """Returns when more than `known` POSTs have come, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._received) + len(self._refused) > known, seconds)


class Notifications:
    """What came during one test. `url` is its own notify_url; what comes to other tests' URLs is not seen here."""

    _numbers = itertools.count(1)

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        received, refused = receiver.seen()
        self._old, self._old_refused = len(received), len(refused)
        self._path = f"/test-{next(self._numbers)}/"
        self.base_url = receiver.base_url
        self.url = f"{receiver.base_url}{self._path}notify"

    def __iter__(self) -> Iterator[Received]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, index: int) -> Received:
        return self.all[index]

    def __repr__(self) -> str:
        return f"<Notifications at {self.url}: {self.all}>"

    @property
    def all(self) -> list[Received]:
        """Those that were rightly signed, in order of arrival."""
        return [one for one in self._receiver.seen()[0][self._old :] if self._mine(one.path)]

    @property
    def refused(self) -> list[str]:
        """Why others were refused: a wrong x-token, another site, nonsense."""
        return [why for path, why in self._receiver.seen()[1][self._old_refused :] if self._mine(path)]

    def of(self, transaction_id: str) -> list[Received]:
        """Those of one payment."""
        return [one for one in self.all if one.transaction_id == transaction_id]

    def wait(self, n: int = 1, transaction_id: str | None = None, timeout: float = 10.0) -> list[Received]:
        """All notifications (of one payment), as soon as there are at least `n`. Raises AssertionError after `timeout` s."""
        deadline = time.monotonic() + timeout
        while True:
            received, refused = self._receiver.seen()
            known = len(received) + len(refused)
            found = self.all if transaction_id is None else self.of(transaction_id)
            left = deadline - time.monotonic()
            if len(found) >= n:
                return found
            if left <= 0:
                raise AssertionError(self._too_few(n, transaction_id, timeout))
            self._receiver.wait_for_change(known, left)

    def _mine(self, path: str) -> bool:
        return not path.startswith("/test-") or path.startswith(self._path)

    def _too_few(self, n: int, transaction_id: str | None, timeout: float) -> str:
        wanted = f"{n} notification(s)" + (f" of {transaction_id}" if transaction_id else "")
        came = ", ".join(one.transaction_id for one in self.all) or "none"
        refused = f"; refused: {'; '.join(self.refused)}" if self.refused else ""
        return f"{wanted} expected within {timeout:g} s; came: {came}{refused}"


def _received(read: Notification, path: str, body: bytes, content_type: str, x_token: str) -> Received:
    return Received(read.transaction_id, path, content_type, x_token, body, read.verified, read.fields)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            size = min(int(length), BODY_MAX_BYTES + 1) if length.isascii() and length.isdigit() else 0
            body = self.rfile.read(size)
            kind, token = self.headers.get("Content-Type", ""), self.headers.get("x-token", "")
            self._answer(receiver.post(self.path, body, kind, token))

        def do_GET(self) -> None:
            self._answer(200)

        do_HEAD = do_GET

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Silent: pytest shows what matters."""

    return Handler
