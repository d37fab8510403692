"""What the control plane may change of pawaPay alone: its providers' terms, its signatures, a deposit under investigation."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import json_answer
from cauri.simulator.control.reading import Mistake, guarded, listed, one_of, read, sum_in
from cauri.simulator.dialects.pawapay.providers import PROVIDERS, STATUSES, Market, Terms
from cauri.simulator.dialects.pawapay.signing import ALGORITHMS, DIGESTS, ENCODINGS, Encoding, Manner, Signer
from cauri.simulator.exchange import Collection, Exchange


class Levers:
    def __init__(
        self, exchange: Exchange, market: Market, signer: Signer, find: Callable[[str], Collection | None]
    ) -> None:
        self._exchange = exchange
        self._market = market
        self._signer = signer
        self._find = find

    def routes(self) -> list[Route]:
        doors = {
            "provider": self._provider,
            "signatures": self._signatures,
            "reconciliation": self._reconciliation,
        }
        return [
            Route(f"/_control/pawapay/{name}", guarded(self._exchange, door), methods=["POST"])
            for name, door in doors.items()
        ]

    async def _provider(self, request: Request) -> Response:
        """Availability and bounds of one provider, in one of its currencies or in all."""
        body = await read(request, ("provider", "currency", "status", "min_amount", "max_amount"))
        provider = PROVIDERS[one_of(body, "provider", tuple(PROVIDERS))]
        currencies = tuple(provider.currencies)
        if "currency" in body:
            currencies = (one_of(body, "currency", currencies),)
        changed = {
            currency: _changed(self._market.terms(provider, currency), body) for currency in currencies
        }
        for currency, terms in changed.items():
            self._market.set(provider, currency, terms)
        return json_answer({"provider": provider.code, "currencies": changed})

    async def _signatures(self, request: Request) -> Response:
        body = await read(request, ("encoding", "algorithm", "digest", "forged", "new_keys"))
        now = self._signer.manner
        self._signer.manner = Manner(
            encoding=cast(Encoding, one_of(body, "encoding", ENCODINGS, now.encoding)),
            algorithm=one_of(body, "algorithm", ALGORITHMS, now.algorithm),
            digest=one_of(body, "digest", DIGESTS, now.digest),
            forged=_yes_or_no(body, "forged"),
        )
        if _yes_or_no(body, "new_keys"):
            self._signer.renew()
        return json_answer({**vars(self._signer.manner), "keys": self._signer.public_keys()})

    async def _reconciliation(self, request: Request) -> Response:
        """An open deposit is being looked into: IN_RECONCILIATION until it is settled."""
        body = await read(request, ("reference",))
        reference = body.get("reference")
        if not isinstance(reference, str):
            raise Mistake("reference: the depositId of an open deposit, as text")
        collection = self._find(reference)
        if collection is None or collection.outcome is not None:
            return json_answer({"error": f"reference: no open deposit {reference!r}"}, 404)
        collection.extras["in_reconciliation"] = True
        return json_answer({"reference": reference, "status": "IN_RECONCILIATION"})


def _changed(terms: Terms, body: Mapping[str, Any]) -> Terms:
    changed = replace(
        terms,
        status=one_of(body, "status", STATUSES, terms.status),
        min_amount=_bound(body, "min_amount", terms.min_amount),
        max_amount=_bound(body, "max_amount", terms.max_amount),
    )
    if changed.min_amount > changed.max_amount:
        raise Mistake(f"min_amount: {changed.min_amount} is more than max_amount {changed.max_amount}")
    return changed


def _bound(body: Mapping[str, Any], name: str, before: Decimal) -> Decimal:
    given = sum_in(body, name)
    return before if given is None else given


def _yes_or_no(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Mistake(f"{name}: one of {listed(('true', 'false'))}")
    return value
