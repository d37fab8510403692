"""Waits as data (contract section 8): when operators are asked again."""

from __future__ import annotations

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

# Milliseconds since the attempt was sent.
FIRST_ASKS = tuple(seconds * SECOND for seconds in (1, 2, 3, 5, 8, 13, 21, 34))

# (until this long after sending, ask this often); afterwards hourly.
LATER_ASKS = ((30 * MINUTE, MINUTE), (6 * HOUR, 5 * MINUTE))
LAST_ASK_GAP = HOUR


def ask_gap(elapsed: int) -> int:
    """How long to wait before the next question to an operator, ``elapsed`` ms after the attempt was sent.

    A question that came up to a tenth early (jitter, a hint) counts as the one of that moment, or it would be asked twice.
    """
    for moment in FIRST_ASKS:
        if elapsed < moment - moment // 10:
            return moment - elapsed
    for until, gap in LATER_ASKS:
        if elapsed < until:
            return gap
    return LAST_ASK_GAP
