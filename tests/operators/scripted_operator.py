"""A scripted operator: real sockets, answers given as raw bytes, so that the wire can say anything."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from cauri.domain.phone import Phone

REFERENCE = "5b3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77"

HANG_UP_AT_ONCE = object()  # closes the connection without reading the request
HANG_UP = object()  # reads the request, then closes without an answer
SAY_NOTHING = object()  # reads the request and keeps the line open


@dataclass
class Recorded:
    verb: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ScriptedOperator:
    """Answers every request with ``answer``: raw bytes, or one of the three silences."""

    url: str = ""
    answer: Any = b""
    requests: list[Recorded] = field(default_factory=list)
    _lines: set[asyncio.StreamWriter] = field(default_factory=set)

    def says(self, body: Any, status: int = 200, **headers: str) -> None:
        """The next answers: ``body`` as bytes, or anything else as JSON."""
        self.answer = http_answer(
            body if isinstance(body, bytes) else json.dumps(body).encode(), status, **headers
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        try:
            if self.answer is HANG_UP_AT_ONCE:
                return
            self.requests.append(await read_request(reader))
            if self.answer is SAY_NOTHING:
                await reader.read()  # until the caller gives up
            elif self.answer is not HANG_UP:
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._lines.discard(writer)
            writer.close()


def http_answer(body: bytes, status: int = 200, **headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def read_request(reader: asyncio.StreamReader) -> Recorded:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    verb, path, _ = head[0].split(" ")
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
    return Recorded(verb, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


PHONES = {
    "CI": Phone("CI", "225", "0749012966"),
    "SN": Phone("SN", "221", "771234567"),
    "BF": Phone("BF", "226", "70123456"),
    "ML": Phone("ML", "223", "66123456"),
    "TG": Phone("TG", "228", "90123456"),
    "GN": Phone("GN", "224", "660123456"),
    "CM": Phone("CM", "237", "653456789"),
    "BJ": Phone("BJ", "229", "0151345789"),
    "CD": Phone("CD", "243", "813456789"),
}
