"""The answers, byte for byte: the table of contract section 3 over every code of section 6."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from cauri.clock import ManualClock
from cauri.domain.codes import Code, Kind
from cauri.domain.payment import Payment, PaymentRequest, PaymentStatus
from cauri.domain.phone import Phone
from cauri.domain.site import Site, SiteSettings
from cauri.wire.answers import ResponseIds, checked, created, refusal


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


SITE = Site(site_id="445160", name="Boutique")
WAITING = Payment(
    slot=1,
    site_id="445160",
    transaction_id="order-1",
    token="ab" * 17,
    amount=100,
    currency="XOF",
    created_at=at("2021-04-07 14:00:00"),
    expires_at=at("2021-04-07 14:30:00"),
    request=PaymentRequest(description="Deux pagnes", return_url="https://exemple.com/r", metadata="m"),
)
TRIED = replace(
    WAITING,
    attempts=1,
    method="FLOOZ",
    phone=Phone("CI", "225", "0102324373"),
    attempt_at=at("2021-04-07 14:05:00"),
)
PAID = replace(
    TRIED,
    status=PaymentStatus.PAID,
    code=Code.SUCCESS,
    operator_id="8210407187720",
    paid_at=at("2021-04-07 14:07:24") + 999,
    ended_at=at("2021-04-07 14:08:00"),
)
REFUSED = replace(
    TRIED, status=PaymentStatus.REFUSED, code=Code.PAYMENT_FAILED, ended_at=at("2021-12-30 23:59:59")
)


def data_of(payment: Payment, site: Site = SITE) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(checked(payment, site, "1617808789.7749"))
    return {**answer["data"], "code": answer["code"], "message": answer["message"]}


def test_created_is_as_the_guide_prints_it() -> None:
    assert created(WAITING, "https://pay.exemple.com/payment/" + WAITING.token, "1617808789.7749") == (
        b'{"code":"201","message":"CREATED","description":"Transaction created with success",'
        b'"data":{"payment_token":"'
        + b"ab" * 17
        + b'","payment_url":"https://pay.exemple.com/payment/'
        + b"ab" * 17
        + b'"},'
        b'"api_response_id":"1617808789.7749"}'
    )


def test_a_paid_check_is_as_the_contract_prints_it() -> None:
    assert checked(PAID, SITE, "1617808789.7749").decode() == (
        '{"code":"00","message":"SUCCES","api_response_id":"1617808789.7749","data":{"operator_id":"8210407187720",'
        '"payment_method":"FLOOZ","payment_date":"2021-04-07 14:07:24","phone_number":"0102324373","phone_prefix":"225",'
        '"amount":"100","currency":"XOF","status":"ACCEPTED","description":"Deux pagnes","metadata":"m",'
        '"fund_availability_date":"2021-04-09 00:00:00"}}'
    )


def test_a_refusal_has_no_data() -> None:
    assert refusal("608", "MINIMUM_REQUIRED_FIELDS", "« é »", "1.0001").decode() == (
        '{"code":"608","message":"MINIMUM_REQUIRED_FIELDS","description":"« é »","api_response_id":"1.0001"}'
    )


@pytest.mark.parametrize("code", [code for code in Code if code.kind is Kind.WAITING])
def test_a_waiting_check(code: Code) -> None:
    data = data_of(replace(TRIED, code=code))
    assert (data["code"], data["message"], data["status"]) == (
        code.number,
        code.message,
        "WAITING_FOR_CUSTOMER",
    )
    assert (data["operator_id"], data["payment_date"], data["fund_availability_date"]) == (None, "", None)
    assert (data["payment_method"], data["phone_number"], data["phone_prefix"]) == (
        "FLOOZ",
        "0102324373",
        "225",
    )


def test_before_any_attempt_method_and_phone_are_null() -> None:
    data = data_of(replace(WAITING, request=replace(WAITING.request, metadata=None)))
    assert [data[name] for name in ("payment_method", "phone_number", "phone_prefix", "metadata")] == [
        None
    ] * 4


@pytest.mark.parametrize("code", [code for code in Code if code.kind is Kind.REFUSED])
def test_a_refused_check(code: Code) -> None:
    data = data_of(replace(REFUSED, code=code))
    date = " " if code is Code.CANCELLED else "2021-04-07 14:05:00"
    assert (data["code"], data["message"], data["status"]) == (code.number, code.message, "REFUSED")
    assert (data["operator_id"], data["payment_date"]) == (None, date)
    assert data["fund_availability_date"] == "2022-01-01 00:00:00"


def test_a_cancelled_payment_without_attempt_has_one_space_for_its_date() -> None:
    ended = replace(WAITING, status=PaymentStatus.REFUSED, code=Code.CANCELLED, ended_at=WAITING.expires_at)
    assert data_of(ended)["payment_date"] == " "


@pytest.mark.parametrize(
    ("days", "date"), [(0, "2021-04-07 00:00:00"), (2, "2021-04-09 00:00:00"), (30, "2021-05-07 00:00:00")]
)
def test_funds_are_available_at_midnight_after_the_settlement_days(days: int, date: str) -> None:
    assert (
        data_of(replace(PAID, request=replace(PAID.request, settlement_days=days)))["fund_availability_date"]
        == date
    )


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        (SiteSettings(), Code.SUCCESS, "SUCCES"),
        (SiteSettings(success_word="SUCCESS"), Code.SUCCESS, "SUCCESS"),
        (SiteSettings(), Code.INSUFFICIENT_BALANCE, "INSUFFISENT_BALANCE"),
        (SiteSettings(wire_revision=2022), Code.INSUFFICIENT_BALANCE, "INSUFFICIENT_BALANCE"),
        (SiteSettings(success_word="SUCCESS", wire_revision=2022), Code.PAYMENT_FAILED, "PAYMENT_FAILED"),
    ],
)
def test_the_message_is_the_sites(settings: SiteSettings, code: Code, message: str) -> None:
    payment = PAID if code is Code.SUCCESS else replace(REFUSED, code=code)
    assert data_of(payment, replace(SITE, settings=settings))["message"] == message


def test_response_ids_are_unix_time_a_dot_and_four_digits() -> None:
    new_id = ResponseIds(ManualClock(1_617_808_789_077))
    ids = [new_id() for _ in range(10)]
    assert all(re.fullmatch(r"1617808789\.077\d", one) for one in ids)
    assert len(set(ids)) == 10
