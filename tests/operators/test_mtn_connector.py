"""MTN MoMo Collections over real HTTP: what the wire said, and what became of it."""

from __future__ import annotations

import json

import pytest
from answering_operator import answering
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mtn_answers import ACCOUNT, DELIVERY, PAY, STATUS, TOKEN, error, mtn_of, paid, status, token
from pawapay_answers import NONSENSE
from scripted_operator import HANG_UP, REFERENCE, SAY_NOTHING, http_answer

from cauri.clock import ManualClock
from cauri.domain.codes import Code
from cauri.domain.methods import METHODS
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback
from cauri.operators.http import Answer
from cauri.operators.mtn import MARKETS, Mtn
from cauri.operators.mtn.connector import delivery_text, request_to_pay
from cauri.operators.mtn.reading import read_callback, read_check, read_start
from cauri.operators.mtn.words import REASON_WORDS, STATUS_WORDS
from tests.logs import own_lines

CALLBACK_URL = "https://pay.example.com/operators/mtn_ci/callback"


@pytest.fixture
async def operator():
    async with answering() as scripted:
        scripted.answers = {
            TOKEN: token(),
            ACCOUNT: (200, {"result": True}),
            DELIVERY: (200, b""),
            PAY: (202, b""),
            STATUS: (200, paid()),
        }
        yield scripted


@pytest.fixture
async def mtn(operator):
    connector = mtn_of(operator, start_timeout_s=5, check_timeout_s=5)
    yield connector
    await connector.close()


# --- what we send ---------------------------------------------------------------------------------------------------


async def test_a_request_to_pay_says_who_pays_how_much_and_where_to_call_back(operator, mtn, order_of):
    outcome = await mtn.start(order_of("MOMO", callback_url=CALLBACK_URL))
    assert outcome == Waiting(Code.WAITING_TO_VALIDATE, word="202")
    [seen] = operator.asked(PAY)
    assert seen.headers["x-reference-id"] == REFERENCE
    assert seen.headers["x-callback-url"] == f"{CALLBACK_URL}/{REFERENCE}"
    assert seen.headers["x-target-environment"] == "mtnivorycoast"
    assert seen.headers["ocp-apim-subscription-key"] == "subscription-key-1"
    assert seen.headers["authorization"] == "Bearer t0"
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {
        "amount": "1500",
        "currency": "XOF",
        "externalId": REFERENCE,
        "payer": {"partyIdType": "MSISDN", "partyId": "2250749012966"},
        "payerMessage": "Commande n42 : cafe the glace",
        "payeeNote": "Commande n42 : cafe the glace",
    }


async def test_the_token_is_asked_for_with_basic_and_a_length_of_zero(operator, mtn, order_of):
    await mtn.start(order_of("MOMO"))
    [seen] = operator.asked(TOKEN)
    assert seen.headers["authorization"].startswith("Basic ")
    assert (seen.headers["content-length"], seen.body) == ("0", b"")
    assert seen.headers["ocp-apim-subscription-key"] == "subscription-key-1"


@pytest.mark.parametrize(
    ("callbacks", "url"), [(False, CALLBACK_URL), (True, "")], ids=["switched off", "nowhere to call"]
)
async def test_an_empty_callback_url_is_never_sent(operator, order_of, callbacks, url):
    connector = mtn_of(operator, callbacks=callbacks)
    await connector.start(order_of("MOMO", callback_url=url))
    await connector.close()
    assert "x-callback-url" not in operator.asked(PAY)[0].headers


@pytest.mark.parametrize(
    ("country", "method", "environment", "currency"),
    [
        ("CI", "MOMO", "mtnivorycoast", "XOF"),
        ("CM", "MTNCM", "mtncameroon", "XAF"),
        ("GN", "MTNGN", "mtnguineaconakry", "GNF"),
        ("BJ", "MTNBJ", "mtnbenin", "XOF"),
    ],
)
async def test_each_country_has_its_own_name_method_environment_and_currency(
    operator, order_of, country, method, environment, currency
):
    connector = mtn_of(operator, country=country)
    await connector.start(order_of(method))
    await connector.close()
    assert (connector.name, list(connector.routes)) == (f"mtn_{country.lower()}", [method])
    [seen] = operator.asked(PAY)
    assert (seen.headers["x-target-environment"], seen.json["currency"]) == (environment, currency)


TEXTS = {
    "L'été & l'hiver": "L ete l hiver",
    "": "Paiement",
    "&&&'''": "Paiement",
    "日本語": "Paiement",
    "x" * 300: "x" * 128,
    "Ligne 1\nLigne 2\t“fin”": "Ligne 1 Ligne 2 fin",
}


@pytest.mark.parametrize(("description", "text"), TEXTS.items())
def test_texts_have_no_apostrophe_no_ampersand_and_are_neither_empty_nor_long(order_of, description, text):
    body = request_to_pay(order_of("MOMO", description=description), "XOF")
    assert body["payerMessage"] == body["payeeNote"] == text
    assert request_to_pay(order_of("MOMO", description="", lang="en"), "XOF")["payerMessage"] == "Payment"


async def test_a_check_asks_by_our_reference(operator, mtn, order_of):
    assert await mtn.check(order_of("MOMO")) == Accepted("3091573982", 1500, "XOF")
    [seen] = operator.asked(STATUS)
    assert seen.path == f"/collection/v1_0/requesttopay/{REFERENCE}"
    assert seen.headers["x-target-environment"] == "mtnivorycoast"


def test_it_is_asked_ten_times_a_second_at_most_and_gives_up_a_quarter_of_an_hour_after_an_unknown_start():
    assert Mtn.asks_per_s == 10
    assert (Mtn.silence.not_found_final_after_s, Mtn.silence.code) == (900, Code.OPERATOR_UNAVAILABLE)


BAD_ACCOUNTS = [
    ({"country": "SN"}, "mtn_sn: MTN MoMo has no wallet there; it serves CI, CM, GN, BJ"),
    ({"user": "cauri"}, "mtn_ci: api_user must be a UUID"),
    ({"api_key": ""}, "api_key must be given"),
    ({"key": ""}, "Ocp-Apim-Subscription-Key"),
    ({"key": "clé"}, "Ocp-Apim-Subscription-Key"),
    ({"environment": "côte d'ivoire"}, "mtn_ci: environment must be"),
    ({"base_url": "ftp://x"}, "base_url"),
]


@pytest.mark.parametrize(("change", "told"), BAD_ACCOUNTS)
def test_an_account_that_cannot_be_right_is_refused_in_words(change, told):
    fields = {"country": "CI", "key": "k", "user": REFERENCE, "api_key": "k", **change}
    named = {name: fields[name] for name in ("environment", "base_url") if name in fields}
    with pytest.raises(ValueError, match=told):
        Mtn(fields["country"], fields["key"], fields["user"], fields["api_key"], clock=ManualClock(), **named)


# --- the currency of the environment ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("EUR", Accepted("3091573982", 1500, "XOF")),
        (None, Accepted("3091573982", 1500, None)),
        ("XOF", Unknown("mismatch: the operator says XOF, we asked EUR", alert=True)),
        ("GNF", Unknown("mismatch: the operator says GNF, we asked EUR", alert=True)),
    ],
)
async def test_where_an_environment_has_its_own_currency_the_answer_is_compared_with_what_was_asked(
    operator, order_of, said, outcome
):
    operator.answers[STATUS] = (200, paid(currency=said))
    connector = mtn_of(operator, environment="sandbox")
    await connector.start(order_of("MOMO"))
    assert operator.asked(PAY)[0].json["currency"] == "EUR"
    assert operator.asked(PAY)[0].headers["x-target-environment"] == "sandbox"
    assert await connector.check(order_of("MOMO")) == outcome
    await connector.close()


async def test_an_environment_that_nobody_listed_takes_the_methods_currency(operator, order_of):
    connector = mtn_of(operator, country="GN", environment="newbrandguinea")
    await connector.start(order_of("MTNGN"))
    await connector.close()
    assert operator.asked(PAY)[0].json["currency"] == "GNF"


# --- what it answers to a start -----------------------------------------------------------------------------------------

UNREADABLE = "unreadable answer, HTTP"
STARTS = {
    "taken": (202, b"", Waiting(Code.WAITING_TO_VALIDATE, word="202")),
    "the same reference again": (409, error("RESOURCE_ALREADY_EXIST"), Waiting(word="RESOURCE_ALREADY_EXIST")),
    "malformed": (400, error("BAD_REQUEST", "body"), Refused(Code.SERVICE_UNAVAILABLE, "HTTP 400 BAD_REQUEST")),
    "a number it cannot take": (400, error("VALIDATION_ERROR", "invalid partyId"), Refused(Code.PHONE_NOT_SUPPORTED, "VALIDATION_ERROR")),
    "an address of ours it does not know": (403, b"", Refused(Code.SERVICE_UNAVAILABLE, "HTTP 403")),
    "not allowed": (500, error("NOT_ALLOWED"), Refused(Code.SERVICE_UNAVAILABLE, "NOT_ALLOWED")),
    "another environment": (500, error("NOT_ALLOWED_TARGET_ENVIRONMENT"), Refused(Code.SERVICE_UNAVAILABLE, "NOT_ALLOWED_TARGET_ENVIRONMENT")),
    "another callback host": (500, error("INVALID_CALLBACK_URL_HOST"), Refused(Code.SERVICE_UNAVAILABLE, "INVALID_CALLBACK_URL_HOST")),
    "another currency": (500, error("INVALID_CURRENCY"), Refused(Code.SERVICE_UNAVAILABLE, "INVALID_CURRENCY")),
    "unavailable": (503, error("SERVICE_UNAVAILABLE"), Refused(Code.OPERATOR_UNAVAILABLE, "SERVICE_UNAVAILABLE", unstarted=True)),
    "no such payer": (404, error("PAYER_NOT_FOUND"), Refused(Code.PHONE_NOT_FOUND, "PAYER_NOT_FOUND")),
    "the payee may not": (500, error("PAYEE_NOT_ALLOWED_TO_RECEIVE"), Refused(Code.SERVICE_UNAVAILABLE, "PAYEE_NOT_ALLOWED_TO_RECEIVE")),
    "an internal error may have begun it": (500, error("INTERNAL_PROCESSING_ERROR"), Unknown("the request to pay was answered HTTP 500 INTERNAL_PROCESSING_ERROR")),
    "an odd not found": (404, error("RESOURCE_NOT_FOUND"), Unknown("the request to pay was answered HTTP 404 RESOURCE_NOT_FOUND")),
    "a code nobody listed": (500, error("OUT_OF_COFFEE"), Unknown("unknown error code: OUT_OF_COFFEE", alert=True)),
    "unavailable, but not with 503": (500, error("SERVICE_UNAVAILABLE"), Unknown("the request to pay was answered HTTP 500 SERVICE_UNAVAILABLE")),
    "a bare 400": (400, b"", Unknown(f"{UNREADABLE} 400", alert=True)),
    "a bare 409": (409, b"", Unknown(f"{UNREADABLE} 409", alert=True)),
    "a bare 500": (500, b"<html>", Unknown(f"{UNREADABLE} 500")),
    "a bare 503": (503, b"", Unknown(f"{UNREADABLE} 503")),
    "a gateway in between": (502, error("NOT_ALLOWED"), Unknown(f"{UNREADABLE} 502")),
    "too many requests": (429, b"", Unknown(f"{UNREADABLE} 429")),
    "200 is not its answer": (200, paid(), Unknown(f"{UNREADABLE} 200", alert=True)),
    "a redirect": (302, b"", Unknown(f"{UNREADABLE} 302", alert=True)),
}  # fmt: skip


@pytest.mark.parametrize(("code", "body", "outcome"), STARTS.values(), ids=STARTS.keys())
async def test_the_answer_to_a_request_to_pay(operator, mtn, order_of, code, body, outcome):
    operator.answers[PAY] = (code, body)
    assert await mtn.start(order_of("MOMO")) == outcome
    assert len(operator.asked(PAY)) == 1


@pytest.mark.parametrize(
    ("code", "body"),
    [(500, error("INVALID_CURRENCY")), (403, b""), (400, error("BAD_REQUEST"))],
)
async def test_a_configuration_error_is_told_to_whoever_runs_cauri(operator, mtn, order_of, code, body):
    operator.answers[PAY] = (code, body)
    with own_lines() as told:
        await mtn.start(order_of("MOMO"))
    [entry] = [entry for entry in told if entry["log_level"] == "error"]
    assert (entry["event"], entry["operator"]) == ("operator_configuration_refused", "mtn_ci")
    assert entry["alert"] is True
    assert "2250749012966" not in str(told)


async def test_only_a_start_that_cannot_have_left_or_was_declined_is_unstarted(refused_port, order_of):
    connector = mtn_of(type("nobody", (), {"url": refused_port}))
    outcome = await connector.start(order_of("MOMO"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True)
    assert isinstance(await connector.check(order_of("MOMO")), Unknown)
    await connector.close()


@pytest.mark.parametrize("silence", [HANG_UP, SAY_NOTHING], ids=["cut after", "time-out"])
@pytest.mark.parametrize(("call", "door"), [("start", PAY), ("check", STATUS)])
async def test_a_lost_answer_is_unknown(operator, order_of, call, door, silence):
    operator.answers[door] = silence
    connector = mtn_of(operator, start_timeout_s=0.5, check_timeout_s=0.5)
    assert isinstance(await getattr(connector, call)(order_of("MOMO")), Unknown)
    await connector.close()


async def test_a_line_cut_before_the_request_was_read_is_unknown(operator, mtn, order_of):
    await mtn.check(order_of("MOMO"))  # the token is there
    operator.hangs_up_at_once = True
    assert isinstance(await mtn.start(order_of("MOMO")), Unknown)
    assert isinstance(await mtn.check(order_of("MOMO")), Unknown)


# "REJECTED" is a word of MTN's too.
FOREIGN = {name: body for name, body in NONSENSE.items() if name != "a text as failureReason"}


@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN.keys())
async def test_nonsense_is_unknown_never_an_error(operator, mtn, order_of, body):
    operator.answers |= {PAY: (500, body), STATUS: (200, body), ACCOUNT: (200, body)}
    assert isinstance(await mtn.start(order_of("MOMO")), Unknown)
    assert isinstance(await mtn.check(order_of("MOMO")), Unknown)


# --- the account is asked for before the prompt ---------------------------------------------------------------------------

NO_ACCOUNT = {
    "inactive": (200, {"result": False}),
    "not found": (404, error("RESOURCE_NOT_FOUND")),
    "no such payer": (404, error("PAYER_NOT_FOUND")),
}
GOES_ON = {
    "active": (200, {"result": True}),
    "not allowed": (500, error("NOT_ALLOWED")),
    "another environment": (500, error("NOT_ALLOWED_TARGET_ENVIRONMENT")),
    "an internal error": (500, error("INTERNAL_PROCESSING_ERROR")),
    "unavailable": (503, error("SERVICE_UNAVAILABLE")),
    "a bare 404": (404, b""),
    "a 400": (400, error("VALIDATION_ERROR", "msisdn")),
    "nonsense": (200, b"<html>"),
    "no word of it": (200, {}),
    "the line is cut": HANG_UP,
}


@pytest.mark.parametrize("answer", NO_ACCOUNT.values(), ids=NO_ACCOUNT.keys())
async def test_a_number_without_an_account_is_refused_before_any_prompt(operator, mtn, order_of, answer):
    operator.answers[ACCOUNT] = answer
    outcome = await mtn.start(order_of("MOMO"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.unstarted) == (Code.PHONE_NOT_FOUND, False)
    assert operator.asked(PAY) == []
    assert operator.asked(ACCOUNT)[0].path == "/collection/v1_0/accountholder/msisdn/2250749012966/active"


@pytest.mark.parametrize("answer", GOES_ON.values(), ids=GOES_ON.keys())
async def test_a_question_that_fails_itself_decides_nothing(operator, mtn, order_of, answer):
    operator.answers[ACCOUNT] = answer
    assert await mtn.start(order_of("MOMO")) == Waiting(Code.WAITING_TO_VALIDATE, word="202")


async def test_the_question_can_be_switched_off(operator, order_of):
    connector = mtn_of(operator, check_payer=False)
    await connector.start(order_of("MOMO"))
    await connector.close()
    assert operator.asked(ACCOUNT) == []


# --- what it answers to a check -------------------------------------------------------------------------------------------

CHECKS = {
    "paid": (paid(), Accepted("3091573982", 1500, "XOF")),
    "paid, another amount: the engine compares": (paid(amount="5"), Accepted("3091573982", 5, "XOF")),
    "paid, written with decimals": (paid(amount="1500.00"), Accepted("3091573982", 1500, "XOF")),
    "paid, a fraction": (paid(amount="1500.5"), Unknown("SUCCESSFUL with an amount that is not whole", alert=True)),
    "paid, no operator's reference": (status(), Accepted(REFERENCE, 1500, "XOF")),
    "paid, another currency": (paid(currency="XAF"), Unknown("mismatch: the operator says XAF, we asked XOF", alert=True)),
    "paid, another payment": (paid(externalId="x"), Unknown("the answer is about another externalId", alert=True)),
    "paid, no externalId": (paid(externalId=None), Unknown("SUCCESSFUL without our externalId", alert=True)),
    "pending": (status("PENDING"), Waiting(Code.WAITING_TO_VALIDATE, word="PENDING")),
    "created": (status("CREATED"), Waiting(Code.WAITING_TO_VALIDATE, word="CREATED")),
    "ongoing": (status("ONGOING"), Waiting(Code.WAITING_TO_VALIDATE, word="ONGOING")),
    "failed, a bare reason": (status("FAILED", reason="NOT_ENOUGH_FUNDS"), Refused(Code.INSUFFICIENT_BALANCE, "NOT_ENOUGH_FUNDS")),
    "failed, a reason as the schema has it": (status("FAILED", reason={"code": "EXPIRED", "message": "x"}), Refused(Code.PAYMENT_FAILED, "EXPIRED")),
    "failed, no reason": (status("FAILED"), Refused(Code.PAYMENT_FAILED, "FAILED")),
    "failed, an empty reason": (status("FAILED", reason={}), Refused(Code.PAYMENT_FAILED, "FAILED")),
    "failed, an unknown reason": (status("FAILED", reason="BORED"), Unknown("unknown reason: BORED", alert=True)),
    "failed, of another": (status("FAILED", externalId="x"), Unknown("the answer is about another externalId", alert=True)),
    "rejected": (status("REJECTED"), Refused(Code.PAYMENT_FAILED, "REJECTED")),
    "rejected, with a reason": (status("REJECTED", reason="APPROVAL_REJECTED"), Refused(Code.CANCELLED, "APPROVAL_REJECTED")),
    "timed out": (status("TIMEOUT"), Refused(Code.PAYMENT_FAILED, "TIMEOUT")),
    "an unknown status": (status("REVERSED"), Unknown("unknown status: REVERSED", alert=True)),
    "a status in small letters": (status("successful"), Unknown("unknown status: successful", alert=True)),
}  # fmt: skip


@pytest.mark.parametrize(("body", "outcome"), CHECKS.values(), ids=CHECKS.keys())
async def test_the_answer_to_a_check(operator, mtn, order_of, body, outcome):
    operator.answers[STATUS] = (200, body)
    assert await mtn.check(order_of("MOMO")) == outcome


async def test_only_its_own_word_for_not_found_is_not_found(operator, mtn, order_of):
    operator.answers[STATUS] = (404, error("RESOURCE_NOT_FOUND"))
    outcome = await mtn.check(order_of("MOMO"))
    assert outcome == Unknown("the operator knows no such request to pay", not_found=True)
    operator.answers[STATUS] = (404, b"<html>Not Found</html>")
    assert await mtn.check(order_of("MOMO")) == Unknown("unreadable answer, HTTP 404", alert=True)


@pytest.mark.parametrize("code", [302, 400, 403, 404, 409, 429, 500, 502, 503])
async def test_no_http_error_of_a_check_ends_an_attempt(operator, mtn, order_of, code):
    for body in (paid(), status("FAILED", reason="EXPIRED"), error("NOT_ALLOWED")):
        operator.answers[STATUS] = (code, body)
        outcome = await mtn.check(order_of("MOMO"))
        assert isinstance(outcome, Unknown)
        assert not outcome.not_found


# --- callbacks ------------------------------------------------------------------------------------------------------------


def read(body, path=REFERENCE):
    return read_callback(body if isinstance(body, bytes) else json.dumps(body).encode(), path)


def test_a_callback_names_its_attempt_by_its_path_or_by_the_external_id():
    for path in (REFERENCE, REFERENCE.upper(), ""):
        callback = read(paid(), path)
        assert (callback.reference, callback.outcome) == (REFERENCE, Accepted("3091573982", 1500, "XOF"))
        assert callback.proof is None


def test_a_callback_whose_path_and_body_disagree_claims_nothing():
    other = "00000000-0000-4000-8000-000000000000"
    assert read(paid(), other).outcome == Unknown("the answer is about another externalId", alert=True)
    assert read(paid(), other).reference == other


BAD_CALLBACKS = {
    **{name: (body, REFERENCE) for name, body in FOREIGN.items() if name not in ("a byte order mark", "a huge body")},
    "no status": ({"externalId": REFERENCE}, REFERENCE),
    "a path that is no reference": (paid(), "../../etc/passwd"),
    "no path and no reference": (paid(externalId="42"), ""),
    "larger than 64 KiB": (paid(payeeNote="x" * 65_536), REFERENCE),
}  # fmt: skip


@pytest.mark.parametrize(("body", "path"), BAD_CALLBACKS.values(), ids=BAD_CALLBACKS.keys())
def test_a_bad_callback_is_refused(body, path):
    with pytest.raises(BadCallback):
        read(body, path)


# --- the message to the payer -----------------------------------------------------------------------------------------------


async def test_the_payer_is_told_through_mtn_where_set_so(operator, order_of):
    connector = mtn_of(operator, notify_payer=True)
    await connector.after_paid(order_of("MOMO"))
    await connector.close()
    [seen] = operator.asked(DELIVERY)
    text = "Votre paiement de 1500 XOF a abouti : Commande n42 : cafe the glace"
    assert seen.json == {"notificationMessage": text}
    assert seen.headers["notificationmessage"] == text


async def test_the_payer_is_not_told_by_default(operator, mtn, order_of):
    await mtn.after_paid(order_of("MOMO"))
    assert operator.requests == []


@pytest.mark.parametrize("answer", [(404, b""), (409, b""), (410, b""), (429, b""), (500, b"x"), HANG_UP])
async def test_a_message_that_cannot_be_given_troubles_nobody(operator, order_of, answer):
    operator.answers[DELIVERY] = answer
    connector = mtn_of(operator, notify_payer=True)
    await connector.after_paid(order_of("MOMO"))
    await connector.close()
    assert len(operator.asked(DELIVERY)) == 1


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("description", ["", "é" * 300, "Commande 42"])
def test_the_message_is_short_and_plain(order_of, lang, description):
    text = delivery_text(order_of("MOMO", lang=lang, description=description))
    assert 0 < len(text) <= 160
    assert text.isascii()
    assert text.startswith("Your payment of 1500 XOF" if lang == "en" else "Votre paiement de 1500 XOF")


# --- the words --------------------------------------------------------------------------------------------------------------

REFERENCES_REASONS = """PAYEE_NOT_FOUND PAYER_NOT_FOUND NOT_ALLOWED NOT_ALLOWED_TARGET_ENVIRONMENT INVALID_CALLBACK_URL_HOST
INVALID_CURRENCY SERVICE_UNAVAILABLE INTERNAL_PROCESSING_ERROR NOT_ENOUGH_FUNDS PAYER_LIMIT_REACHED PAYEE_LIMIT_REACHED
PAYEE_NOT_ALLOWED_TO_RECEIVE PAYMENT_NOT_APPROVED RESOURCE_NOT_FOUND APPROVAL_REJECTED EXPIRED TRANSACTION_CANCELED
RESOURCE_ALREADY_EXIST TRANSACTION_NOT_COMPLETED TRANSACTION_NOT_FOUND VALIDATION_ERROR SENDER_ACCOUNT_NOT_ACTIVE
COULD_NOT_PERFORM_TRANSACTION""".split()  # fmt: skip


def test_the_tables_are_total_over_the_references_lists():
    assert {word for word in REASON_WORDS if not word.startswith("CAURI_")} == set(REFERENCES_REASONS)
    assert set(STATUS_WORDS) == {
        "CREATED", "PENDING", "ONGOING", "SUCCESSFUL", "FAILED", "REJECTED", "TIMEOUT"
    }  # fmt: skip


CODES = {
    "602": "NOT_ENOUGH_FUNDS",
    "600": "EXPIRED COULD_NOT_PERFORM_TRANSACTION PAYMENT_NOT_APPROVED INTERNAL_PROCESSING_ERROR SENDER_ACCOUNT_NOT_ACTIVE TRANSACTION_NOT_COMPLETED",
    "627": "APPROVAL_REJECTED TRANSACTION_CANCELED",
    "635": "PAYER_NOT_FOUND",
    "808": "PAYER_LIMIT_REACHED",
    "804": "SERVICE_UNAVAILABLE",
    "603": "NOT_ALLOWED NOT_ALLOWED_TARGET_ENVIRONMENT INVALID_CURRENCY INVALID_CALLBACK_URL_HOST PAYEE_NOT_FOUND PAYEE_LIMIT_REACHED PAYEE_NOT_ALLOWED_TO_RECEIVE",
}


@pytest.mark.parametrize(("number", "words"), CODES.items())
def test_each_reason_is_the_code_of_the_references_mapping(order_of, number, words):
    for word in words.split():
        body = json.dumps(status("FAILED", reason=word)).encode()
        assert read_check(Answer(200, body), order_of("MOMO"), "XOF") == Refused(Code.of(number), word)


def test_every_market_is_a_method_of_its_country():
    assert all(METHODS[market.method].country == country for country, market in MARKETS.items())


# --- anything at all ----------------------------------------------------------------------------------------------------------

THINGS = st.recursive(
    st.sampled_from([None, "", "SUCCESSFUL", "FAILED", "PENDING", REFERENCE, 0, 1.5, True, "EXPIRED"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["status", "externalId", "amount", "currency", "reason", "code", "financialTransactionId"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(code=st.sampled_from([200, 202, 400, 401, 404, 409, 500, 503]), thing=THINGS)
def test_whatever_json_comes_reading_it_gives_an_outcome_and_money_needs_our_reference(order_of, code, thing):
    body = json.dumps(thing).encode()
    assert isinstance(read_start(Answer(code, body)), (Refused, Waiting, Unknown))
    outcome = read_check(Answer(code, body), order_of("MOMO"), "XOF")
    if isinstance(outcome, Accepted):
        assert code == 200
        assert REFERENCE.encode() in body
    assert isinstance(outcome, (Accepted, Refused, Waiting, Unknown))


def test_an_answer_without_a_body_is_taken_as_it_is():
    assert read_start(Answer(202, http_answer(b""))) == Waiting(Code.WAITING_TO_VALIDATE, word="202")
