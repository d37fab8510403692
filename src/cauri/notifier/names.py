"""Looks up the hosts of notify_urls, in threads of their own.

The system's resolver blocks its thread for as long as a name server is silent, longer than a delivery waits. In the few threads that an
event loop has for everybody, a handful of dead shops would keep the other shops waiting, and the operators, whose names are asked there.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

# More than the unproven deliveries of half a minute by default: so long a lookup may go on that nobody waits for any more.
LOOKUPS_AT_ONCE = 256
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="names")


class SystemNames(AbstractResolver):
    """What the system says. Raises socket.gaierror."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return await asyncio.get_running_loop().run_in_executor(_threads, _found, host, port, family)

    async def close(self) -> None:
        """Nothing is held."""


def _found(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [
        ResolveResult(
            hostname=host,
            host=_in_digits(address),
            port=int(address[1]),
            family=kind,
            proto=protocol,
            flags=_NUMERIC,
        )
        for kind, _, protocol, _, address in found
    ]


def _in_digits(address: Any) -> str:
    """With its zone, where it is one of a link."""
    return socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
