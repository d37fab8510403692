"""``GET /healthz``: whether this process can take a payment now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cauri.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from cauri.store import Store

PATIENCE_S = 3.0
_NEVER_KEPT = {"Cache-Control": "no-store"}


class Health:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, request: Request) -> Response:
        """200 when the store answers within PATIENCE_S, else 503."""
        if await self._ready():
            return JSONResponse({"status": "ok"}, 200, _NEVER_KEPT)
        return JSONResponse({"status": "the database does not answer"}, 503, _NEVER_KEPT)

    async def _ready(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._store.ready()
        except (StoreUnavailable, TimeoutError):
            return False
