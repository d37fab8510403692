"""The fields of a request, checked before anything is sent and spelled as the wire wants them. Pure.

Only what no gateway accepts is refused here; limits that a gateway may change (bounds, lengths) are its own to tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Callable

from .errors import InvalidField
from .money import payable_amount

Fields = dict[str, Any]


def payment_fields(given: Mapping[str, Any]) -> Fields:
    """The body of POST /v2/payment without keys: absent values left out, the rest in wire shape. Raises InvalidField."""
    for name in ("transaction_id", "amount", "currency", "description", "return_url"):
        if given.get(name) in (None, ""):
            raise InvalidField(name, "is required")
    fields = {
        name: _RULES.get(name, _text)(name, value) for name, value in given.items() if value not in (None, "")
    }
    payable_amount(fields["amount"], fields["currency"])
    if fields.get("lock_phone_number") and "customer_phone_number" not in fields:
        raise InvalidField("customer_phone_number", "is required when lock_phone_number is true")
    return fields


def payment_named(transaction_id: object, payment_token: object) -> Fields:
    """The fields of POST /v2/payment/check that say which payment. Raises InvalidField unless one is given."""
    if transaction_id in (None, "") and payment_token in (None, ""):
        raise InvalidField("transaction_id", "give the transaction_id or the payment_token of the payment")
    named = {"transaction_id": transaction_id, "payment_token": payment_token}
    return {name: _text(name, value) for name, value in named.items() if value not in (None, "")}


def idempotency_key(value: object) -> str:
    """1 to 255 printable ASCII characters, as it travels in a header. Raises InvalidField."""
    text = _text("idempotency_key", value)
    if not 1 <= len(text) <= 255 or not (text.isascii() and text.isprintable()) or text != text.strip():
        raise InvalidField(
            "idempotency_key", "must be 1 to 255 printable ASCII characters, none blank at the ends"
        )
    return text


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidField(name, f"must be text, not {type(value).__name__}")
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidField(name, "holds a NUL or half a surrogate pair, which no gateway stores")
    return value


def _transaction_id(name: str, value: object) -> str:
    text = _text(name, value)
    if len(text) > 100 or not text.isprintable() or text != text.strip():
        raise InvalidField(name, "must be 1 to 100 printable characters without white space at the ends")
    return text


def _amount(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidField(name, f"must be an int of whole currency units, not {type(value).__name__}")
    if value <= 0:
        raise InvalidField(name, "must be greater than 0")
    return value


def _url(name: str, value: object) -> str:
    text = _text(name, value)
    if not text.lower().startswith(("http://", "https://")):
        raise InvalidField(name, "must be an absolute URL, beginning with https:// or http://")
    return text


def _channels(name: str, value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(_text(name, channel) for channel in value)
    return _text(name, value)


def _metadata(name: str, value: object) -> str:
    if isinstance(value, str):
        return _text(name, value)
    try:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidField(name, "must be text, or a value that JSON can hold") from error


def _invoice_data(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidField(name, "must be a mapping of labels to values")
    if len(value) > 3:
        raise InvalidField(name, f"holds {len(value)} pairs; at most 3 are shown")
    return {_text(name, label): _text(name, str(shown)) for label, shown in value.items()}


def _true_or_false(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidField(name, "must be True or False")
    return value


_RULES: dict[str, Callable[[str, Any], Any]] = {
    "transaction_id": _transaction_id,
    "amount": _amount,
    "notify_url": _url,
    "return_url": _url,
    "channels": _channels,
    "metadata": _metadata,
    "invoice_data": _invoice_data,
    "lock_phone_number": _true_or_false,
}
