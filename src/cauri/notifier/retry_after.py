"""``Retry-After``: a number of seconds or an HTTP date (RFC 9110, 10.2.3)."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from cauri.clock import SECOND

LONGEST_S = 10**9


def retry_after_s(value: str | None, now: int) -> int | None:
    """Whole seconds from ``now`` (milliseconds UTC), never negative; None where nothing was said that can be understood."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:10]), LONGEST_S)
    try:
        moment = parsedate_to_datetime(text)
        at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0, min(round(at - now / SECOND), LONGEST_S))
