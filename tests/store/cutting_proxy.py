"""A proxy in front of PostgreSQL that can break: cut a connection at a chosen message, or be gone altogether."""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum
from urllib.parse import parse_qs, urlsplit


class Cut(Enum):
    """When the connection breaks: before the database hears of the message, or after it has done what the message says."""

    BEFORE = "before"
    AFTER = "after"


READY_FOR_QUERY = b"Z\x00\x00\x00\x05"


class CuttingProxy:
    def __init__(self, server_url: str) -> None:
        self._server = urlsplit(server_url)
        self._listener: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self._port = 0
        self._message = b""
        self._when: Cut | None = None
        self._gone_afterwards = False
        self.cuts = 0

    @property
    def url(self) -> str:
        user = self._server.username or "postgres"
        return f"postgresql://{user}@127.0.0.1:{self._port}{self._server.path}"

    async def come(self) -> None:
        """The database can be reached, always at the same address."""
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def go(self) -> None:
        """The database cannot be reached, and every connection to it is lost."""
        if self._listener is not None:
            self._listener.close()
        for pipe in tuple(self._pipes):
            pipe.cancel()
        if self._pipes:
            await asyncio.wait(self._pipes)

    def cut(self, message: bytes, when: Cut, *, gone_afterwards: bool = False) -> None:
        """Breaks the connection on which the client next sends something that contains ``message``."""
        self._message, self._when, self._gone_afterwards = message, when, gone_afterwards

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = asyncio.create_task(self._pipe(reader, writer))
        self._pipes.add(pipe)
        pipe.add_done_callback(self._pipes.discard)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await self._reach_server()
        answers = asyncio.create_task(_copy(server_reader, writer))
        try:
            while data := await reader.read(1 << 16):
                if self._when is not None and self._message in data:
                    answers.cancel()
                    await asyncio.wait({answers})
                    await self._break(data, server_reader, server_writer)
                    return
                server_writer.write(data)
                await server_writer.drain()
        except OSError:
            pass
        finally:
            answers.cancel()
            for each in (writer, server_writer):
                each.transport.abort()

    async def _break(self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        when, self._when = self._when, None
        self.cuts += 1
        if when is Cut.AFTER:
            writer.write(data)
            answer = b""
            while READY_FOR_QUERY not in answer:
                part = await reader.read(1 << 16)
                if not part:  # the database ended the connection itself
                    break
                answer += part
        if self._gone_afterwards and self._listener is not None:
            self._listener.close()
            for pipe in self._pipes - {asyncio.current_task()}:
                pipe.cancel()

    async def _reach_server(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = parse_qs(self._server.query).get("host", [""])[0]
        if folder.startswith("/"):
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{self._server.port or 5432}")
        return await asyncio.open_connection(self._server.hostname, self._server.port or 5432)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
