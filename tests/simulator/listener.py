"""A listener that keeps requests as they came over the wire: headers and raw body."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web


@dataclass
class Heard:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Listener:
    """Answers 200, or what `answers` holds next."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = []
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        await self._heard.put(Heard(request.method, str(request.url), headers, await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def next(self) -> Heard:
        return await asyncio.wait_for(self._heard.get(), 5)

    def waiting(self) -> int:
        return self._heard.qsize()


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listener.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield listener
    finally:
        await runner.cleanup()
