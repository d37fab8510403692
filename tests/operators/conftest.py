"""Fixtures of the connectors' tests: a scripted operator, an address where nobody listens, orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from scripted_operator import PHONES, REFERENCE, ScriptedOperator
from scripted_paths import OperatorByPath

from cauri.domain.methods import METHODS
from cauri.operators.base import Order


@pytest.fixture
async def operator() -> AsyncIterator[ScriptedOperator]:
    scripted = ScriptedOperator()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield scripted
    server.close()
    await server.wait_closed()


@pytest.fixture
async def operator_by_path() -> AsyncIterator[OperatorByPath]:
    scripted = OperatorByPath()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield scripted
    server.close()
    await server.wait_closed()


@pytest.fixture
async def refused_port() -> str:
    """An address where nobody listens: a port that was free a moment ago."""
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def order_of() -> Callable[..., Order]:
    def make(method: str = "OM", **changes: Any) -> Order:
        known = METHODS[method]
        fields: dict[str, Any] = {
            "reference": REFERENCE,
            "method": known,
            "phone": PHONES[known.country],
            "amount": 1500,
            "currency": known.currency,
            "sent_at": 1_790_000_000_000,
            "description": "Commande n°42 : café & thé glacé",
            "page_url": "http://127.0.0.1:8080/payment/abc",
        }
        return Order(**{**fields, **changes})

    return make
