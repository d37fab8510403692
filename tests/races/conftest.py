"""A shop on a gateway whose clock runs by itself, and one whose clock stands."""

from __future__ import annotations

import httpx
import pytest

from tests.lifecycle.conftest import client, receiver, timed_gateway
from tests.lifecycle.shopping import Shop
from tests.notifier.receiver import Receiver
from tests.running import Running

__all__ = ["client", "receiver", "timed_gateway"]


@pytest.fixture
def shop(gateway: Running, receiver: Receiver, client: httpx.AsyncClient) -> Shop:
    return Shop(gateway, receiver, client)


@pytest.fixture
async def timed_shop(timed_gateway: Running, receiver: Receiver, client: httpx.AsyncClient) -> Shop:
    return Shop(await timed_gateway.new_site(), receiver, client)
