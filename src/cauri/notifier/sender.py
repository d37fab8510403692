"""One POST to a notify_url, and what became of it."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

import aiohttp
from yarl import URL

from cauri import __version__
from cauri.clock import Clock
from cauri.notifier.addresses import ForbiddenAddress, check_literal, resolver_options
from cauri.notifier.retry_after import retry_after_s
from cauri.wire.notification import Message

TIMEOUT_S = 10
ANSWER_BYTES_MAX = 500
ANSWER_READ_MAX = 256 * 1024
CONNECTIONS_MAX = 0  # no limit of its own: the notifier counts who is under way
# Shorter than the 2 s of common application servers: a POST on a line that the shop is just closing would be lost.
KEEP_ALIVE_S = 1.0


@dataclass(frozen=True, slots=True)
class Sent:
    """``status`` None: no answer came, ``error`` says why, in words for the shop's developer. ``answer``: its first characters.

    ``retry_after_s``: when the shop wants to be asked again, where it said so.
    """

    status: int | None
    answer: str
    error: str | None
    at: int
    duration_ms: int
    retry_after_s: int | None = None

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """``private_allowed``: whether a notify_url may lead to a private or loopback address (the sandbox; a setting).

    ``timeout_s``: how long a shop may take for its whole answer.
    """

    def __init__(self, clock: Clock, *, private_allowed: bool, timeout_s: float = TIMEOUT_S) -> None:
        self._clock = clock
        self._private_allowed = private_allowed
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, message: Message) -> Sent:
        """Never raises for what the network or the shop does. Redirects are not followed."""
        at = self._clock.now()
        try:
            status, answer, retry_after = await self._exchange(url, message)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Sent(None, "", _in_words(error, self._timeout_s), at, self._clock.now() - at)
        later = retry_after_s(retry_after, self._clock.now())
        return Sent(status, answer, _advice(status), at, self._clock.now() - at, later)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, url: str, message: Message) -> tuple[int, str, str | None]:
        address = URL(url, encoded=url.isascii())  # as the shop wrote it: it may sign what it is called by
        if not self._private_allowed:
            check_literal(address.raw_host or "")
        headers = {**message.headers, "Content-Type": message.content_type}
        async with self._opened().post(
            address, data=message.body, headers=headers, allow_redirects=False
        ) as response:
            body = await _whole_answer(response)
            text = body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
            return response.status, text, response.headers.get("Retry-After")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=CONNECTIONS_MAX,
                keepalive_timeout=KEEP_ALIVE_S,
                **resolver_options(private_allowed=self._private_allowed),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                headers={"User-Agent": f"Cauri/{__version__}", "Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # what a shop packs all the same is kept as it came: its status is what counts
            )
        return self._session


async def _whole_answer(response: aiohttp.ClientResponse) -> bytes:
    """The answer's beginning, once all of it has come: the time-out is for the whole. A flood is cut off, its status counts."""
    kept = received = 0
    beginning = bytearray()
    async for chunk in response.content.iter_any():
        received += len(chunk)
        beginning += chunk[: ANSWER_BYTES_MAX - kept]
        kept = len(beginning)
        if received > ANSWER_READ_MAX:
            break
    return bytes(beginning)


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


def _in_words(error: Exception, timeout_s: float) -> str:
    match error:
        case TimeoutError():
            return f"no answer within {timeout_s:g} s: answer first, work after"
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
            why = os.strerror(error.os_error.errno).lower() if error.os_error.errno else error.os_error
            return f"cannot connect to {error.host}:{error.port}: {why}"
        case _:
            return f"{type(error).__name__}: {error}"[:300]
