"""Orange's hosted page: the payer types number and one-time code, then confirms or cancels."""

from dataclasses import replace
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cauri.simulator.dialects.orange_webpay.countries import read_phone
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.one_time_codes import SHAPE, OneTimeCodes
from cauri.simulator.payer_pages import amount_text, payer_page

TRIES = 3
"""Wrong codes after which a payment is over."""

_CANCELLED, _WRONG_CODE = "627", "604"
_BRAND = ("Orange Money", "#a33d00")

_TEXTS = {
    "fr": {
        "title": "Payer avec Orange Money",
        "order": "Référence",
        "phone": "Numéro Orange Money",
        "otp": "Code à usage unique",
        "otp_hint": "obtenu en composant #144*82#",
        "confirm": "Confirmer",
        "cancel": "Annuler",
        "desk": "Simuler #144*82# pour obtenir un code",
        "back": "Retour au marchand",
        "done": "Ce paiement n’attend plus votre réponse.",
        "late": "Les dix minutes sont passées. Recommencez le paiement depuis le site du marchand.",
        "unknown": "Cette page n’existe pas ou plus. Recommencez le paiement depuis le site du marchand.",
        "unread": "Votre réponse n’a pas été comprise. Utilisez les boutons de la page.",
        "bad_phone": "Ce numéro n’est pas un numéro Orange Money de ce pays.",
        "bad_code": "Ce code n’est pas le bon. Composez #144*82# et réessayez.",
    },
    "en": {
        "title": "Pay with Orange Money",
        "order": "Reference",
        "phone": "Orange Money number",
        "otp": "One-time code",
        "otp_hint": "dial #144*82# to get one",
        "confirm": "Confirm",
        "cancel": "Cancel",
        "desk": "Simulate #144*82# to get a code",
        "back": "Back to the merchant",
        "done": "This payment no longer waits for your answer.",
        "late": "The ten minutes are over. Start the payment again from the merchant's site.",
        "unknown": "This page does not exist (any more). Start the payment again from the merchant's site.",
        "unread": "Your answer was not understood. Use the buttons of the page.",
        "bad_phone": "This number is not an Orange Money number of this country.",
        "bad_code": "This code is not right. Dial #144*82# and try again.",
    },
}


class PayPages:
    def __init__(self, exchange: Exchange, public_url: str, codes: OneTimeCodes) -> None:
        self._exchange = exchange
        self._root = public_url.rstrip("/")
        self._codes = codes
        self._by_token: dict[str, Collection] = {}

    def routes(self) -> list[Route]:
        path = "/orange/payment/pay_token/{token}"
        return [
            Route(path, self._show, methods=["GET"], name="page"),
            Route(path, self._answer, methods=["POST"], name="page"),
        ]

    def open(self, collection: Collection, pay_token: str) -> str:
        """The payment's page."""
        url = f"{self._root}/orange/payment/pay_token/{pay_token}"
        self._by_token[pay_token] = collection
        collection.extras["page"] = url
        return url

    def forget(self) -> None:
        self._by_token.clear()

    async def _show(self, request: Request) -> Response:
        self._exchange.agenda.run_due()
        collection = self._by_token.get(request.path_params["token"])
        if collection is None:
            return _unknown(request)
        return self._page(request, collection, 200, "" if collection.prompt == "page" else _over(collection))

    async def _answer(self, request: Request) -> Response:
        self._exchange.agenda.run_due()
        form = await request.form()
        collection = self._by_token.get(request.path_params["token"])
        if collection is None:
            return _unknown(request)
        if collection.prompt != "page":  # a second press only leads back
            if collection.extras.get("expired"):
                return self._page(request, collection, 410, "late")
            return RedirectResponse(_way_back(collection), 303)
        if form.get("answer") == "cancel":
            self._exchange.end(collection, _CANCELLED)
            return RedirectResponse(_way_back(collection), 303)
        if form.get("answer") != "confirm":
            return self._page(request, collection, 400, "unread")
        return self._confirm(
            request, collection, str(form.get("phone") or ""), str(form.get("otp") or "").strip()
        )

    def _confirm(self, request: Request, collection: Collection, typed: str, code: str) -> Response:
        phone = read_phone(typed, str(collection.extras["segment"]))
        if phone is None:
            return self._page(request, collection, 400, "bad_phone", typed)
        collection.phone = phone
        right = (
            SHAPE.fullmatch(code) and self._codes.judge(phone, code, Decimal(collection.amount)) == "right"
        )
        if not right:
            return self._wrong_code(request, collection, typed)
        self._codes.use(phone, code)
        if not collection.extras["told_beforehand"]:
            collection.story = self._exchange.take_story(phone, {})
        collection.extras["confirmed"] = True
        collection.prompt = None
        self._exchange.plan_end(collection)
        return RedirectResponse(_way_back(collection), 303)

    def _wrong_code(self, request: Request, collection: Collection, typed: str) -> Response:
        tries = int(str(collection.extras.get("wrong_codes", 0))) + 1
        collection.extras["wrong_codes"] = tries
        if tries < TRIES:
            return self._page(request, collection, 400, "bad_code", typed)
        collection.story = replace(collection.story, outcome=_WRONG_CODE)
        self._exchange.end(collection, _WRONG_CODE)
        return RedirectResponse(_way_back(collection), 303)

    def _page(
        self, request: Request, collection: Collection, status: int, notice: str, typed: str = ""
    ) -> Response:
        payment = {
            "amount": amount_text(collection.amount, collection.currency),
            "reference": collection.extras["shown"],
            "open": collection.prompt == "page",
            "back": _way_back(collection),
            "desk": f"{self._root}/orange/otp",
        }
        lang = str(collection.extras["lang"])
        return payer_page(
            request,
            "orange.html",
            _TEXTS,
            status,
            brand=_BRAND,
            lang=lang,
            notice=notice,
            payment=payment,
            typed=typed[:20],
        )


def _over(collection: Collection) -> str:
    return "late" if collection.extras.get("expired") else "done"


def _way_back(collection: Collection) -> str:
    return str(collection.extras["cancel_url" if collection.outcome == _CANCELLED else "return_url"])


def _unknown(request: Request) -> Response:
    return payer_page(
        request, "orange.html", _TEXTS, 404, brand=_BRAND, notice="unknown", payment=None, typed=""
    )
