"""Contract sections 3 and 6 through HTTP: every code, found by every name."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cauri.domain.codes import Code, Kind
from cauri.domain.payment import Change, Payment, PaymentStatus
from cauri.domain.phone import Phone
from cauri.domain.site import SiteSettings

from .conftest import Merchant, fresh, open_with_key

DATA_KEYS = [
    "operator_id",
    "payment_method",
    "payment_date",
    "phone_number",
    "phone_prefix",
    "amount",
    "currency",
    "status",
    "description",
    "metadata",
    "fund_availability_date",
]

# Contract section 6, copied: number, message, data.status.
STATUS_TABLE = [
    ("00", "SUCCES", "ACCEPTED"),
    ("600", "PAYMENT_FAILED", "REFUSED"),
    ("602", "INSUFFISENT_BALANCE", "REFUSED"),
    ("603", "SERVICE_UNAVAILABLE", "REFUSED"),
    ("604", "OTP_CODE_ERROR", "REFUSED"),
    ("606", "INCORRECT_SETTINGS", "REFUSED"),
    ("623", "WAITING_CUSTOMER_TO_VALIDATE", "WAITING_FOR_CUSTOMER"),
    ("627", "TRANSACTION_CANCEL", "REFUSED"),
    ("635", "ERROR_PHONE_NUMBER_NOT_FOUND", "REFUSED"),
    ("636", "ERROR_PHONE_NUMBER_NOT_SUPPORTED", "REFUSED"),
    ("641", "ERROR_AMOUNT_TOO_LOW", "REFUSED"),
    ("642", "ERROR_AMOUNT_TOO_HIGH", "REFUSED"),
    ("662", "WAITING_CUSTOMER_PAYMENT", "WAITING_FOR_CUSTOMER"),
    ("663", "WAITING_CUSTOMER_OTP_CODE", "WAITING_FOR_CUSTOMER"),
    ("664", "WAITING_CUSTOMER_PAYMENT_AT_OPERATOR_SIDE", "WAITING_FOR_CUSTOMER"),
    ("804", "OPERATOR_UNAVAILABLE", "REFUSED"),
    ("807", "DAILY_MAX_NUMBER_TRANSACTION_REACHED", "REFUSED"),
    ("808", "DAILY_MAX_AMOUNT_TRANSACTION_REACHED", "REFUSED"),
    ("809", "MONTHLY_MAX_AMOUNT_TRANSACTION_REACHED", "REFUSED"),
    ("810", "MONTHLY_MAX_NUMBER_TRANSACTION_REACHED", "REFUSED"),
    ("811", "WEEKLY_MAX_AMOUNT_TRANSACTION_REACHED", "REFUSED"),
    ("812", "WEEKLY_MAX_NUMBER_TRANSACTION_REACHED", "REFUSED"),
]

TRIED_AT = 1_617_804_444_000  # 2021-04-07 14:07:24 UTC
ENDED_AT = 1_617_804_500_000


def moved(payment: Payment, code: Code) -> Payment:
    """The payment after an attempt that left it with this code."""
    final = {
        Kind.PAID: PaymentStatus.PAID,
        Kind.REFUSED: PaymentStatus.REFUSED,
        Kind.WAITING: PaymentStatus.WAITING,
    }
    paid = code.kind is Kind.PAID
    return replace(
        payment,
        version=payment.version + 1,
        code=code,
        status=final[code.kind],
        method="FLOOZ",
        phone=Phone("CI", "225", "0102324373"),
        attempt_at=TRIED_AT,
        paid_at=TRIED_AT if paid else None,
        operator_id="8210407187720" if paid else None,
        ended_at=None if code.kind is Kind.WAITING else ENDED_AT,
    )


async def move(gateway: Any, merchant: Merchant, transaction_id: str, code: Code) -> None:
    before = await gateway.store.payment_by_transaction(merchant.site_id, transaction_id)
    change = Change(
        before=before, after=moved(before, code), event="test", at=TRIED_AT, move_id=fresh("move")
    )
    assert await gateway.store.apply(change)


def test_the_table_has_every_code() -> None:
    assert {number for number, _, _ in STATUS_TABLE} == {code.number for code in Code}


@pytest.mark.parametrize(("number", "message", "status"), STATUS_TABLE)
async def test_each_code_as_check_answers_it(
    gateway: Any, merchant: Merchant, number: str, message: str, status: str
) -> None:
    transaction_id, _ = await merchant.opened()
    await move(gateway, merchant, transaction_id, Code.of(number))
    answer = await merchant.check(transaction_id=transaction_id)
    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == ["code", "message", "api_response_id", "data"]
    assert list(body["data"]) == DATA_KEYS
    assert (body["code"], body["message"], body["data"]["status"]) == (number, message, status)
    assert body["data"] | {"operator_id": 0, "payment_date": 0, "fund_availability_date": 0} == {
        "operator_id": 0,
        "payment_method": "FLOOZ",
        "payment_date": 0,
        "phone_number": "0102324373",
        "phone_prefix": "225",
        "amount": "100",
        "currency": "XOF",
        "status": status,
        "description": "Deux pagnes",
        "metadata": None,
        "fund_availability_date": 0,
    }
    assert body["data"]["operator_id"] == ("8210407187720" if number == "00" else None)
    waiting = status == "WAITING_FOR_CUSTOMER"
    assert body["data"]["payment_date"] == (
        "" if waiting else " " if number == "627" else "2021-04-07 14:07:24"
    )
    assert body["data"]["fund_availability_date"] == (None if waiting else "2021-04-09 00:00:00")


async def test_a_new_payment_waits_with_nothing_of_an_attempt(merchant: Merchant) -> None:
    transaction_id, _ = await merchant.opened()
    body = (await merchant.check(transaction_id=transaction_id)).json()
    assert (body["code"], body["message"]) == ("662", "WAITING_CUSTOMER_PAYMENT")
    assert body["data"] == {
        "operator_id": None,
        "payment_method": None,
        "payment_date": "",
        "phone_number": None,
        "phone_prefix": None,
        "amount": "100",
        "currency": "XOF",
        "status": "WAITING_FOR_CUSTOMER",
        "description": "Deux pagnes",
        "metadata": None,
        "fund_availability_date": None,
    }


@pytest.mark.parametrize(
    ("settings", "number", "message"),
    [
        (SiteSettings(success_word="SUCCESS"), "00", "SUCCESS"),
        (SiteSettings(wire_revision=2022), "602", "INSUFFICIENT_BALANCE"),
        (SiteSettings(wire_revision=2022), "00", "SUCCES"),
    ],
)
async def test_a_site_chooses_two_spellings(
    gateway: Any, site_with: Any, settings: SiteSettings, number: str, message: str
) -> None:
    merchant = await site_with(settings=settings)
    transaction_id, _ = await merchant.opened()
    await move(gateway, merchant, transaction_id, Code.of(number))
    assert (await merchant.check(transaction_id=transaction_id)).json()["message"] == message


async def test_a_payment_is_found_by_every_name(merchant: Merchant) -> None:
    transaction_id, token = await merchant.opened(description="this one")
    older, older_token = await merchant.opened(description="an older one")
    for names in (
        {"transaction_id": transaction_id},
        {"payment_token": token},
        {"token": token},
        {"transaction_id": transaction_id, "token": transaction_id},
        {"transaction_id": transaction_id, "payment_token": older_token},
        {"transaction_id": transaction_id, "token": older},
        {"transaction_id": fresh("unknown"), "payment_token": token},
        {"transaction_id": "", "payment_token": "", "token": token},
        {"payment_token": fresh("unknown"), "token": token},
    ):
        answer = await merchant.check(**names)
        assert answer.json()["data"]["description"] == "this one", names


async def test_no_name_is_too_strange_to_be_looked_up(merchant: Merchant) -> None:
    for name in ("x" * 60_000, "é\n", " ", "-1", "' OR 1=1 --", "00" * 17, "\U0001f4b8", "zz" * 17):
        for field in ("transaction_id", "payment_token", "token"):
            answer = await merchant.check(**{field: name})
            assert (answer.status_code, answer.json()["code"]) == (404, "404")


async def test_one_key_serves_all_its_sites(gateway: Any, site_with: Any) -> None:
    one, two = await site_with(), await site_with()
    await open_with_key(gateway, one.apikey, two.site_id)
    fields = one.fields(site_id=two.site_id)
    assert (await one.client.post("/v2/payment", json=fields)).status_code == 200
    assert (await two.check(transaction_id=fields["transaction_id"])).status_code == 200
    assert (await one.check(transaction_id=fields["transaction_id"])).status_code == 404
