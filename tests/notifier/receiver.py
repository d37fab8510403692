"""A shop's notify_url: a real little HTTP server that keeps what it is told and answers as it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

# Contract section 6, written down again: the notification carries only the message.
CODE_OF_MESSAGE = {
    "SUCCES": "00",
    "SUCCESS": "00",
    "PAYMENT_FAILED": "600",
    "INSUFFISENT_BALANCE": "602",
    "INSUFFICIENT_BALANCE": "602",
    "SERVICE_UNAVAILABLE": "603",
    "OTP_CODE_ERROR": "604",
    "INCORRECT_SETTINGS": "606",
    "WAITING_CUSTOMER_TO_VALIDATE": "623",
    "TRANSACTION_CANCEL": "627",
    "ERROR_PHONE_NUMBER_NOT_FOUND": "635",
    "ERROR_PHONE_NUMBER_NOT_SUPPORTED": "636",
    "ERROR_AMOUNT_TOO_LOW": "641",
    "ERROR_AMOUNT_TOO_HIGH": "642",
    "WAITING_CUSTOMER_PAYMENT": "662",
    "WAITING_CUSTOMER_OTP_CODE": "663",
    "WAITING_CUSTOMER_PAYMENT_AT_OPERATOR_SIDE": "664",
    "OPERATOR_UNAVAILABLE": "804",
    "DAILY_MAX_NUMBER_TRANSACTION_REACHED": "807",
    "DAILY_MAX_AMOUNT_TRANSACTION_REACHED": "808",
    "MONTHLY_MAX_AMOUNT_TRANSACTION_REACHED": "809",
    "MONTHLY_MAX_NUMBER_TRANSACTION_REACHED": "810",
    "WEEKLY_MAX_AMOUNT_TRANSACTION_REACHED": "811",
    "WEEKLY_MAX_NUMBER_TRANSACTION_REACHED": "812",
}


def http(status: int = 200, body: bytes = b"", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True)
class Post:
    """One request, as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.pairs)

    @property
    def code(self) -> str:
        return CODE_OF_MESSAGE[self.fields["cpm_error_message"]]


@dataclass
class Answer:
    """``raw`` goes out once ``when`` is set; ``keeps``: the connection stays open afterwards and no more is said."""

    raw: bytes
    when: asyncio.Event | None = None
    keeps: bool = False


@dataclass
class Receiver:
    """Every path is a shop of its own. ``answers[path]`` are used up one by one, then ``standing[path]``, then 200."""

    posts: dict[str, list[Post]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    standing: dict[str, Answer] = field(default_factory=dict)
    before_answer: dict[str, Callable[[], None]] = field(default_factory=dict)
    at_once: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    most_at_once: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    url: str = ""

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._news: dict[str, asyncio.Condition] = defaultdict(asyncio.Condition)
        self._lines: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        for line in self._lines:
            line.close()

    def codes(self, path: str) -> list[str]:
        return [post.code for post in self.posts[path]]

    async def heard(self, path: str, times: int, within_s: float = 10) -> list[Post]:
        """The posts of this path, once there are so many."""
        async with self._news[path], asyncio.timeout(within_s):
            await self._news[path].wait_for(lambda: len(self.posts[path]) >= times)
        return self.posts[path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        self._lines.discard(writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = line.split(" ")[1]
        self.at_once[path] += 1
        self.most_at_once[path] = max(self.most_at_once[path], self.at_once[path])
        async with self._news[path]:
            self.posts[path].append(Post(line, headers, body))
            self._news[path].notify_all()
        if path in self.before_answer:
            self.before_answer[path]()
        try:
            return await self._answer(path, writer)
        finally:
            self.at_once[path] -= 1

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> bool:
        queue = self.answers[path]
        answer = queue.popleft() if queue else self.standing.get(path, Answer(http()))
        if answer.when is not None:
            await answer.when.wait()
        writer.write(answer.raw)
        await writer.drain()
        if answer.keeps:
            await asyncio.Event().wait()
        return answer.raw.startswith(b"HTTP/1.1 2") and b"Content-Length" in answer.raw
