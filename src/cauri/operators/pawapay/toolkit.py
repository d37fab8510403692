"""What pawaPay says of its providers: active-conf (bounds, open or closed) and predict-provider."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import msgspec

from cauri.domain.methods import METHODS
from cauri.operators.base import Availability
from cauri.operators.foreign import decoded, quoted
from cauri.operators.http import Answer
from cauri.operators.pawapay.words import ROUTES

# Whether a provider takes deposits now. DELAYED is said of payouts, which are queued meanwhile.
PROVIDER_WORDS: dict[str, bool] = {"OPERATIONAL": True, "DELAYED": True, "CLOSED": False}

# Not the methods in dollars: a number does not tell the currency.
_METHOD_OF_PROVIDER: dict[str, str] = {
    route.provider: method for method, route in ROUTES.items() if METHODS[method].currency != "USD"
}
_AMOUNT = re.compile(rb'"?([0-9]{1,18}(?:\.[0-9]{1,20})?)"?')
DEPOSIT = "DEPOSIT"


class Operation(msgspec.Struct, rename="camel"):
    operation_type: str = ""
    min_amount: msgspec.Raw = msgspec.Raw()
    max_amount: msgspec.Raw = msgspec.Raw()
    status: str | None = None


class Currency(msgspec.Struct, rename="camel"):
    """``operationTypes`` is an object by type in one of pawaPay's pages and a list in another."""

    currency: str
    operation_types: dict[str, Operation] | list[Operation] = {}


class Provider(msgspec.Struct):
    provider: str
    currencies: list[Currency] = []


class Country(msgspec.Struct):
    providers: list[Provider] = []


class ActiveConf(msgspec.Struct):
    countries: list[Country]


class Prediction(msgspec.Struct):
    provider: str


def read_active_conf(answer: Answer) -> Mapping[str, Availability] | None:
    """Each of our methods; one that the account does not have is not open. None where the answer tells nothing."""
    conf = decoded(answer.body, ActiveConf)
    if conf is None or answer.status != 200:
        return None
    told = dict(_deposits(conf))
    if not told:
        return None
    missing = Availability(False, words="not configured for this account")
    return {
        method: told.get((route.provider, METHODS[method].currency), missing)
        for method, route in ROUTES.items()
    }


def read_prediction(answer: Answer) -> str | None:
    """The payment_method, in the country's own currency; None where the provider is none of ours or the number none of theirs."""
    prediction = decoded(answer.body, Prediction)
    if prediction is None or answer.status != 200:
        return None
    return _METHOD_OF_PROVIDER.get(prediction.provider)


def _deposits(conf: ActiveConf) -> Iterator[tuple[tuple[str, str], Availability]]:
    for country in conf.countries:
        for provider in country.providers:
            for currency in provider.currencies:
                operation = _deposit(currency)
                if operation is not None:
                    yield (provider.provider, currency.currency), _availability(operation)


def _deposit(currency: Currency) -> Operation | None:
    types = currency.operation_types
    if isinstance(types, dict):
        return types.get(DEPOSIT)
    return next((each for each in types if each.operation_type == DEPOSIT), None)


def _availability(operation: Operation) -> Availability:
    """A status that nobody listed closes nothing: only pawaPay's own CLOSED does."""
    word = operation.status or ""
    return Availability(
        PROVIDER_WORDS.get(word, True),
        _whole(operation.min_amount, ROUND_CEILING),
        _whole(operation.max_amount, ROUND_FLOOR),
        quoted(word, 60),
    )


def _whole(amount: msgspec.Raw, rounding: str) -> int | None:
    """A bound in whole units, never wider than pawaPay's: 0.5 as the lowest is 1, 99.5 as the highest 99."""
    match = _AMOUNT.fullmatch(bytes(amount))
    return None if match is None else int(Decimal(match[1].decode()).to_integral_value(rounding))
