"""What a request to open a session must hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_DECIMALS = {"XOF": 0, "XAF": 0, "GNF": 0, "CDF": 2, "USD": 2}
_FIELDS = ("reference", "amount", "currency", "description", "return_url", "callback_url", "customer")
_CUSTOMER = (
    "id",
    "name",
    "surname",
    "email",
    "phone_number",
    "address",
    "city",
    "country",
    "state",
    "zip_code",
)
_MAY_BE_EMPTY = ("name", "surname", "phone_number")  # merchants need not send them
_REFERENCE = re.compile(r"[\x21-\x7e]{1,100}")
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})([.][0-9]{1,2})?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_PHONE = re.compile(r"[+]?[1-9][0-9]{7,14}")
_TEXT_MAX = 255


class Refused(Exception):
    """HTTP status, and the code and message of `{"error": {"code", "message"}}`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"error": {"code": code, "message": message}}


@dataclass(frozen=True)
class SessionRequest:
    """`phone`: the customer's number, digits with its country's prefix."""

    reference: str
    amount: str
    currency: str
    description: str
    return_url: str
    callback_url: str
    phone: str


def read_session(body: Mapping[str, Any]) -> SessionRequest:
    """Raises Refused (422) naming the first field that is wrong."""
    for name in body:
        if name not in _FIELDS:
            raise _wrong(name, "unknown field")
    reference = _text(body, "reference", _REFERENCE, "1 to 100 visible ASCII characters")
    currency = body.get("currency")
    if not isinstance(currency, str) or currency not in _DECIMALS:
        raise _wrong("currency", f"one of {', '.join(_DECIMALS)}")
    customer = body.get("customer")
    if not isinstance(customer, dict):
        raise _wrong("customer", f"an object with {', '.join(_CUSTOMER)}")
    _check_customer(customer)
    return SessionRequest(
        reference=reference,
        amount=_amount(body, currency),
        currency=currency,
        description=_text(body, "description"),
        return_url=_url(body, "return_url"),
        callback_url=_url(body, "callback_url"),
        phone=str(customer.get("phone_number", "")).removeprefix("+"),
    )


def _check_customer(customer: Mapping[str, Any]) -> None:
    shapes = {
        "email": (_EMAIL, "an e-mail address"),
        "country": (_COUNTRY, "two capital letters such as CI"),
        "phone_number": (_PHONE, "the whole number with its country's prefix, such as +2250700000001"),
    }
    for name in customer:
        if name not in _CUSTOMER:
            raise _wrong(f"customer.{name}", "unknown field")
    for name in _CUSTOMER:
        if name in _MAY_BE_EMPTY and customer.get(name, "") == "":
            continue
        shape, words = shapes.get(name, (None, ""))
        _text(customer, name, shape, words, within="customer.")


def _amount(body: Mapping[str, Any], currency: str) -> str:
    decimals = _DECIMALS[currency]
    amount = _text(body, "amount", _AMOUNT, 'decimal text such as "1500" or "12.00"')
    if len(amount.partition(".")[2]) > decimals or not amount.strip("0."):
        raise _wrong("amount", f"more than 0, with at most {decimals} decimals in {currency}")
    return amount


def _text(
    fields: Mapping[str, Any],
    name: str,
    shape: re.Pattern[str] | None = None,
    words: str = "",
    within: str = "",
) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > _TEXT_MAX:
        raise _wrong(within + name, f"a text of 1 to {_TEXT_MAX} characters")
    if shape is not None and not shape.fullmatch(value):
        raise _wrong(within + name, words)
    return value


def _url(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    try:
        parts = urlsplit(value) if isinstance(value, str) and value.isprintable() else urlsplit("")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise _wrong(name, "an http or https URL")
    return str(value)


def _wrong(name: str, words: str) -> Refused:
    return Refused(422, "invalid_request", f"{name}: {words}")
