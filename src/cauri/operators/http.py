"""The one seam between the connectors and the network.

What matters about a call that went wrong is whether the operator can have read it: ``NotSent`` says that nothing was written,
``Lost`` that it may have been. Logs name the call, its reference and the HTTP status; never a key, a number or a body.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp.http_exceptions import HttpProcessingError

MAX_ANSWER = 256 * 1024

_CONNECT_TIMEOUT_S = 5.0
_CONNECTIONS = 64
# Shorter than the 5 s of common servers, so that a start does not leave on a line that the operator is just closing.
_KEEP_ALIVE_S = 4.0
_OUR_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Cauri"}
# ValueError: the client's own parsers raise it over odd headers.
_NETWORK_ERRORS = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError, EOFError, ValueError)

log = structlog.get_logger("cauri.operators")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, of at most MAX_ANSWER bytes; redirects are answers like any other."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request cannot have left: no address, connection refused, TLS refused, no connection in time."""

    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request may have been read, and its answer was not."""

    why: str


Reply = Answer | NotSent | Lost


@dataclass(frozen=True, slots=True)
class Request:
    """One call. ``name`` and ``reference`` are what the log says of it; ``timeout_s`` covers everything, waiting included."""

    name: str
    reference: str
    verb: str
    path: str
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


class AnswerTooLarge(aiohttp.ClientError):
    """More than MAX_ANSWER bytes came; the rest was not read."""


@dataclass(slots=True)
class _Progress:
    """How far a call has come: ``written`` is set just before its first byte."""

    written: bool = False


class Line:
    """One operator's connections: opened with the first call, shared by all calls of its connector.

    ``tls``: where the operator wants to see our certificate. Raises ValueError for a ``base_url`` that is no http(s) URL and for headers that HTTP cannot carry.
    """

    def __init__(
        self, operator: str, base_url: str, headers: Mapping[str, str], tls: ssl.SSLContext | None = None
    ) -> None:
        self._operator = operator
        self._base_url = checked_base_url(base_url)
        self._headers = {**_OUR_HEADERS, **checked_headers(headers)}
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Reply:
        """A POST leaves once at most. Raises for nothing that the operator or the network does."""
        progress = _Progress()
        started = asyncio.get_running_loop().time()
        try:
            reply: Reply = await self._exchange(request, progress)
        except _NETWORK_ERRORS as error:
            why = type(error).__name__  # its text may quote addresses and headers
            reply = Lost(why) if progress.written else NotSent(why)
        self._tell(request, reply, round((asyncio.get_running_loop().time() - started) * 1000))
        return reply

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, request: Request, progress: _Progress) -> Answer:
        async with self._opened().request(
            request.verb,
            self._base_url + request.path,
            data=request.body,
            headers={**self._headers, **request.headers},
            timeout=aiohttp.ClientTimeout(
                total=request.timeout_s, connect=min(_CONNECT_TIMEOUT_S, request.timeout_s)
            ),
            allow_redirects=False,  # a redirected POST is another call, to an address nobody configured
            trace_request_ctx=progress,
        ) as response:
            return Answer(response.status, await _whole(response.content))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_S, ssl=self._tls or True
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # we ask for identity; what comes otherwise is unreadable, not unpacked
                trace_configs=[_tracing()],
            )
        return self._session

    def _tell(self, request: Request, reply: Reply, milliseconds: int) -> None:
        say = log.bind(
            operator=self._operator, call=request.name, reference=request.reference, ms=milliseconds
        )
        match reply:
            case Answer():
                say.info("operator_answered", http_status=reply.status, size=len(reply.body))
            case NotSent():
                say.warning("operator_not_reached", why=reply.why)
            case Lost():
                say.warning("operator_answer_lost", why=reply.why)


async def _whole(content: aiohttp.StreamReader) -> bytes:
    parts = bytearray()
    async for part in content.iter_any():
        parts += part
        if len(parts) > MAX_ANSWER:
            raise AnswerTooLarge
    return bytes(parts)


def _tracing() -> aiohttp.TraceConfig:
    """The client's exceptions do not say what was written; this signal, given just before the write, does."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(_mark_written)
    return tracing


async def _mark_written(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _sent: aiohttp.TraceRequestHeadersSentParams
) -> None:
    progress: _Progress = context.trace_request_ctx
    progress.written = True


def checked_base_url(text: str) -> str:
    """The URL without its last slash. Raises ValueError where it is no plain http(s) URL with a host."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username or not _printable(text):
        raise ValueError(
            "base_url must be an http(s) URL with a host and without credentials, query or fragment"
        )
    return text.rstrip("/")


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Raises ValueError, which does not quote the value, for one that HTTP cannot carry."""
    for name, value in headers.items():
        if not value.strip() or not _printable(value, also=" "):
            raise ValueError(
                f"the {name} header needs a value of printable ASCII characters: check the operator's credentials"
            )
    return dict(headers)


def _printable(text: str, also: str = "") -> bool:
    return all("!" <= character <= "~" or character in also for character in text)
