"""The card form and the bank's 3-D Secure step."""

import re
import secrets

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cauri.simulator.dialects.card_page.cards import CARDS, CHALLENGED, card_number, is_current, is_cvc
from cauri.simulator.dialects.card_page.texts import TEXTS
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.payer_pages import amount_text, language_of, payer_page
from cauri.simulator.stories import WRONG_ONE_TIME_CODE, Story

TRIES = 3
"""Wrong codes after which the bank refuses."""

_CANCELLED, _NOT_AUTHENTICATED = "627", "604"
_CODE = re.compile(r"[0-9]{6}")
_BRAND = ("Visa · Mastercard", "#1f3f8f")


class CardPages:
    def __init__(self, exchange: Exchange, public_url: str) -> None:
        self._exchange = exchange
        self._root = public_url.rstrip("/") + "/card-page/pay/"
        self._by_token: dict[str, Collection] = {}

    def routes(self) -> list[Route]:
        form, challenge = "/card-page/pay/{token}", "/card-page/pay/{token}/3ds"
        return [
            Route(form, self._show_form, methods=["GET"], name="page"),
            Route(form, self._take_card, methods=["POST"], name="page"),
            Route(challenge, self._show_challenge, methods=["GET"], name="page"),
            Route(challenge, self._take_code, methods=["POST"], name="page"),
        ]

    def open(self, collection: Collection) -> None:
        """Gives the session its page, under a URL that nobody can guess."""
        token = secrets.token_hex(16)
        self._by_token[token] = collection
        collection.extras["page"] = self._root + token

    def forget(self) -> None:
        self._by_token.clear()

    def _find(self, request: Request) -> Collection | None:
        self._exchange.agenda.run_due()
        return self._by_token.get(request.path_params["token"])

    async def _show_form(self, request: Request) -> Response:
        collection = self._find(request)
        if collection is None:
            return _unknown(request)
        if _is_challenged(collection):
            return _to_challenge(request, collection)
        return _form(request, collection, 200, "" if collection.prompt == "page" else "done")

    async def _take_card(self, request: Request) -> Response:
        form = await request.form()
        collection = self._find(request)
        if collection is None:
            return _unknown(request)
        if _is_challenged(collection):
            return _to_challenge(request, collection)
        if collection.prompt != "page":  # a second press only leads back
            return _back(collection)
        if form.get("answer") == "cancel":
            self._exchange.end(collection, _CANCELLED)
            return _back(collection)
        if form.get("answer") != "pay":
            return _form(request, collection, 400, "unread")
        number, wrong = self._read_card(form)
        if number is None:
            return _form(request, collection, 400, wrong)
        return self._charge(request, collection, number)

    def _read_card(self, form: FormData) -> tuple[str | None, str]:
        """The number, or the name of the notice that says what is wrong."""
        number = card_number(str(form.get("number") or ""))
        if number is None:
            return None, "bad_number"
        if not is_current(str(form.get("expiry") or ""), self._exchange.agenda.now()):
            return None, "bad_expiry"
        if not is_cvc(str(form.get("cvc") or "")):
            return None, "bad_cvc"
        return (number, "") if str(form.get("name") or "").strip() else (None, "bad_name")

    def _charge(self, request: Request, collection: Collection, number: str) -> Response:
        card = CARDS.get(number, CHALLENGED)
        collection.extras["submitted"] = True
        collection.extras["card"] = number[-4:]
        if not collection.extras["told_beforehand"]:
            collection.story = Story(outcome=card.outcome)
            collection.extras["failure"] = card.failure
        if card.challenge:
            collection.extras["challenge"] = True
            return _to_challenge(request, collection)
        return self._ask_bank(collection)

    def _ask_bank(self, collection: Collection) -> Response:
        collection.prompt = None
        collection.extras.pop("challenge", None)
        self._exchange.plan_end(collection)
        return _back(collection)

    async def _show_challenge(self, request: Request) -> Response:
        collection = self._find(request)
        if collection is None:
            return _unknown(request)
        if not _is_challenged(collection):
            return RedirectResponse(str(collection.extras["page"]), 303)
        return _challenge(request, collection, 200, "")

    async def _take_code(self, request: Request) -> Response:
        form = await request.form()
        collection = self._find(request)
        if collection is None:
            return _unknown(request)
        if not _is_challenged(collection):
            return _back(collection) if collection.prompt is None else _to_form(collection)
        if form.get("answer") == "refuse":
            return self._not_authenticated(collection)
        if form.get("answer") != "confirm":
            return _challenge(request, collection, 400, "unread")
        code = str(form.get("code") or "").strip()
        if _CODE.fullmatch(code) and code != WRONG_ONE_TIME_CODE:
            return self._ask_bank(collection)
        return self._wrong_code(request, collection)

    def _wrong_code(self, request: Request, collection: Collection) -> Response:
        tries = int(str(collection.extras.get("wrong_codes", 0))) + 1
        collection.extras["wrong_codes"] = tries
        if tries < TRIES:
            return _challenge(request, collection, 400, "bad_code")
        return self._not_authenticated(collection)

    def _not_authenticated(self, collection: Collection) -> Response:
        self._exchange.end(collection, _NOT_AUTHENTICATED)
        return _back(collection)


def _is_challenged(collection: Collection) -> bool:
    return collection.prompt == "page" and bool(collection.extras.get("challenge"))


def _to_challenge(request: Request, collection: Collection) -> Response:
    """The step after the form, in the language that was chosen there."""
    chosen = f"?lang={language_of(request)}" if "lang" in request.query_params else ""
    return RedirectResponse(f"{collection.extras['page']}/3ds{chosen}", 303)


def _to_form(collection: Collection) -> Response:
    return RedirectResponse(str(collection.extras["page"]), 303)


def _back(collection: Collection) -> Response:
    """With a GET, whatever the payer's browser had sent."""
    return RedirectResponse(str(collection.extras["return_url"]), 303)


def _form(request: Request, collection: Collection, status: int, notice: str) -> Response:
    return _page(request, "card.html", collection, status, notice)


def _challenge(request: Request, collection: Collection, status: int, notice: str) -> Response:
    return _page(request, "challenge.html", collection, status, notice)


def _page(request: Request, template: str, collection: Collection, status: int, notice: str) -> Response:
    payment = {
        "amount": amount_text(collection.amount, collection.currency),
        "description": collection.extras["description"],
        "card": collection.extras.get("card", ""),
        "open": collection.prompt == "page",
        "back": collection.extras["return_url"],
    }
    return payer_page(request, template, TEXTS, status, brand=_BRAND, notice=notice, payment=payment)


def _unknown(request: Request) -> Response:
    return payer_page(request, "card.html", TEXTS, 404, brand=_BRAND, notice="unknown", payment=None)
