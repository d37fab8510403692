"""A second gateway over the database of a running one: what another process would be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from cauri.app import Gateway
from cauri.serving import Server, bound_socket, url_of
from tests.running import Running


@dataclass
class Second:
    gateway: Gateway
    url: str


@asynccontextmanager
async def second_gateway(running: Running, *, loops: bool = True, **settings: Any) -> AsyncIterator[Second]:
    """It shares database, operators and clock with ``running``; ``settings`` are its own. ``loops``: whether its loops run."""
    listener = bound_socket("127.0.0.1", 0)
    own = replace(running.sandbox.gateway.settings, public_url=url_of(listener), **settings)
    gateway = Gateway(own, running.clock)
    server = Server(gateway, listener)
    await server.start()
    if loops:
        await gateway.start()
    try:
        yield Second(gateway, own.public_url)
    finally:
        await server.stop()
        await gateway.stop()
