"""Serving over HTTP: sockets, uvicorn, and the lock that keeps a second process from an SQLite file."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import gc
import signal
import socket
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import uvicorn

from cauri.api.h2c import H2cSafeProtocol

GRACE_S = 10


def bound_socket(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError naming the address.

    The protocol is named, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        why = (error.strerror if isinstance(error, OSError) else None) or "a port is a number from 0 to 65535"
        raise OSError(errno.EADDRNOTAVAIL, f"cannot listen on {host}:{port}: {why}") from None
    listener.listen(2048)
    return listener


def address_of(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()[:2]
    return str(host), int(port)


def url_of(listener: socket.socket) -> str:
    """Where this machine reaches the socket."""
    host, port = address_of(listener)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}"


def stop_signal() -> asyncio.Event:
    """Set by SIGINT and SIGTERM; made before anything starts, so that a signal at any moment ends in an orderly stop."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


def spare_what_stays() -> None:
    """What start-up has made is no garbage: looking through it again and again costs a tenth of the rate (docs/benchmarks.md)."""
    gc.collect()
    gc.freeze()


class Server:
    """An ASGI application on a socket, in the running event loop. ``lifespan``: whether the application has one."""

    def __init__(self, application: Any, listener: socket.socket, *, lifespan: bool = False) -> None:
        config = uvicorn.Config(
            application,
            http=H2cSafeProtocol,
            lifespan="on" if lifespan else "off",
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=75,
        )
        self._server = _Uvicorn(config)
        self._listener = listener
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when requests are answered."""
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("the server ended before it had started")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._listener.close()


class _Uvicorn(uvicorn.Server):
    """Signals belong to whoever runs several servers in one process."""

    def capture_signals(self) -> Any:
        return _Nothing()


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class AlreadyServed(RuntimeError):
    """Another process serves this SQLite file."""


class SingleProcess:
    """Holds ``PATH.lock`` for as long as this process serves the SQLite file. Raises AlreadyServed."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._file: IO[str] | None = None

    def __enter__(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise AlreadyServed(
                f"another process already serves {self._path.with_suffix('')}: SQLite has one serving process; "
                "stop it, take another file (of a sandbox: --data), or use PostgreSQL"
            ) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
