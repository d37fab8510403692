"""Every word of pawaPay's document has a meaning here, and no word means two things."""

from __future__ import annotations

import json

import pytest

from cauri.domain.codes import FAILURES, Code
from cauri.domain.methods import METHODS
from cauri.domain.outcome import Refused, Unknown
from cauri.operators.base import Flow
from cauri.operators.http import Answer
from cauri.operators.pawapay import (
    CONFIGURATION_WORDS,
    DEPOSIT_WORDS,
    FAILURE_WORDS,
    NEXT_STEPS,
    ROUTES,
    START_WORDS,
    PawaPay,
    read_check,
    read_start,
)

# Operators' document, section 6, copied; the code beside each word is section 8's.
TECHNICAL = {
    "NO_AUTHENTICATION": (401, "603"),
    "AUTHENTICATION_ERROR": (403, "603"),
    "AUTHORISATION_ERROR": (403, "603"),
    "HTTP_SIGNATURE_ERROR": (403, "603"),
    "DEPOSITS_NOT_ALLOWED": (403, "603"),
    "INVALID_INPUT": (400, "603"),
    "MISSING_PARAMETER": (400, "603"),
    "UNSUPPORTED_PARAMETER": (400, "603"),
    "INVALID_PARAMETER": (400, "603"),
    "DUPLICATE_METADATA_FIELD": (400, "603"),
}
REJECTED = {
    "AMOUNT_OUT_OF_BOUNDS": "642",
    "INVALID_AMOUNT": "641",
    "INVALID_PHONE_NUMBER": "636",
    "INVALID_CURRENCY": "603",
    "INVALID_PROVIDER": "636",
    "PROVIDER_TEMPORARILY_UNAVAILABLE": "804",
}
FAILED = {
    "PAYMENT_NOT_APPROVED": "627",
    "INSUFFICIENT_BALANCE": "602",
    "PAYMENT_IN_PROGRESS": "600",
    "PAYER_NOT_FOUND": "635",
    "PAYER_LIMIT_REACHED": "808",
    "WALLET_LIMIT_REACHED": "808",
    "TRANSACTION_ALREADY_IN_PROCESS": "600",
    "UNSPECIFIED_FAILURE": "600",
    "UNKNOWN_ERROR": "600",
}
RESERVED = {f"CAURI_{code.number}": code.number for code in FAILURES}
PROVIDERS = {
    "MOOV_BFA", "ORANGE_BFA", "MTN_MOMO_CIV", "ORANGE_CIV", "WAVE_CIV", "ORANGE_SEN", "FREE_SEN", "WAVE_SEN", "MTN_MOMO_CMR",
    "ORANGE_CMR", "VODACOM_MPESA_COD", "AIRTEL_COD", "ORANGE_COD", "MTN_MOMO_BEN", "MOOV_BEN",
}  # fmt: skip


def test_the_table_holds_the_words_of_the_document_and_the_reserved_ones_and_no_others():
    technical = {word: code for word, (_, code) in TECHNICAL.items()}
    assert {
        word: code.number for word, code in FAILURE_WORDS.items()
    } == technical | REJECTED | FAILED | RESERVED
    assert {*TECHNICAL, "INVALID_CURRENCY"} == CONFIGURATION_WORDS


def test_the_statuses_and_next_steps_are_those_of_the_document():
    assert set(START_WORDS) == {"ACCEPTED", "REJECTED", "DUPLICATE_IGNORED"}
    assert set(DEPOSIT_WORDS) == {"ACCEPTED", "PROCESSING", "IN_RECONCILIATION", "COMPLETED", "FAILED"}
    assert set(NEXT_STEPS) == {"FINAL_STATUS", "GET_AUTH_URL", "REDIRECT_TO_AUTH_URL"}


def test_every_failure_code_of_the_contract_has_a_reserved_word():
    assert {FAILURE_WORDS[f"CAURI_{code.number}"] for code in FAILURES} == set(FAILURES)


@pytest.mark.parametrize("word", [*REJECTED, *FAILED, *RESERVED])
def test_a_rejected_start_ends_in_the_words_code(order_of, word):
    body = {"depositId": order_of().reference, "status": "REJECTED", "failureReason": {"failureCode": word}}
    outcome = read_start(Answer(200, json.dumps(body).encode()), order_of())
    unstarted = word == "PROVIDER_TEMPORARILY_UNAVAILABLE"
    assert outcome == Refused(Code.of((REJECTED | FAILED | RESERVED)[word]), word, unstarted)


@pytest.mark.parametrize("word", [*TECHNICAL, *REJECTED, *FAILED, *RESERVED])
def test_a_failed_deposit_ends_in_the_words_code(order_of, word):
    data = {"depositId": order_of().reference, "status": "FAILED", "failureReason": {"failureCode": word}}
    outcome = read_check(Answer(200, json.dumps({"status": "FOUND", "data": data}).encode()), order_of())
    assert outcome == Refused(FAILURE_WORDS[word], word)


@pytest.mark.parametrize(("word", "status"), [(word, status) for word, (status, _) in TECHNICAL.items()])
def test_a_technical_word_on_start_is_our_fault_and_on_check_says_nothing(order_of, word, status):
    body = json.dumps({"failureReason": {"failureCode": word, "failureMessage": "…"}}).encode()
    assert read_start(Answer(status, body), order_of()) == Refused(Code.SERVICE_UNAVAILABLE, word)
    on_check = read_check(Answer(status, body), order_of())
    assert isinstance(on_check, Unknown)
    assert on_check.alert


def test_an_unknown_word_is_never_a_refusal(order_of):
    reason = {"failureCode": "SOMETHING_NEW"}
    rejected = json.dumps({"status": "REJECTED", "failureReason": reason}).encode()
    failed = json.dumps({"status": "FOUND", "data": {"status": "FAILED", "failureReason": reason}}).encode()
    for outcome in (
        read_start(Answer(200, rejected), order_of()),
        read_check(Answer(200, failed), order_of()),
    ):
        assert outcome == Unknown("unknown failure code: SOMETHING_NEW", alert=True)


def test_every_provider_of_the_guides_countries_is_routed_in_a_method_we_know():
    assert {route.provider for route in ROUTES.values()} == PROVIDERS
    assert set(ROUTES) <= set(METHODS)


def test_the_flows_and_decimals_are_those_of_the_document():
    assert {method for method, route in ROUTES.items() if route.flow is Flow.PAGE} == {"WAVECI", "WAVESN"}
    assert {method for method, route in ROUTES.items() if route.flow is Flow.CODE} == {"OMBF"}
    two_decimals = {"OMCD", "AIRTELCD", "OMCDUSD", "MPESACDUSD", "AIRTELCDUSD"}
    assert {method for method, route in ROUTES.items() if route.decimals == 2} == two_decimals


def test_the_rule_for_silence_is_the_documents_fifteen_minutes():
    assert PawaPay.silence.not_found_final_after_s == 900
    assert PawaPay.silence.code is Code.OPERATOR_UNAVAILABLE
