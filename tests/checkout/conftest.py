"""A shop on the running gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from .visitors import Shop


@pytest.fixture
async def shop(gateway: Any) -> AsyncIterator[Shop]:
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        yield Shop(gateway, client)
