"""What Wave takes for a checkout session: read strictly, refused as `request-validation-error` by field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from cauri.simulator.answers import json_answer

DECIMALS: Mapping[str, int] = {"XOF": 0, "GMD": 2, "UGX": 0}
"""Currencies that Wave's wallets have, with the decimals of an amount."""

_REFERENCE_MAX = 255
_AMOUNT = re.compile(r"(?:[1-9][0-9]{0,11}|0(?=[.]))(?:[.]([0-9]+))?")
_E164 = re.compile(r"[+][1-9][0-9]{7,14}")
_PAYER = ("restrict_payer_mobile", "enforce_payer_mobile")
_FIELDS = (
    "amount",
    "currency",
    "success_url",
    "error_url",
    "client_reference",
    "aggregated_merchant_id",
    *_PAYER,
)


class Refused(Exception):
    """`{code, message}` under an HTTP status, with `details` for a request that is not valid."""

    def __init__(self, status: int, code: str, message: str, details: object = None) -> None:
        super().__init__(code)
        content = {"code": code, "message": message} | ({"details": details} if details else {})
        self.answer: Response = json_answer(content, status)


def invalid(field: str, message: str, status: int = 422) -> Refused:
    details = [{"loc": [field], "msg": message}]
    return Refused(status, "request-validation-error", "Request invalid", details)


@dataclass(frozen=True)
class SessionRequest:
    """A session that is well formed. `payer_mobile` is E.164, None where anybody may pay."""

    amount: str
    currency: str
    success_url: str
    error_url: str
    client_reference: str | None
    payer_mobile: str | None
    aggregated_merchant_id: str | None


def read_session(body: Mapping[str, Any], currency: str, *, plain_http: bool) -> SessionRequest:
    """The session that `body` asks for. Raises `Refused` (422) naming the first field that is wrong."""
    for name in body:
        if name not in _FIELDS:
            raise invalid(name, "extra fields not permitted")
    if body.get("currency") != currency:
        raise invalid("currency", f"must be the wallet's currency, {currency}")
    return SessionRequest(
        amount=_amount(body, DECIMALS[currency]),
        currency=currency,
        success_url=_url(body, "success_url", plain_http),
        error_url=_url(body, "error_url", plain_http),
        client_reference=_text_or_none(body, "client_reference"),
        payer_mobile=_payer_mobile(body),
        aggregated_merchant_id=_text_or_none(body, "aggregated_merchant_id"),
    )


def _amount(body: Mapping[str, Any], decimals: int) -> str:
    amount = body.get("amount")
    found = _AMOUNT.fullmatch(amount) if isinstance(amount, str) else None
    if found is None or len(found[1] or "") > decimals or not set(found[0]) - {"0", "."}:
        words = "without decimals" if decimals == 0 else f"with at most {decimals} decimals"
        raise invalid("amount", f"must be a positive amount as text, {words} and leading zeros")
    return found[0]


def _url(body: Mapping[str, Any], name: str, plain_http: bool) -> str:
    value = body.get(name)
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    except ValueError:
        parts = urlsplit("")
    schemes = ("https", "http") if plain_http else ("https",)
    if parts.scheme not in schemes or not parts.hostname or not str(value).isprintable() or " " in str(value):
        raise invalid(name, f"must be a URL that begins with {' or '.join(s + '://' for s in schemes)}")
    return str(value)


def _text_or_none(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= _REFERENCE_MAX:
        raise invalid(name, f"must be text of 1 to {_REFERENCE_MAX} characters")
    return value


def _payer_mobile(body: Mapping[str, Any]) -> str | None:
    """The newer spelling and the older one mean the same."""
    mobile: str | None = None
    for name in _PAYER:
        given = body.get(name)
        if given is None:
            continue
        if not isinstance(given, str) or not _E164.fullmatch(given) or mobile not in (None, given):
            raise invalid(name, "must be one number in E.164, such as +2250700000001")
        mobile = given
    return mobile
