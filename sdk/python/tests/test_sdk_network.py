"""Silence, cuts and strange answers are never a failure; keys stay out of logs, errors and reprs; clients are ours or yours."""

import asyncio
import contextlib
import logging
import socket
import struct
import threading

import httpx
import pytest

from cauri_shop import (
    AsyncCheckout,
    CauriError,
    Checkout,
    NetworkTrouble,
    NotSent,
    OutcomeUnknown,
    UnreadableAnswer,
)

APIKEY, SECRET = "cauri-sandbox-apikey", "cauri-sandbox-secret-key"


def test_nobody_listening_means_that_nothing_was_sent(shell):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        checkout = shell.make(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(NotSent):
            shell.run(checkout.check("CMD-1"))


def test_a_time_out_leaves_the_outcome_unknown(shell, gateway):
    gateway.hold = threading.Event()
    checkout = shell.make(base_url=gateway.url, timeout=0.2)
    with pytest.raises(OutcomeUnknown) as caught:
        shell.run(checkout.check("CMD-1"))
    assert caught.value.http_status is None


def test_a_cut_connection_leaves_the_outcome_unknown(start, gateway):
    gateway.cut = True
    with pytest.raises(OutcomeUnknown):
        start()
    assert "CMD-1" in gateway.payments, "and indeed it had happened"


@pytest.fixture
def cuts_at_once():
    """A listener that answers each connection with a reset, as a gateway does that dies, or a balancer without one."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def reset_each():
        with contextlib.suppress(OSError):
            while True:
                line, _ = listener.accept()
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.close()

    threading.Thread(target=reset_each, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize(
    "options", [None, [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]], ids=["plain", "socket options"]
)
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_connections_that_are_cut_at_once_are_trouble_of_the_network_on_every_loop(
    kind, options, cuts_at_once
):
    """FastAPI's servers run on uvloop, where such a cut is an AttributeError of the libraries below."""
    loop = pytest.importorskip(kind).new_event_loop()

    async def many():
        transport = httpx.AsyncHTTPTransport(verify=False, socket_options=options)
        async with httpx.AsyncClient(transport=transport) as client:
            checkout = AsyncCheckout(APIKEY, "445160", base_url=cuts_at_once, client=client, retries=0)
            return [
                outcome
                for _ in range(10)
                for outcome in await asyncio.gather(
                    *(checkout.check("CMD-1") for _ in range(40)), return_exceptions=True
                )
            ]

    outcomes = loop.run_until_complete(many())
    loop.close()
    assert {type(outcome) for outcome in outcomes} <= {NotSent, OutcomeUnknown}


@pytest.mark.parametrize("http_status", [500, 502, 503, 504])
@pytest.mark.parametrize("code", ["503", "624", "00", "600", "201"])
def test_a_5xx_says_nothing_whatever_it_holds(start, check, gateway, answers, http_status, code):
    for ask in (start, lambda: check("CMD-1")):
        gateway.will_answer(http_status, answers.status(code, "PAYMENT_FAILED"))
        with pytest.raises(OutcomeUnknown) as caught:
            ask()
        assert (caught.value.http_status, caught.value.code) == (http_status, code)


@pytest.mark.parametrize(
    ("http_status", "body"),
    [
        (200, b""), (200, b"<html>maintenance</html>"), (200, b"[]"), (200, b"null"), (200, b"{}"), (200, b'"00"'),
        (200, b'{"code": null}'), (200, b'{"code": {"00": 1}}'), (200, b'{"code": true, "data": {}}'),
        (200, b'{"code": "00", "data": {'), (200, b"\xff\xfe"), (200, b"[" * 100_000), (403, b"blocked by a firewall"),
        (302, b""),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_the_apis_is_unreadable(start, check, gateway, http_status, body):
    for ask in (start, lambda: check("CMD-1")):
        gateway.will_answer(http_status, body, Location=f"{gateway.url}/v2/payment")
        with pytest.raises(UnreadableAnswer):
            ask()


def test_a_redirect_is_not_followed_even_by_a_client_that_would(gateway):
    gateway.will_answer(307, b"", Location=f"{gateway.url}/elsewhere")
    with httpx.Client(follow_redirects=True) as client, pytest.raises(UnreadableAnswer):
        Checkout(APIKEY, "445160", base_url=gateway.url, client=client).check("CMD-1")
    assert [path for path, _, _ in gateway.requests] == ["/v2/payment/check"]


def test_log_lines_tell_the_payment_and_hold_no_key_and_no_token(start, check, gateway, caplog):
    caplog.set_level(logging.DEBUG)
    token = start(customer_phone_number="+2250102324373", customer_name="Dje Bi").payment_token
    check(payment_token=token)
    gateway.will_answer(500, b"")
    with pytest.raises(CauriError):
        check("CMD-1")
    ours = [record.getMessage() for record in caplog.records if record.name == "cauri_shop"]
    assert [line.split(",")[0] for line in ours] == [
        "start CMD-1: answered", "check (by token): answered", "check CMD-1: OutcomeUnknown"
    ]  # fmt: skip
    for secret in (APIKEY, SECRET, token, "0102324373", "Dje Bi"):
        assert secret not in caplog.text


def test_no_repr_holds_a_key(shell):
    checkout = shell.make()
    shown = f"{checkout!r} {checkout._account!r} {checkout._account.check('CMD-1', None)!r}"
    assert APIKEY not in shown
    assert SECRET not in shown


def test_an_injected_client_is_used_and_left_open(gateway):
    with httpx.Client(headers={"Accept-Language": "en"}) as client:
        checkout = Checkout(APIKEY, 445160, base_url=gateway.url + "/", client=client)
        with checkout, pytest.raises(CauriError):
            checkout.check("nobody")
        assert not client.is_closed
    assert gateway.requests[0][1]["accept-language"] == "en"


def test_an_injected_async_client_is_used_and_left_open(gateway):
    async def ask():
        async with httpx.AsyncClient() as client:
            async with AsyncCheckout(APIKEY, "445160", base_url=gateway.url, client=client) as checkout:
                with pytest.raises(CauriError):
                    await checkout.check("nobody")
            return client.is_closed

    assert asyncio.run(ask()) is False


def test_own_clients_are_closed_by_their_context(gateway):
    with Checkout(APIKEY, "445160", base_url=gateway.url) as checkout:
        pass
    assert checkout._client.is_closed

    async def use():
        async with AsyncCheckout(APIKEY, "445160", base_url=gateway.url) as checkout:
            return checkout

    assert asyncio.run(use())._client.is_closed


def test_one_checkout_serves_many_threads_and_many_tasks(gateway, start):
    start()
    with Checkout(APIKEY, "445160", base_url=gateway.url) as checkout:
        seen = []
        threads = [
            threading.Thread(target=lambda: seen.append(checkout.check("CMD-1").code)) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == ["662"] * 8

    async def ask():
        async with AsyncCheckout(APIKEY, "445160", base_url=gateway.url) as checkout:
            return [s.code for s in await asyncio.gather(*(checkout.check("CMD-1") for _ in range(8)))]

    assert asyncio.run(ask()) == ["662"] * 8


def test_network_trouble_is_one_branch():
    assert issubclass(NotSent, NetworkTrouble)
    assert issubclass(UnreadableAnswer, OutcomeUnknown)
    assert issubclass(OutcomeUnknown, NetworkTrouble)
