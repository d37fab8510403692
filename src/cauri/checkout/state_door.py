"""``GET /payment/{token}/state?seen=VERSION&wait=20``: answers when the payment changes, or when the wait is over."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse

from cauri.lifecycle import Lifecycle

WAIT_MAX_S = 25.0
_WHOLE_MAX = 2**53
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}


class BadQuestion(ValueError):
    """``seen`` or ``wait`` is not a whole number that JavaScript could hold."""


async def answer_state(lifecycle: Lifecycle, request: Request) -> JSONResponse:
    """``{"version": 4, "status": "waiting"}``; status is waiting, paid or refused. Raises StoreUnavailable."""
    try:
        seen = _whole(request.query_params.get("seen", "0"))
        wait_s = _whole(request.query_params.get("wait", "0"))
    except BadQuestion:
        return _json({"error": "seen and wait must be whole numbers"}, 400)
    token = request.path_params["token"]
    await _changed(lifecycle, request, token, seen, min(max(wait_s, 0), WAIT_MAX_S))
    payment = await lifecycle.store.payment_by_token(token)
    if payment is None:
        return _json({"error": "unknown payment"}, 404)
    return _json({"version": payment.version, "status": payment.status.value}, 200)


async def _changed(lifecycle: Lifecycle, request: Request, token: str, seen: int, wait_s: float) -> None:
    """Waits for a newer version, the end of the wait, or the client's going away, whichever comes first."""
    change = asyncio.ensure_future(lifecycle.watch.changed(token, seen, wait_s))
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({change, gone}, return_when=asyncio.FIRST_COMPLETED)
        if change.done():
            change.result()
    finally:
        for task in (change, gone):
            task.cancel()
        await asyncio.gather(change, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _whole(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise BadQuestion(text) from None
    if abs(number) > _WHOLE_MAX:
        raise BadQuestion(text)
    return number


def _json(content: dict[str, object], status: int) -> JSONResponse:
    return JSONResponse(content, status, headers=_HEADERS)
