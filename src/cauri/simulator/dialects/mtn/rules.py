"""What MTN takes: requests are read strictly, and refused by its own codes."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from cauri.simulator.answers import json_answer

TEXT_MAX = 128
"""Characters of payerMessage and payeeNote: older text says 160, newer 128; the stricter holds here."""

NOTIFICATION_MAX = 160

_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:[.][0-9]{1,4})?")
_MSISDN = re.compile(r"[1-9][0-9]{7,14}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+[.][^@\s]+")
_FIELDS = ("amount", "currency", "externalId", "payer", "payerMessage", "payeeNote")


class Refused(Exception):
    """An answer other than the documented success: `{code, message}` under an HTTP status."""

    def __init__(
        self, status: int, code: str = "", message: str = "", answer: Response | None = None
    ) -> None:
        super().__init__(code)
        self.answer = answer or json_answer({"code": code, "message": message}, status)


def malformed(message: str) -> Refused:
    return Refused(400, "VALIDATION_ERROR", message)


@dataclass(frozen=True)
class PayRequest:
    """A request to pay that is well formed. `echo` is the body as it was sent: status and callback repeat it."""

    amount: str
    currency: str
    party_type: str
    party_id: str
    echo: Mapping[str, Any]


def reference_id_of(text: str | None, what: str = "X-Reference-Id") -> str:
    """The id in its usual spelling. Raises `Refused` (400) unless it is a UUID of version 4."""
    try:
        parsed = uuid.UUID(text or "")
    except ValueError:
        parsed = None
    if parsed is None or parsed.version != 4 or str(parsed) != (text or "").lower():
        raise malformed(f"{what} must be a UUID of version 4")
    return str(parsed)


def read_request(body: Mapping[str, Any], decimals: int, *, empty_texts: bool) -> PayRequest:
    """The request to pay that `body` is. `empty_texts`: the sandbox takes "" where countries may not.

    Raises `Refused` (400) naming the field; the currency is judged by the caller.
    """
    _no_others(body, _FIELDS, "")
    amount = _text(body, "amount")
    if not _AMOUNT.fullmatch(amount) or Decimal(amount) <= 0:
        raise malformed('amount must be a positive number as text, such as "1500"')
    if len(amount.partition(".")[2]) > decimals:
        raise malformed(f"amount takes {decimals} decimals in this currency")
    currency = _text(body, "currency")
    _text(body, "externalId")
    payer = body.get("payer")
    if not isinstance(payer, dict):
        raise malformed("payer must be an object with partyIdType and partyId")
    party_type, party_id = _read_payer(payer)
    for name in ("payerMessage", "payeeNote"):
        _read_message(body, name, empty_texts)
    return PayRequest(amount, currency, party_type, party_id, dict(body))


def _read_payer(payer: Mapping[str, Any]) -> tuple[str, str]:
    _no_others(payer, ("partyIdType", "partyId"), "payer.")
    party_type, party_id = payer.get("partyIdType"), payer.get("partyId")
    if party_type not in ("MSISDN", "EMAIL", "PARTY_CODE"):
        raise malformed("payer.partyIdType must be MSISDN, EMAIL or PARTY_CODE")
    if not isinstance(party_id, str) or not _is_party(str(party_type), party_id):
        raise malformed(f"payer.partyId is not valid for {party_type}: an MSISDN is digits without +")
    return str(party_type), party_id


def _is_party(party_type: str, party_id: str) -> bool:
    if party_type == "MSISDN":
        return _MSISDN.fullmatch(party_id) is not None
    if party_type == "EMAIL":
        return _EMAIL.fullmatch(party_id) is not None
    try:
        return str(uuid.UUID(party_id)) == party_id.lower()
    except ValueError:
        return False


def _read_message(body: Mapping[str, Any], name: str, empty_texts: bool) -> None:
    if name not in body:
        return
    text = body[name]
    if not isinstance(text, str) or len(text) > TEXT_MAX or not set(text).isdisjoint("'&"):
        raise malformed(f"{name} must be text of at most {TEXT_MAX} characters without ' and &")
    if not text and not empty_texts:
        raise malformed(f"{name} must not be empty; leave it out")


def callback_url_of(value: str | None, host: str | None, scheme: str) -> str | None:
    """X-Callback-Url where one is sent. Raises `Refused`: 400 malformed, 500 for another host than registered."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        hostname = parts.hostname
    except ValueError:
        hostname = None
    if not hostname or not value.isprintable() or " " in value:
        raise malformed("X-Callback-Url must be a URL; leave it out where there is none")
    if "?" in value or "#" in value:
        raise malformed("X-Callback-Url must not have a query string")
    if parts.scheme != scheme:
        raise malformed(f"X-Callback-Url must begin with {scheme}://")
    if host is None or hostname != host.lower():
        raise Refused(
            500, "INVALID_CALLBACK_URL_HOST", "Callback URL host is not the registered providerCallbackHost."
        )
    return value


def notification_of(body: Mapping[str, Any] | None, header: str | None) -> str:
    """`notificationMessage` of the body or of the header. Raises `Refused` (400)."""
    if body is not None:
        _no_others(body, ("notificationMessage",), "")
    text = (body or {}).get("notificationMessage", header)
    if not isinstance(text, str) or not 1 <= len(text) <= NOTIFICATION_MAX:
        raise malformed(f"notificationMessage must be text of 1 to {NOTIFICATION_MAX} characters")
    return text


def _no_others(body: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
    for name in body:
        if name not in known:
            raise malformed(f"{path}{name} is not a field of this request")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise malformed(f"{name} must be text, and not empty")
    return value
