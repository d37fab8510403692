"""Where payers of the sandbox get the code that a real one makes on the handset: a page, and JSON for programs."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import json_answer, read_json_object
from cauri.simulator.one_time_codes import OneTimeCodes
from cauri.simulator.payer_pages import payer_page

_AMOUNT = re.compile(r"[1-9][0-9]{0,11}([.][0-9]{1,2})?")

_TEXTS = {
    "fr": {
        "title": "Code de paiement",
        "of_number": "Code pour le numéro",
        "once": "Il sert une fois, pendant dix minutes.",
        "phone": "Numéro Orange Money",
        "phone_hint": "avec l’indicatif, par exemple 2250700000001",
        "amount": "Montant",
        "obtain": "Obtenir un code",
        "bad_phone": "Donnez le numéro entier avec l’indicatif, par exemple 2250700000001.",
        "bad_amount": "Donnez le montant à payer, par exemple 1500.",
    },
    "en": {
        "title": "Payment code",
        "of_number": "Code for the number",
        "once": "It works once, for ten minutes.",
        "phone": "Orange Money number",
        "phone_hint": "with the country's prefix, such as 2250700000001",
        "amount": "Amount",
        "obtain": "Get a code",
        "bad_phone": "Give the whole number with the country's prefix, such as 2250700000001.",
        "bad_amount": "Give the amount to pay, such as 1500.",
    },
}
_ERRORS = {
    "bad_phone": "phone: the whole number with the country's prefix as text, such as 2250700000001",
    "bad_amount": "amount: the amount to pay as text, such as 1500",
}


class CodeDesk:
    """`read_phone` gives the number in full, or None. `wants_amount`: the code is bound to an amount."""

    def __init__(
        self,
        path: str,
        codes: OneTimeCodes,
        read_phone: Callable[[str], str | None],
        *,
        wants_amount: bool = False,
        brand: tuple[str, str] = ("Orange Money", "#a33d00"),
    ) -> None:
        self._path = path
        self._codes = codes
        self._read_phone = read_phone
        self._wants_amount = wants_amount
        self._brand = brand

    def routes(self) -> list[Route]:
        return [
            Route(self._path, self._show, methods=["GET"], name="page"),
            Route(self._path, self._issue, methods=["POST"], name="page"),
        ]

    async def _show(self, request: Request) -> Response:
        return self._page(request, 200, "", None)

    async def _issue(self, request: Request) -> Response:
        as_json = "json" in request.headers.get("content-type", "")
        fields: Mapping[str, Any] = (
            (await read_json_object(request) or {}) if as_json else await request.form()
        )
        phone = self._read_phone(str(fields.get("phone") or ""))
        amount = str(fields.get("amount") or "") if self._wants_amount else None
        wrong = "" if phone else "bad_phone"
        if not wrong and amount is not None and not _AMOUNT.fullmatch(amount):
            wrong = "bad_amount"
        if wrong or phone is None:
            return (
                json_answer({"error": _ERRORS[wrong]}, 400)
                if as_json
                else self._page(request, 400, wrong, None)
            )
        issued = self._codes.issue(phone, None if amount is None else Decimal(amount))
        until = datetime.fromtimestamp(issued.until / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        code = {"phone": phone, "otp": issued.otp, "valid_until": until}
        return json_answer(code, 201) if as_json else self._page(request, 201, "", code)

    def _page(self, request: Request, status: int, notice: str, code: Mapping[str, str] | None) -> Response:
        return payer_page(
            request,
            "codes.html",
            _TEXTS,
            status,
            brand=self._brand,
            notice=notice,
            code=code,
            wants_amount=self._wants_amount,
        )
