"""Orange WebPay over real HTTP: token, page, status, notification; what the wire said, and what became of it."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pawapay_answers import NONSENSE
from scripted_operator import HANG_UP, PHONES, REFERENCE, SAY_NOTHING

from cauri.clock import MINUTE, SECOND, ManualClock
from cauri.domain.codes import FAILURES, Code
from cauri.domain.methods import METHODS
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback, Flow, Order
from cauri.operators.orange_webpay import ROUTES_OF_COUNTRY, OrangeWebPay
from cauri.operators.orange_webpay.words import (
    ERROR_WORDS,
    STATUS_WORDS,
    Handle,
    order_id_of,
    payment_of,
    read_handle,
    reference_of,
)
from tests.logs import own_lines

NOW = 1_790_000_000_000
ORDER_ID = order_id_of(REFERENCE)
PAGE = "https://webpayment.orange.example/payment/pay_token/ptok"
HANDLE = json.dumps({"pay_token": "ptok", "notif_token": "ntok"}, separators=(",", ":"))
TOKEN = {"token_type": "Bearer", "access_token": "a1", "expires_in": 3600}
CREATED = (
    201,
    {
        "status": 201,
        "message": "OK",
        "pay_token": "ptok",
        "payment_url": PAGE,
        "notif_token": "ntok",
    },
)
TOKENS, START, CHECK = "/oauth/v3/token", "/webpayment", "/transactionstatus"


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
async def orange_of(operator_by_path, clock):
    made = []

    def make(country="CI", **changes):
        options = {"clock": clock, "start_timeout_s": 5, "check_timeout_s": 5, **changes}
        made.append(
            OrangeWebPay(country, f"{operator_by_path.url}/orange", "id", "s3cret", "mkey", **options)
        )
        return made[-1]

    operator_by_path.at(TOKENS, TOKEN)
    operator_by_path.at(START, CREATED)
    yield make
    for each in made:
        await each.close()


@pytest.fixture
def orange(orange_of):
    return orange_of()


@pytest.fixture
def paying(order_of):
    """An order whose page was shown."""
    return replace(order_of("OM"), handle=HANDLE, callback_url="https://pay.example/operators/o/callback")


def told(status, **more):
    return (201, {"status": status, "order_id": ORDER_ID, "txnid": "MP150709.1341.A00073", **more})


# --- what we send ---------------------------------------------------------------------------------------------------


async def test_a_start_fetches_a_token_and_opens_a_page(operator_by_path, orange, paying):
    outcome = await orange.start(replace(paying, handle=None))
    assert outcome == Waiting(Code.WAITING_AT_OPERATOR, PAGE, "CREATED", HANDLE)
    token, start = operator_by_path.requests
    assert (token.verb, token.path) == ("POST", "/orange/oauth/v3/token")
    assert token.headers["authorization"] == f"Basic {b64encode(b'id:s3cret').decode()}"
    assert token.headers["content-type"] == "application/x-www-form-urlencoded"
    assert token.body == b"grant_type=client_credentials"
    assert (start.verb, start.path) == ("POST", "/orange/orange-money-webpay/ci/v1/webpayment")
    assert start.headers["authorization"] == "Bearer a1"
    assert start.headers["content-type"] == "application/json"
    assert start.json == {
        "merchant_key": "mkey",
        "currency": "XOF",
        "order_id": ORDER_ID,
        "amount": 1500,
        "return_url": "http://127.0.0.1:8080/payment/abc",
        "cancel_url": "http://127.0.0.1:8080/payment/abc",
        "notif_url": f"https://pay.example/operators/o/callback/{REFERENCE}",
        "lang": "fr",
        "reference": "Commande n42 : cafe & the glac",
    }


@pytest.mark.parametrize(
    ("country", "method"),
    [(country, method) for country, routes in ROUTES_OF_COUNTRY.items() for method in routes],
)
async def test_each_country_has_its_own_path_and_methods(
    operator_by_path, orange_of, order_of, country, method
):
    connector = orange_of(country)
    assert connector.name == f"orange_webpay_{country.lower()}"
    assert method in connector.routes
    assert connector.routes[method].flow is Flow.PAGE
    assert isinstance(await connector.start(order_of(method)), Waiting)
    [start] = operator_by_path.seen(START)
    assert start.path == f"/orange/orange-money-webpay/{country.lower()}/v1/webpayment"
    assert start.json["currency"] == order_of(method).currency


async def test_oranges_own_sandbox_has_its_own_currency(operator_by_path, orange_of, order_of):
    await orange_of(segment="dev").start(order_of())
    [start] = operator_by_path.seen(START)
    assert start.path == "/orange/orange-money-webpay/dev/v1/webpayment"
    assert start.json["currency"] == "OUV"


async def test_a_check_asks_with_all_three(operator_by_path, orange, paying):
    operator_by_path.at(CHECK, told("PENDING"))
    await orange.check(paying)
    [check] = operator_by_path.seen(CHECK)
    assert check.json == {"order_id": ORDER_ID, "amount": 1500, "pay_token": "ptok"}


@given(st.uuids())
def test_an_order_id_is_short_and_leads_back_to_the_reference(reference):
    order_id = order_id_of(str(reference))
    assert len(order_id) <= 30
    assert order_id.isalnum()
    assert reference_of(order_id) == str(reference)


@given(st.text(max_size=255))
def test_what_the_payer_reads_is_short_and_never_empty(description):
    order = Order(
        REFERENCE, METHODS["OM"], PHONES["CI"], 1500, "XOF", NOW, description, "http://x", "http://y"
    )
    text = payment_of(order, "mkey", "ci")["reference"]
    assert 0 < len(text) <= 30
    assert text.isascii()


# --- what it answers to a start -------------------------------------------------------------------------------------

UNAVAILABLE = Code.OPERATOR_UNAVAILABLE
STARTS = {
    "no page": ((201, {"pay_token": "p"}), Unknown("HTTP 201 without a page to go to")),
    "no token": ((201, {"payment_url": PAGE}), Unknown("HTTP 201 without a page to go to")),
    "a page that is a script": (
        (201, {"pay_token": "p", "payment_url": "javascript:alert(1)"}),
        Unknown("HTTP 201 without a page to go to"),
    ),
    "a token too long to keep": (
        (201, {"pay_token": "p" * 1990, "payment_url": PAGE}),
        Unknown("HTTP 201 with tokens too long to keep"),
    ),
    "a token that is no text of HTTP": (
        (201, {"pay_token": "p\n", "payment_url": PAGE}),
        Unknown("HTTP 201 without a page to go to"),
    ),
    "200, which it never says": ((200, CREATED[1]), Unknown("unreadable answer, HTTP 200")),
    "a missing field": (
        (400, {"code": 23, "message": "Missing body field", "description": "…"}),
        Refused(Code.SERVICE_UNAVAILABLE, "HTTP 400, code 23"),
    ),
    "the same as text": (
        (400, {"code": "23", "message": "Missing body field"}),
        Refused(Code.SERVICE_UNAVAILABLE, "HTTP 400, code 23"),
    ),
    "an error nobody listed": ((400, {"code": 99, "message": "?"}), Unknown("unreadable answer, HTTP 400")),
    "a wrong merchant key": (
        (403, {"code": 50, "message": "…"}),
        Refused(Code.SERVICE_UNAVAILABLE, "HTTP 403"),
    ),
    "a bare 404": ((404, b"<html>"), Unknown("unreadable answer, HTTP 404")),
    "a redirect": ((302, b""), Unknown("unreadable answer, HTTP 302")),
    "too many requests": ((429, {}), Refused(UNAVAILABLE, "HTTP 429", unstarted=True)),
    "HTTP 500": ((500, b""), Refused(UNAVAILABLE, "HTTP 500", unstarted=True)),
    "HTTP 503": ((503, b"<html>"), Refused(UNAVAILABLE, "HTTP 503", unstarted=True)),
    "cut off": (HANG_UP, Unknown("the start got no answer: ServerDisconnectedError")),
}


@pytest.mark.parametrize(("answer", "outcome"), STARTS.values(), ids=STARTS.keys())
async def test_the_answer_to_a_start(operator_by_path, orange, order_of, answer, outcome):
    operator_by_path.at(START, answer)
    assert await orange.start(order_of()) == outcome
    assert len(operator_by_path.seen(START)) == 1


@pytest.mark.parametrize("status", [200, 201, 400, 404])
@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_unknown_and_its_silence_can_close_it(
    operator_by_path, orange, order_of, status, body
):
    """An alert would count as Orange's word, and an attempt that showed nobody a page would wait for a person."""
    operator_by_path.at(START, (status, body))
    with own_lines() as log:
        outcome = await orange.start(order_of())
    assert isinstance(outcome, Unknown)
    assert not outcome.alert
    assert {"operator_start_unclear", "operator_answer_lost"} & {entry["event"] for entry in log}
    found = await orange.check(order_of())
    assert isinstance(found, Unknown)
    assert found.not_found
    assert not operator_by_path.seen(CHECK)


async def test_a_start_that_cannot_have_left_may_go_another_way(refused_port, order_of, clock):
    for url in (refused_port, "http://nowhere.invalid"):
        connector = OrangeWebPay("CI", url, "id", "s", "m", clock=clock, start_timeout_s=5)
        outcome = await connector.start(order_of())
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.unstarted) == (UNAVAILABLE, True)
        assert isinstance(await connector.check(replace(order_of(), handle=HANDLE)), Unknown)
        await connector.close()


async def test_a_start_that_gets_no_answer_is_unknown(operator_by_path, orange_of, order_of):
    operator_by_path.at(START, SAY_NOTHING)
    outcome = await orange_of(start_timeout_s=0.5).start(order_of())
    assert isinstance(outcome, Unknown)
    assert not outcome.alert


# --- the token ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(
            (401, {"error": "invalid_client"}),
            Refused(Code.SERVICE_UNAVAILABLE, "token refused, HTTP 401"),
            id="wrong credentials",
        ),
        pytest.param(
            (400, {}), Refused(Code.SERVICE_UNAVAILABLE, "token refused, HTTP 400"), id="a bad request"
        ),
        pytest.param(
            (503, b""),
            Refused(UNAVAILABLE, "no token: unreadable answer, HTTP 503", unstarted=True),
            id="down",
        ),
        pytest.param(
            {"token_type": "Bearer"},
            Refused(UNAVAILABLE, "no token: unreadable answer, HTTP 200", unstarted=True),
            id="no token in it",
        ),
        pytest.param(
            {"access_token": "a\nb", "expires_in": 9},
            Refused(UNAVAILABLE, "no token: unreadable answer, HTTP 200", unstarted=True),
            id="a token that no header can carry",
        ),
        pytest.param(
            HANG_UP,
            Refused(UNAVAILABLE, "no token: ServerDisconnectedError", unstarted=True),
            id="cut off",
        ),
    ],
)
async def test_without_a_token_nothing_was_started(operator_by_path, orange, order_of, answer, outcome):
    operator_by_path.at(TOKENS, answer)
    assert await orange.start(order_of()) == outcome
    asked = await orange.check(replace(order_of(), handle=HANDLE))
    assert isinstance(asked, Unknown)
    assert asked.alert is (outcome.code is Code.SERVICE_UNAVAILABLE), "a person must renew credentials"
    assert not operator_by_path.seen(START)


async def test_a_token_is_used_until_shortly_before_its_end(operator_by_path, orange, order_of, clock):
    await orange.start(order_of())
    clock.advance((3600 - 61) * SECOND)
    await orange.start(order_of())
    assert len(operator_by_path.seen(TOKENS)) == 1
    clock.advance(1 * SECOND)
    await orange.start(order_of())
    assert len(operator_by_path.seen(TOKENS)) == 2


@pytest.mark.parametrize("expires_in", ["7776000", 7_776_000, 10**30, -5, "soon", 0])
async def test_whatever_life_a_token_has_a_start_gets_one(operator_by_path, orange, order_of, expires_in):
    operator_by_path.at(TOKENS, {**TOKEN, "expires_in": expires_in})
    assert isinstance(await orange.start(order_of()), Waiting)


async def test_many_starts_at_once_fetch_one_token(operator_by_path, orange, order_of):
    outcomes = await asyncio.gather(*(orange.start(order_of()) for _ in range(20)))
    assert all(isinstance(outcome, Waiting) for outcome in outcomes)
    assert len(operator_by_path.seen(TOKENS)) == 1


async def test_a_token_that_was_taken_back_is_renewed_once(operator_by_path, orange, order_of):
    operator_by_path.at(TOKENS, TOKEN, {**TOKEN, "access_token": "a2"})
    operator_by_path.at(START, (401, {"code": 42, "message": "Expired credentials"}), CREATED)
    assert isinstance(await orange.start(order_of()), Waiting)
    assert [each.headers["authorization"] for each in operator_by_path.seen(START)] == [
        "Bearer a1",
        "Bearer a2",
    ]


async def test_many_refused_at_once_renew_once(operator_by_path, orange, paying):
    operator_by_path.at(CHECK, told("PENDING"))
    await orange.check(paying)
    operator_by_path.at(TOKENS, {**TOKEN, "access_token": "a2"})
    operator_by_path.at(CHECK, *[(401, {})] * 10, told("PENDING"))
    outcomes = await asyncio.gather(*(orange.check(paying) for _ in range(10)))
    assert all(isinstance(outcome, Waiting) for outcome in outcomes)
    assert len(operator_by_path.seen(TOKENS)) == 2


async def test_refused_twice_is_our_configuration(operator_by_path, orange, order_of):
    operator_by_path.at(START, (401, {"code": 41, "message": "…"}))
    with own_lines() as log:
        assert await orange.start(order_of()) == Refused(Code.SERVICE_UNAVAILABLE, "HTTP 401")
    assert len(operator_by_path.seen(START)) == 2
    assert "operator_configuration_refused" in {entry["event"] for entry in log}
    operator_by_path.at(CHECK, (401, {}))
    assert isinstance(await orange.check(replace(order_of(), handle=HANDLE)), Unknown)


async def test_a_secret_never_reaches_a_log(operator_by_path, orange, order_of):
    with own_lines() as log:
        await orange.start(order_of())
    assert not any(secret in str(log) for secret in ("s3cret", "mkey", 'a1"', "ptok", "ntok", "0749012966"))


# --- what it answers to a check -------------------------------------------------------------------------------------

CHECKS = {
    "not submitted yet": (told("INITIATED"), Waiting(Code.WAITING_AT_OPERATOR, word="INITIATED")),
    "confirmed by the payer": (told("PENDING"), Waiting(Code.WAITING_AT_OPERATOR, word="PENDING")),
    "paid": (told("SUCCESS"), Accepted("MP150709.1341.A00073")),
    "paid, with an amount": (told("SUCCESS", amount="1500.00"), Accepted("MP150709.1341.A00073", 1500)),
    "paid, another amount: the engine compares": (
        told("SUCCESS", amount=5),
        Accepted("MP150709.1341.A00073", 5),
    ),
    "paid, a fraction": (
        told("SUCCESS", amount="1500.5"),
        Unknown("SUCCESS with an amount that is not whole", alert=True),
    ),
    "paid, no number of Orange's": (told("SUCCESS", txnid=None), Accepted(ORDER_ID)),
    "paid, without our order": (
        (201, {"status": "SUCCESS", "txnid": "x"}),
        Unknown("SUCCESS without an order_id", alert=True),
    ),
    "paid, another order": (
        (201, {"status": "SUCCESS", "order_id": "OTHER", "txnid": "x"}),
        Unknown("the answer is about another order_id", alert=True),
    ),
    "failed": (told("FAILED"), Refused(Code.PAYMENT_FAILED, "FAILED")),
    "failed, another order": (
        (201, {"status": "FAILED", "order_id": "OTHER"}),
        Unknown("the answer is about another order_id", alert=True),
    ),
    "expired": (told("EXPIRED"), Refused(Code.PAYMENT_FAILED, "EXPIRED")),
    "an unknown word": (told("REVERSED"), Unknown("unknown status: REVERSED", alert=True)),
    "no word": ((201, {"order_id": ORDER_ID}), Unknown("unknown status: none", alert=True)),
    "an error": ((400, {"code": 23, "message": "…"}), Unknown("unreadable answer, HTTP 400", alert=True)),
    "gone": ((404, {"status": "FAILED"}), Unknown("unreadable answer, HTTP 404", alert=True)),
    "down": ((503, {"status": "FAILED"}), Unknown("unreadable answer, HTTP 503")),
    "cut off": (HANG_UP, Unknown("the check got no answer: ServerDisconnectedError")),
}


@pytest.mark.parametrize(("answer", "outcome"), CHECKS.values(), ids=CHECKS.keys())
async def test_the_answer_to_a_check(operator_by_path, orange, paying, answer, outcome):
    operator_by_path.at(CHECK, answer)
    assert await orange.check(paying) == outcome


@pytest.mark.parametrize("status", [200, 201, 403, 500])
@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_ends_nothing(operator_by_path, orange, paying, status, body):
    operator_by_path.at(CHECK, (status, body))
    assert isinstance(await orange.check(paying), Unknown)


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.number)
async def test_the_simulated_operators_words_come_through(operator_by_path, orange, paying, code):
    operator_by_path.at(CHECK, told(f"CAURI_{code.number}"))
    assert await orange.check(paying) == Refused(code, f"CAURI_{code.number}")


async def test_a_failed_can_be_told_as_606_an_expired_cannot(operator_by_path, orange_of, paying):
    orange = orange_of(failed=Code.INCORRECT_SETTINGS)
    operator_by_path.at(CHECK, told("FAILED"), told("EXPIRED"))
    assert await orange.check(paying) == Refused(Code.INCORRECT_SETTINGS, "FAILED")
    assert await orange.check(paying) == Refused(Code.PAYMENT_FAILED, "EXPIRED")


async def test_a_page_that_nobody_submitted_ends_some_minutes_after_its_life(
    operator_by_path, orange, paying, clock
):
    operator_by_path.at(CHECK, told("INITIATED"))
    clock.advance(15 * MINUTE - SECOND)
    assert isinstance(await orange.check(paying), Waiting)
    clock.advance(SECOND)
    assert await orange.check(paying) == Refused(Code.PAYMENT_FAILED, "INITIATED after the page's life")
    operator_by_path.at(CHECK, told("PENDING"))
    assert isinstance(await orange.check(paying), Waiting)


@pytest.mark.parametrize("handle", [None, "", "{}", '{"pay_token":""}', "ptok", "[]", '{"pay_token":7}'])
async def test_without_a_pay_token_there_is_nothing_to_ask(operator_by_path, orange, order_of, handle):
    outcome = await orange.check(replace(order_of(), handle=handle))
    assert isinstance(outcome, Unknown)
    assert outcome.not_found
    assert not operator_by_path.requests


def test_what_showed_nobody_a_page_closes_as_804_soon():
    assert OrangeWebPay.silence.not_found_final_after_s == 120
    assert OrangeWebPay.silence.code is UNAVAILABLE


# --- notifications --------------------------------------------------------------------------------------------------


def notice(**changes):
    return json.dumps({"status": "SUCCESS", "notif_token": "ntok", "txnid": "MP1", **changes}).encode()


def test_a_notification_names_nobody_its_path_and_its_token_do(orange):
    callback = orange.read_callback({}, notice(), REFERENCE)
    assert (callback.reference, callback.proof) == (REFERENCE, "ntok")
    assert orange.proves(callback, HANDLE)


@pytest.mark.parametrize(
    ("token", "handle"),
    [
        pytest.param("other", HANDLE, id="a forged token"),
        pytest.param("ntok", None, id="an attempt without a page"),
        pytest.param("ntok", '{"pay_token":"ptok"}', id="an attempt without a notif_token"),
        pytest.param("ptok", HANDLE, id="the pay_token, which the payer's browser knows"),
        pytest.param("ntok ", HANDLE, id="a longer token"),
        pytest.param("é" * 4, HANDLE, id="not ASCII"),
    ],
)
def test_a_forged_notification_proves_nothing(orange, token, handle):
    assert not orange.proves(orange.read_callback({}, notice(notif_token=token), REFERENCE), handle)


def test_an_empty_token_never_equals_an_empty_one(orange):
    callback = orange.read_callback({}, notice(), REFERENCE)
    assert not orange.proves(replace(callback, proof=""), '{"pay_token":"ptok"}')
    assert not orange.proves(replace(callback, proof=None), HANDLE)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param(notice(), "", id="no reference"),
        pytest.param(notice(), "../../etc/passwd", id="a path"),
        pytest.param(notice(), REFERENCE.upper(), id="upper case, which we never wrote"),
        pytest.param(notice(notif_token=""), REFERENCE, id="an empty token"),
        pytest.param(notice(notif_token=None), REFERENCE, id="no token"),
        pytest.param(b'{"status":"SUCCESS","txnid":"x"}', REFERENCE, id="a token left out"),
        pytest.param(b"x" * 65_537, REFERENCE, id="larger than 64 KiB"),
        *(pytest.param(body, REFERENCE, id=name) for name, body in NONSENSE.items()),
    ],
)
def test_a_bad_notification_is_refused(orange, body, path):
    with pytest.raises(BadCallback):
        orange.read_callback({}, body, path)


# --- tables and settings --------------------------------------------------------------------------------------------


def test_the_words_and_routes_are_those_of_the_document():
    assert set(STATUS_WORDS) == {"INITIATED", "PENDING", "SUCCESS", "FAILED", "EXPIRED"}
    assert set(ERROR_WORDS) == {23}
    assert {country: set(routes) for country, routes in ROUTES_OF_COUNTRY.items()} == {
        "CI": {"OM"},
        "ML": {"OMML"},
        "GN": {"OMGN"},
        "CD": {"OMCD", "OMCDUSD"},
        "CM": {"OMCM"},
    }


def test_the_handle_is_kept_and_read_back():
    assert read_handle(HANDLE) == Handle("ptok", "ntok")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("SN", "https://x", "i", "s", "m"), "serves CI, ML, GN, CD, CM, not SN", id="a country"),
        pytest.param(("CI", "ftp://x", "i", "s", "m"), "base_url", id="an address"),
        pytest.param(("CI", "https://x", "", "s", "m"), "client_id", id="no client_id"),
        pytest.param(("CI", "https://x", "i:j", "s", "m"), "colon", id="a colon"),
        pytest.param(("CI", "https://x", "i", "", "m"), "client_secret", id="no client_secret"),
        pytest.param(("CI", "https://x", "i", "s", ""), "merchant_key", id="no merchant_key"),
    ],
)
def test_an_unusable_contract_is_refused_when_the_connector_is_made(arguments, told):
    with pytest.raises(ValueError, match=told):
        OrangeWebPay(*arguments)


@pytest.mark.parametrize("segment", ["CI", "../x", "ci/v2", "c", "côte"])
def test_a_segment_that_is_no_segment_is_refused(segment):
    with pytest.raises(ValueError, match="segment"):
        OrangeWebPay("CI", "https://x", "i", "s", "m", segment=segment)
