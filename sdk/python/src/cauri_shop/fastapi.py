"""FastAPI and Starlette: `app.include_router(router(book), prefix="/cauri")` gives /cauri/notify and /cauri/return.

With Starlette alone: `Mount("/cauri", routes=routes(book))`. An AsyncPaymentBook works in the event loop, a PaymentBook
in the thread pool. The routes are named `cauri_notify` and `cauri_return`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Callable, Union

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from .book import BODY_MAX_BYTES, AsyncPaymentBook, DoorAnswer, Payment, PaymentBook, return_query
from .book.colours import settled
from .book.unreachable import StoreUnreachable
from .return_html import RETURN_HEADERS, language, return_html

if TYPE_CHECKING:
    from fastapi import APIRouter

_log = logging.getLogger("cauri_shop.book")

Book = Union[PaymentBook, AsyncPaymentBook]
Show = Callable[[Request, "Payment | None"], Union[Response, Awaitable[Response]]]


def router(book: Book, *, show: Show | None = None, notify: bool = True) -> APIRouter:
    """The two doors of a book, for FastAPI; they stay out of the OpenAPI schema.

    `show(request, payment)`, plain or async, gives your own return page; the payment is None when none is meant.
    `notify=False` leaves the notify door out, for a donation site whose payments have no notify_url.
    """
    from fastapi import APIRouter

    doors = APIRouter()
    for route in routes(book, show=show, notify=notify):
        doors.add_route(
            route.path,
            route.endpoint,
            methods=["GET", "HEAD", "POST"],
            name=route.name,
            include_in_schema=False,
        )
    return doors


def routes(book: Book, *, show: Show | None = None, notify: bool = True) -> list[Route]:
    """The same for Starlette."""
    if not isinstance(book, (PaymentBook, AsyncPaymentBook)):
        raise TypeError(f"a PaymentBook or an AsyncPaymentBook is needed, not {type(book).__name__}")

    async def notified(request: Request) -> Response:
        if request.method != "POST":
            return PlainTextResponse("ok")
        headers = request.headers
        answer: DoorAnswer = await _called(
            book.handle_notification,
            await _body(request),
            headers.get("Content-Type"),
            headers.get("x-token"),
            headers,
        )
        return PlainTextResponse(answer.text, answer.status)

    async def return_(request: Request) -> Response:
        if request.method != "POST":
            return await _shown(request, await _called(book.handle_return, request.url.query), show)
        query = return_query(await _called(book.handle_return, await _body(request)))
        return Response(status_code=303, headers={"Location": request.url.path + query})

    doors = [_route("return", return_)]
    return [_route("notify", notified), *doors] if notify else doors


def _route(name: str, view: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(
        f"/{name}", _guarded(view), methods=["GET", "POST"], name=f"cauri_{name}", include_in_schema=False
    )


def _guarded(view: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """A database that cannot be reached answers 503, and the notification comes again."""

    async def guarded(request: Request) -> Response:
        try:
            return await view(request)
        except StoreUnreachable:
            _log.exception("%s not worked: the database", request.url.path)
            return PlainTextResponse("could not reach our records, try again", 503)
        except ClientDisconnect:
            return PlainTextResponse("the body did not arrive", 400)

    return guarded


async def _called(method: Callable[..., Any], *args: Any) -> Any:
    if isinstance(getattr(method, "__self__", None), PaymentBook):
        return await run_in_threadpool(method, *args)
    return await method(*args)


async def _shown(request: Request, payment: Payment | None, show: Show | None) -> Response:
    if show is None:
        response: Response = HTMLResponse(
            return_html(payment, language(request.headers.get("Accept-Language")))
        )
    else:
        response = await settled(show(request, payment))
    for header, value in RETURN_HEADERS.items():
        response.headers.setdefault(header, value)
    return response


async def _body(request: Request) -> bytes:
    """The body, as far as the book reads it: one byte more is refused, whatever follows."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            return body[: BODY_MAX_BYTES + 1]
    return body
