"""The assembly and the pages. None of them believes what a browser says: a gift counts when `check` says paid."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cauri_shop import CauriError, OrderAlreadyPaid, Payment, State
from cauri_shop.fastapi import router
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from .form import AMOUNTS, GiftForm, empty_form, read_form
from .francs import francs
from .gifts import Gifts
from .payments import Payments
from .reasons import reason
from .settings import HERE, Settings

_log = logging.getLogger("dons")
_NO_STORE = {"Cache-Control": "no-store"}

templates = Jinja2Templates(HERE / "templates")
templates.env.filters["francs"] = francs


def make_app(settings: Settings) -> FastAPI:
    """The site."""
    gifts = Gifts(settings.database)
    payments = Payments(settings, gifts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await gifts.prepare()
        yield
        await payments.checkout.aclose()
        await gifts.engine.dispose()

    app = FastAPI(title="Dons", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    _Pages(settings, gifts, payments).add_to(app)
    return app


class _Pages:
    def __init__(self, settings: Settings, gifts: Gifts, payments: Payments) -> None:
        self._settings, self._gifts, self._payments = settings, gifts, payments

    def add_to(self, app: FastAPI) -> None:
        """The site's addresses; the return door is the library's, without its notify door."""
        app.add_api_route("/", self.home, methods=["GET", "HEAD"])
        app.add_api_route("/total.json", self.total, methods=["GET"])
        app.add_api_route("/donner", self.give, methods=["POST"])
        doors = router(self._payments.book, show=self.thanks, notify=False)
        for route in doors.routes:
            app.add_route("/merci", route.endpoint, methods=["GET", "POST"], include_in_schema=False)
        app.add_exception_handler(HTTPException, self.nowhere)

    async def home(self, request: Request) -> Response:
        """The total so far, and the form. Looking at it asks about the donors who did not come back."""
        return await self._home(request, empty_form())

    async def total(self) -> Response:
        """`{"amount", "gifts", "goal", "percent"}`, for the page's script: the total moves while one looks."""
        return JSONResponse(await self._sums(), headers=_NO_STORE, background=self._asking())

    async def give(self, request: Request) -> Response:
        """Keeps the gift and sends the donor to the page where it is paid."""
        form = await read_form(request)
        if form.errors:
            return await self._home(request, form, 422)
        gift = await self._gifts.keep(form.ref, form.name, form.words, form.amount)
        try:
            return RedirectResponse(await self._payments.url(gift), 303)
        except OrderAlreadyPaid as paid:
            return RedirectResponse(f"/merci?transaction_id={paid.transaction_id}", 303)
        except CauriError as error:
            _log.error("gift %s: its payment could not be opened: %s", gift.ref, error)
            return self._page(request, "gift.html", {"gift": gift, "view": "unopened"}, 503)

    async def thanks(self, request: Request, payment: Payment | None) -> Response:
        """The donor comes back. The browser only says which payment is meant; the gateway says what became of it."""
        gift = await self._gifts.get(payment.order_ref) if payment else None
        if payment is None or gift is None:
            return self._page(request, "nowhere.html", {})
        payment = await self._payments.looked_at(payment)
        sums = await self._sums()
        return self._page(
            request, "gift.html",
            {"gift": gift, "payment": payment, "view": _view(payment), "reason": reason(payment.code), "total": sums},
        )  # fmt: skip

    async def nowhere(self, request: Request, error: Any) -> Response:
        """The page for addresses that do not exist, and for methods that they do not take."""
        answer = self._page(request, "nowhere.html", {}, error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    async def _home(self, request: Request, form: GiftForm, status: int = 200) -> Response:
        context = {
            "form": form, "amounts": AMOUNTS, "total": await self._sums(), "latest": await self._gifts.latest()
        }  # fmt: skip
        answer = self._page(request, "home.html", context, status)
        answer.background = self._asking()
        return answer

    async def _sums(self) -> dict[str, int]:
        total, goal = await self._gifts.total(), self._settings.goal
        percent = min(100, 100 * total.amount // goal)
        return {"amount": total.amount, "gifts": total.gifts, "goal": goal, "percent": percent}

    def _asking(self) -> BackgroundTask:
        return BackgroundTask(self._payments.ask_about_others)

    def _page(self, request: Request, name: str, context: dict[str, Any], status: int = 200) -> Response:
        return templates.TemplateResponse(request, name, context, status_code=status, headers=_NO_STORE)


def _view(payment: Payment) -> str:
    if payment.paid or payment.state in (State.REFUSED, State.MISMATCH, State.CLOSED):
        return payment.state.value
    return "waiting"
