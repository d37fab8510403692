"""The hosted card page over real HTTP: sessions opened, found again, asked, expired; signed callbacks."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pawapay_answers import NONSENSE
from scripted_operator import HANG_UP, HANG_UP_AT_ONCE, REFERENCE, SAY_NOTHING

from cauri.clock import MINUTE, SECOND, ManualClock
from cauri.domain.codes import FAILURES, Code
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.domain.phone import no_number
from cauri.operators.base import BadCallback, Flow
from cauri.operators.card_page import ROUTES_OF_COUNTRY, CardPage
from cauri.operators.card_page.words import FAILURE_WORDS, STATUS_WORDS, check_signature
from tests.logs import own_lines

NOW = 1_790_000_000_000
PAGE = "https://cards.example/p/cs_1"
OPEN = {"id": "cs_1", "reference": REFERENCE, "status": "open", "page_url": PAGE, "expires_at": "2026-01-01T00:30:00Z"}  # fmt: skip
BLOCK = {
    "customer_id": "7",
    "customer_email": "awa@example.com",
    "customer_address": "Rue 12",
    "customer_city": "Abidjan",
    "customer_country": "CI",
    "customer_state": "CI",
    "customer_zip_code": "00225",
    "customer_name": "Traoré",
    "customer_surname": "Awa",
}
SESSIONS, ONE, EXPIRE = "/v1/sessions", "/v1/sessions/cs_1", "/v1/sessions/cs_1/expire"


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
async def cards_of(operator_by_path, clock):
    made = []

    def make(country="CI", **changes):
        options = {"clock": clock, "start_timeout_s": 5, "check_timeout_s": 5, **changes}
        made.append(CardPage(country, f"{operator_by_path.url}/acquirer", "k3y", **options))
        return made[-1]

    operator_by_path.at(SESSIONS, (201, OPEN))
    yield make
    for each in made:
        await each.close()


@pytest.fixture
def cards(cards_of):
    return cards_of()


@pytest.fixture
def paying(order_of):
    return order_of(
        "VISAM", card_block=BLOCK, callback_url="https://pay.example/operators/card_page_ci/callback"
    )


@pytest.fixture
def shown(paying):
    """The page was shown."""
    return replace(paying, handle="cs_1")


def session(status, **more):
    return {"id": "cs_1", "reference": REFERENCE, "status": status, "amount": "1500", "currency": "XOF", "failure": None, "authorisation": None, "paid_at": None, **more}  # fmt: skip


# --- what we send ---------------------------------------------------------------------------------------------------


async def test_a_start_opens_a_session_and_names_the_customer(operator_by_path, cards, paying):
    assert await cards.start(paying) == Waiting(Code.WAITING_AT_OPERATOR, PAGE, "open", "cs_1")
    [seen] = operator_by_path.requests
    assert (seen.verb, seen.path) == ("POST", "/acquirer/v1/sessions")
    assert seen.headers["authorization"] == "Bearer k3y"
    assert seen.headers["idempotency-key"] == REFERENCE
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {
        "reference": REFERENCE,
        "amount": "1500",
        "currency": "XOF",
        "description": "Commande n°42 : café & thé glacé",
        "return_url": "http://127.0.0.1:8080/payment/abc",
        "callback_url": "https://pay.example/operators/card_page_ci/callback",
        "customer": {
            "id": "7",
            "name": "Traoré",
            "surname": "Awa",
            "email": "awa@example.com",
            "phone_number": "2250749012966",
            "address": "Rue 12",
            "city": "Abidjan",
            "country": "CI",
            "state": "CI",
            "zip_code": "00225",
        },
    }


async def test_nobody_needs_a_phone_number_to_pay_by_card(operator_by_path, cards, paying):
    await cards.start(replace(paying, phone=no_number("CI")))
    assert operator_by_path.requests[0].json["customer"]["phone_number"] == ""


@pytest.mark.parametrize(
    ("country", "method", "amount", "currency"),
    [("CI", "VISAM", "1500", "XOF"), ("CM", "VISAMCM", "1500", "XAF"), ("CD", "VISAMCDUSD", "1500.00", "USD")],
)  # fmt: skip
async def test_each_country_has_its_method_and_its_way_to_write_amounts(
    operator_by_path, cards_of, order_of, country, method, amount, currency
):
    connector = cards_of(country)
    assert connector.name == f"card_page_{country.lower()}"
    assert set(connector.routes) == {method}
    assert connector.routes[method].flow is Flow.PAGE
    assert isinstance(await connector.start(order_of(method)), Waiting)
    sent = operator_by_path.requests[0].json
    assert (sent["amount"], sent["currency"]) == (amount, currency)


# --- what it answers to a start -------------------------------------------------------------------------------------

UNAVAILABLE, OURS = Code.OPERATOR_UNAVAILABLE, Code.SERVICE_UNAVAILABLE


def error(code):
    return {"error": {"code": code, "message": "…"}}


STARTS = {
    "the same session again": ((200, OPEN), Waiting(Code.WAITING_AT_OPERATOR, PAGE, "open", "cs_1")),
    "another reference": ((201, {**OPEN, "reference": "x"}), Unknown("opened, with an answer that is not about our reference")),
    "no reference": ((201, {"id": "cs_1", "page_url": PAGE}), Unknown("opened, with an answer that is not about our reference")),
    "no page": ((201, {**OPEN, "page_url": None}), Unknown("opened, without a page to go to")),
    "a page that is a script": ((201, {**OPEN, "page_url": "javascript:x"}), Unknown("opened, without a page to go to")),
    "an id that leads elsewhere": (
        (201, {**OPEN, "id": ".."}),
        Unknown("opened, without a page to go to"),
    ),
    "no id": ((201, {**OPEN, "id": None}), Unknown("opened, without a page to go to")),
    "a bad request": ((400, error("amount_invalid")), Refused(OURS, "HTTP 400 amount_invalid")),
    "a wrong key": ((401, error("unauthorised")), Refused(OURS, "HTTP 401 unauthorised")),
    "not found": ((404, error("no_such_merchant")), Refused(OURS, "HTTP 404 no_such_merchant")),
    "unprocessable": ((422, error("currency")), Refused(OURS, "HTTP 422 currency")),
    "the same key for another body": ((409, error("idempotency")), Unknown("unreadable answer, HTTP 409")),
    "a bare 404": ((404, b"<html>"), Unknown("unreadable answer, HTTP 404")),
    "a redirect": ((302, b""), Unknown("unreadable answer, HTTP 302")),
    "too many requests": ((429, error("slow")), Refused(UNAVAILABLE, "HTTP 429", unstarted=True)),
    "HTTP 500": ((500, error("oops")), Refused(UNAVAILABLE, "HTTP 500", unstarted=True)),
    "HTTP 503": ((503, b""), Refused(UNAVAILABLE, "HTTP 503", unstarted=True)),
    "cut off": (HANG_UP, Unknown("the start got no answer: ServerDisconnectedError")),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "outcome"), STARTS.values(), ids=STARTS.keys())
async def test_the_answer_to_a_start(operator_by_path, cards, paying, answer, outcome):
    operator_by_path.at(SESSIONS, answer)
    assert await cards.start(paying) == outcome
    assert len(operator_by_path.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 400, 404])
@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_unknown_and_told_to_whoever_runs_cauri(
    operator_by_path, cards, paying, status, body
):
    operator_by_path.at(SESSIONS, (status, body))
    with own_lines() as log:
        assert isinstance(await cards.start(paying), Unknown)
    assert {"operator_start_unclear", "operator_answer_lost"} & {entry["event"] for entry in log}


async def test_a_start_that_cannot_have_left_may_go_another_way(refused_port, paying):
    for url in (refused_port, "http://nowhere.invalid"):
        connector = CardPage("CI", url, "k")
        outcome = await connector.start(paying)
        assert isinstance(await connector.check(paying), Unknown)
        await connector.close()
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.unstarted) == (UNAVAILABLE, True)


# --- a start whose answer was lost ----------------------------------------------------------------------------------


async def test_a_session_that_was_opened_unheard_is_found_and_its_page_fetched(
    operator_by_path, cards, paying
):
    operator_by_path.at(SESSIONS, {"sessions": [session("open")]}, (200, OPEN))
    assert await cards.check(paying) == Waiting(Code.WAITING_AT_OPERATOR, PAGE, "open", "cs_1")
    find, again = operator_by_path.requests
    assert (find.verb, find.path) == ("GET", f"/acquirer/v1/sessions?reference={REFERENCE}")
    assert (again.verb, again.headers["idempotency-key"]) == ("POST", REFERENCE)


async def test_a_session_that_was_never_opened_is_not_found_and_not_opened_by_asking(
    operator_by_path, cards, paying
):
    operator_by_path.at(SESSIONS, {"sessions": []})
    outcome = await cards.check(paying)
    assert isinstance(outcome, Unknown)
    assert outcome.not_found
    assert [request.verb for request in operator_by_path.requests] == ["GET"]
    assert CardPage.silence.not_found_final_after_s == 120
    assert CardPage.silence.code is UNAVAILABLE


FOUND = {
    "paid after all": ([session("paid")], Accepted("cs_1", 1500, "XOF")),
    "expired": ([session("expired")], Refused(Code.PAYMENT_FAILED, "expired")),
    "another's": ([session("paid", reference="x")], Unknown("the answer is about other sessions", alert=True)),
    "two": ([session("paid"), session("open")], Unknown("the answer is about other sessions", alert=True)),
}  # fmt: skip


@pytest.mark.parametrize(("sessions", "outcome"), FOUND.values(), ids=FOUND.keys())
async def test_what_is_found_by_the_reference(operator_by_path, cards, paying, sessions, outcome):
    operator_by_path.at(SESSIONS, {"sessions": sessions})
    assert await cards.check(paying) == outcome


@pytest.mark.parametrize("again", [(201, OPEN), (500, b""), HANG_UP], ids=["a new one", "down", "cut"])
async def test_a_page_that_cannot_be_fetched_leaves_the_session_waiting(
    operator_by_path, cards, paying, again
):
    operator_by_path.at(SESSIONS, {"sessions": [session("open")]}, again)
    assert await cards.check(paying) == Waiting(Code.WAITING_AT_OPERATOR, word="open")


# --- what it answers to a check -------------------------------------------------------------------------------------

CHECKS = {
    "open": (session("open"), Waiting(Code.WAITING_AT_OPERATOR, word="open")),
    "processing": (session("processing"), Waiting(Code.WAITING_AT_OPERATOR, word="processing")),
    "paid": (session("paid", paid_at="2026-09-21T12:00:00Z", authorisation="A1"), Accepted("cs_1", 1500, "XOF", 1_789_992_000_000)),
    "paid, no date": (session("paid"), Accepted("cs_1", 1500, "XOF")),
    "paid, an odd date": (session("paid", paid_at="yesterday"), Accepted("cs_1", 1500, "XOF")),
    "paid, a date before all time": (session("paid", paid_at="0001-01-01T00:00:00+14:00"), Accepted("cs_1", 1500, "XOF")),
    "paid, a number as date": (session("paid", paid_at=17), Accepted("cs_1", 1500, "XOF")),
    "paid in dollars": (session("paid", amount="12.00", currency="USD"), Accepted("cs_1", 12, "USD")),
    "paid, a fraction": (session("paid", amount="12.50"), Unknown("paid, with an amount that is not whole", alert=True)),
    "paid, no id": (session("paid", id=None), Unknown("paid, without an id", alert=True)),
    "paid, another's": (session("paid", reference="x"), Unknown("the answer is about another reference", alert=True)),
    "paid, nobody's": (session("paid", reference=None), Unknown("the answer is about another reference", alert=True)),
    "failed, no reason": (session("failed"), Refused(Code.PAYMENT_FAILED, "failed")),
    "failed for a new reason": (session("failed", failure="moon"), Unknown("unknown failure: moon", alert=True)),
    "expired": (session("expired"), Refused(Code.PAYMENT_FAILED, "expired")),
    "an unknown word": (session("refunded"), Unknown("unknown status: refunded", alert=True)),
    "no word": ({"id": "cs_1", "reference": REFERENCE}, Unknown("unknown status: none", alert=True)),
    "gone": ((404, error("no_such_session")), Unknown("unreadable answer, HTTP 404", alert=True)),
    "a wrong key": ((401, error("unauthorised")), Unknown("unreadable answer, HTTP 401", alert=True)),
    "too many questions": ((429, error("slow")), Unknown("unreadable answer, HTTP 429")),
    "down": ((503, session("failed")), Unknown("unreadable answer, HTTP 503")),
    "cut off": (HANG_UP, Unknown("the check got no answer: ServerDisconnectedError")),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "outcome"), CHECKS.values(), ids=CHECKS.keys())
async def test_the_answer_to_a_check(operator_by_path, cards, shown, answer, outcome):
    operator_by_path.at(ONE, answer)
    assert await cards.check(shown) == outcome
    assert operator_by_path.requests[0].path == "/acquirer/v1/sessions/cs_1"


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_ends_nothing(operator_by_path, cards, shown, paying, body):
    operator_by_path.at(ONE, body)
    operator_by_path.at(SESSIONS, body)
    assert isinstance(await cards.check(shown), Unknown)
    assert isinstance(await cards.check(paying), Unknown)


FAILURES_TOLD = {
    "declined": "600",
    "insufficient_funds": "602",
    "stolen_card": "600",
    "3ds_failed": "604",
    "cancelled": "627",
    "limit_exceeded": "808",
} | {f"CAURI_{code.number}": code.number for code in FAILURES}


@pytest.mark.parametrize(("failure", "number"), FAILURES_TOLD.items())
async def test_each_failure_has_its_code(operator_by_path, cards, shown, failure, number):
    operator_by_path.at(ONE, session("failed", failure=failure))
    assert await cards.check(shown) == Refused(Code.of(number), failure)


def test_the_tables_are_total():
    assert {word: code.number for word, code in FAILURE_WORDS.items()} == FAILURES_TOLD
    assert set(STATUS_WORDS) == {"open", "processing", "paid", "failed", "expired"}
    assert {method for routes in ROUTES_OF_COUNTRY.values() for method in routes} == {
        "VISAM",
        "VISAMCM",
        "VISAMCDUSD",
    }


async def test_a_handle_cannot_lead_to_another_door(operator_by_path, cards, paying):
    operator_by_path.at("", (404, b""))
    await cards.check(replace(paying, handle="../../admin?x=1"))
    assert operator_by_path.requests[0].path == "/acquirer/v1/sessions/..%2F..%2Fadmin%3Fx=1"


@pytest.mark.parametrize("answer", [(200, session("expired")), (409, error("paid")), HANG_UP, SAY_NOTHING])
async def test_a_cancel_asks_for_the_end_and_decides_nothing(
    operator_by_path, cards_of, shown, paying, answer
):
    cards = cards_of(check_timeout_s=0.3)
    operator_by_path.at(EXPIRE, answer)
    await cards.cancel(paying)
    assert not operator_by_path.requests
    await cards.cancel(shown)
    [seen] = operator_by_path.requests
    assert (seen.verb, seen.path, seen.body) == ("POST", f"/acquirer{EXPIRE}", b"")


@pytest.mark.parametrize("silence", [HANG_UP_AT_ONCE, SAY_NOTHING])
async def test_a_lost_answer_is_unknown(operator, paying, silence):
    operator.answer = silence
    connector = CardPage("CI", operator.url, "k", start_timeout_s=0.3, check_timeout_s=0.3)
    outcomes = [await connector.start(paying), await connector.check(paying)]
    await connector.close()
    for outcome in outcomes:
        assert isinstance(outcome, Unknown)
        assert not outcome.not_found


# --- callbacks ------------------------------------------------------------------------------------------------------

BODY = json.dumps({"id": "cs_1", "reference": REFERENCE, "status": "paid"}).encode()


def signed(body=BODY, at=NOW // 1000, key=b"k3y", name="X-Card-Signature"):
    stamp = str(at)
    return {name: f"t={stamp},v1={hmac.new(key, stamp.encode() + b'.' + body, sha256).hexdigest()}"}


@pytest.mark.parametrize("name", ["X-Card-Signature", "x-card-signature"])
def test_a_signed_callback_names_its_attempt(cards, name):
    callback = cards.read_callback(signed(name=name), BODY)
    assert (callback.reference, callback.proof) == (REFERENCE, None)
    assert callback.outcome == Accepted("cs_1")


def test_one_of_several_signatures_is_enough(cards):
    text = signed()["X-Card-Signature"]
    assert cards.read_callback({"X-Card-Signature": text.replace(",v1", ", v1=00, v1")}, BODY)


@pytest.mark.parametrize("minutes", [-5, 5])
def test_clocks_may_differ_by_five_minutes(cards, clock, minutes):
    cards.read_callback(signed(at=NOW // 1000 + minutes * 60), BODY)
    with pytest.raises(BadCallback, match="too far"):
        cards.read_callback(signed(at=NOW // 1000 + minutes * 60 + (1 if minutes > 0 else -1)), BODY)


def test_a_callback_that_is_played_again_later_is_refused(cards, clock):
    headers = signed()
    cards.read_callback(headers, BODY)
    clock.advance(5 * MINUTE + SECOND)
    with pytest.raises(BadCallback, match="too far"):
        cards.read_callback(headers, BODY)


HEX = "0" * 64
BAD_SIGNATURES = {
    "none": {},
    "empty": {"X-Card-Signature": ""},
    "no time": {"X-Card-Signature": f"v1={HEX}"},
    "no signature": {"X-Card-Signature": f"t={NOW // 1000}"},
    "not a time": {"X-Card-Signature": f"t=now,v1={HEX}"},
    "a time in another alphabet": {"X-Card-Signature": f"t=١٢٣,v1={HEX}"},
    "a time without end": {"X-Card-Signature": f"t={'9' * 5000},v1={HEX}"},
    "zeros": {"X-Card-Signature": f"t={NOW // 1000},v1={HEX}"},
    "not ASCII": {"X-Card-Signature": f"t={NOW // 1000},v1=é"},
    "another key": signed(key=b"other"),
    "another body": signed(body=BODY + b" "),
}


@pytest.mark.parametrize("headers", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES.keys())
def test_a_callback_that_is_not_the_acquirers_is_refused(cards, headers):
    with pytest.raises(BadCallback):
        cards.read_callback(headers, BODY)


@given(st.text(max_size=200))
def test_no_signature_text_is_an_error(text):
    with pytest.raises(BadCallback):
        check_signature(text, BODY, b"k3y", NOW // 1000)


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"cs_1","status":"paid"}',
        b'{"id":"cs_1","reference":"../../x","status":"paid"}',
        json.dumps({"reference": REFERENCE}).encode(),
        b"x" * 65_537,
        *NONSENSE.values(),
    ],
)
def test_a_signed_body_that_is_no_callback_is_refused(cards, body):
    with pytest.raises(BadCallback):
        cards.read_callback(signed(body), body)


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("SN", "https://x", "k"), "serves CI, CM, CD, not SN", id="a country"),
        pytest.param(("CI", "x", "k"), "base_url", id="an address"),
        pytest.param(("CI", "https://x", ""), "needs a key", id="no key"),
        pytest.param(("CI", "https://x", "a\nb"), "Authorization", id="a key that no header can carry"),
    ],
)
def test_an_unusable_contract_is_refused_when_the_connector_is_made(arguments, told):
    with pytest.raises(ValueError, match=told):
        CardPage(*arguments)
