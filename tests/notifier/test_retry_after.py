"""When a shop may put off its next try, and what it says instead."""

from __future__ import annotations

import pytest

from cauri.clock import HOUR, SECOND
from cauri.domain.notifying import JITTER_MAX, NotificationSettings
from cauri.notifier.delivering import next_try
from cauri.notifier.retry_after import LONGEST_S, retry_after_s
from cauri.notifier.sender import Sent
from cauri.store import DueNotification

NOW = 1_790_000_000_000  # 2026-09-21 14:13:20 UTC
SETTINGS = NotificationSettings()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("Mon, 21 Sep 2026 14:15:20 GMT", 120),
        ("Monday, 21-Sep-26 14:15:20 GMT", 120),
        ("Mon Sep 21 14:15:20 2026", 120),
        ("Mon, 21 Sep 2026 14:13:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("9" * 5000, LONGEST_S),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("12 0", None),
        ("١٢٠", None),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
        ("Mon, 21 Sep 99999999999 14:15:20 GMT", None),
        ("\x00\xff", None),
    ],
)
def test_what_retry_after_says(value: str | None, seconds: int | None) -> None:
    assert retry_after_s(value, NOW) == seconds


def wait(tries: int, elapsed: int, status: int | None, later_s: int | None) -> int | None:
    due = DueNotification(0, "t", "1", "1 http://x:80", NOW - elapsed, tries)
    at = next_try(SETTINGS, due, Sent(status, "", None, NOW, 1, later_s), NOW)
    return None if at is None else at - NOW


@pytest.mark.parametrize(
    ("tries", "elapsed", "status", "later_s", "least", "most"),
    [
        (0, 0, 503, None, 9 * SECOND, 11 * SECOND),
        (0, 0, 503, 120, 120 * SECOND, 120 * SECOND),
        (0, 0, 429, 120, 120 * SECOND, 120 * SECOND),
        (0, 0, 500, 120, 120 * SECOND, 120 * SECOND),
        (0, 0, 503, 1, 9 * SECOND, 11 * SECOND),  # never sooner than the schedule
        (0, 0, 503, 10**9, HOUR, HOUR),  # the cap
        (4, HOUR, 503, 60, 2 * HOUR - JITTER_MAX, 2 * HOUR + JITTER_MAX),
        (9, 71 * HOUR, 503, 7200, HOUR, HOUR),  # never past the last try
        (9, 71 * HOUR, None, None, HOUR, HOUR),
    ],
)
def test_the_next_try(
    tries: int, elapsed: int, status: int | None, later_s: int | None, least: int, most: int
) -> None:
    for _ in range(20):
        waited = wait(tries, elapsed, status, later_s)
        assert waited is not None
        assert least <= waited <= most


@pytest.mark.parametrize(
    ("elapsed", "status", "later_s"),
    [(0, 410, None), (0, 410, 60), (72 * HOUR, 500, 60), (72 * HOUR, None, None)],
)
def test_there_is_no_next_try(elapsed: int, status: int | None, later_s: int | None) -> None:
    assert wait(3, elapsed, status, later_s) is None


def test_many_that_fail_together_do_not_come_back_together() -> None:
    assert len({wait(0, 0, 500, None) for _ in range(200)}) > 100
