"""How control input is read: every refusal names the field and what it takes."""

import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from cauri.simulator.answers import json_answer, read_json_object
from cauri.simulator.exchange import Exchange

Door = Callable[[Request], Awaitable[Response]]

_PHONE = re.compile(r"[1-9][0-9]{7,14}")
_SUM = re.compile(r"(0|[1-9][0-9]{0,14})([.][0-9]{1,4})?")
_DAY_MS = 86_400_000


class Mistake(Exception):
    """Control input that means nothing: 400, with words that name the field and what it takes."""


def guarded(exchange: Exchange, door: Door) -> Door:
    async def answered(request: Request) -> Response:
        exchange.agenda.run_due()
        try:
            return await door(request)
        except Mistake as mistake:
            return json_answer({"error": str(mistake)}, 400)

    return answered


async def read(request: Request, known: Sequence[str]) -> Mapping[str, Any]:
    """The body's fields that are not null."""
    body = await read_json_object(request)
    if body is None:
        raise Mistake("body: one JSON object")
    return known_only(body, known)


def known_only(fields: Mapping[str, Any], known: Sequence[str], within: str = "") -> Mapping[str, Any]:
    for name in fields:
        if name not in known:
            raise Mistake(f"{within}{name}: unknown; this door takes {listed(known)}")
    return {name: value for name, value in fields.items() if value is not None}


def asked(request: Request, known: Sequence[str]) -> Mapping[str, str]:
    """The query's fields."""
    return known_only(dict(request.query_params), known)


def phone_in(fields: Mapping[str, Any]) -> str:
    phone = fields.get("phone")
    text = phone.removeprefix("+") if isinstance(phone, str) else ""
    if not _PHONE.fullmatch(text):
        raise Mistake(
            'phone: the whole number as text, with the prefix of its country, such as "2250700000001"'
        )
    return text


def operator_in(fields: Mapping[str, Any], exchange: Exchange) -> str | None:
    """One of the simulated operators; None where none is named."""
    operator = fields.get("operator")
    if operator is not None and operator not in exchange.dialects:
        raise Mistake(f"operator: one of {listed(exchange.dialects)}")
    return cast(str | None, operator)


def one_of(fields: Mapping[str, Any], name: str, allowed: Sequence[str], default: str = "") -> str:
    value = fields.get(name, default)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text not in allowed:
        raise Mistake(f"{name}: one of {listed(allowed)}")
    return cast(str, text)


def number(fields: Mapping[str, Any], name: str, least: float, most: float, what: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Mistake(f"{name}: {what}")
    if not least <= value <= most:
        raise Mistake(f"{name}: between {least:g} and {most:g}, {what}")
    return float(value)


def whole(fields: Mapping[str, Any], name: str, least: int, most: int, default: int) -> int:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Mistake(f"{name}: a whole number from {least} to {most}")
    return value


def sum_in(fields: Mapping[str, Any], name: str, within: str = "") -> Decimal | None:
    """An amount of 0 or more, as text or as a whole number."""
    value = fields.get(name)
    if value is None:
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _SUM.fullmatch(text):
        raise Mistake(f'{within}{name}: 0 or a positive amount as text, such as "1500"')
    return Decimal(text)


def moment(fields: Mapping[str, str], name: str, *, ends: bool = False) -> int | None:
    """A day (2026-11-23, in UTC), a moment (2026-11-23T10:00:00Z) or ms since 1970, as ms. A day that `ends` a period is within it."""
    text = fields.get(name)
    if text is None:
        return None
    if text.isdecimal() and len(text) < 16:
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Mistake(
            f"{name}: a day such as 2026-11-23, a moment such as 2026-11-23T10:00:00Z, or ms since 1970"
        ) from None
    if ends and len(text) == 10:
        at += timedelta(milliseconds=_DAY_MS - 1)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def listed(words: Sequence[str], but: str = "") -> str:
    return ", ".join(word for word in words if word != but)
