"""The Idempotency-Key extension (contract section 8): the first answer again, or a clear refusal."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from .conftest import Merchant, fresh, open_with_key


def key(value: str) -> dict[str, str]:
    return {"idempotency-key": value}


async def test_same_key_and_same_body_give_the_first_answer(merchant: Merchant) -> None:
    header = key(fresh("key"))
    fields = merchant.fields(metadata={"a": 1, "b": 2})
    first = await merchant.client.post("/v2/payment", json=fields, headers=header)
    again = await merchant.client.post("/v2/payment", json=fields, headers=header)
    assert (first.status_code, again.status_code) == (200, 200)
    assert {**again.json(), "api_response_id": ""} == {**first.json(), "api_response_id": ""}


async def test_the_same_body_may_be_written_otherwise(merchant: Merchant) -> None:
    header = key(fresh("key")) | {"content-type": "application/json"}
    fields = merchant.fields(metadata={"a": 1, "b": 2})
    other = {**dict(reversed(fields.items())), "metadata": {"b": 2, "a": 1}}
    first = await merchant.client.post("/v2/payment", content=json.dumps(fields), headers=header)
    again = await merchant.client.post(
        "/v2/payment", content=json.dumps(other, indent=4)[:-2] + ",}", headers=header
    )
    assert again.json()["data"] == first.json()["data"]


async def test_another_apikey_of_the_site_is_still_the_same_body(gateway: Any, merchant: Merchant) -> None:
    rotated = fresh("apikey")
    await open_with_key(gateway, rotated, merchant.site_id)
    header, fields = key(fresh("key")), merchant.fields()
    first = await merchant.client.post("/v2/payment", json=fields, headers=header)
    again = await merchant.client.post("/v2/payment", json={**fields, "apikey": rotated}, headers=header)
    assert again.json()["data"] == first.json()["data"]


async def test_same_key_and_another_body_are_409(merchant: Merchant) -> None:
    header, fields = key(fresh("key")), merchant.fields()
    assert (await merchant.client.post("/v2/payment", json=fields, headers=header)).status_code == 200
    for changes in ({"amount": 105}, {"description": "Trois pagnes"}, {"unknown": 1}, {"amount": "100"}):
        answer = await merchant.client.post("/v2/payment", json={**fields, **changes}, headers=header)
        assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (
            409,
            "409",
            "IDEMPOTENCY_MISMATCH",
        )
        assert "data" not in answer.json()


async def test_another_key_or_none_is_620(merchant: Merchant) -> None:
    fields = merchant.fields()
    assert (
        await merchant.client.post("/v2/payment", json=fields, headers=key(fresh("key")))
    ).status_code == 200
    for headers in ({}, key(fresh("key"))):
        answer = await merchant.client.post("/v2/payment", json=fields, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "620")


async def test_a_key_that_came_too_late_is_620(merchant: Merchant) -> None:
    fields = merchant.fields()
    assert (await merchant.client.post("/v2/payment", json=fields)).status_code == 200
    answer = await merchant.client.post("/v2/payment", json=fields, headers=key(fresh("key")))
    assert answer.json()["code"] == "620"


async def test_one_key_may_name_several_payments(merchant: Merchant) -> None:
    header = key(fresh("key"))
    tokens = {(await merchant.open(header)).json()["data"]["payment_token"] for _ in range(3)}
    assert len(tokens) == 3


async def test_errors_are_not_replayed(merchant: Merchant) -> None:
    header, fields = key(fresh("key")), merchant.fields(amount=95)
    assert (await merchant.client.post("/v2/payment", json=fields, headers=header)).json()["code"] == "641"
    assert (
        await merchant.client.post("/v2/payment", json={**fields, "amount": 100}, headers=header)
    ).status_code == 200


async def test_twenty_at_once_open_one_payment(merchant: Merchant) -> None:
    header, fields = key(fresh("key")), merchant.fields()
    answers = await asyncio.gather(
        *(merchant.client.post("/v2/payment", json=fields, headers=header) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["data"]["payment_token"] for answer in answers}) == 1


async def test_twenty_at_once_without_a_key_open_one_payment(merchant: Merchant) -> None:
    fields = merchant.fields()
    answers = await asyncio.gather(*(merchant.client.post("/v2/payment", json=fields) for _ in range(20)))
    assert sorted(answer.json()["code"] for answer in answers) == ["201"] + ["620"] * 19


@pytest.mark.parametrize("value", ["", "x" * 256, "é", "a\tb"])
async def test_a_bad_key_is_named_and_nothing_is_opened(merchant: Merchant, value: str) -> None:
    fields = merchant.fields()
    headers = [(b"idempotency-key", value.encode("latin-1"))]
    answer = await merchant.client.post("/v2/payment", json=fields, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "608")
    assert "Idempotency-Key" in answer.json()["description"]
    assert (await merchant.check(transaction_id=fields["transaction_id"])).status_code == 404


async def test_the_header_means_nothing_to_check(merchant: Merchant) -> None:
    transaction_id, _ = await merchant.opened()
    assert (await merchant.check(key("x" * 300), transaction_id=transaction_id)).status_code == 200
