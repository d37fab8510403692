"""A merchant at the gateway's door, and sites of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
import structlog

from cauri.api import doors
from cauri.domain.site import Site
from cauri.serving import Server, bound_socket, url_of

_numbers = count(1)


def fresh(word: str) -> str:
    """A name that nobody used before, in this run or another."""
    return f"{word}-{uuid4().hex[:12]}-{next(_numbers)}"


class Merchant:
    """One site with its key, calling one gateway."""

    def __init__(self, client: httpx.AsyncClient, apikey: str, site_id: str) -> None:
        self.client = client
        self.apikey = apikey
        self.site_id = site_id

    def fields(self, **changes: Any) -> dict[str, Any]:
        """A good request with these changes; a field set to None is left out."""
        good = {
            "apikey": self.apikey,
            "site_id": self.site_id,
            "transaction_id": fresh("order"),
            "amount": 100,
            "currency": "XOF",
            "description": "Deux pagnes",
            "return_url": "https://www.exemple.com/retour",
            "notify_url": None,
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    async def open(self, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        return await self.client.post("/v2/payment", json=self.fields(**changes), headers=headers)

    async def check(self, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        fields = {"apikey": self.apikey, "site_id": self.site_id, **changes}
        return await self.client.post("/v2/payment/check", json=fields, headers=headers)

    async def opened(self, **changes: Any) -> tuple[str, str]:
        """The transaction_id and the token of a new payment."""
        fields = self.fields(**changes)
        answer = await self.client.post("/v2/payment", json=fields)
        assert answer.status_code == 200, answer.text
        return fields["transaction_id"], answer.json()["data"]["payment_token"]


@pytest_asyncio.fixture
async def client(gateway: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.url, timeout=30, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def merchant(gateway: Any, client: httpx.AsyncClient) -> Merchant:
    return Merchant(client, gateway.apikey, gateway.site_id)


@pytest.fixture
def site_with(gateway: Any, client: httpx.AsyncClient) -> Any:
    """``await site_with(currencies=("XOF",))``: a merchant whose new site has these properties, and a key of its own."""

    async def make(**properties: Any) -> Merchant:
        site_id, apikey = fresh("site"), fresh("key")
        await gateway.store.add_site(Site(site_id=site_id, name="Boutique", **properties))
        await open_with_key(gateway, apikey, site_id)
        return Merchant(client, apikey, site_id)

    return make


async def open_with_key(gateway: Any, apikey: str, site_id: str) -> None:
    key_hash = sha256(apikey.encode()).hexdigest()
    await gateway.store.give_key(key_hash, site_id, label="test", now=gateway.clock.now())


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """The app as the gateway is served, on a free port; gives its URL."""
    listener = bound_socket("127.0.0.1", 0)
    server = Server(app, listener)
    await server.start()
    try:
        yield url_of(listener)
    finally:
        await server.stop()


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the merchants' door logs while the test runs."""
    lines: list[dict[str, Any]] = []

    def keep(_: Any, method: str, line: dict[str, Any]) -> str:
        lines.append({"level": method, **line})
        raise structlog.DropEvent

    monkeypatch.setattr(doors, "log", structlog.wrap_logger(structlog.ReturnLogger(), processors=[keep]))
    return lines
