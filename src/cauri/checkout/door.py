"""One path of the page: which methods it takes, and which page says what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cauri.checkout.language import language_of
from cauri.checkout.rendering import Renderer, Trouble
from cauri.checkout.typed import BadForm
from cauri.clock import new_id
from cauri.domain.errors import StoreUnavailable, TooManyRequests
from cauri.wire.callers import Addresses, Buckets

Handler = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger("cauri.checkout")

_BAD_FORM_STATUS = {"too_large": 413, "media_type": 415, "unreadable": 400}


class Counter:
    """Where forms are counted and troubles are shown: what all doors share."""

    def __init__(self, renderer: Renderer, limit: Buckets, addresses: Addresses) -> None:
        self._renderer = renderer
        self._limit = limit
        self._addresses = addresses

    def too_many(self, request: Request) -> Trouble | None:
        try:
            self._limit.take(self._addresses.of(request.scope))
        except TooManyRequests as error:
            return self.trouble(request, "too_many", 429, {"retry-after": str(error.retry_after_s)})
        return None

    def trouble(
        self,
        request: Request,
        reason: str,
        status: int,
        headers: dict[str, str] | None = None,
        **values: str,
    ) -> Trouble:
        token = request.path_params.get("token")
        language = language_of(request.query_params, request.headers)
        reload = self._renderer.path(token, language=language) if token else None
        return Trouble(reason, status, headers or {}, values, reload)

    def show(self, request: Request, trouble: Trouble) -> Response:
        """In the language of the switch or the browser: the payment, which knows better, may be what cannot be read."""
        return self._renderer.trouble(trouble, language_of(request.query_params, request.headers))


class Door:
    """An ASGI endpoint: a class, so that Starlette leaves every method to it."""

    def __init__(self, counter: Counter, handlers: Mapping[str, Handler]) -> None:
        self._counter = counter
        self._handlers = dict(handlers)
        if "GET" in self._handlers:
            self._handlers["HEAD"] = self._handlers["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = await self._answer(request)
        if isinstance(answer, Trouble):
            answer = self._counter.show(request, answer)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response | Trouble:
        handler = self._handlers.get(request.method)
        if handler is None:
            allowed = {"allow": ", ".join(sorted(self._handlers))}
            return self._counter.trouble(request, "method", 405, allowed)
        if request.method == "POST" and (too_many := self._counter.too_many(request)) is not None:
            return too_many
        try:
            return await handler(request)
        except BadForm as error:
            return self._counter.trouble(request, error.reason, _BAD_FORM_STATUS[error.reason])
        except ClientDisconnect:  # nobody is left to read it
            return self._counter.trouble(request, "unreadable", 400)
        except StoreUnavailable:
            return self._counter.trouble(request, "store", 503, {"retry-after": "5"})
        except Exception:
            error_id = new_id()[:12]
            log.exception("page_failed", alert=True, error_id=error_id)
            return self._counter.trouble(request, "bug", 500, error_id=error_id)
