"""What a payer sends: form bodies, capped and read strictly, and the fields of the steps."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

BODY_MAX_BYTES = 8 * 1024
FIELDS_MAX = 20
NUMBER_MAX_CHARS = 40
_FORM = "application/x-www-form-urlencoded"


class BadForm(ValueError):
    """The body is no form of ours: ``reason`` is ``too_large``, ``media_type`` or ``unreadable``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the steps, as typed. ``confirmed`` is the number that the operator shown was found for."""

    country: str = ""
    number: str = ""
    method: str = ""
    code: str = ""
    confirmed: str | None = None
    edit: bool = False

    @property
    def shown_number(self) -> str:
        """The number as it goes back into its field: nothing typed is lost, except what no field can hold."""
        return "".join(char for char in self.number if char.isprintable())[:NUMBER_MAX_CHARS]

    @property
    def readable(self) -> bool:
        """Whether the number could be one: U+0000, lone surrogates and essays are refused before anybody parses them."""
        return len(self.number) <= NUMBER_MAX_CHARS and not any(
            unicodedata.category(char) in ("Cc", "Cs") for char in self.number
        )


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form POST, the last of equal names. Raises BadForm."""
    body = await _read_body(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM and (body or media_type):
        raise BadForm("media_type")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise BadForm("unreadable") from None
    return dict(pairs)


async def _read_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise BadForm("too_large")
    return body


def typed_of(fields: dict[str, str]) -> Typed:
    """``operator`` and white space at the ends aside, exactly what the form says."""
    return Typed(
        country=fields.get("country", "").strip().upper()[:2],
        number=fields.get("number", "").strip(" \t\r\n\u00a0\u202f"),
        method=_plain(fields.get("method", "")),
        code=fields.get("code", "").strip(),
        confirmed=fields.get("confirmed"),
        edit="edit" in fields,
    )


def _plain(code: str) -> str:
    code = code.strip()
    return code if code.isascii() and code.isalnum() and len(code) <= 20 else ""
