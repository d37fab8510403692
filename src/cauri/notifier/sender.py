"""One POST to a notify_url, and what became of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from cauri import __version__
from cauri.clock import Clock
from cauri.notifier.addresses import Reach
from cauri.notifier.causes import EXPECTED, fault_of
from cauri.notifier.connections import BoundedConnector
from cauri.notifier.faults import fault_of_status, in_words
from cauri.notifier.retry_after import retry_after_s
from cauri.wire.notification import Message

Tls = TypeVar("Tls", bound=ssl.SSLContext)

TIMEOUT_S = 10
ANSWER_BYTES_MAX = 500
ANSWER_READ_MAX = 256 * 1024
CONNECTIONS_MAX = 0  # no limit of its own: the notifier counts who is under way
# A little before the end, so that who cannot be reached is told from who does not answer.
CONNECT_SHARE = 0.95
# Shorter than the 2 s of common application servers: a POST on a line that the shop is just closing would be lost.
KEEP_ALIVE_S = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a shop answered. ``text``: its beginning; ``cut``: it was longer than we read."""

    status: int
    headers: Mapping[str, str]
    text: str
    cut: bool


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

    ``ports``: those that it may name beside 80 and 443; 0 among them is any. ``timeout_s``: how long a shop may take for its whole answer.
    """

    def __init__(
        self, clock: Clock, *, private_allowed: bool, ports: Collection[int], timeout_s: float = TIMEOUT_S
    ) -> None:
        self.timeout_s = timeout_s
        self._clock = clock
        self._reach = Reach(private_allowed, frozenset(ports))
        self._session: aiohttp.ClientSession | None = None
        self.on_sent: Callable[[int | None], None] = lambda status: None  # counts what was posted

    async def post(self, url: str, message: Message) -> Sent:
        """Never raises for what the network or the shop does. Redirects are not followed."""
        sent = await self._posted(url, message)
        self.on_sent(sent.status)
        return sent

    async def _posted(self, url: str, message: Message) -> Sent:
        at = self._clock.now()
        try:
            answer = await self.request("POST", url, message)
        except EXPECTED as error:
            return Sent(None, "", in_words(*fault_of(error, self.timeout_s)), at, self._clock.now() - at)
        later = retry_after_s(answer.headers.get("Retry-After"), self._clock.now())
        return Sent(answer.status, answer.text, _advice(answer.status), at, self._clock.now() - at, later)

    async def request(
        self,
        method: str,
        url: str,
        message: Message | None = None,
        *,
        session: aiohttp.ClientSession | None = None,
        keep: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        """One exchange, in a session of this sender; of the answer's text so many bytes. Raises EXPECTED, see ``fault_of``."""
        address = self._reach.judged(url)
        if session is None:
            self._session = session = self._session or self.new_session()
        body, headers = None, {}
        if message is not None:
            body, headers = message.body, {**message.headers, "Content-Type": message.content_type}
        async with session.request(
            method, address, data=body, headers=headers, allow_redirects=False
        ) as response:
            beginning, cut = await _whole_answer(response, keep)
            text = beginning.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
            return Answer(response.status, response.headers, text, cut)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def new_session(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        traces: Sequence[aiohttp.TraceConfig] = (),
    ) -> aiohttp.ClientSession:
        """Connections under this sender's rules. Nothing of the environment leads them elsewhere (no proxy, no .netrc)."""
        connector = BoundedConnector(
            limit=CONNECTIONS_MAX,
            keepalive_timeout=KEEP_ALIVE_S,
            ssl=tls or verifying(ssl.SSLContext),
            **self._reach.connector_options,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self.timeout_s, connect=self.timeout_s * CONNECT_SHARE),
            headers={"User-Agent": f"Cauri/{__version__}", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # what a shop packs all the same is kept as it came: its status is what counts
            trust_env=False,
            trace_configs=list(traces),
        )


def verifying(kind: type[Tls]) -> Tls:
    """TLS that verifies chain and name against the system's authorities. Reading them takes some 30 ms."""
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _whole_answer(response: aiohttp.ClientResponse, keep: int) -> tuple[bytes, bool]:
    """The answer's beginning, once all of it has come: the time-out is for the whole. A flood is cut off, its status counts."""
    received = 0
    beginning = bytearray()
    async for chunk in response.content.iter_any():
        received += len(chunk)
        beginning += chunk[: keep - len(beginning)]
        if received > ANSWER_READ_MAX:
            return bytes(beginning), True
    return bytes(beginning), False


def _advice(status: int) -> str | None:
    """What a developer can do about an answer that is not a 2xx."""
    fault = fault_of_status(status)
    return None if fault is None else in_words(fault, status)
