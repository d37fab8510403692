"""One POST to a notify_url, and what became of it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from cauri import __version__
from cauri.clock import Clock
from cauri.notifier.addresses import ForbiddenAddress, check_literal, resolver_options
from cauri.wire.notification import Message

TIMEOUT_S = 10
ANSWER_BYTES_MAX = 500
CONNECTIONS_MAX = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """``status`` None: no answer came, ``error`` says why, in words for the shop's developer. ``answer``: its first characters."""

    status: int | None
    answer: str
    error: str | None
    at: int
    duration_ms: int

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """``private_allowed``: whether a notify_url may lead to a private or loopback address (the sandbox; a setting)."""

    def __init__(self, clock: Clock, *, private_allowed: bool) -> None:
        self._clock = clock
        self._private_allowed = private_allowed
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, message: Message) -> Sent:
        """Never raises for what the network or the shop does. Redirects are not followed."""
        at = self._clock.now()
        try:
            status, answer = await self._exchange(url, message)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Sent(None, "", _in_words(error), at, self._clock.now() - at)
        return Sent(status, answer, _advice(status), at, self._clock.now() - at)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, url: str, message: Message) -> tuple[int, str]:
        if not self._private_allowed:
            check_literal(urlsplit(url).hostname or "")
        headers = {**message.headers, "Content-Type": message.content_type}
        async with self._opened().post(
            url, data=message.body, headers=headers, allow_redirects=False
        ) as response:
            body = await response.content.read(ANSWER_BYTES_MAX)
            return response.status, body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=CONNECTIONS_MAX, **resolver_options(private_allowed=self._private_allowed)
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                headers={"User-Agent": f"Cauri/{__version__}"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _advice(status: int) -> str | None:
    """What a developer can do about an answer that is not a 2xx."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return "redirects are not followed: give the final address as notify_url"
    if status in (401, 403):
        return "the notify_url refuses us: leave it open to POST and verify x-token instead (CSRF protection, a login wall?)"
    if status == 404:
        return "nothing answers at this notify_url: check its path"
    if status == 405:
        return "the notify_url must accept POST"
    return f"the notify_url answered {status}: it must answer 200"


def _in_words(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"no answer within {TIMEOUT_S} s: answer first, work after"
        case ForbiddenAddress():
            return f"refused: {error}"
        case aiohttp.ClientConnectorDNSError():
            cause = error.os_error
            return (
                f"refused: {cause}"
                if isinstance(cause, ForbiddenAddress)
                else "the host's name cannot be resolved"
            )
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError() | ssl.SSLError():
            return f"the TLS certificate is not accepted: {error}"
        case aiohttp.ClientConnectorError():
            return f"cannot connect: {error.os_error.strerror or error.os_error}"
        case _:
            return f"{type(error).__name__}: {error}"[:300]
