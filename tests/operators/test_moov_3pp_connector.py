"""Moov's 3pp gateway over real HTTP: what the wire said, and what became of it."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_operator import HANG_UP, HANG_UP_AT_ONCE, REFERENCE, SAY_NOTHING, http_answer

from cauri.domain.codes import FAILURES, Code
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback, Flow
from cauri.operators.http import Answer
from cauri.operators.moov_3pp import RESERVED_WORDS, ROUTES, Moov3pp, read_check, read_push, refusal
from tests.logs import own_lines


@pytest.fixture
async def moov(operator):
    connector = Moov3pp(f"{operator.url}/moov", "CAURI", "pass:word", start_timeout_s=5, check_timeout_s=5)
    yield connector
    await connector.close()


def said(status, message="", **more):
    return {
        "request-id": REFERENCE,
        "trans-id": "CHK1",
        "status": status,
        "message": message,
        "extended-data": {},
        **more,
    }


def paid(**data):
    return said("0", "OK", **{"extended-data": {"data": {"reference-id": "WMRCH210829.1650.J00003", **data}}})


# --- what we send ---------------------------------------------------------------------------------------------------


async def test_a_push_says_who_pays_how_much(operator, moov, order_of):
    operator.says(said("0", "prompt sent"))
    assert await moov.start(order_of("FLOOZ")) == Waiting(Code.WAITING_TO_VALIDATE, word="0")
    [seen] = operator.requests
    assert (seen.verb, seen.path) == ("POST", "/moov/3pp/transaction/process")
    assert seen.headers["command-id"] == "mror-transaction-ussd"
    assert seen.headers["authorization"] == "Basic " + base64.b64encode(b"CAURI:pass:word").decode()
    assert "hash" not in seen.headers
    assert seen.json == {
        "request-id": REFERENCE,
        "destination": "2250749012966",
        "amount": 1500,
        "remarks": "Commande n42 : cafe & the glace",
        "message": "Commande n42 : cafe & the glace",
        "extended-data": {},
    }


async def test_a_check_asks_with_the_original_request_id(operator, moov, order_of):
    operator.says(paid())
    await moov.check(order_of("MOOVBF"))
    [seen] = operator.requests
    assert seen.headers["command-id"] == "process-check-transaction"
    assert seen.json == {"request-id": REFERENCE}


async def test_older_gateways_get_a_hash_of_the_user_and_the_very_bytes_sent(operator, order_of):
    operator.says(said("0"))
    connector = Moov3pp(operator.url, "CAURI", "pw", hash_header=True)
    await connector.start(order_of("MOOVBF"))
    await connector.close()
    [seen] = operator.requests
    assert seen.headers["hash"] == hashlib.sha256(b"CAURI" + seen.body).hexdigest()


def test_it_serves_burkina_and_by_assumption_ivory_coast_and_mali_by_prompt():
    assert set(ROUTES) == {"FLOOZ", "MOOVML", "MOOVBF"}
    assert all(route.flow is Flow.PROMPT and route.decimals == 0 for route in ROUTES.values())


def test_it_has_no_rule_for_silence():
    assert Moov3pp.silence.not_found_final_after_s is None


@pytest.mark.parametrize(("country", "method"), [("CI", "FLOOZ"), ("ML", "MOOVML"), ("BF", "MOOVBF")])
def test_a_contract_is_one_countrys(country, method):
    connector = Moov3pp("https://moov.example", "x", "y", country=country)
    assert (connector.name, list(connector.routes)) == (f"moov_3pp_{country.lower()}", [method])


def test_a_country_without_this_gateway_is_refused():
    with pytest.raises(ValueError, match="moov_3pp_tg: it serves CI, ML, BF"):
        Moov3pp("https://moov.example", "x", "y", country="TG")


@pytest.mark.parametrize(("username", "password"), [("", "x"), ("a:b", "x"), ("x", "")])
def test_credentials_that_basic_cannot_carry_are_refused(username, password):
    with pytest.raises(ValueError, match="username"):
        Moov3pp("https://moov.example", username, password)


# --- what it answers ------------------------------------------------------------------------------------------------

ABOUT_ANOTHER = Unknown("the answer is about another request-id", alert=True)
PUSHES = {
    "prompt sent": (200, said("0"), Waiting(Code.WAITING_TO_VALIDATE, word="0")),
    "prompt sent, number as status": (200, said(0), Waiting(Code.WAITING_TO_VALIDATE, word="0")),
    "prompt sent, nothing else said": (200, {"status": "0"}, Waiting(Code.WAITING_TO_VALIDATE, word="0")),
    "refused": (200, said("12", "Solde insuffisant"), Refused(Code.INSUFFICIENT_BALANCE, "12: insuffisant")),
    "refused without a text": (200, {"status": "12"}, Refused(Code.PAYMENT_FAILED, "12: ")),
    "the same request-id again": (200, said("12", "Duplicate request-id"), Waiting(None, word="12: duplicate request-id")),
    "the same request-id again, in French": (200, said("12", "Cette transaction existe déjà"), Waiting(None, word="12: duplicate request-id")),
    "another prompt is open": (200, said("12", "Une transaction est déjà en cours"), Refused(Code.PAYMENT_FAILED, "12: Une transaction est déjà en cours")),
    "unknown": (200, said("15", "timeout"), Unknown("the gateway does not know what became of the push")),
    "an unknown status": (200, said("99"), Unknown("unknown status: 99", alert=True)),
    "another request": (200, said("12", **{"request-id": "x"}), ABOUT_ANOTHER),
    "refused credentials": (401, {}, Refused(Code.SERVICE_UNAVAILABLE, "HTTP 401")),
    "HTTP 403": (403, {}, Unknown("unreadable answer, HTTP 403", alert=True)),
    "HTTP 500 with a refusal": (500, said("12", "Solde insuffisant"), Unknown("unreadable answer, HTTP 500")),
    "HTTP 429": (429, {}, Unknown("unreadable answer, HTTP 429")),
    "a redirect": (302, {}, Unknown("unreadable answer, HTTP 302", alert=True)),
}  # fmt: skip

CHECKS = {
    "paid": (paid(), Accepted("WMRCH210829.1650.J00003")),
    "paid, with an amount": (paid(amount="1500.00"), Accepted("WMRCH210829.1650.J00003", 1500)),
    "paid, with an amount outside": ({**paid(), "amount": 1500}, Accepted("WMRCH210829.1650.J00003", 1500)),
    "paid, another amount: the engine compares": (paid(amount=5), Accepted("WMRCH210829.1650.J00003", 5)),
    "paid, two amounts": ({**paid(amount=5), "amount": 1500}, Unknown("paid, with two different amounts", alert=True)),
    "paid, a fraction": (paid(amount="1500.5"), Unknown("paid, with an amount that is not whole", alert=True)),
    "paid, no reference of the payment": (said("0"), Accepted("CHK1")),
    "paid, an empty list as extended-data": (said("0", **{"extended-data": []}), Accepted("CHK1")),
    "paid, a text as extended-data": (said("0", **{"extended-data": {"data": "null"}}), Accepted("CHK1")),
    "paid, no reference at all": ({"request-id": REFERENCE, "status": "0"}, Unknown("paid, without a reference", alert=True)),
    "paid, no request named": ({"status": "0", "trans-id": "x"}, Unknown("paid, without a request-id", alert=True)),
    "paid, another request": (said("0", **{"request-id": "x"}), ABOUT_ANOTHER),
    "paid, but pending": (said("0", "Transaction en attente de confirmation"), Unknown("paid, but its text says pending", alert=True)),
    "failed": (said("12", "Opération annulée par le client"), Refused(Code.CANCELLED, "12: annulee")),
    "failed, of another request": (said("12", **{"request-id": "x"}), ABOUT_ANOTHER),
    "never heard of": (said("12", "Transaction introuvable"), Unknown("the operator knows no such request-id", not_found=True)),
    "never heard of, in English": (said("12", "No such transaction"), Unknown("the operator knows no such request-id", not_found=True)),
    "the payer's number is not found": (said("12", "Transaction échouée: numéro introuvable"), Refused(Code.PHONE_NOT_FOUND, "12: numero introuvable")),
    "failed, but pending": (said("12", "Transaction pending"), Unknown("failed, but its text says pending", alert=True)),
    "still pending": (said("15", "Transaction en attente de confirmation"), Waiting(Code.WAITING_TO_VALIDATE, word="15")),
    "unknown": (said("15", "Unknown"), Unknown("the gateway does not know what became of the payment")),
    "unknown, no text": ({"status": "15"}, Unknown("the gateway does not know what became of the payment")),
    "an unknown status": (said("7"), Unknown("unknown status: 7", alert=True)),
}  # fmt: skip


@pytest.mark.parametrize(("status", "body", "outcome"), PUSHES.values(), ids=PUSHES.keys())
async def test_the_answer_to_a_push(operator, moov, order_of, status, body, outcome):
    operator.says(body, status)
    assert await moov.start(order_of("MOOVBF")) == outcome
    assert len(operator.requests) == 1


@pytest.mark.parametrize(("body", "outcome"), CHECKS.values(), ids=CHECKS.keys())
async def test_the_answer_to_a_check(operator, moov, order_of, body, outcome):
    operator.says(body)
    assert await moov.check(order_of("MOOVBF")) == outcome


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 429, 500, 503])
async def test_no_http_error_of_a_check_ends_an_attempt(operator, moov, order_of, status):
    operator.says(said("12", "Solde insuffisant"), status)
    outcome = await moov.check(order_of("MOOVBF"))
    assert isinstance(outcome, Unknown)
    assert not outcome.not_found


NONSENSE = [b"", b"null", b"[]", b"<html>", b'{"status":"0"', b'{"status":null}', b'{"status":{}}', b'{"status":"0","message":7}',
            b'{"message":"0"}', b'{"status":' + b"[" * 50_000, b'{"status":"0","x":"' + b"x" * 300_000 + b'"}', b'{"status":' + b"1" * 5000 + b"}"]  # fmt: skip


@pytest.mark.parametrize("call", ["start", "check"])
@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_is_unknown_never_an_error(operator, moov, order_of, call, body):
    operator.answer = http_answer(body)
    assert isinstance(await getattr(moov, call)(order_of("FLOOZ")), Unknown)


@pytest.mark.parametrize(
    "silence", [HANG_UP_AT_ONCE, HANG_UP, SAY_NOTHING], ids=["cut before", "cut after", "time-out"]
)
@pytest.mark.parametrize("call", ["start", "check"])
async def test_a_lost_answer_is_unknown(operator, order_of, call, silence):
    operator.answer = silence
    connector = Moov3pp(operator.url, "CAURI", "pw", start_timeout_s=0.3, check_timeout_s=0.3)
    outcome = await getattr(connector, call)(order_of("FLOOZ"))
    await connector.close()
    assert isinstance(outcome, Unknown)


async def test_only_a_push_that_cannot_have_left_is_refused_at_once(refused_port, order_of):
    connector = Moov3pp(refused_port, "CAURI", "pw")
    outcome = await connector.start(order_of("FLOOZ"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True)
    assert isinstance(await connector.check(order_of("FLOOZ")), Unknown)
    await connector.close()


async def test_refused_credentials_are_logged_for_whoever_runs_cauri(operator, moov, order_of):
    operator.says({}, 401)
    with own_lines() as told:
        await moov.start(order_of("FLOOZ"))
    assert [entry["event"] for entry in told if entry["log_level"] == "error"] == [
        "operator_configuration_refused"
    ]


def test_it_reads_no_callbacks():
    with pytest.raises(BadCallback):
        Moov3pp("http://127.0.0.1:1", "CAURI", "pw").read_callback({}, b"{}")


# --- the words ------------------------------------------------------------------------------------------------------


def test_every_failure_code_of_the_contract_has_a_reserved_word():
    assert {f"CAURI_{code.number}": code for code in FAILURES} == RESERVED_WORDS


@pytest.mark.parametrize("word", RESERVED_WORDS)
def test_a_reserved_word_is_its_code(order_of, word):
    body = json.dumps(said("12", word)).encode()
    assert read_push(Answer(200, body), order_of("FLOOZ")) == Refused(RESERVED_WORDS[word], word)
    assert read_check(Answer(200, body), order_of("FLOOZ")) == Refused(RESERVED_WORDS[word], word)


MESSAGES = [
    ("Solde insuffisant", "602"),
    ("Votre solde est insuffisant pour cette opération.", "602"),
    ("SOLDE INSUFFISANT", "602"),
    ("Fonds insuffisants", "602"),
    ("Insufficient balance", "602"),
    ("Insufficient funds in subscriber account", "602"),
    ("Not enough funds", "602"),
    ("Code erreur 12 : solde insuffisant", "602"),
    ("Insufficient privileges", "600"),
    ("Droits insuffisants", "600"),
    ("Opération annulée par le client", "627"),
    ("Transaction annulee", "627"),
    ("Cancelled by user", "627"),
    ("Transaction cancelled", "627"),
    ("Le client a refusé la transaction", "627"),
    ("Code incorrect", "604"),
    ("Code OTP invalide", "604"),
    ("OTP expired", "604"),
    ("PIN incorrect", "604"),
    ("Wrong PIN", "604"),
    ("Mauvais code", "604"),
    ("Code marchand invalide", "600"),
    ("Numéro introuvable", "635"),
    ("Le numéro 22670123456 n’existe pas", "635"),
    ("Subscriber not found", "635"),
    ("Customer is not registered", "635"),
    ("Abonné inconnu", "635"),
    ("Unknown subscriber", "635"),
    ("Code erreur : numéro invalide", "636"),
    ("Invalid msisdn", "636"),
    ("Plafond journalier atteint", "808"),
    ("Limit exceeded", "808"),
    ("Vous avez atteint la limite", "808"),
    ("Montant trop faible", "641"),
    ("Amount too high", "642"),
    ("Montant supérieur au maximum", "642"),
    ("Service indisponible", "804"),
    ("System under maintenance", "804"),
    ("Transaction expirée", "600"),
    ("Request timeout", "600"),
    ("Délai de saisie du code PIN expiré", "600"),
    ("Echec de l'opération", "600"),
    ("", "600"),
]


@pytest.mark.parametrize(("message", "code"), MESSAGES)
def test_a_failed_messages_phrase_decides_and_no_phrase_is_600(message, code):
    assert refusal(message).code is Code.of(code)


def test_the_word_kept_is_the_phrase_or_an_unlisted_text_with_its_numbers_masked():
    assert refusal("Cher Awa Traoré, votre solde est insuffisant").word == "12: insuffisant"
    assert refusal("Echec pour 22670123456").word == "12: Echec pour ••56"


# --- anything at all ------------------------------------------------------------------------------------------------

THINGS = st.recursive(
    st.sampled_from([None, "", "0", "12", "15", 0, 12, 1.5, True, REFERENCE]) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "status",
                    "request-id",
                    "trans-id",
                    "message",
                    "amount",
                    "extended-data",
                    "data",
                    "reference-id",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(thing=THINGS)
def test_whatever_json_comes_reading_it_gives_an_outcome_and_money_needs_our_reference(order_of, thing):
    body = json.dumps(thing).encode()
    assert isinstance(read_push(Answer(200, body), order_of("FLOOZ")), (Refused, Waiting, Unknown))
    outcome = read_check(Answer(200, body), order_of("FLOOZ"))
    assert isinstance(outcome, (Accepted, Refused, Waiting, Unknown))
    if isinstance(outcome, Accepted):
        assert REFERENCE.encode() in body
