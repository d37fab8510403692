"""What pawaPay checks before it accepts a deposit, in its own words."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from cauri.simulator.dialects.pawapay.providers import PROVIDERS, Market, Provider

_AMOUNT = re.compile(r"([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DIGITS = re.compile(r"[0-9]{1,20}")
_CUSTOMER_MESSAGE = re.compile(r"[a-zA-Z0-9 ]{4,22}")
_ONE_TIME_CODE = re.compile(r"[0-9]{6}")
_METADATA_MAX = 10


class Refused(Exception):
    """A technical refusal: HTTP 400 with this failure code; nothing was recorded."""

    def __init__(self, failure_code: str, message: str) -> None:
        super().__init__(message)
        self.failure_code = failure_code
        self.message = message


class Rejected(Refused):
    """A business refusal: HTTP 200 with status REJECTED; nothing was recorded."""


@dataclass(frozen=True)
class DepositRequest:
    """A deposit that pawaPay would try to collect."""

    deposit_id: str
    amount: str
    currency: str
    phone: str
    provider: Provider
    extras: Mapping[str, object]


_OPTIONAL = (
    "customerMessage",
    "clientReferenceId",
    "preAuthorisationCode",
    "successfulUrl",
    "failedUrl",
    "metadata",
)
_KNOWN = ("depositId", "amount", "currency", "payer", *_OPTIONAL)


def read_deposit(body: Mapping[str, Any], market: Market) -> DepositRequest:
    """The deposit that `body` asks for.

    Raises `Refused` (400) for a malformed request, `Rejected` (200) for one that the provider cannot serve.
    """
    _no_others(body, _KNOWN, "")
    deposit_id = deposit_id_of(_text(body, "depositId"))
    amount = _shaped(body, "amount", _AMOUNT)
    currency = _shaped(body, "currency", _CURRENCY)
    phone, provider_code = _read_payer(_object(body, "payer"))
    extras = {name: _READ_OPTIONAL[name](body, name) for name in _OPTIONAL if body.get(name) is not None}
    provider = PROVIDERS.get(provider_code)
    if provider is None:
        raise Rejected("INVALID_PROVIDER", f"The provider '{provider_code}' is not supported.")
    _require_for_flow(provider, extras)
    _check_business(market, provider, currency, phone, Decimal(amount))
    return DepositRequest(deposit_id, amount, currency, phone, provider, extras)


def deposit_id_of(text: str) -> str:
    """The id in its usual spelling. Raises `Refused` unless it is a UUID of version 4."""
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.version != 4 or str(parsed) != text.lower():
        raise Refused("INVALID_PARAMETER", "The parameter 'depositId' must be a UUIDv4.")
    return str(parsed)


def _read_payer(payer: Mapping[str, Any]) -> tuple[str, str]:
    _no_others(payer, ("type", "accountDetails"), "payer.")
    if _text(payer, "type", "payer.") != "MMO":
        raise Refused("INVALID_PARAMETER", "The parameter 'payer.type' must be 'MMO'.")
    account = _object(payer, "accountDetails", "payer.")
    _no_others(account, ("phoneNumber", "provider"), "payer.accountDetails.")
    phone = _text(account, "phoneNumber", "payer.accountDetails.")
    return phone, _text(account, "provider", "payer.accountDetails.")


def _require_for_flow(provider: Provider, extras: Mapping[str, object]) -> None:
    needed = {"PREAUTH": ("preAuthorisationCode",), "REDIRECT_AUTH": ("successfulUrl", "failedUrl")}
    for name in needed.get(provider.auth, ()):
        if name not in extras:
            raise Refused("MISSING_PARAMETER", f"The parameter '{name}' is mandatory for {provider.code}.")


def _check_business(market: Market, provider: Provider, currency: str, phone: str, amount: Decimal) -> None:
    if currency not in provider.currencies:
        raise Rejected("INVALID_CURRENCY", f"The currency '{currency}' is not supported by {provider.code}.")
    terms = market.terms(provider, currency)
    if terms.status == "CLOSED":
        raise Rejected("PROVIDER_TEMPORARILY_UNAVAILABLE", "The provider is currently unavailable.")
    if not _DIGITS.fullmatch(phone) or not provider.country.has_number(phone):
        raise Rejected("INVALID_PHONE_NUMBER", f"The phone number is not valid for {provider.code}.")
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > terms.decimals:
        raise Rejected("INVALID_AMOUNT", f"{provider.code} supports {terms.decimals} decimals in the amount.")
    if not terms.min_amount <= amount <= terms.max_amount:
        bounds = f"{terms.min_amount} and {terms.max_amount} {currency}"
        raise Rejected("AMOUNT_OUT_OF_BOUNDS", f"The amount must be between {bounds}.")


def _no_others(body: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
    for name in body:
        if name not in known:
            raise Refused("UNSUPPORTED_PARAMETER", f"The parameter '{path}{name}' is not supported.")


def _present(body: Mapping[str, Any], name: str, path: str) -> Any:
    value = body.get(name)
    if value is None or value == "":
        raise Refused("MISSING_PARAMETER", f"The parameter '{path}{name}' is mandatory.")
    return value


def _text(body: Mapping[str, Any], name: str, path: str = "") -> str:
    value = _present(body, name, path)
    if not isinstance(value, str):
        raise Refused("INVALID_PARAMETER", f"The parameter '{path}{name}' must be a string.")
    return value


def _object(body: Mapping[str, Any], name: str, path: str = "") -> Mapping[str, Any]:
    value = _present(body, name, path)
    if not isinstance(value, dict):
        raise Refused("INVALID_PARAMETER", f"The parameter '{path}{name}' must be an object.")
    return value


def _shaped(body: Mapping[str, Any], name: str, shape: re.Pattern[str]) -> str:
    value = _text(body, name)
    if not shape.fullmatch(value):
        raise Refused("INVALID_PARAMETER", f"The parameter '{name}' must match {shape.pattern}")
    return value


def _url(body: Mapping[str, Any], name: str) -> str:
    value = _text(body, name)
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or not value.isprintable():
        raise Refused("INVALID_PARAMETER", f"The parameter '{name}' must be a URL.")
    return value


def _metadata(body: Mapping[str, Any], name: str) -> dict[str, object]:
    entries = body[name]
    if not isinstance(entries, list) or len(entries) > _METADATA_MAX:
        raise Refused(
            "INVALID_PARAMETER", f"The parameter '{name}' must be a list of at most {_METADATA_MAX} objects."
        )
    flat: dict[str, object] = {}
    for entry in entries:
        keys = [key for key in entry if key != "isPII"] if isinstance(entry, dict) else []
        if len(keys) != 1:
            raise Refused("INVALID_PARAMETER", f"Each entry of '{name}' must be an object with one key.")
        if keys[0] in flat:
            raise Refused("DUPLICATE_METADATA_FIELD", f"The key '{keys[0]}' appears twice in '{name}'.")
        flat[keys[0]] = entry[keys[0]]
    return flat


_READ_OPTIONAL: Mapping[str, Callable[[Mapping[str, Any], str], object]] = {
    "customerMessage": lambda body, name: _shaped(body, name, _CUSTOMER_MESSAGE),
    "clientReferenceId": _text,
    "preAuthorisationCode": lambda body, name: _shaped(body, name, _ONE_TIME_CODE),
    "successfulUrl": _url,
    "failedUrl": _url,
    "metadata": _metadata,
}
