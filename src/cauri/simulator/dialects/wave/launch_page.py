"""The launch page, which stands for the Wave app: the payer pays, fails in each of Wave's ways, or walks away."""

import re
from collections.abc import Mapping
from typing import Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cauri.simulator.agenda import Agenda
from cauri.simulator.dialects.wave.page_texts import ERRORS, TEXTS
from cauri.simulator.dialects.wave.views import Session
from cauri.simulator.dialects.wave.words import MESSAGES
from cauri.simulator.payer_pages import amount_text, language_of, page_answer
from cauri.simulator.stories import FAILURE_CODES

_PHONE = re.compile(r"[1-9][0-9]{7,14}")
_PHONE_MAX = 30
_MISMATCH = "payer-mobile-mismatch"

_templates = Environment(loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined)


class Till(Protocol):
    """What a payer can do to a session."""

    async def pay(self, session: Session, phone: str) -> None: ...

    def fail(self, session: Session, code: str) -> None: ...


class LaunchPages:
    def __init__(self, agenda: Agenda, sessions: Mapping[str, Session], till: Till) -> None:
        self._agenda = agenda
        self._sessions = sessions
        self._till = till

    def routes(self) -> list[Route]:
        path = "/wave/c/{session_id}"
        return [
            Route(path, self._show, methods=["GET"], name="page"),
            Route(path, self._answer, methods=["POST"], name="page"),
        ]

    async def _show(self, request: Request) -> Response:
        self._agenda.run_due()
        session = self._sessions.get(request.path_params["session_id"])
        return _page(request, None, 404, "unknown") if session is None else _page(request, session, 200)

    async def _answer(self, request: Request) -> Response:
        self._agenda.run_due()
        form = await request.form()
        session = self._sessions.get(request.path_params["session_id"])
        if session is None:
            return _page(request, None, 404, "unknown")
        answer = form.get("answer")
        if answer not in ("approve", "fail", "abandon"):
            return _page(request, session, 400, "unread")
        # A second press finds nothing to pay and only leads back.
        if not session.open or session.paying:
            return RedirectResponse(_way_back(session), 303)
        if answer == "approve":
            return await self._pay(request, session, form.get("phone"))
        if answer == "fail":
            return self._fail(request, session, form.get("error"))
        return RedirectResponse(session.wanted.error_url, 303)

    async def _pay(self, request: Request, session: Session, given: object) -> Response:
        """The payer of a restricted session need not type the number; a number that differs is a mismatch."""
        restricted = (session.wanted.payer_mobile or "").removeprefix("+")
        typed = re.sub(r"[\s.+-]", "", given) if isinstance(given, str) and len(given) <= _PHONE_MAX else ""
        phone = typed if given else restricted
        if not _PHONE.fullmatch(phone):
            return _page(request, session, 400, "bad_number")
        if restricted and phone != restricted:
            self._till.fail(session, _MISMATCH)
            return RedirectResponse(session.wanted.error_url, 303)
        await self._till.pay(session, phone)
        return RedirectResponse(_way_on(session), 303)

    def _fail(self, request: Request, session: Session, error: object) -> Response:
        if error not in MESSAGES:
            return _page(request, session, 400, "unread")
        self._till.fail(session, str(error))
        return RedirectResponse(session.wanted.error_url, 303)


def _way_on(session: Session) -> str:
    """Where Pay leads: by what was decided, or by what will be. The merchant must ask all the same."""
    will_pay = session.paying and session.collection.story.outcome not in FAILURE_CODES
    return session.wanted.success_url if session.paid or will_pay else session.wanted.error_url


def _way_back(session: Session) -> str:
    over_unpaid = not session.open and not session.paid
    return session.wanted.error_url if over_unpaid else session.wanted.success_url


def _page(request: Request, session: Session | None, status: int, notice: str = "") -> Response:
    lang = language_of(request)
    html = _templates.get_template("launch.html").render(
        t=TEXTS[lang],
        lang=lang,
        notice=notice,
        errors=ERRORS[lang],
        session=None if session is None else _facts(session, lang),
    )
    return page_answer(html, status)


def _facts(session: Session, lang: str) -> dict[str, object]:
    restricted = session.wanted.payer_mobile
    state = "paid" if session.paid else "over" if not session.open else "paying" if session.paying else "open"
    return {
        "business": session.account.business_name,
        "amount": amount_text(session.wanted.amount, session.wanted.currency),
        "payer": None if restricted is None else "•••• " + restricted[-2:],
        "proposed": session.account.default_payer,
        "state": state,
        "failed": ERRORS[lang].get(session.last_error or "", session.last_error),
        "back": _way_back(session),
    }
