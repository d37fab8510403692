"""Asking for a payment's status: every code, every era's answer, and nothing read as failure that is none."""

from datetime import datetime, timezone

import pytest

from cauri_shop import (
    IdempotencyMismatch,
    InvalidField,
    OutcomeUnknown,
    PaymentState,
    RequestRefused,
    TooManyRequests,
    UnknownPayment,
    UnreadableAnswer,
)

PAID, REFUSED, WAITING = PaymentState.PAID, PaymentState.REFUSED, PaymentState.WAITING
STATUS_TABLE = [
    ("00", "SUCCES", PAID),
    ("00", "SUCCESS", PAID),
    ("600", "PAYMENT_FAILED", REFUSED),
    ("602", "INSUFFISENT_BALANCE", REFUSED),
    ("602", "INSUFFICIENT_BALANCE", REFUSED),
    ("603", "SERVICE_UNAVAILABLE", REFUSED),
    ("604", "OTP_CODE_ERROR", REFUSED),
    ("606", "INCORRECT_SETTINGS", REFUSED),
    ("623", "WAITING_CUSTOMER_TO_VALIDATE", WAITING),
    ("627", "TRANSACTION_CANCEL", REFUSED),
    ("635", "ERROR_PHONE_NUMBER_NOT_FOUND", REFUSED),
    ("636", "ERROR_PHONE_NUMBER_NOT_SUPPORTED", REFUSED),
    ("641", "ERROR_AMOUNT_TOO_LOW", REFUSED),
    ("642", "ERROR_AMOUNT_TOO_HIGH", REFUSED),
    ("662", "WAITING_CUSTOMER_PAYMENT", WAITING),
    ("663", "WAITING_CUSTOMER_OTP_CODE", WAITING),
    ("664", "WAITING_CUSTOMER_PAYMENT_AT_OPERATOR_SIDE", WAITING),
    ("804", "OPERATOR_UNAVAILABLE", REFUSED),
    ("807", "DAILY_MAX_NUMBER_TRANSACTION_REACHED", REFUSED),
    ("808", "DAILY_MAX_AMOUNT_TRANSACTION_REACHED", REFUSED),
    ("809", "MONTHLY_MAX_AMOUNT_TRANSACTION_REACHED", REFUSED),
    ("810", "MONTHLY_MAX_NUMBER_TRANSACTION_REACHED", REFUSED),
    ("811", "WEEKLY_MAX_AMOUNT_TRANSACTION_REACHED", REFUSED),
    ("812", "WEEKLY_MAX_NUMBER_TRANSACTION_REACHED", REFUSED),
]


@pytest.mark.parametrize(("code", "message", "state"), STATUS_TABLE)
def test_every_code_of_the_status_table_has_its_state(check, gateway, answers, code, message, state):
    gateway.will_answer(200, answers.status(code, message))
    status = check("CMD-1")
    assert (status.state, status.code, status.message) == (state, code, message)


@pytest.mark.parametrize(
    ("code", "message", "state"),
    [
        ("00", "PAYMENT_FAILED", PAID),
        ("600", "SUCCES", REFUSED),
        (0, "SUCCES", PAID),
        ("0", "SUCCES", PAID),
        (602, "", REFUSED),
        (" 662 ", "SUCCES", WAITING),
        ("699", "SUCCES", PaymentState.UNKNOWN),
        ("201", "CREATED", PaymentState.UNKNOWN),
        ("SUCCES", "SUCCES", PaymentState.UNKNOWN),
    ],
)
def test_the_number_decides_whatever_the_word_and_a_strange_number_is_unknown(
    check, gateway, answers, code, message, state
):
    gateway.will_answer(200, answers.status(code, message, status="ACCEPTED"))
    assert check("CMD-1").state is state


@pytest.mark.parametrize(("code", "message", "state"), STATUS_TABLE)
def test_a_code_without_data_is_no_payments_status(check, gateway, answers, code, message, state):
    gateway.will_answer(400, answers.error(code, message))
    with pytest.raises(OutcomeUnknown):
        check("CMD-1")


@pytest.mark.parametrize("data", [None, [], "", "ACCEPTED"])
def test_data_that_is_no_object_is_no_data(check, gateway, answers, data):
    gateway.will_answer(200, {**answers.error("600", "PAYMENT_FAILED"), "data": data})
    with pytest.raises(OutcomeUnknown):
        check("CMD-1")


def test_a_whole_answer_is_typed(check, gateway, answers):
    gateway.will_answer(
        200,
        answers.status(
            "00", "SUCCES", operator_id="8210407187720", payment_method="FLOOZ", payment_date="2021-04-07 14:07:24",
            phone_number="0102324373", phone_prefix="225", amount="100", status="ACCEPTED", metadata="panier 7",
            fund_availability_date="2021-04-09 00:00:00",
        ),
    )  # fmt: skip
    status = check("CMD-1")
    assert status.payment_date == datetime(2021, 4, 7, 14, 7, 24, tzinfo=timezone.utc)
    assert status.fund_availability_date == datetime(2021, 4, 9, tzinfo=timezone.utc)
    assert (status.amount, status.currency, status.operator_id) == (100, "XOF", "8210407187720")
    assert (status.payment_method, status.phone_number, status.phone_prefix) == ("FLOOZ", "0102324373", "225")
    assert (status.status, status.metadata, status.description) == ("ACCEPTED", "panier 7", "Pagne")
    assert status.matches(amount=100, currency="XOF")
    assert not status.matches(amount=105, currency="XOF")
    assert not status.matches(amount=100, currency="XAF")
    assert "0102324373" not in repr(status)


def test_the_short_answers_of_2021_are_read_as_printed_in_the_guide(check, gateway):
    gateway.will_answer(
        200,
        {"code": "00", "message": "SUCCES", "api_response_id": "1617808789.7749",
         "data": {"operator_id": "8210407187720", "payment_method": "FLOOZ", "payment_date": "2021-04-07 14:07:24",
                  "phone_number": "0102324373", "phone_prefix": "225"}},
    )  # fmt: skip
    paid = check("CMD-1")
    assert (paid.state, paid.amount, paid.currency, paid.metadata) == (PAID, None, None, None)
    assert not paid.matches(amount=100, currency="XOF")
    gateway.will_answer(
        200,
        {"code": "600", "message": "PAYMENT_FAILED", "api_response_id": "1617808521.2503",
         "data": {"payment_method": "OM", "payment_date": "2021-04-07 15:07:24", "phone_number": "0749012966",
                  "phone_prefix": "225"}},
    )  # fmt: skip
    refused = check("CMD-1")
    assert (refused.state, refused.operator_id, refused.payment_method) == (REFUSED, None, "OM")


@pytest.mark.parametrize("blank", [None, "", " ", "0000-00-00 00:00:00", "demain", 17])
def test_blank_and_broken_dates_are_none(check, gateway, answers, blank):
    gateway.will_answer(200, answers.status("627", "TRANSACTION_CANCEL", payment_date=blank))
    assert check("CMD-1").payment_date is None


@pytest.mark.parametrize(
    ("sent", "read"), [("100", 100), (100, 100), (100.0, 100), ("100.00", 100), (None, None), ("", None)]
)
def test_amounts_are_whole(check, gateway, answers, sent, read):
    gateway.will_answer(200, answers.status("00", "SUCCES", amount=sent))
    assert check("CMD-1").amount == read


@pytest.mark.parametrize("amount", ["100.50", 99.5, "-100", "1e2", "cent", "١٠٠", True, [100], "1" * 30])
def test_an_amount_that_is_no_whole_number_makes_the_answer_unreadable(check, gateway, answers, amount):
    gateway.will_answer(200, answers.status("00", "SUCCES", amount=amount))
    with pytest.raises(UnreadableAnswer):
        check("CMD-1")


def test_a_payment_is_found_by_either_name(start, check, gateway):
    token = start().payment_token
    assert check("CMD-1").state is WAITING
    assert check(transaction_id="CMD-1").amount == 100
    assert check(payment_token=token).state is WAITING
    assert set(gateway.requests[-1][2]) == {"apikey", "site_id", "payment_token"}


def test_a_check_names_a_payment(check, gateway):
    with pytest.raises(InvalidField):
        check()
    assert gateway.requests == []


def test_an_unknown_payment_is_told_apart_from_a_wrong_path(check, gateway, answers):
    with pytest.raises(UnknownPayment):
        check("nobody")
    gateway.will_answer(404, answers.error("404", "NOT_FOUND"))
    with pytest.raises(RequestRefused) as caught:
        check("nobody")
    assert not isinstance(caught.value, UnknownPayment)


@pytest.mark.parametrize(("sent", "read"), [("7", 7), ("soon", None), (None, None)])
def test_a_limit_says_how_long_to_wait(check, gateway, answers, sent, read):
    gateway.will_answer(
        429, answers.error("429", "TOO_MANY_REQUEST"), **({"Retry_After": sent} if sent else {})
    )
    with pytest.raises(TooManyRequests) as caught:
        check("CMD-1")
    assert caught.value.retry_after == read


def test_a_mismatched_idempotency_key_has_its_own_error(start, gateway, answers):
    gateway.will_answer(409, answers.error("409", "IDEMPOTENCY_MISMATCH"))
    with pytest.raises(IdempotencyMismatch):
        start(idempotency_key="k")
