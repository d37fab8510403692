"""``cauri site try-url``, as a person runs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cauri.cli.trying import lines_of
from cauri.domain.site import Site
from cauri.notifier.advice import Level, Line, Seen, Timing
from cauri.notifier.trying import Tried
from tests.cli.conftest import Cauri
from tests.cli.test_sandbox import open_payment


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(405 if self.path == "/closed" else 200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_url_is_tried_from_the_command_line(cauri: Cauri, shop: str) -> None:
    facts = cauri.start("--data", "cauri-data", "--operator-delay", "0")
    never = cauri.run("site", "try-url", "445160")
    assert (never.returncode, "give the URL" in never.stderr) == (2, True)
    good = cauri.run("site", "try-url", "445160", f"{shop}/notify")
    assert (good.returncode, "The shop would be told." in good.stdout) == (0, True), good.stdout + good.stderr
    assert "whole" in good.stdout
    assert "\x1b" not in good.stdout  # colours are for terminals
    bad = cauri.run("site", "try-url", "445160", f"{shop}/closed")
    assert (bad.returncode, "must accept POST" in bad.stdout) == (1, True)
    assert "The shop would NOT be told." in bad.stdout
    assert cauri.run("site", "try-url", "no-such-site", shop).returncode == 2
    payment = open_payment(facts, notify_url=f"{shop}/by-payment")
    cauri.run("pay", payment["payment_url"], "--phone", "+2250102324373")
    again = cauri.run("site", "try-url", "445160")
    assert (again.returncode, f"{shop}/by-payment" in again.stdout) == (0, True), again.stdout + again.stderr


def test_a_configured_instance_tries_under_its_own_rules(cauri: Cauri, shop: str) -> None:
    (cauri.folder / "cauri.toml").write_text(
        'public_url = "http://127.0.0.1:1"\ndatabase = "sqlite:///own.sqlite3"\nsecret = "0123456789abcdef"\n'
        '[operators.pawapay]\ntoken = "t"\n'
    )
    assert cauri.run("migrate", "--config", "cauri.toml").returncode == 0
    assert cauri.run("site", "add", "Chez Koffi", "--site-id", "900").returncode == 0
    refused = cauri.run("site", "try-url", "900", shop)
    assert (refused.returncode, "is not open to notifications" in refused.stdout) == (1, True), refused.stdout


def test_every_level_has_its_mark() -> None:
    seen = Seen(method="GET", status=200, timing=Timing(dns=1, connect=2, tls=3, first_byte=4, whole=10))
    tried = Tried(
        site_id="1",
        url="https://shop.example/",
        transaction_id="cauri-test-0",
        told=False,
        ping=seen,
        post=seen,
        advice=[Line(level, level.value) for level in Level],
    )
    text = "\n".join(lines_of(Site(site_id="1", name="Boutique"), tried))
    assert "name 1 ms · connect 2 ms · TLS 3 ms · first byte 4 ms · whole 10 ms" in text
    for mark in "✓·!✗":
        assert mark in text
