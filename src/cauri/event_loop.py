"""The event loop that everything of Cauri's runs on that serves or delivers."""

from __future__ import annotations

import socket
from typing import Any

import uvloop


class EventLoop(uvloop.Loop):
    """uvloop's, with connections over given sockets that close each descriptor once.

    uvloop 0.23 leaves the socket its descriptor where a TLS connection is reset as it begins: libuv closes it, and the socket closes the same
    number again when it is forgotten. By then it may be another connection's or the database's. aiohttp gives its sockets to the loop, so any
    shop or operator that resets connections could end the process (libuv aborts over a lost descriptor) or worse.
    """

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, *, sock: Any = None, **options: Any
    ) -> Any:
        """As uvloop's; a socket that is given is empty from here on, as if it were closed."""
        if isinstance(sock, socket.socket):
            sock = _Given(sock)
        return await super().create_connection(protocol_factory, host, port, sock=sock, **options)


class _Given:
    """What uvloop asks of a socket; with its number it gives away the descriptor, which is libuv's alone to close then."""

    def __init__(self, given: socket.socket) -> None:
        self._socket = given

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def fileno(self) -> int:
        return self._socket.detach()

    def detach(self) -> None:
        """Where connecting fails: the descriptor is closed, and the socket was empty before."""

    def close(self) -> None:
        """With the transport, likewise."""
