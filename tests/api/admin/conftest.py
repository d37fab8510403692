"""Somebody with an admin token at a gateway's doors, and deliveries to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cauri.clock import new_id
from cauri.domain.admin import SCOPES, AdminToken
from cauri.domain.payment import DeliveryRow, slot_of
from cauri.keys import hash_of, new_admin_token
from cauri.store import AdminRecords, Delivered
from tests.api.conftest import Merchant, client, log_lines, merchant, serving, site_with
from tests.lifecycle.conftest import receiver
from tests.running import Running

__all__ = ["client", "log_lines", "merchant", "receiver", "serving", "site_with"]


class Admin:
    """An admin token for one gateway. ``get`` and ``post`` take paths below ``/admin``."""

    def __init__(self, client: httpx.AsyncClient, running: Running) -> None:
        self.client = client
        self.running = running
        self.headers: dict[str, str] = {}

    async def given(self, *scopes: str, **fields: Any) -> Admin:
        """The same gateway with another token, of these scopes (none: all) and these fields."""
        secret, clock = new_admin_token(), self.running.clock
        token = AdminToken(
            token_hash=hash_of(secret),
            label=f"t-{new_id()[:12]}",
            **{"scopes": scopes or tuple(SCOPES), "sites": None, "created_at": clock.now(), **fields},
        )
        assert await AdminRecords(self.running.store.engine).add(token)
        other = Admin(self.client, self.running)
        other.headers = {"Authorization": f"Bearer {secret}"}
        other.label = token.label  # type: ignore[attr-defined]
        return other

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        return await self.client.get(
            f"{self.running.url}/admin{path}", params=parameters or None, headers=self.headers
        )

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.client.post(
            f"{self.running.url}/admin{path}", json=body, headers={**self.headers, **headers}
        )


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """HTTP status and the envelope's code."""
    body = answer.json()
    assert set(body) == {"error", "request_id"}
    assert set(body["error"]) <= {"code", "message", "fields"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"]


def fields_of(answer: httpx.Response) -> set[str]:
    assert code_of(answer) == (400, "invalid_request")
    return {each["field"] for each in answer.json()["error"]["fields"]}


@asynccontextmanager
async def admin_of(running: Running) -> AsyncIterator[Admin]:
    async with httpx.AsyncClient(timeout=40, trust_env=False, verify=False) as client:
        yield await Admin(client, running).given()


@pytest_asyncio.fixture
async def admin(gateway: Running) -> AsyncIterator[Admin]:
    """A token for everything, at the gateway that all tests of this engine share."""
    async with admin_of(gateway) as admin:
        yield admin


@pytest.fixture
def log_of(gateway: Running) -> Any:
    """``await log_of("T1", status=500, at=…)``: a delivery in the log of the test's own site."""

    async def write(transaction_id: str, *, at: int, status: int | None = 200, number: int = 1) -> None:
        row = DeliveryRow(
            at=at,
            number=number,
            version=2,
            code="00",
            url="https://shop.example/notify",
            status=status,
            duration_ms=7,
            answer="<h1>Oops</h1>",
            error=None if status == 200 else "the notify_url answered 500: it failed: see its error log",
            next_try_at=None,
        )
        slot = slot_of(gateway.site_id, transaction_id)
        await gateway.store.record_delivery(
            Delivered(
                slot=slot,
                token=f"{slot:02x}{new_id()}",
                site_id=gateway.site_id,
                transaction_id=transaction_id,
                claim="none",
                delivery_id=new_id(),
                delivered=status == 200,
                row=row,
            )
        )

    return write


__all__ += ["Merchant"]
