"""The rules that more than one field of a request follows (contract sections 1 and 2): absent, text, number, switch, address.

Each function takes the parsed fields and the list of faults; what breaks its rule is added there and read as absent.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from cauri.domain.errors import Fault, FaultyFields
from cauri.wire.bodies import has_nul, read_json
from cauri.wire.urls import URL_MAX, origin_of

Fields = dict[str, Any]
Faults = list[Fault]

# Longer numbers are no amounts; reading them digit by digit would only cost time.
_DIGITS_MAX = 30

# A label or a value of invoice_data: a line on the page.
PAIR_MAX = 255

compact = msgspec.json.Encoder(decimal_format="number")


def text(fields: Fields, name: str, faults: Faults) -> str | None:
    """The field as text, None where it is absent. Whole numbers are read as their digits, ``100.0`` as ``100``."""
    value = fields.get(name)
    if type(value) is str:
        return value or None
    if value is None:
        return None
    if type(value) is int:
        return str(value)
    if type(value) is Decimal:
        whole = whole_number(value)
        if whole is not None:
            return str(whole)
        faults.append(Fault(name, "fraction"))
    else:
        faults.append(Fault(name, "text"))
    return None


def required(fields: Fields, name: str, faults: Faults) -> str:
    """The field as text; its absence is a fault. Returns an empty text where there is none."""
    before = len(faults)
    value = text(fields, name, faults)
    if value is not None:
        return value
    if len(faults) == before:
        faults.append(Fault(name, "missing"))
    return ""


def limited(value: str, name: str, longest: int, faults: Faults) -> str:
    if len(value) > longest:
        faults.append(Fault(name, "too_long", (("longest", str(longest)), ("length", str(len(value))))))
    return value


def whole_number(value: Decimal) -> int | None:
    """The number without its fraction where that is zero, else None. Never builds an integer of absurd length."""
    if not value.is_finite() or value.adjusted() >= _DIGITS_MAX or value != value.to_integral_value():
        return None
    return int(value)


def amount(fields: Fields, faults: Faults) -> int:
    """The amount in whole currency units; 0 where the field is faulty."""
    value = fields.get("amount")
    whole: int | None = None
    if type(value) is int:
        whole = value
    elif value is None or value == "":
        faults.append(Fault("amount", "missing"))
        return 0
    elif type(value) is str:
        whole = _whole_number_of(value)
    elif type(value) is Decimal:
        whole = whole_number(value)
    if whole is None or abs(whole) >= 10**_DIGITS_MAX:
        faults.append(Fault("amount", "integer"))
        return 0
    return whole


def _whole_number_of(written: str) -> int | None:
    """``100``, ``-5``, ``100.0`` in ASCII digits: what a JSON number would say."""
    digits, _, zeros = written.removeprefix("-").partition(".")
    if len(digits) > _DIGITS_MAX or not (digits.isascii() and digits.isdigit()) or zeros.strip("0"):
        return None
    return -int(digits) if written.startswith("-") else int(digits)


def switch(fields: Fields, name: str, faults: Faults) -> bool:
    """``true``, ``false``, ``1``, ``0`` in any case, as text or as what JSON has for them; absent is false."""
    value = fields.get(name)
    if value is None or value == "":
        return False
    if value is True or value is False:
        return bool(value)
    word = value.lower() if type(value) is str else str(value) if type(value) is int else ""
    if word in ("true", "1"):
        return True
    if word not in ("false", "0"):
        faults.append(Fault(name, "switch"))
    return False


def web_url(value: str | None, name: str, faults: Faults) -> str | None:
    """An absolute http or https address with a host, of a length that browsers and proxies carry."""
    if value:
        if origin_of(value) is None:
            faults.append(Fault(name, "url"))
        limited(value, name, URL_MAX, faults)
    return value


def metadata(fields: Fields, longest: int, faults: Faults) -> str | None:
    """The text as given; an object, a list, a number or a boolean as its compact JSON text."""
    value = fields.get("metadata")
    if value is None or value == "":
        return None
    if type(value) is not str:
        try:
            value = compact.encode(value).decode()
        except RecursionError:
            faults.append(Fault("body", "body_deep"))
            return None
    return limited(value, "metadata", longest, faults)


def pairs(fields: Fields, name: str, most: int, faults: Faults) -> tuple[tuple[str, str], ...]:
    """Label and value, at most ``most``: an object, or its JSON text. Pairs without a value are left out."""
    value = fields.get(name)
    if value is None or value in ("", [], {}):
        return ()
    if type(value) is str:
        value = _json_text(value)
        if has_nul(value):  # the body held it only escaped twice
            faults.append(Fault(name, "nul"))
            return ()
    if value == []:  # PHP writes an empty array so, whatever it was to hold
        return ()
    if type(value) is not dict:
        faults.append(Fault(name, "pairs"))
        return ()
    return _labelled(value, name, most, faults)


def _labelled(value: Fields, name: str, most: int, faults: Faults) -> tuple[tuple[str, str], ...]:
    broken: Faults = []
    found = [(label, text(value, label, broken)) for label in value]
    given = tuple((label, content) for label, content in found if content is not None)
    if broken:
        faults.append(Fault(name, "pairs"))
    elif len(given) > most:
        faults.append(Fault(name, "too_many_pairs", (("most", str(most)), ("count", str(len(given))))))
    elif any(len(label) > PAIR_MAX or len(content) > PAIR_MAX for label, content in given):
        faults.append(Fault(name, "long_pair", (("longest", str(PAIR_MAX)),)))
    return given


def _json_text(written: str) -> Any:
    try:
        return read_json(written.encode())
    except FaultyFields:
        return None
