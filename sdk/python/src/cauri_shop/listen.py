"""A notify_url to try with: it prints and verifies what comes, and changes nothing."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .book.doors import BODY_MAX_BYTES
from .checkout import Checkout
from .errors import BadSignature, NotificationRefused

_SHOWN = ("cpm_amount", "cpm_currency", "payment_method", "cpm_error_message")


def listen(checkout: Checkout, host: str, port: int) -> int:
    """Answers until Ctrl-C. Raises OSError when the port is taken."""
    try:
        server = ThreadingHTTPServer((host, port), _handler(checkout))
    except OverflowError as error:
        raise OSError(str(error)) from error
    with server:
        _say(
            f"listening on http://{host}:{server.server_port}/ as a notify_url of site {checkout.site_id} (Ctrl-C ends)"
        )
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            _say("stopped")
    return 0


def told(checkout: Checkout, body: bytes, content_type: str | None, x_token: str | None) -> tuple[int, str]:
    """The HTTP status and the line to print for a POST. The line holds no number of a customer."""
    try:
        notification = checkout.read_notification(body, content_type, x_token)
    except BadSignature as refused:
        return 401, f"refused, 401: {refused}"
    except NotificationRefused as refused:
        return 400, f"refused, 400: {refused}"
    word = "x-token is right" if notification.verified else "not signed, a hint: ask check"
    facts = " ".join(
        f"{name}={notification.fields[name]}" for name in _SHOWN if notification.fields.get(name)
    )
    return 200, f"{notification.transaction_id}: {word} {facts}".rstrip()


def _handler(checkout: Checkout) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            size = min(int(length), BODY_MAX_BYTES + 1) if length.isascii() and length.isdigit() else 0
            body = self.rfile.read(size)
            status, line = told(checkout, body, self.headers.get("Content-Type"), self.headers.get("x-token"))
            self._answer(status, line)

        def do_GET(self) -> None:
            self._answer(200, "pinged")

        do_HEAD = do_GET

        def _answer(self, status: int, line: str) -> None:
            _say(line if line.isprintable() else ascii(line))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Our own lines say it."""

    return Handler


def _say(line: str) -> None:
    print(line, flush=True)
