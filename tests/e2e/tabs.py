"""Chromium, a shop's return page on another origin, and a tab that remembers what the browser complained about."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from playwright.async_api import Browser, Page, TimeoutError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
PHONE, DESK = (360, 640), (1280, 800)
WAIT_MS = 20_000
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@dataclass
class Receiver:
    """The shop's return page. It answers the return with one redirect inside its own origin."""

    url: str = ""
    received: list[dict[str, str]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> Response:
        form = await request.form()
        self.received.append({**{key: str(value) for key, value in form.items()}, **request.query_params})
        self.arrived.set()
        return RedirectResponse("/thanks", 303)

    async def thank(self, _: Request) -> Response:
        return HTMLResponse("<!doctype html><title>Shop</title><h1 id=thanks>Thank you</h1>")


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The app under uvicorn on a free port; gives its URL."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Tab:
    """One browser tab. ``complaints``: policy violations and script errors; ``hosts``: everything it asked for."""

    page: Page
    name: str
    script: bool = True
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    shot_count: int = 0

    def listen(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _hear(self, message: Any) -> None:
        if "Content Security Policy" in message.text or "Refused to" in message.text:
            self.complaints.append(message.text)

    async def on(self, name: str) -> None:
        """Waits until this page of the payment is shown."""
        await self.sees(f"main[data-page={name}]")

    async def sees(self, selector: str) -> None:
        """Waits for an element. Without script a customer presses reload, quicker than the page's own refresh."""
        if self.script:
            await self.page.wait_for_selector(selector, timeout=WAIT_MS)
            return
        for _ in range(40):
            with contextlib.suppress(TimeoutError):
                await self.page.wait_for_selector(selector, timeout=500)
                return
            await self.page.reload()
        raise AssertionError(f"{selector} never came")

    async def shot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.shot_count += 1
        path = SCREENSHOTS / f"{self.name}-{self.shot_count:02d}-{name}.png"
        await self.page.screenshot(path=str(path), full_page=True)

    async def press(self, form: str) -> None:
        await self.page.click(f"form[data-form={form}] button")


@asynccontextmanager
async def tab_of(browser: Browser, name: str, size: tuple[int, int], script: bool) -> AsyncIterator[Tab]:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, java_script_enabled=script, locale="de-DE"
    )
    try:
        tab = Tab(await context.new_page(), name, script)
        tab.listen()
        yield tab
        assert tab.complaints == []
    finally:
        await context.close()
