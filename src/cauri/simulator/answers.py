"""Answers as operators give them, and as networks spoil them."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cauri.simulator.agenda import Agenda
from cauri.simulator.stories import answer_delay_s

BODY_MAX = 65_536
NONSENSE = "<html><body>Bad gateway? 50% of {"


def json_answer(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


class Dropped(Response):
    """The connection ends without an answer: the client reads a reset or an early end, never a status.

    ASGI has no word for this. uvicorn's `receive` is a method of its request cycle, whose transport is cut;
    under another server a head that promises a byte which never comes makes the answer unreadable as well.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
        if hasattr(transport, "abort"):
            transport.abort()
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


async def spoiled(answer: str, normal: Response, failure: Response, agenda: Agenda) -> Response:
    """What the client gets instead of `normal` when the story says so; `failure` is the operator's 500."""
    if answer == "drop_after":
        return Dropped()
    if answer == "500":
        return failure
    if answer == "nonsense":
        return Response(NONSENSE, 200, media_type="text/html")
    if delay_s := answer_delay_s(answer):
        await agenda.sleep(delay_s)
    return normal


def sent_as_json(request: Request) -> bool:
    """Whether the request says that its body is JSON, as operators want it."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "application/json"


async def read_json_object(request: Request) -> dict[str, Any] | None:
    """The request's JSON object; None when it is anything else, too large, or not JSON at all."""
    body = await request.body()
    if len(body) > BODY_MAX:
        return None
    try:
        content = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


async def silence(request: Request, agenda: Agenda, seconds: float) -> Response:
    """No answer for so long by the clock, or until the client has left; then the connection ends."""
    waits = [asyncio.ensure_future(agenda.sleep(seconds)), asyncio.ensure_future(_left(request))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return Dropped()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
