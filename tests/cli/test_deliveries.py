"""``cauri deliveries`` and ``cauri admin`` beside a running sandbox, as an operator uses them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import pytest
import requests

from tests.cli.conftest import Cauri
from tests.cli.test_sandbox import open_payment

WITHIN_S = 20


class Shop:
    """A notify_url that answers ``status``; ``posts`` holds the transaction_ids that came."""

    def __init__(self) -> None:
        shop = self
        self.status = 200
        self.posts: Queue[str] = Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(shop.status)
                self.send_header("Content-Length", "13")
                self.end_headers()
                self.wfile.write(b"<b>\x1b[31m</b>\n")
                found = re.search("cpm_trans_id=([^&]*)", body)
                shop.posts.put(found[1] if found else "")

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/notify"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def heard(self) -> str:
        """The next that comes."""
        return self.posts.get(timeout=WITHIN_S)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.stop()


def cancelled(facts: dict[str, str], shop: Shop) -> str:
    payment = open_payment(facts, notify_url=shop.url)
    requests.post(payment["payment_url"] + "/cancel", data={"": ""}, timeout=10)
    assert shop.heard() == payment["transaction_id"]
    return str(payment["transaction_id"])


def listed(cauri: Cauri, *arguments: str) -> list[dict[str, Any]]:
    """Waits until the delivery that was just heard is written down too."""
    done = cauri.run("deliveries", "list", "--json", "--data", "state", *arguments)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_deliveries_are_listed_shown_and_told_again(cauri: Cauri, shop: Shop) -> None:
    facts = cauri.start("--data", "state", "--operator-delay", "0")
    site = facts["site_id"]
    fine = cancelled(facts, shop)
    shop.status = 410  # not tried again while this test looks, however slow the machine is
    failed = cancelled(facts, shop)
    shop.status = 200
    while len(found := listed(cauri)) < 2:
        pass
    assert [each["transaction_id"] for each in found] == [failed, fine]
    assert [each["transaction_id"] for each in listed(cauri, "--failed")] == [failed]
    assert [each["transaction_id"] for each in listed(cauri, "--delivered", "--site", site)] == [fine]
    assert [each["transaction_id"] for each in listed(cauri, "--site", site, "--transaction", failed)] == [
        failed
    ]
    assert listed(cauri, "--until", "1h") == []
    assert len(listed(cauri, "--since", "1h", "--limit", "1")) == 1

    table = cauri.run("deliveries", "list", "--data", "state").stdout
    head, *rows = table.splitlines()
    assert head.split()[:5] == ["time", "(UTC)", "id", "site", "transaction_id"]
    assert "the notify_url says that it is gone" in rows[0]
    short = rows[0].split()[2]
    shown = cauri.run("deliveries", "show", short, "--data", "state").stdout
    assert "HTTP 410" in shown
    assert "advice" in shown
    assert "\x1b" not in shown
    whole = json.loads(cauri.run("deliveries", "show", found[0]["id"], "--json", "--data", "state").stdout)
    assert whole["answer"] == "<b>\x1b[31m</b>\n"

    assert "1 is due again" in cauri.run("deliveries", "replay", site, fine, "--data", "state").stdout
    assert {shop.heard(), shop.heard()} == {fine, failed}, "it answers again"
    assert "are due again" in cauri.run("deliveries", "replay-since", site, "1h", "--data", "state").stdout
    assert {shop.heard(), shop.heard()} == {fine, failed}
    assert "nothing to replay" in cauri.run("deliveries", "replay", "--parked", "--data", "state").stdout

    audit = json.loads(cauri.run("admin", "audit", "--json", "--data", "state").stdout)
    assert [(each["what"], each["result"], each["address"]) for each in reversed(audit)] == [
        ("replay", "ok", "local"),
        ("replaySince", "ok", "local"),
        ("replayParked", "ok", "local"),
    ]


def test_a_parked_notification_is_told_again(cauri: Cauri, shop: Shop) -> None:
    facts = cauri.start("--data", "state", "--operator-delay", "0")
    shop.status = 410
    name = cancelled(facts, shop)
    while "parked" not in cauri.run("payment", "show", facts["site_id"], name, "--data", "state").stdout:
        pass
    shop.status = 200
    done = cauri.run("deliveries", "replay", facts["site_id"], "--parked", "--data", "state")
    assert "1 is due again" in done.stdout, done.stderr
    assert shop.heard() == name


def test_a_token_is_printed_once_works_and_is_revoked(cauri: Cauri) -> None:
    facts = cauri.start("--data", "state")
    options = ("--data", "state")
    made = cauri.run(
        "admin",
        "token",
        "add",
        "back office",
        "--scope",
        "deliveries:read",
        "--scope",
        "audit:read",
        "--site",
        facts["site_id"],
        "--expires",
        "90d",
        *options,
    )
    assert made.returncode == 0, made.stderr
    token = re.search(r"admin token  (\S+)", made.stdout)
    assert token is not None

    def status() -> int:
        headers = {"Authorization": f"Bearer {token[1]}"}
        return requests.get(f"{facts['base_url']}/admin/deliveries", headers=headers, timeout=10).status_code

    assert status() == 200
    shown = cauri.run("admin", "token", "list", *options).stdout
    assert token[1] not in shown
    assert re.search(r"back office  live .* deliveries:read,audit:read", shown)
    assert re.search(r"sandbox .* live .* all", shown)
    again = cauri.run("admin", "token", "add", "back office", "--all", *options)
    assert (again.returncode, "choose another label" in again.stderr) == (2, True)
    assert cauri.run("admin", "token", "revoke", "back office", *options).returncode == 0
    while status() != 401:
        pass
    assert re.search(r"back office  revoked", cauri.run("admin", "token", "list", *options).stdout)
    assert cauri.run("admin", "token", "add", "back office", "--all", *options).returncode == 0
    assert token[1].encode() not in (cauri.folder / "state" / "cauri.sqlite3").read_bytes()
    assert [each["what"] for each in json.loads(cauri.run("admin", "audit", "--json", *options).stdout)] == [
        "addToken",
        "revokeToken",
        "addToken",
        "addToken",
    ]


WRONG = [
    (["deliveries", "list", "--site", "nobody"], "there is no site nobody"),
    (["deliveries", "list", "--transaction", "T1"], "say whose with --site"),
    (["deliveries", "list", "--failed", "--delivered"], "exclude each other"),
    (["deliveries", "list", "--since", "yesterday"], "--since: 'yesterday' is not a moment"),
    (["deliveries", "list", "--limit", "0"], "--limit"),
    (["deliveries", "show", "x"], "is no id of a delivery"),
    (["deliveries", "show", "0" * 44], "there is no delivery"),
    (["deliveries", "show", "f" * 44], "there is no delivery"),
    (["deliveries", "replay"], "give SITE and TRANSACTION_ID"),
    (["deliveries", "replay", "445160"], "give SITE and TRANSACTION_ID"),
    (["deliveries", "replay", "445160", "T1", "--parked"], "give SITE and TRANSACTION_ID"),
    (["deliveries", "replay", "445160", "nix"], "has no payment nix"),
    (["deliveries", "replay", "nobody", "nix"], "there is no site nobody"),
    (["deliveries", "replay-since", "445160", "soon"], "WHEN: 'soon' is not a moment"),
    (["admin", "token", "add", "x"], "say what it may do"),
    (["admin", "token", "add", "x", "--all", "--scope", "audit:read"], "say what it may do"),
    (["admin", "token", "add", "x", "--scope", "everything"], "choose among deliveries:read"),
    (["admin", "token", "add", " ", "--all"], "LABEL: 1 to 64 printable"),
    (["admin", "token", "add", "x" * 65, "--all"], "LABEL: 1 to 64 printable"),
    (["admin", "token", "add", "sandbox", "--all"], "LABEL: 'sandbox' names"),
    (["admin", "token", "add", "x", "--all", "--site", "nobody"], "--site: there is no site nobody"),
    (["admin", "token", "add", "x", "--all", "--expires", "soon"], "--expires: 'soon' is not"),
    (["admin", "token", "add", "x", "--all", "--expires", "999999999d"], "ends after the year 9999"),
    (["admin", "token", "revoke", "x"], "there is no live token"),
    (["admin", "audit", "--since", "soon"], "--since: 'soon' is not a moment"),
    (["admin", "audit", "--since", "2999-01-01"], "--since: '2999-01-01' is still to come: it is 2"),
    (["deliveries", "list", "--since", "2999-01-01"], "--since: '2999-01-01' is still to come"),
    (["deliveries", "replay-since", "445160", "2999-01-01"], "WHEN: '2999-01-01' is still to come"),
    (["deliveries", "list", "--database", "sqlite:///none.sqlite3"], "there is no database none.sqlite3"),
    (["deliveries", "list", "--database", "mysql://x"], "must begin with postgresql://"),
    (["site", "rotate-key", "445160", "--grace-hours", "1e300"], "--grace-hours"),
    (["site", "try-url", "445160", ""], "URL: must not be empty"),
]


def test_what_is_wrong_is_told_with_the_remedy(cauri: Cauri) -> None:
    cauri.start("--data", "state")
    for arguments, words in WRONG:
        done = cauri.run(*arguments, "--data", "state")
        assert done.returncode == 2, (arguments, done.stdout)
        assert words in done.stderr, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
    assert not (cauri.folder / "none.sqlite3").exists()
    assert "\nx  live" not in cauri.run("admin", "token", "list", "--data", "state").stdout


def test_a_database_without_its_secret_is_told_what_is_missing(cauri: Cauri) -> None:
    done = cauri.run("deliveries", "list", "--database", "sqlite:///there.sqlite3")
    assert (done.returncode, "--database alone has no secret" in done.stderr) == (2, True)
