"""pawaPay over real HTTP: what the wire said, and what became of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pawapay_answers import NONSENSE, PAGE, found, reason, started
from scripted_operator import HANG_UP, HANG_UP_AT_ONCE, REFERENCE, SAY_NOTHING, http_answer

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.operators.pawapay import PawaPay, customer_message
from tests.logs import own_lines

OTHER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def pawapay(operator):
    connector = PawaPay(f"{operator.url}/pawapay", "t0ken", start_timeout_s=5, check_timeout_s=5)
    yield connector
    await connector.close()


# --- what we send ---------------------------------------------------------------------------------------------------


async def test_a_start_says_who_pays_how_much_to_which_provider(operator, pawapay, order_of):
    operator.says(started())
    await pawapay.start(order_of("OM"))
    [seen] = operator.requests
    assert (seen.verb, seen.path) == ("POST", "/pawapay/v2/deposits")
    assert seen.headers["authorization"] == "Bearer t0ken"
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {
        "depositId": REFERENCE,
        "amount": "1500",
        "currency": "XOF",
        "payer": {
            "type": "MMO",
            "accountDetails": {"phoneNumber": "2250749012966", "provider": "ORANGE_CIV"},
        },
        "clientReferenceId": REFERENCE,
        "customerMessage": "Commande n42 cafe the",
    }


async def test_wave_is_told_where_to_send_the_customer_back(operator, pawapay, order_of):
    operator.says(started(nextStep="GET_AUTH_URL"))
    assert await pawapay.start(order_of("WAVECI")) == Waiting(Code.WAITING_AT_OPERATOR, word="ACCEPTED")
    sent = operator.requests[0].json
    assert sent["successfulUrl"] == sent["failedUrl"] == "http://127.0.0.1:8080/payment/abc"
    assert sent["payer"]["accountDetails"]["provider"] == "WAVE_CIV"


async def test_orange_burkina_is_given_the_payers_code(operator, pawapay, order_of):
    operator.says(started())
    assert await pawapay.start(order_of("OMBF", code="367025")) == Waiting(None, word="ACCEPTED")
    assert operator.requests[0].json["preAuthorisationCode"] == "367025"
    await pawapay.start(order_of("OM", code="367025"))
    await pawapay.start(order_of("OMBF", code=None))
    assert "preAuthorisationCode" not in operator.requests[1].json
    assert "preAuthorisationCode" not in operator.requests[2].json


@pytest.mark.parametrize("method", ["OMCD", "MPESACD", "AIRTELCD", "OMCDUSD", "MPESACDUSD"])
async def test_whole_amounts_have_no_point_whatever_the_providers_decimals(
    operator, pawapay, order_of, method
):
    operator.says(started())
    await pawapay.start(order_of(method, amount=100))
    assert operator.requests[0].json["amount"] == "100"


@pytest.mark.parametrize(
    ("description", "lang", "message"),
    [("Thé", "fr", "Paiement The"), ("", "en", "Payment"), ("日本", "fr", "Paiement"), ("<b>Été & fils</b>", "fr", "b Ete fils b"),
     ("Une très longue description de commande", "fr", "Une tres longue descri"), ("Abonnement de janvier 2026", "fr", "Abonnement de janvier")],
)  # fmt: skip
def test_the_customers_message_has_4_to_22_letters_digits_and_spaces(description, lang, message):
    assert customer_message(description, lang) == message


@given(st.text(max_size=255), st.sampled_from(["fr", "en"]))
def test_no_description_makes_a_message_that_pawapay_refuses(description, lang):
    message = customer_message(description, lang)
    assert 4 <= len(message) <= 22
    assert message.isascii()
    assert message.replace(" ", "").isalnum()


# --- what it answers to a start -------------------------------------------------------------------------------------

STARTS = {
    "accepted": (200, started(), Waiting(Code.WAITING_TO_VALIDATE, word="ACCEPTED")),
    "accepted, final status next": (
        200,
        started(nextStep="FINAL_STATUS"),
        Waiting(Code.WAITING_TO_VALIDATE, word="ACCEPTED"),
    ),
    "known already": (200, started("DUPLICATE_IGNORED"), Waiting(None, word="DUPLICATE_IGNORED")),
    "rejected for its balance": (
        200,
        started("REJECTED", **reason("INSUFFICIENT_BALANCE")),
        Refused(Code.INSUFFICIENT_BALANCE, "INSUFFICIENT_BALANCE"),
    ),
    "rejected without a reason": (200, started("REJECTED"), Refused(Code.PAYMENT_FAILED, "REJECTED")),
    "rejected with HTTP 400": (
        400,
        started("REJECTED", **reason("INVALID_AMOUNT")),
        Refused(Code.AMOUNT_TOO_LOW, "INVALID_AMOUNT"),
    ),
    "no key": (401, reason("NO_AUTHENTICATION"), Refused(Code.SERVICE_UNAVAILABLE, "NO_AUTHENTICATION")),
    "a business word with HTTP 403 and no REJECTED": (
        403,
        reason("INSUFFICIENT_BALANCE"),
        Unknown("unreadable answer, HTTP 403", alert=True),
    ),
    "a bare 401": (401, {}, Unknown("unreadable answer, HTTP 401", alert=True)),
    "a bare 404": (404, {"message": "no Route matched"}, Unknown("unreadable answer, HTTP 404", alert=True)),
    "too many requests": (429, {}, Unknown("unreadable answer, HTTP 429")),
    "HTTP 500 UNKNOWN_ERROR": (500, reason("UNKNOWN_ERROR"), Unknown("unreadable answer, HTTP 500")),
    "HTTP 500 REJECTED": (500, started("REJECTED"), Unknown("unreadable answer, HTTP 500")),
    "HTTP 503": (503, {}, Unknown("unreadable answer, HTTP 503")),
    "a redirect": (302, {}, Unknown("unreadable answer, HTTP 302", alert=True)),
    "an unknown status": (200, started("QUEUED"), Unknown("unknown status: QUEUED", alert=True)),
    "no status": (200, {"depositId": REFERENCE}, Unknown("unknown status: none", alert=True)),
    "a final status, which a start never has": (
        200,
        started("COMPLETED"),
        Unknown("unknown status: COMPLETED", alert=True),
    ),
    "an unknown next step": (200, started(nextStep="DANCE"), Unknown("unknown nextStep: DANCE", alert=True)),
    "another deposit": (
        200,
        {"depositId": OTHER, "status": "REJECTED"},
        Unknown("the answer is about another depositId", alert=True),
    ),
    "another deposit's configuration error": (
        403,
        {"depositId": OTHER, **reason("AUTHORISATION_ERROR")},
        Unknown("the answer is about another depositId", alert=True),
    ),
}


@pytest.mark.parametrize(("status", "body", "outcome"), STARTS.values(), ids=STARTS.keys())
async def test_the_answer_to_a_start(operator, pawapay, order_of, status, body, outcome):
    operator.says(body, status)
    assert await pawapay.start(order_of()) == outcome
    assert len(operator.requests) == 1


@pytest.mark.parametrize("call", ["start", "check"])
@pytest.mark.parametrize("status", [200, 403, 500])
@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_unknown_never_an_error(operator, pawapay, order_of, call, status, body):
    operator.answer = http_answer(body, status)
    assert isinstance(await getattr(pawapay, call)(order_of()), Unknown)


async def test_a_rejected_code_is_604_when_the_operator_names_it(operator, pawapay, order_of):
    body = started("REJECTED", **reason("INVALID_PARAMETER", "Invalid value for 'preAuthorisationCode'"))
    operator.says(body, 400)
    assert await pawapay.start(order_of("OMBF", code="000000")) == Refused(
        Code.OTP_CODE_ERROR, "INVALID_PARAMETER"
    )
    assert await pawapay.start(order_of("OM")) == Refused(Code.SERVICE_UNAVAILABLE, "INVALID_PARAMETER")


async def test_a_configuration_error_alerts_whoever_runs_cauri(operator, pawapay, order_of):
    operator.says(reason("AUTHENTICATION_ERROR"), 403)
    with own_lines() as told:
        await pawapay.start(order_of())
    [alert] = [entry for entry in told if entry.get("alert")]
    assert alert["event"] == "operator_configuration_refused"
    assert alert["word"] == "AUTHENTICATION_ERROR"


async def test_a_simulated_603_is_no_configuration_error(operator, pawapay, order_of):
    operator.says(started("REJECTED", **reason("CAURI_603")))
    with own_lines() as told:
        assert await pawapay.start(order_of()) == Refused(Code.SERVICE_UNAVAILABLE, "CAURI_603")
    assert not [entry for entry in told if entry["log_level"] == "error"]


# --- what it answers to a check -------------------------------------------------------------------------------------

CHECKS = {
    "paid": (
        found("COMPLETED", amount="1500.0000", currency="XOF", providerTransactionId="8210407187720"),
        Accepted("8210407187720", 1500, "XOF"),
    ),
    "paid, no provider's reference": (
        found("COMPLETED", amount="1500", currency="XOF"),
        Accepted(REFERENCE, 1500, "XOF"),
    ),
    "paid, unprintable reference": (found("COMPLETED", providerTransactionId="a\x00b"), Accepted(REFERENCE)),
    "paid, number as amount": (found("COMPLETED", amount=1500, providerTransactionId=7), Accepted("7", 1500)),
    "paid, other amount and currency: the engine compares": (
        found("COMPLETED", amount="5", currency="USD", providerTransactionId="x"),
        Accepted("x", 5, "USD"),
    ),
    "paid, a fraction": (
        found("COMPLETED", amount="1500.50", providerTransactionId="x"),
        Unknown("COMPLETED with an amount that is not whole", alert=True),
    ),
    "paid, another deposit": (
        {"status": "FOUND", "data": {"depositId": OTHER, "status": "COMPLETED"}},
        Unknown("the answer is about another depositId", alert=True),
    ),
    "paid, no deposit named": (
        {"status": "FOUND", "data": {"status": "COMPLETED"}},
        Unknown("COMPLETED without a depositId", alert=True),
    ),
    "accepted": (found("ACCEPTED"), Waiting(Code.WAITING_TO_VALIDATE, word="ACCEPTED")),
    "processing": (found("PROCESSING"), Waiting(Code.WAITING_TO_VALIDATE, word="PROCESSING")),
    "in reconciliation": (
        found("IN_RECONCILIATION"),
        Waiting(Code.WAITING_TO_VALIDATE, word="IN_RECONCILIATION"),
    ),
    "failed": (
        found("FAILED", **reason("PAYMENT_NOT_APPROVED")),
        Refused(Code.CANCELLED, "PAYMENT_NOT_APPROVED"),
    ),
    "failed without a reason": (found("FAILED"), Refused(Code.PAYMENT_FAILED, "FAILED")),
    "failed with UNKNOWN_ERROR": (
        found("FAILED", **reason("UNKNOWN_ERROR")),
        Refused(Code.PAYMENT_FAILED, "UNKNOWN_ERROR"),
    ),
    "failed, another deposit": (
        {"status": "FOUND", "data": {"depositId": OTHER, "status": "FAILED"}},
        Unknown("the answer is about another depositId", alert=True),
    ),
    "never heard of": (
        {"status": "NOT_FOUND"},
        Unknown("the operator knows no such deposit", not_found=True),
    ),
    "found, but nothing told": ({"status": "FOUND"}, Unknown("unknown word in a check: FOUND", alert=True)),
    "an unknown word": ({"status": "LATER"}, Unknown("unknown word in a check: LATER", alert=True)),
    "an unknown status": (found("REVERSED"), Unknown("unknown status: REVERSED", alert=True)),
    "a start's status": (
        found("DUPLICATE_IGNORED"),
        Unknown("unknown status: DUPLICATE_IGNORED", alert=True),
    ),
}


@pytest.mark.parametrize(("body", "outcome"), CHECKS.values(), ids=CHECKS.keys())
async def test_the_answer_to_a_check(operator, pawapay, order_of, body, outcome):
    operator.says(body)
    assert await pawapay.check(order_of()) == outcome
    [seen] = operator.requests
    assert (seen.verb, seen.path, seen.body) == ("GET", f"/pawapay/v2/deposits/{REFERENCE}", b"")


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 418, 429, 500, 502, 503])
async def test_no_http_error_of_a_check_ends_an_attempt(operator, pawapay, order_of, status):
    operator.says({"status": "NOT_FOUND"}, status)
    outcome = await pawapay.check(order_of())
    assert isinstance(outcome, Unknown)
    assert not outcome.not_found


WAVE = {
    "no page yet": ({"nextStep": "GET_AUTH_URL"}, Waiting(Code.WAITING_AT_OPERATOR, word="PROCESSING")),
    "a page": (
        {"nextStep": "REDIRECT_TO_AUTH_URL", "authorizationUrl": PAGE},
        Waiting(Code.WAITING_AT_OPERATOR, PAGE, "PROCESSING"),
    ),
    "a page to come": (
        {"nextStep": "REDIRECT_TO_AUTH_URL"},
        Waiting(Code.WAITING_AT_OPERATOR, word="PROCESSING"),
    ),
    "a page that is a script": (
        {"nextStep": "REDIRECT_TO_AUTH_URL", "authorizationUrl": "javascript:alert(1)"},
        Unknown("authorizationUrl is no http(s) URL", alert=True),
    ),
    "left the page": ({"nextStep": "FINAL_STATUS"}, Waiting(None, word="PROCESSING")),
}


@pytest.mark.parametrize(("more", "outcome"), WAVE.values(), ids=WAVE.keys())
async def test_the_redirect_flow(operator, pawapay, order_of, more, outcome):
    operator.says(found("PROCESSING", **more))
    assert await pawapay.check(order_of("WAVESN")) == outcome


# --- silence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "silence", [HANG_UP_AT_ONCE, HANG_UP, SAY_NOTHING], ids=["cut before", "cut after", "time-out"]
)
@pytest.mark.parametrize("call", ["start", "check"])
async def test_a_lost_answer_is_unknown(operator, order_of, call, silence):
    operator.answer = silence
    connector = PawaPay(operator.url, "t0ken", start_timeout_s=0.3, check_timeout_s=0.3)
    outcome = await getattr(connector, call)(order_of())
    await connector.close()
    assert isinstance(outcome, Unknown)
    assert not outcome.not_found


async def test_only_a_start_that_cannot_have_left_is_refused_at_once(refused_port, order_of):
    for url in (refused_port, "http://nowhere.invalid"):
        connector = PawaPay(url, "t0ken")
        outcome = await connector.start(order_of())
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True)
        assert isinstance(await connector.check(order_of()), Unknown)
        await connector.close()


@pytest.mark.parametrize("token", ["", "a\nb", "é"])
def test_a_token_that_cannot_be_sent_is_refused_when_the_connector_is_made(token):
    with pytest.raises(ValueError, match=r"token|Authorization"):
        PawaPay("https://api.pawapay.io", token)
