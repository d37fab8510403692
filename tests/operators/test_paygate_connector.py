"""PayGate over real HTTP: what the wire said, and what became of it."""

from __future__ import annotations

import json

import pytest
from answering_operator import answering
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pawapay_answers import NONSENSE
from scripted_operator import HANG_UP, REFERENCE, SAY_NOTHING

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback, Flow
from cauri.operators.http import Answer
from cauri.operators.paygate import PAY_WORDS, ROUTES, STATUS_WORDS, PayGate, read_start
from tests.logs import own_lines

PAY, STATUS, BY_IDENTIFIER = "POST /api/v1/pay", "POST /api/v1/status", "POST /api/v2/status"
TOKEN, TX = "a-token-of-the-dashboard", "1234567"


@pytest.fixture
async def operator():
    async with answering() as scripted:
        scripted.answers = {
            PAY: (200, {"tx_reference": TX, "status": 0}),
            STATUS: (200, told(0)),
            BY_IDENTIFIER: (200, told(0)),
        }
        yield scripted


@pytest.fixture
async def paygate(operator):
    connector = PayGate(TOKEN, base_url=operator.url, start_timeout_s=5, check_timeout_s=5)
    yield connector
    await connector.close()


def told(status, **more):
    return {
        "tx_reference": TX,
        "identifier": REFERENCE,
        "payment_reference": "FL-99",
        "payment_method": "FLOOZ",
        "amount": 1500,
        "datetime": "2026-01-01 00:00:00",
        "status": status,
        **more,
    }


def without(name, status=0):
    return {key: value for key, value in told(status).items() if key != name}


# --- what we send ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "network"), [("FLOOZTG", "FLOOZ"), ("TmoneyTG", "TMONEY")])
async def test_a_payment_says_who_pays_how_much_through_which_network(
    operator, paygate, order_of, method, network
):
    outcome = await paygate.start(order_of(method))
    assert outcome == Waiting(Code.WAITING_TO_VALIDATE, word="0", handle=TX)
    [seen] = operator.requests
    assert (seen.verb, seen.path) == ("POST", "/api/v1/pay")
    assert seen.headers["content-type"] == "application/json"
    assert "authorization" not in seen.headers
    assert seen.json == {
        "auth_token": TOKEN,
        "phone_number": "22890123456",
        "amount": 1500,
        "description": "Commande n42 : cafe the glace",
        "identifier": REFERENCE,
        "network": network,
    }


async def test_numbers_are_sent_without_the_prefix_where_set_so(operator, order_of):
    connector = PayGate(TOKEN, base_url=operator.url, national_numbers=True)
    await connector.start(order_of("FLOOZTG"))
    await connector.close()
    assert operator.requests[0].json["phone_number"] == "90123456"


async def test_a_check_asks_by_paygates_reference(operator, paygate, order_of):
    assert await paygate.check(order_of("FLOOZTG", handle=TX)) == Accepted("FL-99", 1500)
    [seen] = operator.requests
    assert (seen.path, seen.json) == ("/api/v1/status", {"auth_token": TOKEN, "tx_reference": TX})


async def test_a_check_without_it_asks_by_our_identifier_and_learns_it(operator, paygate, order_of):
    operator.answers[BY_IDENTIFIER] = (200, told(2))
    outcome = await paygate.check(order_of("FLOOZTG"))
    assert outcome == Waiting(Code.WAITING_TO_VALIDATE, word="2", handle=TX)
    [seen] = operator.requests
    assert (seen.path, seen.json) == ("/api/v2/status", {"auth_token": TOKEN, "identifier": REFERENCE})


async def test_an_answer_that_does_not_repeat_our_identifier_is_confirmed_by_the_one_that_does(
    operator, paygate, order_of
):
    operator.answers[BY_IDENTIFIER] = (200, without("identifier"))
    assert await paygate.check(order_of("FLOOZTG")) == Accepted("FL-99", 1500)
    assert [seen.path for seen in operator.requests] == ["/api/v2/status", "/api/v1/status"]
    assert operator.requests[1].json["tx_reference"] == TX


async def test_money_that_nothing_ties_to_our_identifier_is_not_ours(operator, paygate, order_of):
    operator.answers |= {
        BY_IDENTIFIER: (200, without("identifier")),
        STATUS: (200, without("identifier")),
    }
    outcome = await paygate.check(order_of("FLOOZTG"))
    assert outcome == Unknown("the answer names neither our identifier nor our tx_reference", alert=True)


def test_it_serves_togo_by_prompt_and_has_no_rule_for_silence():
    assert {method: route.provider for method, route in ROUTES.items()} == {
        "TmoneyTG": "TMONEY",
        "FLOOZTG": "FLOOZ",
    }
    assert all(route.flow is Flow.PROMPT for route in ROUTES.values())
    assert PayGate.silence.not_found_final_after_s is None


@pytest.mark.parametrize(
    ("token", "url"), [("", "https://x"), (" ", "https://x"), ("t", "paygateglobal.com")]
)
def test_an_account_that_cannot_be_right_is_refused(token, url):
    with pytest.raises(ValueError, match=r"auth_token|base_url"):
        PayGate(token, base_url=url)


# --- what it answers --------------------------------------------------------------------------------------------------

UNREADABLE = "unreadable answer, HTTP"
STARTS = {
    "registered": (200, {"tx_reference": TX, "status": 0}, Waiting(Code.WAITING_TO_VALIDATE, word="0", handle=TX)),
    "registered, in other types": (200, {"tx_reference": 1234567, "status": "0"}, Waiting(Code.WAITING_TO_VALIDATE, word="0", handle=TX)),
    "registered without a reference": (200, {"status": 0}, Waiting(Code.WAITING_TO_VALIDATE, word="0")),
    "a bad token": (200, {"status": 2}, Refused(Code.SERVICE_UNAVAILABLE, "2: invalid token")),
    "bad parameters": (200, {"status": 4}, Refused(Code.PHONE_NOT_SUPPORTED, "4: invalid parameters")),
    "bad parameters, as HTTP 400": (400, {"status": 4}, Refused(Code.PHONE_NOT_SUPPORTED, "4: invalid parameters")),
    "the same identifier again": (200, {"status": 6, "tx_reference": TX}, Waiting(word="6: duplicate identifier")),
    "a status nobody listed": (200, {"status": 8}, Unknown("unknown status of a payment: 8", alert=True)),
    "a bare 400": (400, b"", Unknown(f"{UNREADABLE} 400", alert=True)),
    "an error with a status": (500, {"status": 2}, Unknown(f"{UNREADABLE} 500")),
    "too many requests": (429, {"status": 2}, Unknown(f"{UNREADABLE} 429")),
    "a redirect": (302, b"", Unknown(f"{UNREADABLE} 302", alert=True)),
}  # fmt: skip

ANOTHER = Unknown("the answer is about another identifier", alert=True)
CHECKS = {
    "paid": (told(0), Accepted("FL-99", 1500)),
    "paid, in other types": (told("0", amount="1500.00", tx_reference=1234567), Accepted("FL-99", 1500)),
    "paid, no amount": (told(0, amount=None), Accepted("FL-99")),
    "paid, another amount: the engine compares": (told(0, amount=5), Accepted("FL-99", 5)),
    "paid, a fraction": (told(0, amount=1500.5), Unknown("paid, with an amount that is not whole", alert=True)),
    "paid, without the network's reference": (told(0, payment_reference=None), Accepted(TX, 1500)),
    "paid, by our tx_reference alone": (without("identifier"), Accepted("FL-99", 1500)),
    "paid, by our identifier alone": (without("tx_reference"), Accepted("FL-99", 1500)),
    "paid, naming nothing": ({"status": 0, "payment_reference": "FL-99"}, Unknown("the answer names neither our identifier nor our tx_reference", alert=True)),
    "paid, another's": (told(0, identifier="x"), ANOTHER),
    "paid, of another tx_reference": (told(0, tx_reference="7"), Unknown("the answer is about another tx_reference", alert=True)),
    "in progress": (told(2), Waiting(Code.WAITING_TO_VALIDATE, word="2")),
    "expired": (told(4), Refused(Code.PAYMENT_FAILED, "4: expired")),
    "expired, of another": (told(4, identifier="x"), ANOTHER),
    "cancelled": (told(6), Refused(Code.CANCELLED, "6: cancelled")),
    "cancelled, naming nothing": ({"status": 6}, Unknown("the answer names neither our identifier nor our tx_reference", alert=True)),
    "a status nobody listed": (told(8), Unknown("unknown status of a question: 8", alert=True)),
    "no status": (without("status"), Unknown("unknown status of a question: none", alert=True)),
    "an error in its own shape": ({"error_code": 404, "error_message": "x"}, Unknown("the answer names neither our identifier nor our tx_reference", alert=True)),
}  # fmt: skip


@pytest.mark.parametrize(("code", "body", "outcome"), STARTS.values(), ids=STARTS.keys())
async def test_the_answer_to_a_payment(operator, paygate, order_of, code, body, outcome):
    operator.answers[PAY] = (code, body)
    assert await paygate.start(order_of("FLOOZTG")) == outcome
    assert len(operator.requests) == 1


@pytest.mark.parametrize(("body", "outcome"), CHECKS.values(), ids=CHECKS.keys())
async def test_the_answer_to_a_check(operator, paygate, order_of, body, outcome):
    operator.answers[STATUS] = (200, body)
    assert await paygate.check(order_of("FLOOZTG", handle=TX)) == outcome


@pytest.mark.parametrize("code", [302, 400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("handle", [TX, None])
async def test_no_http_error_of_a_check_ends_an_attempt(operator, paygate, order_of, code, handle):
    operator.answers = {STATUS: (code, told(4)), BY_IDENTIFIER: (code, told(4))}
    assert isinstance(await paygate.check(order_of("FLOOZTG", handle=handle)), Unknown)


@pytest.mark.parametrize("handle", [TX, None])
@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_unknown_never_an_error(operator, paygate, order_of, body, handle):
    operator.answers = {PAY: (200, body), STATUS: (200, body), BY_IDENTIFIER: (200, body)}
    assert isinstance(await paygate.start(order_of("FLOOZTG")), Unknown)
    assert isinstance(await paygate.check(order_of("FLOOZTG", handle=handle)), Unknown)


@pytest.mark.parametrize("silence", [HANG_UP, SAY_NOTHING], ids=["cut after", "time-out"])
@pytest.mark.parametrize("handle", [TX, None])
async def test_a_lost_answer_is_unknown(operator, order_of, silence, handle):
    operator.answers = {PAY: silence, STATUS: silence, BY_IDENTIFIER: (200, without("identifier"))}
    connector = PayGate(TOKEN, base_url=operator.url, start_timeout_s=0.3, check_timeout_s=0.3)
    assert isinstance(await connector.start(order_of("FLOOZTG")), Unknown)
    assert isinstance(await connector.check(order_of("FLOOZTG", handle=handle)), Unknown)
    await connector.close()


async def test_a_line_cut_before_the_request_was_read_is_unknown(operator, paygate, order_of):
    operator.hangs_up_at_once = True
    assert isinstance(await paygate.start(order_of("FLOOZTG")), Unknown)
    assert isinstance(await paygate.check(order_of("FLOOZTG")), Unknown)


async def test_only_a_start_that_cannot_have_left_is_refused_at_once(refused_port, order_of):
    connector = PayGate(TOKEN, base_url=refused_port)
    outcome = await connector.start(order_of("FLOOZTG"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True)
    assert isinstance(await connector.check(order_of("FLOOZTG")), Unknown)
    await connector.close()


async def test_a_refused_token_is_told_to_whoever_runs_cauri(operator, paygate, order_of):
    operator.answers[PAY] = (200, {"status": 2})
    with own_lines() as entries:
        await paygate.start(order_of("FLOOZTG"))
    assert [entry["event"] for entry in entries if entry["log_level"] == "error"] == [
        "operator_configuration_refused"
    ]
    assert TOKEN not in str(entries)


# --- callbacks --------------------------------------------------------------------------------------------------------


def read(body):
    return PayGate(TOKEN).read_callback({}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_callback_names_its_attempt_and_claims_that_it_was_paid():
    callback = read(without("status"))
    assert (callback.reference, callback.outcome) == (REFERENCE, Accepted("FL-99", 1500))


BAD_CALLBACKS = {
    **NONSENSE,
    "no identifier": without("identifier"),
    "an identifier that is none of ours": told(0, identifier="order 42"),
    "larger than 64 KiB": told(0, phone_number="x" * 65_536),
}


@pytest.mark.parametrize("body", BAD_CALLBACKS.values(), ids=BAD_CALLBACKS.keys())
def test_a_bad_callback_is_refused(body):
    with pytest.raises(BadCallback):
        read(body)


# --- the words ----------------------------------------------------------------------------------------------------------


def test_the_same_numbers_mean_two_things_and_both_tables_are_total():
    assert {word: meaning.value for word, meaning in PAY_WORDS.items()} == {
        "0": "registered", "2": "invalid token", "4": "invalid parameters", "6": "duplicate identifier"
    }  # fmt: skip
    assert {word: meaning.value for word, meaning in STATUS_WORDS.items()} == {
        "0": "paid", "2": "in progress", "4": "expired", "6": "cancelled"
    }  # fmt: skip


# --- anything at all ------------------------------------------------------------------------------------------------------

THINGS = st.recursive(
    st.sampled_from([None, "", 0, 2, 4, 6, "0", TX, REFERENCE, 1.5, True]) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["status", "tx_reference", "identifier", "payment_reference", "amount"]), inner
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(thing=THINGS)
async def test_whatever_json_comes_money_needs_our_reference(operator, paygate, order_of, thing):
    body = json.dumps(thing).encode()
    operator.answers = {BY_IDENTIFIER: (200, body), STATUS: (200, body)}
    assert isinstance(read_start(Answer(200, body)), (Refused, Waiting, Unknown))
    outcome = await paygate.check(order_of("FLOOZTG"))
    assert isinstance(outcome, (Accepted, Refused, Waiting, Unknown))
    if isinstance(outcome, Accepted):
        assert REFERENCE.encode() in body
