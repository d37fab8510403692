"""The provider's own page of a REDIRECT payment: the payer approves or refuses, then goes back."""

import secrets

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cauri.simulator.dialects.pawapay.views import provider_of
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.payer_pages import amount_text, language_of, page_answer
from cauri.simulator.stories import FAILURE_CODES

_REFUSED_BY_PAYER = "627"

_TEXTS = {
    "fr": {
        "title": "Autoriser le paiement",
        "to": "À",
        "from": "Depuis le compte",
        "approve": "Approuver",
        "refuse": "Refuser",
        "note": "Page simulée : aucun argent ne bouge.",
        "done": "Ce paiement n’attend plus votre réponse.",
        "back": "Retour au marchand",
        "unknown": "Cette page n’existe pas ou plus. Recommencez le paiement depuis le site du marchand.",
        "unread": "Votre réponse n’a pas été comprise. Utilisez les boutons de la page.",
        "other": "English",
        "other_lang": "en",
    },
    "en": {
        "title": "Authorise the payment",
        "to": "To",
        "from": "From the account",
        "approve": "Approve",
        "refuse": "Refuse",
        "note": "Simulated page: no money moves.",
        "done": "This payment no longer waits for your answer.",
        "back": "Back to the merchant",
        "unknown": "This page does not exist (any more). Start the payment again from the merchant's site.",
        "unread": "Your answer was not understood. Use the buttons of the page.",
        "other": "Français",
        "other_lang": "fr",
    },
}

_templates = Environment(loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined)


class AuthPages:
    """The open pages, each under a URL that nobody can guess."""

    def __init__(self, exchange: Exchange, public_url: str) -> None:
        self._exchange = exchange
        self._root = public_url.rstrip("/") + "/pawapay/authorise/"
        self._by_token: dict[str, Collection] = {}

    def routes(self) -> list[Route]:
        path = "/pawapay/authorise/{token}"
        return [
            Route(path, self._show, methods=["GET"], name="page"),
            Route(path, self._answer, methods=["POST"], name="page"),
        ]

    def open(self, collection: Collection) -> None:
        """Gives the collection its page and puts it in the payer's hands."""
        token = secrets.token_hex(16)
        self._by_token[token] = collection
        collection.extras["page"] = self._root + token
        collection.prompt = "page"

    def forget(self) -> None:
        self._by_token.clear()

    async def _show(self, request: Request) -> Response:
        self._exchange.agenda.run_due()
        collection = self._by_token.get(request.path_params["token"])
        if collection is None:
            return _page(request, None, 404, notice="unknown")
        return _page(request, collection, 200, notice="" if collection.prompt == "page" else "done")

    async def _answer(self, request: Request) -> Response:
        self._exchange.agenda.run_due()
        answer = (await request.form()).get("answer")
        collection = self._by_token.get(request.path_params["token"])
        if collection is None:
            return _page(request, None, 404, notice="unknown")
        if answer not in ("approve", "refuse"):
            return _page(request, collection, 400, notice="unread")
        # A second press finds no page waiting and only leads back.
        if collection.prompt == "page" and answer == "approve":
            collection.prompt = None
            self._exchange.plan_end(collection)
        elif collection.prompt == "page":
            self._exchange.end(collection, _REFUSED_BY_PAYER)
        return RedirectResponse(_way_back(collection), 303)


def _way_back(collection: Collection) -> str:
    end = collection.outcome or collection.story.outcome
    return str(collection.extras["failedUrl" if end in FAILURE_CODES else "successfulUrl"])


def _page(request: Request, collection: Collection | None, status: int, notice: str) -> Response:
    lang = language_of(request)
    facts: dict[str, object] = {"payment": None}
    if collection is not None:
        facts["payment"] = {
            "provider": provider_of(collection).name,
            "amount": amount_text(collection.amount, collection.currency),
            "phone": "•••• " + collection.phone[-2:],
            "waits": collection.prompt == "page",
            "back": _way_back(collection),
        }
    html = _templates.get_template("authorise.html").render(t=_TEXTS[lang], lang=lang, notice=notice, **facts)
    return page_answer(html, status)
