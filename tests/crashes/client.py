"""A client of machines that are killed: whatever breaks its line is an httpx.HTTPError."""

from __future__ import annotations

import httpx


class _Transport(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """On uvloop a connection that is cut as it opens has no socket to look at, and httpcore looks at it."""
        try:
            return await super().handle_async_request(request)
        except AttributeError as error:
            if not str(error).endswith("'getpeername'"):
                raise
            raise httpx.ConnectError("cut as it opened", request=request) from error


def new_client(timeout_s: float) -> httpx.AsyncClient:
    limits = httpx.Limits(max_keepalive_connections=0)  # a line to a dead process is no use
    transport = _Transport(verify=False, trust_env=False, limits=limits)
    return httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeout_s)
