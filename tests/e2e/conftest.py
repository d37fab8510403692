"""Chromium, a shop on the running gateway, and its return page on another origin."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, async_playwright
from starlette.applications import Starlette
from starlette.routing import Route

from ..checkout.visitors import Shop
from .tabs import ARGUMENTS, CHROMIUM, Receiver, served


@pytest.fixture(params=["sqlite"], scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """One engine is enough here: tests/checkout shows the same pages on both, and browsers are slow."""
    return str(request.param)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        message = f"no Chromium at {CHROMIUM}: install it or name it in the variable CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest.fixture
async def shop(gateway: Any) -> AsyncIterator[Shop]:
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        yield Shop(gateway, client)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    taker = Receiver()
    routes = [Route("/return", taker.take, methods=["POST"]), Route("/thanks", taker.thank)]
    async with served(Starlette(routes=routes)) as url:
        taker.url = url
        yield taker
