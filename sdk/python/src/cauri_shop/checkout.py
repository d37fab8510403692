"""The two shells around the core: how a call travels, with httpx, in one colour or the other."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar, Union

import anyio
import httpx

from .answers import PaymentStatus, Started
from .core import Account, Call
from .errors import CauriError, InvalidField, NotSent, OutcomeUnknown
from .operations import Operations
from .reading import Answer
from .secret_keys import SecretKeys
from .version import __version__

T = TypeVar("T")
Timeout = Union[float, httpx.Timeout, None]

CINETPAY = "https://api-checkout.cinetpay.com"
USER_AGENT = f"cauri-shop/{__version__} (python {platform.python_version()}; httpx {httpx.__version__})"

_log = logging.getLogger("cauri_shop")
_DEFAULT_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_NEVER_LEFT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)  # fmt: skip


class Checkout(Operations[Started, PaymentStatus]):
    """Payments for one site, blocking. Safe to share between threads; close it, or use it in a `with`.

    `secret_key`: the site's, or a list of the old and the new one while it is being changed: x-token may fit either.
    `timeout` is in seconds (30 by default, 10 to connect), `proxy` a URL (HTTPS_PROXY is read when it is absent). A
    `client` of your own brings its proxies, certificates and time-outs, and stays yours to close. `retries` repeats
    what certainly did no harm: no connection at all; a cut while a check was asked; and, against Cauri, a cut during
    a start that carries an idempotency_key. Never a time-out, never an HTTP answer.
    """

    def __init__(
        self,
        apikey: str,
        site_id: str | int,
        secret_key: SecretKeys = None,
        base_url: str = CINETPAY,
        *,
        timeout: Timeout = None,
        client: httpx.Client | None = None,
        proxy: str | None = None,
        retries: int = 2,
    ) -> None:
        super().__init__(Account.of(apikey, site_id, secret_key, base_url))
        _refuse_both(client, proxy)
        self._owned = client is None
        self._client = client or httpx.Client(timeout=_DEFAULT_TIMEOUT, proxy=proxy)
        self._retries = retries
        self._timeout = httpx.USE_CLIENT_DEFAULT if timeout is None else timeout

    def close(self) -> None:
        """Closes the connections, unless the client is yours."""
        if self._owned:
            self._client.close()

    def __enter__(self) -> Checkout:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, call: Call[T]) -> T:
        with _told(call):
            return call.read(_answer(self._posted(call)))

    def _posted(self, call: Call[T]) -> httpx.Response:
        for tried in range(self._retries):
            try:
                return self._client.post(call.url, **_request(call), timeout=self._timeout)
            except httpx.RequestError as error:
                if not _may_repeat(call, error):
                    raise
            time.sleep(_pause_s(tried))
        return self._client.post(call.url, **_request(call), timeout=self._timeout)


class AsyncCheckout(Operations[Coroutine[Any, Any, Started], Coroutine[Any, Any, PaymentStatus]]):
    """The same as `Checkout`, for asyncio (or trio): await `start` and `check`; `async with`, or `await aclose()`."""

    def __init__(
        self,
        apikey: str,
        site_id: str | int,
        secret_key: SecretKeys = None,
        base_url: str = CINETPAY,
        *,
        timeout: Timeout = None,
        client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        retries: int = 2,
    ) -> None:
        super().__init__(Account.of(apikey, site_id, secret_key, base_url))
        _refuse_both(client, proxy)
        self._owned = client is None
        self._client = client or httpx.AsyncClient(timeout=_DEFAULT_TIMEOUT, proxy=proxy)
        self._retries = retries
        self._timeout = httpx.USE_CLIENT_DEFAULT if timeout is None else timeout

    async def aclose(self) -> None:
        """Closes the connections, unless the client is yours."""
        if self._owned:
            await self._client.aclose()

    async def __aenter__(self) -> AsyncCheckout:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _run(self, call: Call[T]) -> T:
        with _told(call):
            return call.read(_answer(await self._posted(call)))

    async def _posted(self, call: Call[T]) -> httpx.Response:
        for tried in range(self._retries):
            try:
                return await self._posted_once(call)
            except httpx.RequestError as error:
                if not _may_repeat(call, error):
                    raise
            await anyio.sleep(_pause_s(tried))
        return await self._posted_once(call)

    async def _posted_once(self, call: Call[T]) -> httpx.Response:
        with _cut_as_it_opened():
            return await self._client.post(call.url, **_request(call), timeout=self._timeout)


def _may_repeat(call: Call[Any], error: httpx.RequestError) -> bool:
    """Whether repeating can do no harm: nothing was sent, or the gateway gives the same answer to the same call."""
    if isinstance(error, httpx.UnsupportedProtocol):
        return False
    if isinstance(error, _NEVER_LEFT):
        return True
    return call.repeatable and isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError))


def _pause_s(tried: int) -> float:
    return 0.1 * (tried + 1) ** 2


def _refuse_both(client: object, proxy: str | None) -> None:
    if client is not None and proxy is not None:
        raise InvalidField("proxy", "belongs to the client that you give: httpx.Client(proxy=…)")


def _request(call: Call[Any]) -> Any:
    # A redirect is never followed: it would hand the apikey to whoever stands at its end.
    return {
        "content": call.body, "headers": {"User-Agent": USER_AGENT, **call.headers}, "follow_redirects": False
    }  # fmt: skip


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.content, response.headers.get("retry-after"))


@contextmanager
def _cut_as_it_opened() -> Iterator[None]:
    """On uvloop a connection that is cut at once has no socket any more: httpcore, before it writes, meets an AttributeError."""
    try:
        yield
    except AttributeError as error:  # over 'setsockopt' where the client has socket options
        if not str(error).endswith(("'getpeername'", "'setsockopt'")):
            raise
        raise httpx.ConnectError("cut before the request was written") from error


@contextmanager
def _told(call: Call[Any]) -> Iterator[None]:
    """Turns httpx's errors into ours and writes one log line per call: which payment, how it went, how long."""
    begun = time.monotonic()
    try:
        with _translated():
            yield
    except CauriError as error:
        _log.warning("%s %s: %s, %.0f ms", call.name, call.subject, type(error).__name__, _ms(begun))
        raise
    _log.info("%s %s: answered, %.0f ms", call.name, call.subject, _ms(begun))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _NEVER_LEFT as error:
        raise NotSent(
            f"no connection to the gateway ({type(error).__name__}): nothing was sent, try again"
        ) from error
    except httpx.RequestError as error:
        raise OutcomeUnknown(
            f"no whole answer from the gateway ({type(error).__name__}): it may have acted; ask again"
        ) from error


def _ms(begun: float) -> float:
    return (time.monotonic() - begun) * 1000
