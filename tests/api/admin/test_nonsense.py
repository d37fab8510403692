"""Every admin door with nonsense: an answer in the envelope that names the field, never a 5xx, never anything done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from cauri.api.admin.refusals import KINDS
from cauri.domain.admin import SCOPES
from cauri.keys import SANDBOX_ADMIN_TOKEN
from tests.running import Running

from .conftest import Admin, code_of, fields_of

pytestmark = pytest.mark.in_turn


DELIVERIES = [
    ("site=", None),
    ("site=%20", {"site"}),
    ("site=" + "x" * 65, {"site"}),
    ("site=%00", {"site"}),
    ("limit=0", {"limit"}),
    ("limit=201", {"limit"}),
    ("limit=99999999999999999999999", {"limit"}),
    ("limit=1.5", {"limit"}),
    ("limit=ten", {"limit"}),
    ("limit=1&limit=2", {"limit"}),
    ("status=paid", {"status"}),
    ("since=yesterday", {"since"}),
    ("since=2026-13-01", {"since"}),
    ("since=0001-01-01", {"since"}),
    ("since=9999-12-31T23:59:59%2B00:00", {"since"}),
    ("until=9999-12-31T23:59:59%2B00:00", None),
    ("status=parked", {"status"}),
    ("since=99999999999d", {"since"}),
    ("since=0h", {"since"}),
    ("until=2026-02-30", {"until"}),
    ("cursor=x", {"cursor"}),
    ("cursor=AAAA", {"cursor"}),
    ("cursor=" + "A" * 1001, {"cursor"}),
    ("cursor=WzEsMl0", {"cursor"}),  # [1,2]
    ("cursor=WzEsIlx1MDAwMCJd", {"cursor"}),  # [1,"\u0000"]
    ("cursor=Wy0xLCIiXQ", {"cursor"}),  # [-1,""]
    ("cursor=WzFlMzAsIiJd", {"cursor"}),  # [1e30,""]
    ("sites=1", {"sites"}),
    ("sitee=1&limitt=2&limit=x", {"sitee", "limitt", "limit"}),
]


@pytest.mark.parametrize(("query", "faulty"), DELIVERIES)
async def test_a_list_is_asked_nonsense(query: str, faulty: set[str] | None, admin: Admin) -> None:
    answer = await admin.get(f"/deliveries?{query}")
    if faulty is None:
        assert answer.status_code == 200
    else:
        assert fields_of(answer) == faulty


@pytest.mark.parametrize(
    "query", ["a=%ff", "a=%c3%28", "&".join(f"p{n}=1" for n in range(60)), "a=" + "x" * 9000]
)
async def test_a_query_that_cannot_be_read(query: str, admin: Admin) -> None:
    assert code_of(await admin.get(f"/deliveries?{query}")) == (400, "invalid_request")


BODIES = [
    pytest.param(b"", 400, id="nothing"),
    pytest.param(b"{", 400, id="half of it"),
    pytest.param(b"[]", 400, id="a list"),
    pytest.param(b"null", 400, id="null"),
    pytest.param(b'"text"', 400, id="a text"),
    pytest.param(b"\xff\xfe", 400, id="no UTF-8"),
    pytest.param(b"[" * 60_000, 400, id="very deep"),
    pytest.param(b'{"site": 1, "transaction_id": "T"}', 400, id="a number for a text"),
    pytest.param(b'{"site": null, "transaction_id": "T"}', 400, id="null for a text"),
    pytest.param(b'{"site": "1"}', 400, id="a field missing"),
    pytest.param(b'{"site": "1", "transaction_id": "T", "also": 1}', 400, id="a field too many"),
    pytest.param(b'{"site": "1", "transaction_id": "\\u0000"}', 400, id="U+0000"),
    pytest.param(b'{"site": "1", "transaction_id": "\\ud800"}', 400, id="half a character"),
    pytest.param(b'{"site": "1", "transaction_id": "' + b"x" * 101 + b'"}', 400, id="too long"),
    pytest.param(b'{"site": "' + b"x" * 70_000 + b'"}', 413, id="more than 64 KiB"),
]


@pytest.mark.parametrize(("body", "status"), BODIES)
async def test_a_body_that_is_nonsense(body: bytes, status: int, admin: Admin) -> None:
    headers = {**admin.headers, "content-type": "application/json"}
    answer = await admin.client.post(
        f"{admin.running.url}/admin/deliveries/replay", content=body, headers=headers
    )
    assert code_of(answer)[0] == status


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonp"]
)
async def test_a_body_of_another_kind(content_type: str, admin: Admin) -> None:
    answer = await admin.client.post(
        f"{admin.running.url}/admin/deliveries/replay",
        content=b'{"site":"1","transaction_id":"2"}',
        headers={**admin.headers, "content-type": content_type},
    )
    assert code_of(answer) == (415, "unsupported_media_type")


PATHS = [
    "/",
    "/nix",
    "/deliveries/",
    "/deliveries/a/b",
    "//deliveries",
    "/sites//notifications/x/y",
    "/%ff",
    "/sites/%2F%2F",
    "/%0A/x",
]


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_is_none(path: str, admin: Admin) -> None:
    assert code_of(await admin.get(path))[0] in (404, 400)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_another_method(method: str, admin: Admin) -> None:
    answer = await admin.client.request(method, f"{admin.running.url}/admin/audit", headers=admin.headers)
    assert code_of(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


async def test_head_is_as_get(admin: Admin) -> None:
    answer = await admin.client.head(f"{admin.running.url}/admin/deliveries", headers=admin.headers)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_no_page_of_another_origin_can_read_an_answer(admin: Admin) -> None:
    answer = await admin.client.get(
        f"{admin.running.url}/admin/deliveries", headers={**admin.headers, "origin": "https://evil.example"}
    )
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
def run_beside() -> Any:
    """The gateway runs in this thread's loop: these tests call it from another."""
    return asyncio.to_thread


async def _document(gateway: Running) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        found = (await client.get(f"{gateway.url}/admin/openapi.json")).json()
    assert isinstance(found, dict)
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


async def test_the_document_is_whole(gateway: Running) -> None:
    made = await _document(gateway)
    assert made["openapi"] == "3.1.0"
    for schema in made["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert set(_references(made)) <= {
        f"#/components/schemas/{name}" for name in made["components"]["schemas"]
    }
    operations = [verb for verbs in made["paths"].values() for verb in verbs.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    assert {scope for each in operations for way in each["security"] for scope in way["token"]} <= set(SCOPES)
    assert [
        kind.code for kind in KINDS if f"| {kind.code} |" not in repr(made["paths"]).replace("\\n", "\n")
    ] == []


async def test_its_page_is_whole_and_asks_nobody_else(gateway: Running) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        answer = await client.get(f"{gateway.url}/admin/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    for path in (await _document(gateway))["paths"]:
        assert path in answer.text
    for scope in SCOPES:
        assert scope in answer.text


load_all_checks()
KEPT_PROMISES = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
async def test_generated_requests_get_documented_answers(
    gateway: Running, mode: schemathesis.GenerationMode, run_beside: Any
) -> None:
    schema = schemathesis.openapi.from_dict(await _document(gateway))
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 15

    def ask_all() -> None:
        for operation in operations:
            _ask(operation, gateway, mode)

    await run_beside(ask_all)


def _ask(operation: Any, gateway: Running, mode: schemathesis.GenerationMode) -> None:
    try:
        strategy = operation.as_strategy(generation_mode=mode)
        strategy.validate()
    except Exception:
        return  # a door without parameters cannot be asked wrongly

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(strategy)
    def ask(case: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {SANDBOX_ADMIN_TOKEN}"}
        if isinstance(case.query, dict):
            case.query.pop("wait", None)
        if isinstance(case.body, dict) and "url" in case.body:
            case.body["url"] = "http://127.0.0.1:9/"
        case.call_and_validate(base_url=gateway.url, checks=KEPT_PROMISES)

    ask()


async def test_any_bytes_at_any_door(gateway: Running, run_beside: Any) -> None:
    paths = [
        path.replace("{site}", gateway.site_id).replace("{transaction_id}", "T").replace("{id}", "0")
        for path, verbs in (await _document(gateway))["paths"].items()
        if "post" in verbs
    ]

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.sampled_from(paths), st.binary(max_size=200))
    def any_bytes(path: str, body: bytes) -> None:
        answer = httpx.post(
            gateway.url + path,
            content=body,
            headers={"Authorization": f"Bearer {SANDBOX_ADMIN_TOKEN}", "Content-Type": "application/json"},
            trust_env=False,
            timeout=30,
        )
        assert code_of(answer)[0] in (400, 404)

    await run_beside(any_bytes)
