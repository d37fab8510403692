"""Operators' callbacks and the health: the two doors that are nobody's payment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from cauri.api.routes import build
from cauri.domain.errors import StoreUnavailable

from .conftest import serving


class Heard(list[tuple[str, dict[str, str], bytes]]):
    """What reached the engine; ``nonsense`` is no callback of any connector."""

    async def hear(self, name: str, headers: dict[str, str], body: bytes, path: str = "") -> bool:
        self.append((name, headers, body))
        return body != b"nonsense"


@pytest.fixture
def heard(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> Heard:
    heard = Heard()
    monkeypatch.setattr(gateway.lifecycle, "hear", heard.hear)
    return heard


@pytest_asyncio.fixture
async def operator(gateway: Any, heard: Heard) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=build(gateway.lifecycle, gateway.url, ("somebody",)).routes)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client:
        yield client


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_callback_reaches_the_engine_as_it_came(
    operator: httpx.AsyncClient, heard: Heard, method: str
) -> None:
    answer = await operator.request(
        method, "/operators/somebody/callback", content=b"\xff{}", headers={"X-Sign": "abc"}
    )
    assert answer.status_code == 200
    [(name, headers, body)] = heard
    assert (name, headers["x-sign"], body) == ("somebody", "abc", b"\xff{}")


async def test_no_such_connector_is_404(operator: httpx.AsyncClient, heard: Heard) -> None:
    assert (await operator.post("/operators/nobody/callback", content=b"{}")).status_code == 404
    assert heard == []


async def test_what_is_no_callback_is_400(operator: httpx.AsyncClient) -> None:
    assert (await operator.post("/operators/somebody/callback", content=b"nonsense")).status_code == 400


async def test_a_callback_over_64_kib_is_413(operator: httpx.AsyncClient, heard: Heard) -> None:
    assert (await operator.post("/operators/somebody/callback", content=b"x" * 65_537)).status_code == 413

    async def chunks() -> Any:
        for _ in range(70):
            yield b"x" * 1_024

    assert (await operator.post("/operators/somebody/callback", content=chunks())).status_code == 413
    assert heard == []


async def test_when_storage_is_down_the_operator_should_try_again(
    gateway: Any, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: Any) -> bool:
        raise StoreUnavailable("down")

    monkeypatch.setattr(gateway.lifecycle, "hear", down)
    answer = await operator.post("/operators/somebody/callback", content=b"{}")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_a_get_is_no_callback(operator: httpx.AsyncClient, heard: Heard) -> None:
    assert (await operator.get("/operators/somebody/callback")).status_code == 405
    assert heard == []


async def test_healthy(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("trouble", ["raises", "says no"])
async def test_not_healthy_when_the_store_does_not_answer(
    gateway: Any, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    async def ready() -> bool:
        if trouble == "raises":
            raise StoreUnavailable("down")
        return False

    monkeypatch.setattr(gateway.store, "ready", ready)
    assert (await client.get("/healthz")).status_code == 503
