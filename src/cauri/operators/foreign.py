"""Reading what operators send, and writing texts they can take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from cauri.domain.codes import FAILURES, Code

T = TypeVar("T")

# The simulated operators' reserved words, one for each code a payment can fail with: said where a dialect has no word of its own.
RESERVED_WORDS: Mapping[str, Code] = {f"CAURI_{code.number}": code for code in FAILURES}

_LONG_NUMBER = re.compile(r"\d(?:[ .\-]?\d){5,}")
_REFERENCE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WHOLE_AMOUNT = re.compile(rb'"?([0-9]{1,18})(?:\.0{1,20})?"?')
_MAX_URL = 2048
_MAX_IDENTIFIER = 100


class NotWhole(ValueError):
    """An amount that is not a number of whole currency units: a mismatch, never rounded."""


def decoded(body: bytes | msgspec.Raw, shape: type[T]) -> T | None:
    """The JSON text as ``shape``, None where it is anything else: HTML, cut short, wrongly typed, nested without end."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def whole_units(amount: msgspec.Raw) -> int | None:
    """An amount exactly as written in JSON, number or text: ``"1500.0000"`` is 1500; None where absent. Raises NotWhole."""
    text = bytes(amount)
    if text in {b"", b"null"}:
        return None
    match = _WHOLE_AMOUNT.fullmatch(text)
    if match is None:
        raise NotWhole
    return int(match[1])


def identifier(value: str | int | None) -> str | None:
    """An operator's reference that can be stored and shown, None where it is absent, too long or unprintable."""
    text = "" if value is None else str(value).strip()
    return text if text and len(text) <= _MAX_IDENTIFIER and text.isprintable() else None


def is_reference(text: str) -> bool:
    """Whether the text, as it stands, is a reference that we may have given: a UUID, lower-case."""
    return _REFERENCE.fullmatch(text) is not None


def our_reference(value: str | int | None) -> str | None:
    """The text as a reference that we may have given, None where it cannot be one; blanks around it and its case do not count."""
    text = "" if value is None else str(value).strip().lower()
    return text if is_reference(text) else None


def web_address(text: str | None) -> str | None:
    """The text if a browser may be sent there: http(s), with a host, printable ASCII; None otherwise."""
    if text is None or len(text) > _MAX_URL or not all("!" <= character <= "~" for character in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and parts.hostname else None


def quoted(text: str, limit: int = 120) -> str:
    """A foreign text for histories and logs: one line, cut short, long numbers (telephones) masked to their last two digits."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return _LONG_NUMBER.sub(lambda number: "••" + number[0][-2:], line)[:limit]


def unaccented(text: str) -> str:
    """ASCII with single spaces: ``Numéro  refusé`` is ``Numero refuse``; what has no ASCII letter is dropped."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return " ".join(decomposed.encode("ascii", "ignore").decode("ascii").split())


def plain(text: str, limit: int, otherwise: str) -> str:
    """ASCII letters, digits, spaces and ``.,:()/-`` only, at most ``limit`` characters, never empty: what the strictest operators take."""
    words = " ".join(re.sub(r"[^A-Za-z0-9 .,:()/-]+", " ", unaccented(text)).split())
    return words[:limit].strip() or otherwise
