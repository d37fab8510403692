"""Raw ASGI for the merchants' doors: reading a body that may not be too large, sending an answer that any page may read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple

from cauri.domain.errors import BodyTooLarge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

BODY_MAX = 64 * 1024  # contract section 5, row 1

_JSON: Header = (b"content-type", b"application/json")
_ANY_ORIGIN: Header = (b"access-control-allow-origin", b"*")
_EXPOSED: Header = (b"access-control-expose-headers", b"Retry-After")


class Disconnected(Exception):
    """The client left before its request was complete: there is nobody to answer."""


class Head(NamedTuple):
    """The request headers that the doors read. ``content_length`` is -1 where it was not sent."""

    content_type: str
    content_length: int
    accept_language: str
    idempotency_keys: list[str]


class Answer(NamedTuple):
    """``headers`` come beside content type, length and the permission for any origin."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()


def read_head(headers: Iterable[Header]) -> Head:
    content_type = accept_language = ""
    content_length = -1
    idempotency_keys: list[str] = []
    for name, value in headers:
        if name == b"content-type":
            content_type = value.decode("latin-1")
        elif name == b"content-length":
            content_length = int(value) if value.isdigit() else -1
        elif name == b"idempotency-key":
            idempotency_keys.append(value.decode("latin-1"))
        elif name == b"accept-language":
            accept_language = value.decode("latin-1")
    return Head(content_type, content_length, accept_language, idempotency_keys)


async def read_capped(receive: Receive, content_length: int) -> bytes:
    """The whole body. Raises BodyTooLarge as soon as it is known to be, chunked or not, and Disconnected."""
    if content_length > BODY_MAX:
        raise BodyTooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False) and len(body) <= BODY_MAX:
        return body
    parts, size = [body], len(body)
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        if size > BODY_MAX:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])


async def send_answer(send: Send, answer: Answer) -> None:
    headers = [_JSON, (b"content-length", str(len(answer.body)).encode()), _ANY_ORIGIN]
    if answer.headers:
        headers.extend(answer.headers)
        headers.append(_EXPOSED)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def send_preflight(send: Send, headers: Iterable[Header]) -> None:
    """Any origin may call, with the headers it asks for and without credentials (contract section 1, "browsers")."""
    wanted = [
        value for name, value in headers if name == b"access-control-request-headers" and _quotable(value)
    ]
    answer = [
        _ANY_ORIGIN,
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", wanted[0] if wanted else b"content-type, idempotency-key"),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"access-control-request-headers"),
        (b"allow", b"POST, OPTIONS"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": answer})
    await send({"type": "http.response.body", "body": b""})


def _quotable(value: bytes) -> bool:
    """Whether a header's value may be sent back: uvicorn refuses to send control characters."""
    return value.isascii() and value.decode().isprintable()
