"""The two doors. All the thinking is the book's; subclass `ReturnView` to show your own page."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from ..book import BODY_MAX_BYTES, Payment, page, return_query
from ..return_html import RETURN_HEADERS
from . import conf
from .book import book

_log = logging.getLogger("cauri_shop.book")


@method_decorator(csrf_exempt, name="dispatch")
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class NotifyView(View):
    """The notify_url: a POST is a notification, a GET the gateway's test whether this address answers."""

    http_method_names = ("get", "head", "post")

    def get(self, request: HttpRequest) -> HttpResponse:
        """The ping."""
        return _text("ok")

    def post(self, request: HttpRequest) -> HttpResponse:
        """A notification. A database that cannot be reached answers 503, and it comes again."""
        body = request.read(BODY_MAX_BYTES + 1)
        try:
            answer = book.handle_notification(
                body,
                request.headers.get("Content-Type"),
                request.headers.get("x-token"),
                request.headers,
            )
        except (DatabaseError, InterfaceError):
            _log.exception("notification not worked: the database")
            return _text("could not record, notify me again", 503)
        return _text(answer.text, answer.status)


@method_decorator(csrf_exempt, name="dispatch")
class ReturnView(View):
    """The return_url: it decides nothing. POST → 303 to the same address as GET, so that the cookie comes along."""

    http_method_names = ("get", "head", "post")
    template_name = "cauri_shop/return.html"

    def post(self, request: HttpRequest) -> HttpResponse:
        """What the gateway's page submits."""
        query = return_query(book.handle_return(request.POST))
        return HttpResponse(status=303, headers={"Location": request.path + query})

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page: what our own record says."""
        response = self.show(request, book.handle_return(request.GET))
        for name, value in RETURN_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def show(self, request: HttpRequest, payment: Payment | None) -> HttpResponse:
        """The answer for a payment, None when none is meant. Override it, or the template, or `context`."""
        return render(request, self.template_name, self.context(payment))

    def context(self, payment: Payment | None) -> dict[str, Any]:
        """What the template shows: `payment`, and `page` with title, text, tone and refresh."""
        lang = conf.setting("LANG") or get_language() or "fr"
        return {
            "payment": payment,
            "page": page(payment, lang),
            "lang": "en" if lang.startswith("en") else "fr",
        }


def _text(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
