"""The gateway's feed as its reader sees it: ``GET /admin/sites/SITE/notifications``."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from cauri import __version__
from cauri.clock import Clock
from cauri.notifier.causes import fault_of
from cauri.notifier.faults import in_words
from cauri.notifier.retry_after import retry_after_s

T = TypeVar("T")

WAIT_S = 20
# Longer than the gateway waits: an answer that does not come by then never will.
TIMEOUT = aiohttp.ClientTimeout(total=WAIT_S + 15, sock_connect=10)
# Whatever Retry-After says: somebody sits before this.
ALONE_MAX_S = 60


class Notification(msgspec.Struct, frozen=True):
    """One notification, signed by the gateway: ``body`` goes out with ``headers``. ``id``: the same when it comes again."""

    id: str
    at: str
    transaction_id: str
    code: str
    message: str
    headers: dict[str, str]
    body: str


class Page(msgspec.Struct, frozen=True):
    """``cursor``: where to go on. ``settled``: what changed before this moment does not come again. ``more``: there is more already.

    ``seen``: ids of before the beginning, which may come. ``now``: the gateway's clock.
    """

    notifications: list[Notification]
    cursor: str
    settled: str
    more: bool
    seen: list[str]
    now: str


class Away(Exception):
    """The gateway does not answer, or not now; ``after_s``: it asked to be left alone for so long."""

    def __init__(self, why: str, after_s: int = 0) -> None:
        super().__init__(why)
        self.after_s = after_s


class Refused(Exception):
    """The gateway will not; the message says what to do."""


class StrangeCursor(Refused):
    """The gateway does not know the place we had reached: its data are others than they were."""


class Gone(Refused):
    """There is no such payment any more, or nothing to tell of it."""


class GatewayFeed:
    """An async context manager. ``url``: where the gateway is reached, ``token``: an admin token with ``notifications:listen``."""

    def __init__(self, url: str, token: str, site_id: str) -> None:
        self.url = url.rstrip("/")
        self._path = f"{self.url}/admin/sites/{quote(site_id, safe='')}/notifications"
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": f"Cauri/{__version__} listen"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> GatewayFeed:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def begin(self, *, last: int | None = None, since: str | None = None) -> Page:
        """From now, from the newest ``last``, or from a moment. Raises Away, Refused."""
        asked = {"last": last, "since": since}
        return await self._page({name: str(value) for name, value in asked.items() if value is not None})

    async def after(self, cursor: str, *, wait: bool = True) -> Page:
        """What follows, as soon as there is any. Raises Away, Refused, StrangeCursor."""
        return await self._page({"after": cursor, "wait": str(WAIT_S if wait else 0)})

    async def fresh(self, transaction_id: str) -> Notification:
        """The payment's newest notification, signed now. Raises Away, Refused, Gone."""
        answer = await self._asked(f"{self._path}/{quote(transaction_id, safe='')}", {})
        return _read(answer, Notification)

    async def _page(self, parameters: dict[str, str]) -> Page:
        return _read(await self._asked(self._path, parameters), Page)

    async def _asked(self, url: str, parameters: dict[str, str]) -> bytes:
        if self._session is None:
            raise RuntimeError("use it in 'async with'")
        try:
            async with self._session.get(_with(url, parameters), allow_redirects=False) as answer:
                body = await answer.read()
                if answer.status != 200:
                    raise _trouble(
                        answer.status, answer.headers.get("Retry-After", ""), body, "after" in parameters
                    )
                return body
        except aiohttp.InvalidURL as error:
            raise Refused(f"{self.url} is no http(s) address: {error}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Away(in_words(*fault_of(error, WAIT_S + 15))) from None


def _with(url: str, parameters: dict[str, str]) -> URL:
    """As it was encoded here: the path holds names of the site's own."""
    return URL(url, encoded=True).with_query(parameters) if parameters else URL(url, encoded=True)


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("what answers there is no Cauri gateway of this version: look at --gateway") from None


def _trouble(status: int, retry_after: str, body: bytes, resumed: bool) -> Exception:
    code, words = _told(body)
    if status in (429, 502, 503, 504) or (status >= 500 and code):
        return Away(
            f"HTTP {status}{': ' + words if words else ''}",
            min(retry_after_s(retry_after, Clock().now()) or 0, ALONE_MAX_S),
        )
    if code == "not_found" and words.startswith("transaction_id"):
        return Gone(words)
    if code == "invalid_request" and resumed:
        return StrangeCursor(words)
    if code:
        return Refused(f"the gateway says: {words}")
    return Refused(
        f"HTTP {status}: what answers there is no Cauri gateway with admin doors: look at --gateway"
    )


def _told(body: bytes) -> tuple[str, str]:
    """Code and message of the gateway's own envelope; empty where it is none."""
    try:
        error = msgspec.json.decode(body)["error"]
        return str(error["code"]), str(error["message"])
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return "", ""
