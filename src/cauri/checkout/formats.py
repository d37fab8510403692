"""Amounts, dates and durations as payers read them."""

from __future__ import annotations

from datetime import UTC, datetime

from babel.dates import format_datetime
from babel.numbers import format_decimal

# What people write beside an amount: FCFA for both francs CFA, FC in the DR Congo; Guinea's receipts say GNF.
_SIGNS = {"XOF": "FCFA", "XAF": "FCFA", "CDF": "FC", "GNF": "GNF", "USD": "$"}


def money(amount: int, currency: str, lang: str) -> str:
    """``1 500 FCFA``: whole units, the thousands of the language, unbreakable spaces."""
    digits = format_decimal(amount, locale=lang)
    sign = _SIGNS.get(currency, currency)
    return f"${digits}" if currency == "USD" and lang == "en" else f"{digits}\u00a0{sign}"


def when(milliseconds: int, lang: str) -> str:
    """Date and minute in UTC, the time of Abidjan and Dakar, named so that nobody elsewhere is an hour wrong."""
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return format_datetime(moment, "d MMMM y, HH:mm 'UTC'", tzinfo=UTC, locale=lang)


def clock(seconds: int) -> str:
    """``4:05``."""
    return f"{seconds // 60}:{seconds % 60:02d}"
