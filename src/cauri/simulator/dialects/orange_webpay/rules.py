"""What WebPay checks before it opens a payment, in its own words."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from cauri.simulator.dialects.orange_webpay.countries import COUNTRIES
from cauri.simulator.dialects.orange_webpay.words import Refused

_TEXT_MAX = 30
_MANDATORY = ("merchant_key", "currency", "order_id", "amount", "return_url", "cancel_url", "notif_url")
_OPTIONAL = ("lang", "reference")
_ORDER_ID = re.compile(r"[\x20-\x7e]{1,30}")
_AMOUNT = re.compile(r"[1-9][0-9]{0,11}([.][0-9]{1,2})?|0[.][0-9]{1,2}")
_PRIVATE_NAMES = ("localhost", ".localhost", ".local", ".internal", ".test", ".example", ".invalid")


@dataclass(frozen=True)
class PaymentRequest:
    order_id: str
    amount: Decimal
    currency: str
    urls: Mapping[str, str]
    lang: str
    reference: str


def read_payment(body: Mapping[str, Any], segment: str, *, public_urls_only: bool) -> PaymentRequest:
    """The payment that `body` asks for; its merchant key is judged elsewhere. Raises Refused."""
    require(body, _MANDATORY, _OPTIONAL)
    country = COUNTRIES[segment]
    order_id = body["order_id"]
    if not isinstance(order_id, str) or not _ORDER_ID.fullmatch(order_id):
        raise _bad("order_id", f"must be a text of at most {_TEXT_MAX} characters")
    if body["currency"] not in country.currencies:
        raise _bad("currency", f"must be {' or '.join(country.currencies)}")
    lang, reference = body.get("lang") or "fr", body.get("reference") or ""
    if lang not in ("fr", "en"):
        raise _bad("lang", "must be fr or en")
    if not isinstance(reference, str) or len(reference) > _TEXT_MAX:
        raise _bad("reference", f"must be a text of at most {_TEXT_MAX} characters")
    urls = {name: _url(body, name, public_urls_only) for name in ("return_url", "cancel_url", "notif_url")}
    return PaymentRequest(
        order_id, read_amount(body, country.decimals), str(body["currency"]), urls, str(lang), reference
    )


def require(body: Mapping[str, Any], mandatory: Sequence[str], optional: Sequence[str] = ()) -> None:
    for name in body:
        if name not in mandatory and name not in optional:
            raise Refused(400, 22, "Invalid body", f"The field {name} is not known")
    for name in mandatory:
        if body.get(name) in (None, ""):
            raise Refused(400, 23, "Missing body field", f"The field {name} is mandatory")


def read_amount(body: Mapping[str, Any], decimals: int) -> Decimal:
    """Integrators send numbers and texts alike. Raises Refused."""
    value = body["amount"]
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise _bad("amount", "must be a positive number")
    amount = Decimal(text)
    if amount == 0 or amount != round(amount, decimals):
        raise _bad("amount", f"must be a positive number with at most {decimals} decimals")
    return amount


def _bad(name: str, what: str) -> Refused:
    return Refused(400, 24, "Invalid body field", f"The field {name} {what}")


def _url(body: Mapping[str, Any], name: str, public_only: bool) -> str:
    value = body[name]
    try:
        parts = urlsplit(value) if isinstance(value, str) and value.isprintable() else urlsplit("")
        host = parts.hostname or ""
    except ValueError:
        raise _bad(name, "must be a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise _bad(name, "must be a URL")
    if public_only and not _is_public(host):
        raise Refused(403, 50, "Access denied", f"The field {name} must be a public URL")
    return str(value)


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.lower().endswith(_PRIVATE_NAMES)
