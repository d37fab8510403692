"""Test this URL: a real receiver misbehaves in every way that shops do, and the advice names it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from cauri.clock import Clock
from cauri.domain.site import Site, SiteSettings
from cauri.notifier.advice import Level
from cauri.notifier.sender import ANSWER_BYTES_MAX, Sender
from cauri.notifier.trying import Tried, try_url
from tests.notifier.certificates import DAY, NOW, Authority
from tests.notifier.receiver import Answer, Receiver, http

SITE = Site(site_id="445160", name="Boutique", secret_key="160325b33f4da6dd")
JSON_SITE = replace(SITE, settings=SiteSettings(notification_format="json"))
BARE_SITE = replace(SITE, secret_key=None)

PAGE = b"<!DOCTYPE html><html><body>Bienvenue</body></html>"
LOGIN = b"<html><form><input name=login><input type='password'></form></html>"
HTML = "Content-Type: text/html; charset=utf-8"
OK = http(200, b"OK")


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender(Clock(), private_allowed=True, ports=(0,), timeout_s=1)
    yield sender
    await sender.close()


async def tried(sender: Sender, url: str, site: Site = SITE) -> Tried:
    return await try_url(sender, Clock(), site, url)


def words(outcome: Tried, *levels: Level) -> str:
    return "\n".join(line.text for line in outcome.advice if not levels or line.level in levels)


# What the GET and the POST are answered; whether the shop would be told; what the advice says.
BEHAVIOURS = [
    pytest.param(OK, OK, True, "was accepted (200)", id="a right receiver"),
    pytest.param(OK, http(204), True, "was accepted (204)", id="any 2xx is right"),
    pytest.param(OK, http(404, b"no such payment"), True, "404 is a right answer", id="looks its orders up"),
    pytest.param(http(200, PAGE), http(404, PAGE), True, "nothing takes a POST", id="404 with a page"),
    pytest.param(http(405), http(404), True, "404 is a right answer", id="looks up, knows no GET"),
    pytest.param(http(404), http(404), False, "check its path", id="404"),
    pytest.param(http(404), OK, True, "a GET without data is answered 404", id="404 on GET alone"),
    pytest.param(http(405), OK, True, "a GET without data is answered 405", id="405 on GET"),
    pytest.param(OK, http(405), False, "must accept POST", id="405 on POST"),
    pytest.param(OK, http(405, b"", "Allow: GET, HEAD"), False, "it allows GET, HEAD", id="405 with Allow"),
    pytest.param(OK, http(400), False, "notification_format=json", id="JSON only, 400"),
    pytest.param(OK, http(415), False, "notification_format=json", id="JSON only, 415"),
    pytest.param(OK, http(422), False, "notification_format=json", id="JSON only, 422"),
    pytest.param(OK, http(403, b"CSRF verification failed."), False, "CSRF", id="CSRF, Django"),
    pytest.param(OK, http(419, PAGE, HTML), False, "CSRF", id="CSRF, Laravel"),
    pytest.param(OK, http(400, b"The CSRF token is missing."), False, "CSRF", id="CSRF, Flask-WTF"),
    pytest.param(OK, http(422, b"Invalid Authenticity Token"), False, "CSRF", id="CSRF, Rails"),
    pytest.param(OK, http(401, b"x-token does not match"), False, "--secrets", id="another secret key"),
    pytest.param(OK, http(401), False, "a login wall", id="401"),
    pytest.param(OK, http(403), False, "a login wall", id="403"),
    pytest.param(OK, http(302, b"", "Location: /login?next=/n"), False, "/login?next=/n)", id="to a login"),
    pytest.param(OK, http(200, LOGIN, HTML), False, "is a login page", id="login page with 200"),
    pytest.param(OK, http(200, PAGE, HTML), True, "the answer is a web page", id="a page with 200"),
    pytest.param(OK, http(200, PAGE), True, "the answer is a web page", id="a page without content type"),
    pytest.param(OK, http(200, b"x" * 400_000), True, "longer than 256 KiB", id="too large"),
    pytest.param(OK, http(500, b"Traceback"), False, "right answer to that is 200 or 404", id="500"),
    pytest.param(OK, http(503), False, "answered 503", id="503"),
    pytest.param(OK, http(410), False, "gone for good", id="410"),
    pytest.param(OK, http(429), False, "has had enough", id="429"),
    pytest.param(OK, http(418), False, "answered 418", id="an odd status"),
    pytest.param(OK, b"", False, "closed before an answer", id="hangs up"),
    pytest.param(OK, b"\x15\x03\x01\0\2\2\x46\r\n\r\n", False, "speaks TLS", id="a TLS alert"),
    pytest.param(OK, b"\0nonsense\r\n\r\n", False, "no HTTP answer", id="nonsense"),
    pytest.param(
        OK, http(400, b"The plain HTTP request was sent to HTTPS port"), False, "https://", id="nginx's TLS port"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("ping", "post", "told", "advice"), BEHAVIOURS)
async def test_what_a_receiver_does_is_seen_and_advised(
    sender: Sender, receiver: Receiver, ping: bytes, post: bytes, told: bool, advice: str
) -> None:
    path = f"/try/{abs(hash((ping, post)))}"
    receiver.answers[path].extend([Answer(ping), Answer(post)])
    outcome = await tried(sender, receiver.url + path)
    assert [each.line.split(" ")[0] for each in receiver.posts[path]] == ["GET", "POST"]
    assert outcome.told == told, outcome.advice
    assert advice in words(outcome)
    assert told == (not words(outcome, Level.BAD))
    assert len(outcome.post.text) <= ANSWER_BYTES_MAX


async def test_a_plain_ok_is_no_page_whatever_type_php_and_flask_give_it(
    sender: Sender, receiver: Receiver
) -> None:
    receiver.standing["/php"] = Answer(http(200, b"OK", HTML))
    outcome = await tried(sender, f"{receiver.url}/php")
    assert outcome.told
    assert not words(outcome, Level.WARNING)


async def test_the_final_address_of_a_redirect_is_named(sender: Sender, receiver: Receiver) -> None:
    for _ in range(2):  # the GET, the POST
        receiver.answers["/old"].append(Answer(http(301, b"", "Location: /newer")))
    receiver.answers["/newer"].append(Answer(http(302, b"", f"Location: {receiver.url}/newest")))
    outcome = await tried(sender, f"{receiver.url}/old")
    assert not outcome.told
    assert words(outcome, Level.BAD).endswith(f"give the final address as notify_url: {receiver.url}/newest")
    assert [post.line.split(" ")[0] for post in receiver.posts["/newest"]] == ["GET"]


async def test_a_get_that_is_cut_off_is_a_warning(sender: Sender, receiver: Receiver) -> None:
    receiver.answers["/cut"].extend([Answer(b""), Answer(b"")])  # a GET is asked once more
    outcome = await tried(sender, f"{receiver.url}/cut")
    assert outcome.told
    assert "a GET without data got no answer" in words(outcome, Level.WARNING)


async def test_redirects_that_go_round_or_inside_end(receiver: Receiver, sender: Sender) -> None:
    receiver.standing["/round"] = Answer(http(302, b"", "Location: /round"))
    assert not (await tried(sender, f"{receiver.url}/round")).told
    assert len(receiver.posts["/round"]) <= 8
    receiver.standing["/odd"] = Answer(http(302, b"", "Location: http://[::1"))
    assert not (await tried(sender, f"{receiver.url}/odd")).told


@pytest.mark.parametrize(
    ("answer", "words_of_it"),
    [
        (Answer(b"", keeps=True), "no answer within 1 s"),
        (Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", keeps=True), "no answer within 1 s"),
    ],
    ids=["says nothing", "half an answer"],
)
async def test_a_receiver_that_takes_too_long_is_told_so(
    receiver: Receiver, sender: Sender, answer: Answer, words_of_it: str
) -> None:
    receiver.answers["/slow"].extend([Answer(OK), answer])
    outcome = await tried(sender, f"{receiver.url}/slow")
    assert (outcome.told, words_of_it in words(outcome, Level.BAD)) == (False, True)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("http://127.0.0.1:9/", "connection refused"),
        ("http://nowhere.invalid/", "cannot be resolved"),
        ("http://shop..example/", "cannot be resolved"),
        (f"http://{'a' * 64}.example/", "cannot be resolved"),
        ("ftp://shop.example/", "begins with https:// or http://"),
        ("http://user:password@shop.example/", "no user name"),
        ("", "begins with https:// or http://"),
        ("http://shop.example/a b", "a space"),
    ],
)
async def test_an_address_that_leads_nowhere_is_told_so(sender: Sender, url: str, advice: str) -> None:
    outcome = await tried(sender, url)
    assert (outcome.told, outcome.post.status) == (False, None)
    assert advice in words(outcome, Level.BAD)


async def test_the_guard_of_deliveries_stands_here_too(receiver: Receiver) -> None:
    for reach, why in (
        ({"private_allowed": False, "ports": (0,)}, "is not a public address"),
        ({"private_allowed": True, "ports": ()}, "is not open to notifications"),
    ):
        guarded = Sender(Clock(), **reach)  # type: ignore[arg-type]
        outcome = await tried(guarded, f"{receiver.url}/guarded")
        assert why in words(outcome, Level.BAD)
    assert not receiver.posts["/guarded"]


async def _serving(authority: Authority, **certificate: object) -> Receiver:
    receiver = Receiver()
    await receiver.start(authority.server(**certificate))  # type: ignore[arg-type]
    return receiver


@pytest.mark.parametrize(
    ("certificate", "advice"),
    [
        ({}, ""),
        ({"self_signed": True}, "self-signed"),
        ({"since": NOW - 3 * DAY, "until": NOW - DAY}, "expired"),
        ({"names": ("other.example",)}, "for another name"),
    ],
)
async def test_a_certificate_is_judged_and_its_handshake_timed(
    sender: Sender,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificate: dict[str, object],
    advice: str,
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    receiver = await _serving(authority, **certificate)
    outcome = await tried(sender, f"{receiver.url}/tls")
    await receiver.stop()
    assert advice in words(outcome, Level.BAD)
    assert outcome.told == (not advice)
    assert (outcome.post.timing.tls is not None) == outcome.told
    assert outcome.post.timing.connect is not None


async def test_https_to_a_plain_port_and_http_to_a_tls_port_are_told_apart(
    sender: Sender, tmp_path: Path
) -> None:
    receiver = await _serving(Authority(tmp_path))
    outcome = await tried(sender, receiver.url.replace("https:", "http:") + "/tls")
    assert words(outcome, Level.BAD), outcome
    await receiver.stop()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        outcome = await tried(sender, f"https://127.0.0.1:{silent.getsockname()[1]}/")
    assert "no TLS within 1 s" in words(outcome, Level.BAD)


async def test_every_step_is_timed(sender: Sender, receiver: Receiver) -> None:
    port = receiver.url.rpartition(":")[2]
    outcome = await tried(sender, f"http://localhost:{port}/timed")
    for seen in (outcome.ping, outcome.post):
        timing = seen.timing
        assert None not in (timing.dns, timing.connect, timing.first_byte)
        assert timing.tls is None
        assert timing.whole >= (timing.first_byte or 0)


async def test_the_test_payment_is_nobodys_and_rightly_signed(sender: Sender, receiver: Receiver) -> None:
    first = await tried(sender, f"{receiver.url}/signed")
    second = await tried(sender, f"{receiver.url}/signed")
    _, post, _, again = receiver.posts["/signed"]
    assert post.fields["cpm_trans_id"] == first.transaction_id
    assert first.transaction_id.startswith("cauri-test-")
    assert first.transaction_id != second.transaction_id
    assert post.fields["cpm_error_message"] == "WAITING_CUSTOMER_PAYMENT"
    assert "no payment" in post.fields["cpm_designation"]
    assert {"x-token", "webhook-id", "webhook-timestamp", "webhook-signature", "webhook-try"} <= set(
        post.headers
    )
    assert post.headers["webhook-id"] != again.headers["webhook-id"]


async def test_the_advice_knows_the_sites_format_and_whether_it_signs(
    sender: Sender, receiver: Receiver
) -> None:
    receiver.answers["/json"].extend([Answer(OK), Answer(http(400))])
    outcome = await tried(sender, f"{receiver.url}/json", JSON_SITE)
    assert "notification_format=form" in words(outcome, Level.BAD)
    assert receiver.posts["/json"][1].headers["content-type"] == "application/json"
    assert "cannot be seen from here" in words(await tried(sender, f"{receiver.url}/note"), Level.NOTE)
    bare = await tried(sender, f"{receiver.url}/bare", BARE_SITE)
    assert "rotate-secret 445160" in words(bare, Level.NOTE)
    assert "x-token" not in receiver.posts["/bare"][1].headers


async def test_many_are_tried_side_by_side(sender: Sender, receiver: Receiver) -> None:
    outcomes = await asyncio.gather(*(tried(sender, f"{receiver.url}/side/{n}") for n in range(8)))
    assert all(outcome.told for outcome in outcomes)


@pytest.mark.parametrize("bad", ["\xff\xfe", "\x1b[31m", "\x1b]0;title\x07", "\x9b31m"])
@pytest.mark.parametrize(
    ("status", "header"),
    [
        (405, "Allow: {}"),
        (301, "Location: http://[{}"),
        (302, "Location: /login{}"),
        (200, "Content-Type: {}"),
    ],
)
async def test_what_a_shop_writes_into_headers_can_be_shown(
    sender: Sender, receiver: Receiver, status: int, header: str, bad: str
) -> None:
    for _ in ("GET", "POST"):
        receiver.answers["/headers"].append(
            Answer(
                http(status, b"").replace(
                    b"\r\n\r\n", b"\r\n" + header.format(bad).encode("latin-1") + b"\r\n\r\n"
                )
            )
        )
    outcome = await tried(sender, receiver.url + "/headers")
    texts = [words(outcome), outcome.post.allow, outcome.post.content_type, outcome.post.location or ""]
    assert all(text.replace("\n", "").isprintable() for text in texts), texts
    assert msgspec.json.encode(outcome)
