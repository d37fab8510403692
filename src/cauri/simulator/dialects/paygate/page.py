"""PayGate's hosted page: everything about the payment stands in its query, and the payer decides."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cauri.simulator.dialects.paygate.rules import (
    NETWORKS,
    PayGateAccount,
    PayRequest,
    Refused,
    account_of,
    amount_of,
    phone_of,
    read_payment,
)
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.payer_pages import amount_text, language_of, page_answer
from cauri.simulator.stories import Story

_CANCELLED = "627"
_NOBODY = "22890000000"
"""Stands for a payer who cancelled before giving a number."""

_QUERY = ("token", "amount", "identifier", "description", "url", "phone", "network", "lang")

_TEXTS = {
    "fr": {
        "title": "Payer par mobile money",
        "number": "Votre numéro",
        "network": "Opérateur",
        "approve": "Payer",
        "cancel": "Annuler",
        "used": "Ce paiement a déjà été demandé : il ne peut pas l’être deux fois.",
        "started": "Confirmez sur votre téléphone.",
        "cancelled": "Paiement annulé.",
        "bad_number": "Donnez un numéro togolais à 8 chiffres et son opérateur.",
        "bad_query": "Ce lien de paiement n’est pas valide. Recommencez depuis le site du marchand.",
        "bad_token": "Ce marchand n’est pas reconnu. Recommencez depuis le site du marchand.",
        "unread": "Votre réponse n’a pas été comprise. Utilisez les boutons de la page.",
        "note": "Page simulée : aucun argent ne bouge.",
    },
    "en": {
        "title": "Pay by mobile money",
        "number": "Your number",
        "network": "Operator",
        "approve": "Pay",
        "cancel": "Cancel",
        "used": "This payment was asked for before: it cannot be asked for twice.",
        "started": "Confirm on your phone.",
        "cancelled": "Payment cancelled.",
        "bad_number": "Give a Togolese number of 8 digits and its operator.",
        "bad_query": "This payment link is not valid. Start again from the merchant's site.",
        "bad_token": "This merchant is not known. Start again from the merchant's site.",
        "unread": "Your answer was not understood. Use the buttons of the page.",
        "note": "Simulated page: no money moves.",
    },
}

_templates = Environment(loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined)


class Register(Protocol):
    """Where a payment of the page is entered."""

    def knows(self, identifier: str) -> bool: ...

    def register(self, account: PayGateAccount, wanted: PayRequest, story: Story) -> Collection: ...


@dataclass(frozen=True)
class _Link:
    """A page's query that is well formed. `url` is where the payer goes afterwards, None where it says none."""

    account: PayGateAccount
    amount: int
    identifier: str
    description: str
    url: str | None
    phone: str
    network: str


class _Unusable(Exception):
    """A query that leads to no payment: HTTP status and the name of the text that says so."""

    def __init__(self, status: int, notice: str) -> None:
        super().__init__(notice)
        self.status = status
        self.notice = notice


class PayPage:
    def __init__(self, exchange: Exchange, accounts: Iterable[PayGateAccount], register: Register) -> None:
        self._exchange = exchange
        self._accounts = tuple(accounts)
        self._register = register

    def routes(self) -> list[Route]:
        path = "/paygate/v1/page"
        return [
            Route(path, self._show, methods=["GET"], name="page"),
            Route(path, self._answer, methods=["POST"], name="page"),
        ]

    async def _show(self, request: Request) -> Response:
        self._exchange.agenda.run_due()
        try:
            return _page(request, self._link(request), 200)
        except _Unusable as unusable:
            return _page(request, None, unusable.status, unusable.notice)

    async def _answer(self, request: Request) -> Response:
        self._exchange.agenda.run_due()
        form = await request.form()
        try:
            link = self._link(request)
        except _Unusable as unusable:
            return _page(request, None, unusable.status, unusable.notice)
        answer = form.get("answer")
        if answer not in ("approve", "cancel"):
            return _page(request, link, 400, "unread")
        phone = re.sub(r"[\s.-]", "", str(form.get("phone", "")))
        typed = {"phone_number": phone, "network": form.get("network")}
        if answer == "cancel":
            typed = {"phone_number": phone_of(phone) or _NOBODY, "network": NETWORKS[0]}
        try:
            wanted = read_payment({**typed, "amount": link.amount, "identifier": link.identifier})
        except Refused:
            return _page(request, link, 400, "bad_number")
        return self._decide(request, link, wanted, cancelled=answer == "cancel")

    def _decide(self, request: Request, link: _Link, wanted: PayRequest, *, cancelled: bool) -> Response:
        story = Story() if cancelled else self._exchange.take_story(wanted.phone, {})
        collection = self._register.register(link.account, wanted, story)
        if cancelled:
            self._exchange.end(collection, _CANCELLED)
        else:
            self._exchange.plan_end(collection)
        if link.url is not None:
            return RedirectResponse(link.url, 303)
        return _page(request, None, 200, "cancelled" if cancelled else "started")

    def _link(self, request: Request) -> _Link:
        """Raises `_Unusable`."""
        query = request.query_params
        account = account_of(self._accounts, query.get("token"))
        if account is None:
            raise _Unusable(403, "bad_token")
        amount, identifier = amount_of(query.get("amount")), query.get("identifier", "")
        phone, network = query.get("phone", ""), query.get("network", "")
        if amount is None or not identifier or set(query) - set(_QUERY) or len(str(request.url)) > 4000:
            raise _Unusable(400, "bad_query")
        if (phone and phone_of(phone) is None) or (network and network not in NETWORKS):
            raise _Unusable(400, "bad_query")
        if self._register.knows(identifier):
            raise _Unusable(409, "used")
        return _Link(
            account, amount, identifier, query.get("description", ""), _url_of(query), phone, network
        )


def _url_of(query: Mapping[str, str]) -> str | None:
    value = query.get("url")
    if not value:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or not value.isprintable():
        raise _Unusable(400, "bad_query")
    return value


def _page(request: Request, link: _Link | None, status: int, notice: str = "") -> Response:
    lang = language_of(request)
    amount = "" if link is None else amount_text(str(link.amount), "XOF")
    html = _templates.get_template("page.html").render(
        t=_TEXTS[lang], lang=lang, notice=notice, link=link, amount=amount, networks=NETWORKS
    )
    return page_answer(html, status)
