"""Flask: `app.register_blueprint(blueprint(book), url_prefix="/cauri")` gives /cauri/notify, /cauri/return and `flask cauri reconcile`.

The addresses are `url_for("cauri.notify", _external=True)` and `url_for("cauri.return_", _external=True)`.
"""

from __future__ import annotations

import logging
from typing import Any, Callable

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from .book import BODY_MAX_BYTES, Payment, PaymentBook, return_query
from .book.unreachable import StoreUnreachable
from .flask_reconcile import reconcile_command
from .return_html import RETURN_HEADERS, language, return_html

_log = logging.getLogger("cauri_shop.book")

Show = Callable[["Payment | None"], ResponseReturnValue]


def blueprint(
    book: PaymentBook, *, name: str = "cauri", show: Show | None = None, notify: bool = True
) -> Blueprint:
    """The two doors of a book. `show(payment)` gives your own return page; the payment is None when none is meant.

    `notify=False` leaves the notify door out, for a donation site whose payments have no notify_url.

    Flask-WTF's CSRFProtect, if it was set up before the blueprint is registered, leaves the doors alone.
    """
    if not isinstance(book, PaymentBook):
        raise TypeError(
            f"blueprint takes a PaymentBook, not {type(book).__name__}; cauri_shop.fastapi takes both"
        )
    doors = Blueprint(name, __name__, cli_group=name)

    def notified() -> Response:
        if request.method != "POST":
            return _text("ok", 200)
        return _notified(book)

    def return_() -> ResponseReturnValue:
        if request.method != "POST":
            return _shown(book.handle_return(request.query_string), show)
        query = return_query(book.handle_return(_body()))
        return Response(status=303, headers={"Location": request.script_root + request.path + query})

    views = {"/notify": ("notify", notified), "/return": ("return_", return_)}
    if not notify:
        del views["/notify"]
    for path, (endpoint, view) in views.items():
        doors.add_url_rule(path, endpoint, view, methods=["GET", "POST"], provide_automatic_options=False)
    doors.errorhandler(StoreUnreachable)(_unreachable)
    doors.record_once(lambda state: _leave_alone(state.app.extensions.get("csrf"), doors))
    doors.cli.add_command(reconcile_command(book))
    return doors


def _notified(book: PaymentBook) -> Response:
    answer = book.handle_notification(
        _body(), request.headers.get("Content-Type"), request.headers.get("x-token"), dict(request.headers)
    )
    return _text(answer.text, answer.status)


def _unreachable(error: Exception) -> Response:
    _log.error("%s not worked: the database", request.path, exc_info=error)
    return _text("could not reach our records, try again", 503)


def _shown(payment: Payment | None, show: Show | None) -> ResponseReturnValue:
    page = show(payment) if show else return_html(payment, language(request.headers.get("Accept-Language")))
    response: Response = current_app.make_response(page)
    for header, value in RETURN_HEADERS.items():
        response.headers.setdefault(header, value)
    return response


def _body() -> bytes:
    """The body, as far as the book reads it: one byte more is refused, whatever follows."""
    parts, room = [], BODY_MAX_BYTES + 1
    while room:
        part = request.stream.read(room)
        if not part:
            break
        parts.append(part)
        room -= len(part)
    return b"".join(parts)


def _text(text: str, status: int) -> Response:
    return Response(text, status=status, content_type="text/plain; charset=utf-8")


def _leave_alone(csrf: Any, doors: Blueprint) -> None:
    # The gateway's page posts from another origin: Flask-WTF would refuse it, and x-token and check guard these doors.
    if csrf is not None and hasattr(csrf, "exempt"):
        csrf.exempt(doors)
