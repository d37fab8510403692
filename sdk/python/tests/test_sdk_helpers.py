"""Names, amounts, phone numbers, safe repeats, and the command line."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauri_shop import (
    Checkout,
    InvalidField,
    NotSent,
    OutcomeUnknown,
    UnevenAmount,
    international_phone,
    new_transaction_id,
    payable_amount,
)
from cauri_shop.core import Account
from cauri_shop.listen import told
from cauri_shop.notification import x_token

KEYS = {
    "CAURI_APIKEY": "cauri-sandbox-apikey",
    "CAURI_SITE_ID": "445160",
    "CAURI_SECRET_KEY": "cauri-sandbox-secret-key",
}


def test_new_names_are_unique_sort_by_time_and_fit_the_gateway():
    names = [new_transaction_id("CMD") for _ in range(2000)]
    assert len(set(names)) == 2000
    times = [name.split("-")[1] for name in names]
    assert times == sorted(times)
    assert all(re.fullmatch(r"CMD-\d{8}T\d{9}-[0-9A-Z]{12}", name) for name in names)
    assert len(new_transaction_id("x" * 60)) <= 100


@pytest.mark.parametrize("prefix", ["", "a b", "é", "x" * 61, "--", None, 7, "a/b"])
def test_a_prefix_outside_the_allowed_characters_is_refused(prefix):
    with pytest.raises(InvalidField, match="prefix"):
        new_transaction_id(prefix)


@pytest.mark.parametrize(
    ("amount", "nearest"), [(1001, (1000, 1005)), (3, (5,)), (Decimal("99.5"), (95, 100))]
)
def test_an_uneven_amount_is_refused_with_the_nearest_two(amount, nearest):
    with pytest.raises(UnevenAmount) as caught:
        payable_amount(amount, "XOF")
    assert caught.value.nearest == nearest
    assert " or ".join(map(str, nearest)) in str(caught.value)


@given(st.integers(1, 10**12))
def test_what_is_taken_is_what_was_given_and_what_is_refused_lies_between_its_neighbours(amount):
    if amount % 5 == 0:
        assert payable_amount(amount, "XOF") == amount
    else:
        with pytest.raises(UnevenAmount) as caught:
            payable_amount(amount, "XOF")
        assert caught.value.nearest[-1] - 5 < amount < caught.value.nearest[-1]
    assert payable_amount(amount, "USD") == amount


@pytest.mark.parametrize(
    "amount", [0, -5, True, 10.0, "100", None, Decimal("NaN"), Decimal("Infinity"), Decimal("-5")]
)
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(InvalidField, match="amount"):
        payable_amount(amount, "XOF")


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("07 07 12 34 56", "CI", "+2250707123456"), ("00225 07-07-12-34-56", "SN", "+2250707123456"),
        ("+225 (07) 07123456", "CI", "+2250707123456"), ("2250707123456", "ci", "+2250707123456"),
        ("77 123 45 67", "SN", None), ("771234567", "SN", "+221771234567"), ("76123456", "ML", "+22376123456"),
        ("0812345678", "CD", "+243812345678"), ("+33612345678", "CI", "+33612345678"), ("07\u00a007\u202f123456", "CI", "+2250707123456"),
    ],
)  # fmt: skip
def test_a_phone_number_is_written_as_the_gateway_takes_it(number, country, expected):
    assert international_phone(number, country) == (expected or "+221771234567")


@pytest.mark.parametrize(("number", "country"), [("", "CI"), ("abc", "CI"), ("0707", "CI"), ("+", "CI"), ("٠٧٠٧", "CI"),
                                                 (707123456, "CI"), ("0707123456", "XX"), ("0707123456", None), ("+22507071234567", "CI")])  # fmt: skip
def test_what_is_no_phone_number_is_refused_and_never_quoted(number, country):
    with pytest.raises(InvalidField) as caught:
        international_phone(number, country)
    assert "0707123456" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "name", "key", "repeatable"),
    [
        ("https://gateway.example", "start", "k", True),
        ("https://gateway.example", "start", None, False),
        ("https://api-checkout.cinetpay.com", "start", "k", False),
        ("https://cinetpay.com", "start", "k", False),
        ("https://api-checkout.cinetpay.com", "check", None, True),
        ("https://notcinetpay.com", "start", "k", True),
    ],
)
def test_only_what_can_do_no_harm_is_repeatable(base_url, name, key, repeatable):
    account = Account.of("k", "1", None, base_url)
    given = {
        "transaction_id": "A",
        "amount": 100,
        "currency": "XOF",
        "description": "d",
        "return_url": "https://b.example",
    }
    call = account.start(given, key) if name == "start" else account.check("A", None)
    assert call.repeatable is repeatable


@pytest.mark.parametrize(
    ("error", "key", "calls", "raised"),
    [
        (httpx.ConnectError, None, 3, NotSent), (httpx.RemoteProtocolError, "k", 3, OutcomeUnknown),
        (httpx.RemoteProtocolError, None, 1, OutcomeUnknown), (httpx.ReadTimeout, "k", 1, OutcomeUnknown),
        (httpx.ReadError, "k", 3, OutcomeUnknown),
    ],
)  # fmt: skip
def test_a_start_is_repeated_only_when_nothing_can_happen_twice(error, key, calls, raised):
    seen = []

    def answer(request):
        seen.append(request.headers.get("idempotency-key"))
        raise error("cut", request=request)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client, pytest.raises(raised):
        Checkout("k", "1", base_url="https://gateway.example", client=client).start(
            transaction_id="A", amount=100, currency="XOF", description="d", return_url="https://b.example", idempotency_key=key,
        )  # fmt: skip
    assert seen == [key] * calls


def test_a_proxy_and_a_client_of_your_own_exclude_each_other():
    with httpx.Client() as client, pytest.raises(InvalidField, match="proxy"):
        Checkout("k", "1", client=client, proxy="http://127.0.0.1:3128")


def cauri_shop(*arguments, **env):
    return subprocess.run([sys.executable, "-m", "cauri_shop", *arguments], env={**os.environ, **KEYS, **env},
                          capture_output=True, text=True, timeout=30, check=False)  # fmt: skip


def test_check_prints_what_the_gateway_says(gateway):
    gateway.payments["CMD-1"] = {"amount": 1500, "currency": "XOF", "payment_token": "t"}
    run = cauri_shop("check", "CMD-1", CAURI_BASE_URL=gateway.url)
    assert (run.returncode, run.stdout.splitlines()[0]) == (
        0,
        "CMD-1: waiting (662 WAITING_CUSTOMER_PAYMENT)",
    )
    assert "amount           1500" in run.stdout


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [({}, 1, "UnknownPayment"), ({"CAURI_APIKEY": ""}, 2, "CAURI_APIKEY"), ({"CAURI_APIKEY": "wrong-one"}, 1, "609"),
     ({"CAURI_BASE_URL": "gateway"}, 2, "CAURI_BASE_URL")],
)  # fmt: skip
def test_check_says_what_is_wrong_without_a_traceback_and_without_a_key(gateway, changed, status, told):
    run = cauri_shop("check", "nobody", **{"CAURI_BASE_URL": gateway.url, **changed})
    assert run.returncode == status
    assert told in run.stderr
    assert "Traceback" not in run.stderr
    assert "wrong-one" not in run.stderr


def test_listen_prints_and_verifies_what_comes():
    command = [sys.executable, "-m", "cauri_shop", "listen", "--port", "0"]
    process = subprocess.Popen(command, env={**os.environ, **KEYS}, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().split()[2]
        fields = {
            "cpm_site_id": "445160",
            "cpm_trans_id": "CMD-1",
            "cpm_amount": "100",
            "cel_phone_num": "0707123456",
        }
        right = x_token(KEYS["CAURI_SECRET_KEY"], fields.values())
        assert httpx.get(url).status_code == 200
        assert httpx.post(url, data=fields, headers={"x-token": right}).status_code == 200
        assert httpx.post(url, data=fields, headers={"x-token": "0"}).status_code == 401
        lines = [process.stdout.readline().strip() for _ in range(3)]
        assert lines[:2] == ["pinged", "CMD-1: x-token is right cpm_amount=100"]
        assert lines[2].startswith("refused, 401")
    finally:
        process.kill()
        process.wait()


def test_listen_tells_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = cauri_shop("listen", "--port", str(taken.getsockname()[1]))
    assert run.returncode == 1
    assert "Choose another --port" in run.stderr


def test_a_printed_notification_holds_no_phone_number():
    checkout = Checkout("k", "445160")
    body = b"cpm_site_id=445160&cpm_trans_id=CMD-1&cel_phone_num=0707123456"
    assert told(checkout, body, "application/x-www-form-urlencoded", None) == (
        200,
        "CMD-1: not signed, a hint: ask check",
    )
