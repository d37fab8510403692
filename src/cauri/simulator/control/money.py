"""Levers of money: wallets with balances and limits, the books, operators' statements."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cauri.simulator.answers import json_answer
from cauri.simulator.control.payments import collection_json
from cauri.simulator.control.reading import (
    Door,
    Mistake,
    asked,
    known_only,
    listed,
    moment,
    operator_in,
    phone_in,
    read,
    sum_in,
)
from cauri.simulator.exchange import Exchange
from cauri.simulator.statements import WRONGS, Impossible, statement
from cauri.simulator.wallets import LIMITS, Wallet

_CURRENCY = re.compile(r"[A-Z]{3}")


class MoneyDoors:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def doors(self) -> Sequence[tuple[str, str, Door]]:
        return [
            ("GET", "/books", self._books),
            ("GET", "/statement", self._statement),
            ("GET", "/wallet", self._wallet),
            ("POST", "/wallet", self._give_wallet),
        ]

    async def _books(self, request: Request) -> Response:
        """Every debit, every request to collect with its end, and what each operator holds in the end."""
        operator = operator_in(asked(request, ("operator",)), self._exchange)
        books = self._exchange.books
        return json_answer(
            {
                "debits": [debit.as_json() for debit in books.debits(operator)],
                "totals": books.totals(operator),
                "requests": [
                    collection_json(c) | {"operator_id": c.operator_id, "created_at": c.created_at}
                    for c in self._exchange.collections(operator)
                ],
            }
        )

    async def _statement(self, request: Request) -> Response:
        query = asked(request, ("operator", "from", "to", "wrong"))
        operator = operator_in(query, self._exchange)
        if operator is None:
            raise Mistake(f"operator: one of {listed(self._exchange.dialects)}")
        since, until = moment(query, "from"), moment(query, "to", ends=True)
        if since is not None and until is not None and since > until:
            raise Mistake("to: not before from")
        debits = [
            debit
            for debit in self._exchange.books.debits(operator)
            if (since is None or debit.debited_at >= since) and (until is None or debit.debited_at <= until)
        ]
        try:
            text = statement(operator, debits, _wrong(query))
        except Impossible as impossible:
            raise Mistake(f"wrong: {impossible}") from None
        name = {"content-disposition": f'attachment; filename="{operator}.csv"'}
        return Response(text, headers=name, media_type="text/csv; charset=utf-8")

    async def _wallet(self, request: Request) -> Response:
        phone = phone_in(asked(request, ("phone",)))
        wallet = self._exchange.wallets.of(phone)
        if wallet is None:
            return json_answer(
                {"error": f"phone: {phone} has no wallet; POST one, or it pays by its digits"}, 404
            )
        return json_answer({"phone": phone, **wallet.as_json()})

    async def _give_wallet(self, request: Request) -> Response:
        body = await read(request, ("phone", "balance", "currency", "limits"))
        phone = phone_in(body)
        wallet = Wallet(sum_in(body, "balance"), _currency(body), _limits(body))
        self._exchange.wallets.give(phone, wallet)
        return json_answer({"phone": phone, **wallet.as_json()})


def _wrong(query: Mapping[str, str]) -> list[str]:
    ways = [way for way in query.get("wrong", "").split(",") if way]
    if any(way not in WRONGS for way in ways):
        raise Mistake(f"wrong: {listed(WRONGS)}, or several of them with commas")
    return ways


def _currency(body: Mapping[str, Any]) -> str | None:
    currency = body.get("currency")
    if currency is not None and (not isinstance(currency, str) or not _CURRENCY.fullmatch(currency)):
        raise Mistake('currency: three capital letters, such as "XOF"')
    return currency


def _limits(body: Mapping[str, Any]) -> dict[str, Any]:
    limits = body.get("limits", {})
    if not isinstance(limits, dict):
        raise Mistake(f"limits: an object with some of {listed(LIMITS)}")
    known = known_only(limits, LIMITS, "limits.")
    return {name: sum_in(known, name, "limits.") for name in known}
