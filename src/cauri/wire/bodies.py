"""Request bodies, read into plain values: JSON as shipped clients write it, and forms (contract section 1).

Objects become ``dict``, numbers with a point or an exponent ``decimal.Decimal`` (so that ``100.0`` is exact), all else what it is.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from cauri.domain.errors import Fault, FaultyFields, UnsupportedMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

BODY = "body"
"""The name that a fault bears when the whole body cannot be read."""

# Form fields that may arrive as ``name[label]=value``, as PHP and most form libraries write a list of pairs.
_PAIRS_OF = ("invoice_data", "metadata")
_FORM_FIELDS_MAX = 1_000
_NAME_SHOWN = 60
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_QUOTE, _BACKSLASH, _COMMA, _SPACE, _OPENING = b'"\\, {'
_WHITE = frozenset(b" \t\r\n")
_CLOSING = frozenset(b"}]")
_NO_VALUE_BEFORE = frozenset(b"{[,:")

_json = msgspec.json.Decoder(float_hook=Decimal)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticError)


def read_body(content_type: str, body: bytes) -> dict[str, Any]:
    """The fields of a request. Raises UnsupportedMediaType, or FaultyFields naming ``body`` (or the field with a forbidden character)."""
    kind = content_type if content_type == JSON else content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        return _read_object(body)
    if kind == FORM:
        return _read_form(body)
    raise UnsupportedMediaType(kind)


def media_type_known(content_type: str) -> bool:
    """Whether read_body reads this type at all, so that the door can refuse before it waits for the body."""
    return content_type == JSON or content_type.partition(";")[0].strip().lower() in (JSON, FORM)


def read_json(body: bytes) -> Any:
    """Strict JSON first; when that fails, once more without trailing commas. Raises FaultyFields."""
    if body.startswith(_BYTE_ORDER_MARK):
        body = body[len(_BYTE_ORDER_MARK) :]
    try:
        return _json.decode(body)
    except RecursionError:
        raise _unreadable("body_deep") from None
    except _UNREADABLE:
        return _read_tolerantly(body)


def _read_tolerantly(body: bytes) -> Any:
    """The guide's own curl and Java samples write a comma after their last field."""
    if not body.strip():
        raise _unreadable("body_empty")
    mended = without_trailing_commas(body)
    try:
        return _json.decode(mended)
    except RecursionError:
        raise _unreadable("body_deep") from None
    except _UNREADABLE:
        raise _diagnosis(mended) from None


def _diagnosis(body: bytes) -> FaultyFields:
    """Why strict reading failed, with the line and the column where the standard library can tell them."""
    try:
        json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return _unreadable("body_encoding")
    except json.JSONDecodeError as error:
        return _unreadable("body_json", ("line", str(error.lineno)), ("column", str(error.colno)))
    except (ValueError, RecursionError):
        return _unreadable("body_number")
    return _unreadable("body_surrogate" if rb"\ud" in body.lower() else "body_number")


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _read_object(body: bytes) -> dict[str, Any]:
    fields = read_json(body)
    if type(fields) is not dict:
        raise _unreadable("body_object")
    if b"\\u0000" in body:
        _refuse_nul(fields)
    return fields


def without_trailing_commas(text: bytes) -> bytes:
    """JSON text in which each comma that stands, outside strings, between a value and a closing ``}`` or ``]`` is a space."""
    mended = bytearray(text)
    comma_at = -1  # where a comma after a value waits for what follows
    last = _OPENING  # the last byte that is neither white space nor inside a string
    in_string = escaped = False
    for position, byte in enumerate(text):
        if in_string:
            in_string = escaped or byte != _QUOTE
            escaped = byte == _BACKSLASH and not escaped
        elif byte not in _WHITE:
            if byte in _CLOSING and comma_at >= 0:
                mended[comma_at] = _SPACE
            comma_at = position if byte == _COMMA and last not in _NO_VALUE_BEFORE else -1
            in_string = byte == _QUOTE
            last = byte
    return bytes(mended)


def _read_form(body: bytes) -> dict[str, Any]:
    """Later fields of the same name win, as in JSON."""
    if not body.strip():
        raise _unreadable("body_empty")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_FORM_FIELDS_MAX
        )
    except UnicodeDecodeError:
        raise _unreadable("body_encoding") from None
    except ValueError:
        raise _unreadable("body_form") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        _put(fields, name, value)
    if b"%00" in body or b"\0" in body:
        _refuse_nul(fields)
    return fields


def _put(fields: dict[str, Any], name: str, value: str) -> None:
    """One form field; ``invoice_data[label]=value`` grows the object ``invoice_data``."""
    outer, bracket, rest = name.partition("[")
    if not bracket or outer not in _PAIRS_OF or not rest.endswith("]"):
        fields[name] = value
        return
    pairs = fields.get(outer)
    if not isinstance(pairs, dict):
        pairs = fields[outer] = {}
    pairs[rest[:-1]] = value


def _refuse_nul(fields: dict[str, Any]) -> None:
    """U+0000 is no text that a database or a page can hold: refused wherever it stands, known field or not."""
    faults = [
        Fault(name.replace("\0", "")[:_NAME_SHOWN] or BODY, "nul")
        for name, value in fields.items()
        if has_nul(name, value)
    ]
    if faults:
        raise FaultyFields(*faults)


def has_nul(*values: Any) -> bool:
    """Walks without recursion: the value is as deep as its sender liked."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "\0" in value:
                return True
        elif isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def _unreadable(rule: str, *values: tuple[str, str]) -> FaultyFields:
    return FaultyFields(Fault(BODY, rule, values))
