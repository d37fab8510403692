"""Wave Checkout over real HTTP: what the wire said, and what became of it."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256

import pytest
from answering_operator import answering
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pawapay_answers import NONSENSE
from scripted_operator import HANG_UP, REFERENCE, SAY_NOTHING
from wave_answers import (
    API_KEY,
    BY_ID,
    EXPIRE,
    ID,
    MADE,
    PAGE,
    SEARCH,
    paid,
    session,
    trouble,
    wave_of,
)

from cauri.clock import ManualClock
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.operators.base import Flow
from cauri.operators.http import Answer
from cauri.operators.wave import Wave
from cauri.operators.wave.sessions import moment, read_search, read_session, read_start
from cauri.operators.wave.words import (
    CHECKOUT_WORDS,
    CONFIGURATION_WORDS,
    PAYMENT_ERROR_WORDS,
    PAYMENT_WORDS,
    SESSION_WORDS,
)
from tests.logs import own_lines

OPEN = Waiting(Code.WAITING_AT_OPERATOR, PAGE, "open", ID)
PAID = Accepted("TCN4Y4ZC3FM", 1500, "XOF", 1_767_225_662_000)


@pytest.fixture
async def operator():
    async with answering() as scripted:
        scripted.answers = {
            EXPIRE: (200, b""),
            MADE: (200, session()),
            SEARCH: (200, {"result": [session()]}),
            BY_ID: (200, paid()),
        }
        yield scripted


@pytest.fixture
async def wave(operator):
    connector = wave_of(operator, start_timeout_s=5, check_timeout_s=5)
    yield connector
    await connector.close()


# --- what we send ---------------------------------------------------------------------------------------------------


async def test_a_session_is_made_with_our_reference_as_idempotency_key(operator, wave, order_of):
    assert await wave.start(order_of("WAVESN")) == OPEN
    [seen] = operator.requests
    assert seen.path == "/v1/checkout/sessions"
    assert seen.headers["authorization"] == f"Bearer {API_KEY}"
    assert seen.headers["idempotency-key"] == REFERENCE
    assert "wave-signature" not in seen.headers
    assert seen.json == {
        "amount": "1500",
        "currency": "XOF",
        "client_reference": REFERENCE,
        "success_url": "http://127.0.0.1:8080/payment/abc",
        "error_url": "http://127.0.0.1:8080/payment/abc",
    }


async def test_only_the_given_number_may_pay_where_set_so(operator, order_of):
    connector = wave_of(operator, restrict_payer=True)
    await connector.start(order_of("WAVESN"))
    await connector.close()
    assert operator.requests[0].json["restrict_payer_mobile"] == "+221771234567"


async def test_our_requests_are_signed_over_time_and_body_where_set_so(operator, order_of):
    connector = wave_of(operator, ManualClock(1_790_000_000_999), signing_secret="wave_sn_AKS_x")
    await connector.start(order_of("WAVESN"))
    await connector.check(order_of("WAVESN", handle=ID))
    await connector.close()
    for seen in operator.requests:
        right = hmac.new(b"wave_sn_AKS_x", b"1790000000" + seen.body, sha256).hexdigest()
        assert seen.headers["wave-signature"] == f"t=1790000000,v1={right}"


async def test_a_check_asks_by_the_session(operator, wave, order_of):
    assert await wave.check(order_of("WAVESN", handle=ID)) == PAID
    assert [seen.path for seen in operator.requests] == [f"/v1/checkout/sessions/{ID}"]


@pytest.mark.parametrize("handle", [None, "", "../expire", "a b", "x" * 200])
async def test_without_a_session_it_searches_by_our_reference_and_finds_page_and_session(
    operator, wave, order_of, handle
):
    assert await wave.check(order_of("WAVESN", handle=handle)) == OPEN
    assert [seen.path for seen in operator.requests] == [
        f"/v1/checkout/sessions/search?client_reference={REFERENCE}"
    ]


@pytest.mark.parametrize(("country", "method"), [("CI", "WAVECI"), ("SN", "WAVESN")])
def test_a_wallet_is_one_countrys_and_is_paid_on_waves_page(country, method):
    connector = Wave(country, API_KEY, clock=ManualClock())
    assert (connector.name, list(connector.routes)) == (f"wave_{country.lower()}", [method])
    assert connector.routes[method].flow is Flow.PAGE


BAD_ACCOUNTS = [
    (("ML", "k"), {}, "wave_ml: the wire has no Wave method there; it has one in CI, SN"),
    (("SN", ""), {}, "wave_sn: api_key"),
    (("SN", "k"), {"webhook_secrets": ("",)}, "each of webhook_secrets"),
    (("SN", "clé"), {}, "Authorization"),
    (("SN", "k"), {"base_url": "api.wave.com"}, "base_url"),
]


@pytest.mark.parametrize(("given", "named", "told"), BAD_ACCOUNTS)
def test_an_account_that_cannot_be_right_is_refused_in_words(given, named, told):
    with pytest.raises(ValueError, match=told):
        Wave(*given, clock=ManualClock(), **named)


# --- what it answers to a start ---------------------------------------------------------------------------------------

UNREADABLE = "unreadable answer, HTTP"
STARTS = {
    "made": (200, session(), OPEN),
    "made, as 201": (201, session(), OPEN),
    "made before and paid": (200, paid(), PAID),
    "another's": (200, session(client_reference="x"), Unknown("the answer is about another client_reference", alert=True)),
    "without a page": (200, session(wave_launch_url=None), Unknown("an open session without a usable id and wave_launch_url", alert=True)),
    "with a page that no browser may go to": (200, session(wave_launch_url="javascript:1"), Unknown("an open session without a usable id and wave_launch_url", alert=True)),
    "with an id that cannot be asked for": (200, session(id="a/b"), Unknown("an open session without a usable id and wave_launch_url", alert=True)),
    "another body with our key": (409, trouble("idempotency-mismatch"), Unknown("this reference began another session", alert=True)),
    "a key revoked": (401, trouble("api-key-revoked"), Refused(Code.SERVICE_UNAVAILABLE, "api-key-revoked")),
    "a bare 401": (401, b"", Refused(Code.SERVICE_UNAVAILABLE, "HTTP 401")),
    "a wallet disabled": (403, trouble("disabled-wallet"), Refused(Code.SERVICE_UNAVAILABLE, "disabled-wallet")),
    "a field refused": (400, trouble("request-validation-error", details=[{"loc": ["amount"]}]), Refused(Code.SERVICE_UNAVAILABLE, "request-validation-error")),
    "the payer's number refused": (422, trouble("request-validation-error", details=[{"loc": ["restrict_payer_mobile"]}]), Refused(Code.PHONE_NOT_SUPPORTED, "request-validation-error")),
    "a code nobody listed": (400, trouble("out-of-coffee"), Unknown("unknown error code: out-of-coffee", alert=True)),
    "unavailable": (503, b"", Refused(Code.OPERATOR_UNAVAILABLE, "HTTP 503", unstarted=True)),
    "an error": (500, trouble("x"), Unknown(f"{UNREADABLE} 500")),
    "too many requests": (429, trouble("x"), Unknown(f"{UNREADABLE} 429")),
    "no such door": (404, b"<html>", Unknown(f"{UNREADABLE} 404", alert=True)),
    "a redirect": (302, b"", Unknown(f"{UNREADABLE} 302", alert=True)),
}  # fmt: skip


@pytest.mark.parametrize(("code", "body", "outcome"), STARTS.values(), ids=STARTS.keys())
async def test_the_answer_to_a_new_session(operator, wave, order_of, code, body, outcome):
    operator.answers[MADE] = (code, body)
    assert await wave.start(order_of("WAVESN")) == outcome
    assert len(operator.requests) == 1


@pytest.mark.parametrize("word", sorted(CONFIGURATION_WORDS))
async def test_our_own_fault_is_603_and_told_to_whoever_runs_cauri(operator, wave, order_of, word):
    operator.answers[MADE] = (400 if word == "request-validation-error" else 401, trouble(word))
    with own_lines() as told:
        assert await wave.start(order_of("WAVESN")) == Refused(Code.SERVICE_UNAVAILABLE, word)
    assert [entry["event"] for entry in told if entry["log_level"] == "error"] == [
        "operator_configuration_refused"
    ]


@pytest.mark.parametrize("silence", [HANG_UP, SAY_NOTHING], ids=["cut after", "time-out"])
async def test_a_lost_answer_is_unknown(operator, order_of, silence):
    operator.answers = {MADE: silence, SEARCH: silence}
    connector = wave_of(operator, start_timeout_s=0.3, check_timeout_s=0.3)
    assert isinstance(await connector.start(order_of("WAVESN")), Unknown)
    assert isinstance(await connector.check(order_of("WAVESN")), Unknown)
    await connector.close()


async def test_a_line_cut_before_the_request_was_read_is_unknown(operator, wave, order_of):
    operator.hangs_up_at_once = True
    assert isinstance(await wave.start(order_of("WAVESN")), Unknown)
    assert isinstance(await wave.check(order_of("WAVESN")), Unknown)


async def test_only_a_start_that_cannot_have_left_is_refused_at_once(refused_port, order_of):
    connector = wave_of(type("nobody", (), {"url": refused_port}))
    outcome = await connector.start(order_of("WAVESN"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True)
    assert isinstance(await connector.check(order_of("WAVESN")), Unknown)
    await connector.close()


# --- what it answers to a check ---------------------------------------------------------------------------------------


def failed(code, checkout="open", payment="processing"):
    return session(checkout, payment, last_payment_error={"code": code, "message": "x"})


ODD = "contradicting statuses"
CHECKS = {
    "paid": (paid(), PAID),
    "paid, another amount: the engine compares": (paid(amount="5"), Accepted("TCN4Y4ZC3FM", 5, "XOF", PAID.paid_at)),
    "paid, another currency: the engine compares": (paid(currency="GMD"), Accepted("TCN4Y4ZC3FM", 1500, "GMD", PAID.paid_at)),
    "paid, a fraction": (paid(amount="1500.5"), Unknown("paid, with an amount that is not whole", alert=True)),
    "paid, without a transaction": (paid(transaction_id=None), Accepted(ID, 1500, "XOF", PAID.paid_at)),
    "paid, at no known time": (paid(when_completed="yesterday"), Accepted("TCN4Y4ZC3FM", 1500, "XOF")),
    "paid, without our reference": (paid(client_reference=None), Unknown("paid, without our client_reference", alert=True)),
    "paid, with another reference": (paid(client_reference="x"), Unknown("the answer is about another client_reference", alert=True)),
    "open": (session(), OPEN),
    "open after a failure, still payable": (failed("insufficient-funds"), Waiting(Code.WAITING_AT_OPERATOR, PAGE, "open: insufficient-funds", ID)),
    "open after an unknown failure": (failed("bored"), Waiting(Code.WAITING_AT_OPERATOR, PAGE, "open: bored", ID)),
    "open after a cancelled payment, still payable": (session("open", "cancelled"), OPEN),
    "open and paid": (session("open", "succeeded"), Unknown(f"{ODD}: open, succeeded", alert=True)),
    "complete, the payment under way": (session("complete", "processing"), Waiting(Code.WAITING_AT_OPERATOR, PAGE, "complete", ID)),
    "complete, cancelled": (session("complete", "cancelled"), Refused(Code.CANCELLED, "complete, cancelled")),
    "expired": (session("expired"), Refused(Code.PAYMENT_FAILED, "expired, processing")),
    "expired, cancelled": (session("expired", "cancelled"), Refused(Code.CANCELLED, "expired, cancelled")),
    "expired, cancelled before its time": (session("expired", "cancelled", when_completed="2026-01-01T00:29:59Z"), Refused(Code.CANCELLED, "expired, cancelled")),
    "expired, cancelled by its time": (session("expired", "cancelled", when_completed="2026-01-01T00:30:00Z"), Refused(Code.PAYMENT_FAILED, "expired, cancelled")),
    "expired, cancelled at no time": (session("expired", "cancelled", when_completed="soon"), Refused(Code.CANCELLED, "expired, cancelled")),
    "expired and paid": (session("expired", "succeeded"), Unknown(f"{ODD}: expired, succeeded", alert=True)),
    "expired after a failure": (failed("insufficient-funds", "expired"), Refused(Code.INSUFFICIENT_BALANCE, "expired: insufficient-funds")),
    "expired, cancelled after a failure": (failed("kyb-limits-exceeded", "expired", "cancelled"), Refused(Code.DAILY_MAX_AMOUNT, "expired: kyb-limits-exceeded")),
    "expired after an unknown failure": (failed("bored", "expired"), Unknown("unknown last_payment_error: bored", alert=True)),
    "an unknown checkout_status": (session("closed"), Unknown("unknown statuses: closed, processing", alert=True)),
    "an unknown payment_status": (session("open", "refunded"), Unknown("unknown statuses: open, refunded", alert=True)),
}  # fmt: skip


@pytest.mark.parametrize(("body", "outcome"), CHECKS.values(), ids=CHECKS.keys())
async def test_what_a_session_says(operator, wave, order_of, body, outcome):
    operator.answers[BY_ID] = (200, body)
    assert await wave.check(order_of("WAVESN", handle=ID)) == outcome


OURS_UNREADABLE = Unknown("a session in the search cannot be read", alert=True)
SEARCHES = {
    "none": ([], Unknown("the operator knows no session with our reference", not_found=True)),
    "one": ([session()], OPEN),
    "one that was paid": ([session("expired"), paid(id="cos-2"), session(id="cos-3")], PAID),
    "one that can be": ([session("expired"), session()], OPEN),
    "others' only": ([session(client_reference="x")], Unknown("the answer is about another client_reference", alert=True)),
    "one without a reference": ([paid(client_reference=None)], Unknown("the answer is about another client_reference", alert=True)),
    "one that cannot be read beside one that was paid": ([{"id": 7}, paid()], PAID),
    "one that cannot be read": ([session("expired"), {"id": 7}], OURS_UNREADABLE),
}  # fmt: skip


@pytest.mark.parametrize(("sessions", "outcome"), SEARCHES.values(), ids=SEARCHES.keys())
async def test_what_a_search_says(operator, wave, order_of, sessions, outcome):
    operator.answers[SEARCH] = (200, {"result": sessions})
    assert await wave.check(order_of("WAVESN")) == outcome


async def test_a_session_that_wave_forgot_is_no_failure(operator, wave, order_of):
    operator.answers[BY_ID] = (404, trouble("checkout-session-not-found"))
    assert await wave.check(order_of("WAVESN", handle=ID)) == Unknown(
        "the operator does not know its own session any more", alert=True
    )


@pytest.mark.parametrize("code", [302, 400, 401, 403, 404, 409, 422, 429, 500, 503])
@pytest.mark.parametrize("handle", [ID, None], ids=["by id", "by search"])
async def test_no_http_error_of_a_check_ends_an_attempt(operator, wave, order_of, code, handle):
    operator.answers |= {BY_ID: (code, session("expired")), SEARCH: (code, {"result": []})}
    outcome = await wave.check(order_of("WAVESN", handle=handle))
    assert isinstance(outcome, Unknown)
    assert not outcome.not_found


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_unknown_never_an_error(operator, wave, order_of, body):
    operator.answers |= {MADE: (200, body), BY_ID: (200, body), SEARCH: (200, body)}
    assert isinstance(await wave.start(order_of("WAVESN")), Unknown)
    assert isinstance(await wave.check(order_of("WAVESN", handle=ID)), Unknown)
    assert isinstance(await wave.check(order_of("WAVESN")), Unknown)


def test_a_start_that_wave_never_heard_of_showed_nobody_a_page():
    assert (Wave.silence.not_found_final_after_s, Wave.silence.code) == (60, Code.OPERATOR_UNAVAILABLE)


# --- taking it back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [(200, b""), (409, b""), (404, b""), (500, b"x"), HANG_UP])
async def test_cancelling_expires_the_session_whatever_comes_of_it(operator, wave, order_of, answer):
    operator.answers = {EXPIRE: answer, **operator.answers}
    operator.answers[EXPIRE] = answer
    await wave.cancel(order_of("WAVESN", handle=ID))
    [seen] = operator.asked(EXPIRE)
    assert (seen.body, seen.headers["content-length"]) == (b"", "0")


async def test_cancelling_finds_the_session_whose_id_was_lost(operator, wave, order_of):
    await wave.cancel(order_of("WAVESN"))
    assert len(operator.asked(EXPIRE)) == 1


async def test_cancelling_what_is_over_sends_nothing(operator, wave, order_of):
    operator.answers[SEARCH] = (200, {"result": [paid()]})
    await wave.cancel(order_of("WAVESN"))
    assert operator.asked(EXPIRE) == []


# --- the words ------------------------------------------------------------------------------------------------------------


def test_the_tables_are_total_over_the_references_lists():
    assert set(SESSION_WORDS) == {(one, other) for one in CHECKOUT_WORDS for other in PAYMENT_WORDS}
    assert {word: code.number for word, code in PAYMENT_ERROR_WORDS.items() if not word.startswith("CAURI_")} == {
        "blocked-account": "600",
        "cross-border-payment-not-allowed": "600",
        "customer-age-restricted": "600",
        "insufficient-funds": "602",
        "kyb-limits-exceeded": "808",
        "payer-mobile-mismatch": "636",
        "payment-failure": "600",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-01-01T00:01:02Z", 1_767_225_662_000),
        ("2026-01-01T01:01:02+01:00", 1_767_225_662_000),
        ("2026-01-01T00:01:02", None),
        ("", None),
        (None, None),
        ("9999-99-99", None),
    ],
)
def test_moments(text, milliseconds):
    assert moment(text) == milliseconds


# --- anything at all ----------------------------------------------------------------------------------------------------------

THINGS = st.recursive(
    st.sampled_from([None, "", "open", "complete", "succeeded", REFERENCE, ID, PAGE, 0, 1.5, True])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["id", "checkout_status", "payment_status", "client_reference", "amount", "result", "code"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(code=st.sampled_from([200, 400, 401, 404, 409, 500]), thing=THINGS)
def test_whatever_json_comes_reading_it_gives_an_outcome_and_money_needs_our_reference(code, thing):
    body = json.dumps(thing).encode()
    for read in (read_start, read_session, read_search):
        outcome = read(Answer(code, body), REFERENCE)
        assert isinstance(outcome, (Accepted, Refused, Waiting, Unknown))
        if isinstance(outcome, Accepted):
            assert code == 200
            assert REFERENCE.encode() in body
