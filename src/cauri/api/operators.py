"""``POST /operators/{name}/callback``: where operators tell that something happened. A hint only: the operator is asked before anything moves."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cauri.api.asgi import Disconnected, read_capped, read_head
from cauri.api.errors import STORE_RETRY_AFTER_S
from cauri.domain.errors import BodyTooLarge, StoreUnavailable

if TYPE_CHECKING:
    from cauri.lifecycle import Lifecycle


class CallbackDoor:
    """``connectors``: the names that may stand in the path."""

    def __init__(self, lifecycle: Lifecycle, connectors: Collection[str]) -> None:
        self._lifecycle = lifecycle
        self._connectors = frozenset(connectors)

    async def __call__(self, request: Request) -> Response:
        """200 for every callback that can be read, known reference or not; 404, 400, 413 or 503 otherwise."""
        name = request.path_params["name"]
        if name not in self._connectors:
            return _said(404, "no connector has this name")
        headers = request.scope["headers"]
        try:
            body = await read_capped(request.receive, read_head(headers).content_length)
            path = request.path_params.get("path", "")
            known = await self._lifecycle.hear(name, _texts(headers), body, path)
        except BodyTooLarge:
            return _said(413, "a callback has at most 64 KiB")
        except StoreUnavailable:
            return _said(503, "try again later", {"Retry-After": str(STORE_RETRY_AFTER_S)})
        except Disconnected:
            return _said(400, "the body is incomplete")
        if not known:
            return _said(400, "this is not a callback of this connector")
        return _said(200, "received")


def _texts(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _said(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"status": words}, status, headers)
