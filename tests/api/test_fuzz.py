"""Nonsense of every kind: never a 5xx, never an answer without its envelope."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PATHS = st.sampled_from(["/v2/payment", "/v2/payment/check"])
TYPES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
FIELDS = st.sampled_from(
    [
        "transaction_id",
        "amount",
        "currency",
        "description",
        "return_url",
        "notify_url",
        "channels",
        "lang",
        "metadata",
        "invoice_data",
        "lock_phone_number",
        "customer_phone_number",
        "customer_id",
        "customer_country",
        "token",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text()
    | st.sampled_from(["1e999", "100.0", "XOF", "https://exemple.com", "MOBILE_MONEY,", "\0", "[", "{}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture
def door(gateway: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=30, trust_env=False, verify=False) as door:
        yield door


@pytest.fixture
def run_beside(gateway: Any) -> Any:
    """The gateway runs in this process: these tests call it from another thread, so that its loop can answer."""

    async def run(work: Any) -> None:
        await asyncio.to_thread(work)

    return run


def is_enveloped(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    body = answer.json()
    assert {"code", "message", "api_response_id"} <= set(body)
    assert ("data" in body) == (answer.status_code == 200)


async def test_any_bytes(door: httpx.Client, run_beside: Any) -> None:
    @QUICK
    @given(PATHS, TYPES, st.binary(max_size=300))
    def any_bytes(path: str, content_type: str, body: bytes) -> None:
        answer = door.post(path, content=body, headers={"content-type": content_type})
        is_enveloped(answer)
        assert answer.status_code == 400

    await run_beside(any_bytes)


async def test_any_values_in_any_fields(gateway: Any, door: httpx.Client, run_beside: Any) -> None:
    @QUICK
    @given(PATHS, st.dictionaries(FIELDS, VALUES, max_size=6))
    def any_values(path: str, changes: dict[str, Any]) -> None:
        good = {"amount": 100, "currency": "XOF", "description": "d", "return_url": "https://exemple.com/r"}
        fields = {
            **good,
            "transaction_id": "fuzz",
            **changes,
            "apikey": gateway.apikey,
            "site_id": gateway.site_id,
        }
        body = json.dumps(fields).encode()
        is_enveloped(door.post(path, content=body, headers={"content-type": "application/json"}))

    await run_beside(any_values)


async def test_any_form(gateway: Any, door: httpx.Client, run_beside: Any) -> None:
    @QUICK
    @given(
        PATHS,
        st.dictionaries(FIELDS | st.text(), st.text(st.characters(exclude_categories=["Cs"])), max_size=6),
    )
    def any_form(path: str, changes: dict[str, str]) -> None:
        names = {name.encode("utf-8", "replace").decode(): value for name, value in changes.items()}
        fields = {**names, "apikey": gateway.apikey, "site_id": gateway.site_id}
        is_enveloped(door.post(path, data=fields))

    await run_beside(any_form)


async def test_any_headers(gateway: Any, door: httpx.Client, run_beside: Any) -> None:
    text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60).map(str.strip)

    @QUICK
    @given(text, text, text)
    def any_headers(content_type: str, language: str, key: str) -> None:
        headers = {"content-type": content_type, "accept-language": language, "idempotency-key": key}
        answer = door.post("/v2/payment", content=b"{}", headers=headers)
        is_enveloped(answer)
        assert answer.status_code in (400, 403)

    await run_beside(any_headers)
