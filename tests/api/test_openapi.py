"""The document: valid, complete, true to the answers; and its page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from cauri.api.errors import ROWS
from cauri.api.openapi import document

from .conftest import Merchant

DOCUMENT = document("http://127.0.0.1:8080")


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    )


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_it_is_openapi_3_1_and_every_schema_is_valid() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    named = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(references(DOCUMENT)) <= named


def test_every_error_of_the_table_is_in_it() -> None:
    texts = repr(DOCUMENT["paths"])
    assert [row.message for row in ROWS.values() if f"| {row.code} | {row.message} |" not in texts] == []


def test_the_idempotency_key_is_in_it() -> None:
    [header] = DOCUMENT["paths"]["/v2/payment"]["post"]["parameters"]
    assert (header["name"], header["in"], header["required"]) == ("Idempotency-Key", "header", False)


async def test_it_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["paths"] == DOCUMENT["paths"]


async def test_real_requests_and_answers_obey_it(merchant: Merchant) -> None:
    fields = merchant.fields(metadata=[1], channels="WALLET,CREDIT_CARD", invoice_data={"a": "b"})
    validator("PaymentFields").validate(fields)
    created = await merchant.client.post("/v2/payment", json=fields)
    validator("Created").validate(created.json())
    checked = await merchant.check(transaction_id=fields["transaction_id"])
    validator("Checked").validate(checked.json())
    for refused in (
        await merchant.open(amount="x"),
        await merchant.check(token="x"),
        await merchant.client.get("/v2/payment"),
    ):
        validator("Refusal").validate(refused.json())


async def test_the_page_is_whole_and_asks_nobody_else(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in page
    linked = re.findall(r"""(?:src|href|action|url)\s*[=(]\s*["']?([^"'\s>)]+)""", page)
    assert {link for link in linked if urlsplit(link).netloc} == set()
    for word in (
        "apikey",
        "Idempotency-Key",
        "INSUFFISENT_BALANCE",
        "ERROR_DOUBLE_PAYEMNT",
        "fund_availability_date",
    ):
        assert word in page


load_all_checks()
KEPT_PROMISES = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)


@pytest.mark.parametrize("path", ["/v2/payment", "/v2/payment/check"])
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
async def test_generated_requests_get_documented_answers(
    gateway: Any, path: str, mode: schemathesis.GenerationMode
) -> None:
    operation = schemathesis.openapi.from_dict(DOCUMENT)[path]["POST"]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if isinstance(case.body, dict):
            case.body = {**case.body, "apikey": gateway.apikey, "site_id": gateway.site_id}
        case.call_and_validate(base_url=gateway.url, checks=KEPT_PROMISES)

    # The gateway answers in this thread's loop, so that schemathesis calls it from another.
    await asyncio.to_thread(ask)
