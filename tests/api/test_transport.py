"""Contract section 1: content types, trailing commas, headers, keys, slashes, browsers; and sections 1 to 2 as a good answer."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from .conftest import Merchant, fresh


def raw(fields: dict[str, Any], comma: str = "") -> bytes:
    return json.dumps(fields)[:-1].encode() + comma.encode() + b"}"


async def test_created_is_200_with_the_contracts_keys_in_order(merchant: Merchant, gateway: Any) -> None:
    answer = await merchant.open()
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(body) == ["code", "message", "description", "data", "api_response_id"]
    assert (body["code"], body["message"]) == ("201", "CREATED")
    assert body["description"] == "Transaction created with success"
    assert list(body["data"]) == ["payment_token", "payment_url"]
    assert re.fullmatch(r"[0-9a-f]{32,}", body["data"]["payment_token"])
    assert body["data"]["payment_url"].endswith("/payment/" + body["data"]["payment_token"])
    assert re.fullmatch(r"\d{10}\.\d{4}", body["api_response_id"])


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=ISO-8859-1", "APPLICATION/JSON"]
)
async def test_json_in_any_case_with_any_parameters(merchant: Merchant, content_type: str) -> None:
    answer = await merchant.client.post(
        "/v2/payment", content=raw(merchant.fields()), headers={"content-type": content_type}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("comma", [",", " , ", ",\r\n        \r\n    ", "\t,\n"])
async def test_a_trailing_comma_is_tolerated_on_both_endpoints(merchant: Merchant, comma: str) -> None:
    fields = merchant.fields(description="a,} b,]")
    headers = {"content-type": "application/json"}
    opened = await merchant.client.post("/v2/payment", content=raw(fields, comma), headers=headers)
    asked = {name: fields[name] for name in ("apikey", "site_id", "transaction_id")}
    checked = await merchant.client.post("/v2/payment/check", content=raw(asked, comma), headers=headers)
    assert (opened.status_code, checked.status_code) == (200, 200)
    assert checked.json()["data"]["description"] == "a,} b,]"


async def test_both_endpoints_take_forms(merchant: Merchant) -> None:
    fields = merchant.fields(
        description="Café crème", **{"invoice_data[Table]": "4", "lock_phone_number": "FALSE"}
    )
    opened = await merchant.client.post("/v2/payment", data=fields)
    asked = {name: fields[name] for name in ("apikey", "site_id", "transaction_id")}
    checked = await merchant.client.post("/v2/payment/check", data=asked)
    assert (opened.status_code, checked.status_code) == (200, 200)
    assert checked.json()["data"]["description"] == "Café crème"


async def test_numbers_and_texts_are_the_same(merchant: Merchant) -> None:
    number = int(fresh("7").replace("-", ""), 16)
    for fields in (
        merchant.fields(transaction_id=number, amount="100"),
        merchant.fields(amount=100.0),
        merchant.fields(amount="100.00"),
    ):
        assert (await merchant.client.post("/v2/payment", json=fields)).status_code == 200
    assert (await merchant.check(transaction_id=str(number))).status_code == 200
    assert (await merchant.check(transaction_id=number)).status_code == 200


async def test_the_other_spelling_of_apikey(merchant: Merchant) -> None:
    fields = merchant.fields()
    fields["apiKey"] = fields.pop("apikey")
    assert (await merchant.client.post("/v2/payment", json=fields)).status_code == 200


async def test_other_fields_and_the_authorization_header_are_ignored(merchant: Merchant) -> None:
    answer = await merchant.open(
        {"authorization": "Bearer nonsense"}, alternative_currency="EUR", anything={"x": [1]}
    )
    assert answer.status_code == 200


async def test_no_user_agent_is_needed(gateway: Any, merchant: Merchant) -> None:
    body = raw(merchant.fields())
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v2/payment HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", ["//v2/payment/check", "/v2//payment/check", "///v2//payment///check"])
async def test_doubled_slashes_count_as_one(merchant: Merchant, path: str) -> None:
    transaction_id, _ = await merchant.opened()
    url = httpx.URL(str(merchant.client.base_url).rstrip("/")).copy_with(raw_path=path.encode())
    fields = {"apikey": merchant.apikey, "site_id": merchant.site_id, "transaction_id": transaction_id}
    answer = await merchant.client.post(url, json=fields)
    assert (answer.status_code, answer.json()["code"]) == (200, "662")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/v2/payment", "/v2/payment/check"])
async def test_other_methods_are_405_in_the_envelope(
    client: httpx.AsyncClient, path: str, method: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 405
    assert list(answer.json()) == ["code", "message", "description", "api_response_id"]
    assert answer.json()["code"] == "405"
    assert "POST" in answer.headers["allow"]


async def test_head_is_405_without_a_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/v2/payment")
    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize(
    "path", ["/v2", "/v2/", "/v2/payments", "/v2/payment/", "/v2/payment/check/x", "/v2/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_other_paths_are_404_in_the_envelope(client: httpx.AsyncClient, path: str, method: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 404
    assert list(answer.json()) == ["code", "message", "description", "api_response_id"]
    assert answer.json()["code"] == "404"


@pytest.mark.parametrize("path", ["/v2/payment", "/v2/payment/check"])
async def test_a_page_may_ask_first(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.options(
        path,
        headers={
            "origin": "https://boutique.exemple.com",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,idempotency-key,x-anything",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "content-type,idempotency-key,x-anything"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("wanted", [b"\x7f", b"\xff", b"", b"a\tb"])
async def test_a_strange_wish_is_not_sent_back(client: httpx.AsyncClient, wanted: bytes) -> None:
    answer = await client.options("/v2/payment", headers=[(b"access-control-request-headers", wanted)])
    assert answer.status_code == 204 if wanted == b"" else answer.status_code in (204, 400)
    assert answer.headers.get("access-control-allow-headers", "content-type, idempotency-key").isprintable()


async def test_any_origin_may_read_answers_and_errors(merchant: Merchant) -> None:
    origin = {"origin": "https://boutique.exemple.com"}
    answers = [
        await merchant.open(origin),
        await merchant.open(origin, amount="x"),
        await merchant.check(origin, token="x"),
        await merchant.client.get("/v2/payment", headers=origin),
        await merchant.client.post("/v2/nowhere", headers=origin),
        await merchant.client.post("/v2/payment", headers=origin, content=b"x" * 70_000),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 404, 405, 404, 413]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers


async def test_a_cookie_changes_nothing(merchant: Merchant) -> None:
    assert (await merchant.open({"cookie": "session=x; apikey=y"})).status_code == 200


async def test_every_optional_field_is_taken(merchant: Merchant) -> None:
    answer = await merchant.open(
        notify_url="http://127.0.0.1:9/notify",
        customer_name="Dje Bi",
        customer_surname="Jean-Marc",
        channels="MOBILE_MONEY,CREDIT_CARD",
        lang="EN",
        metadata={"panier": [1, 2]},
        invoice_data={"Facture": "F-12"},
        lock_phone_number="True",
        customer_phone_number="+2250102324373",
        customer_id="7",
        customer_email="awa@exemple.com",
        customer_address="Rue 12",
        customer_city="Abidjan",
        customer_country="CI",
        customer_state="CI",
        customer_zip_code="00225",
        alternative_currency="USD",
    )
    assert answer.status_code == 200


async def test_metadata_that_is_an_object_comes_back_as_its_compact_text(merchant: Merchant) -> None:
    transaction_id, _ = await merchant.opened(metadata={"panier": [1, 2.5], "é": None})
    answer = await merchant.check(transaction_id=transaction_id)
    assert answer.json()["data"]["metadata"] == '{"panier":[1,2.5],"é":null}'


async def test_a_body_that_never_ends_does_not_keep_anybody(gateway: Any, merchant: Merchant) -> None:
    host, port = gateway.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v2/payment HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
    )
    await writer.drain()
    writer.close()
    assert (await merchant.open()).status_code == 200


async def test_a_large_body_is_answered_before_it_is_sent(gateway: Any) -> None:
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v2/payment HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        b"Content-Length: 1000000\r\n\r\n"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_form_of_a_published_client_checks_by_token(merchant: Merchant) -> None:
    transaction_id, token = await merchant.opened()
    body = urlencode(
        {
            "apikey": merchant.apikey,
            "site_id": merchant.site_id,
            "transaction_id": transaction_id,
            "token": transaction_id,
        }
    )
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    assert (await merchant.client.post("/v2/payment/check", content=body, headers=headers)).status_code == 200
    assert (await merchant.check(token=token)).status_code == 200
