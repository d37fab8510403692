"""Moments and spans as people write them: ``2026-11-23``, ``2026-11-23T09:30:00Z``, ``90m``, ``2d``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253_402_300_799_000
"""9999-12-31, the last moment that a date can say."""
# The clock of whoever says it may be a little ahead of ours.
_AHEAD_MAX = 60_000

MOMENT_WORDS = (
    "a moment such as 2026-11-23T09:30:00Z (UTC unless it says otherwise), or how long ago: 90m, 12h, 2d"
)
SPAN_WORDS = "a number and a unit: 30s, 90m, 12h, 90d"


def read_span(text: str) -> int:
    """Milliseconds of ``90m``. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text.strip())
    if found is None or not int(found[1]):
        raise ValueError(f"{text!r} is not {SPAN_WORDS}")
    return int(found[1]) * _UNITS[found[2]]


def read_moment(text: str, now: int) -> int:
    """Milliseconds since the epoch: a date and time, or a span before ``now``. Raises ValueError."""
    if re.fullmatch(r"[0-9]{1,9}[smhd]", text.strip()):
        return max(0, now - read_span(text))
    try:
        found = datetime.fromisoformat(text.strip())
        moment = ((found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH) // timedelta(
            milliseconds=1
        )
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not {MOMENT_WORDS}") from None
    if not 0 <= moment <= LATEST:
        raise ValueError(f"{text!r} is out of range: moments lie between 1970 and 9999")
    return moment


def read_past(text: str, now: int) -> int:
    """A moment that is not still to come: where something begins. Raises ValueError."""
    moment = read_moment(text, now)
    if moment > now + _AHEAD_MAX:
        raise ValueError(f"{text!r} is still to come: it is {iso(now)[:16]} UTC now; {MOMENT_WORDS}")
    return min(moment, now)


def iso(milliseconds: int) -> str:
    """``2026-11-23T09:30:00.000Z``. What no date can say is shown as the first or the last that one can: a list is never refused for it."""
    moment = _EPOCH + timedelta(milliseconds=min(max(milliseconds, 0), LATEST))
    text = moment.isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def iso_or_none(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso(milliseconds)
