"""Limits of a payer as tables: windows of the calendar, which limit is the first to be passed, when a prompt may be sent again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cauri.domain.limits import (
    PayerLimits,
    PayerUse,
    PromptLimits,
    PromptUse,
    limit_reached,
    prompts_reached,
    windows_at,
)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "day", "week", "month"),
    [
        ("2026-11-25T14:07:24.123", "2026-11-25", "2026-11-23", "2026-11-01"),
        ("2026-11-23T00:00:00", "2026-11-23", "2026-11-23", "2026-11-01"),
        ("2026-11-22T23:59:59.999", "2026-11-22", "2026-11-16", "2026-11-01"),
        ("2026-12-01T00:00:00", "2026-12-01", "2026-11-30", "2026-12-01"),
        ("2027-01-01T12:00:00", "2027-01-01", "2026-12-28", "2027-01-01"),
        ("2028-02-29T12:00:00", "2028-02-29", "2028-02-28", "2028-02-01"),
    ],
)
def test_days_weeks_and_months_are_the_calendars_in_utc(now: str, day: str, week: str, month: str) -> None:
    windows = windows_at(ms(now))
    assert (windows.day, windows.week, windows.month) == (ms(day), ms(week), ms(month))
    assert windows.first == min(ms(week), ms(month))


USE = PayerUse(2, 3_000, 5, 8_000, 9, 20_000)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({}, None),
        ({"daily_number": 3, "daily_amount": 4_500, "weekly_number": 6, "weekly_amount": 9_500}, None),
        ({"monthly_number": 10, "monthly_amount": 21_500}, None),
        ({"daily_number": 2}, "807"),
        ({"daily_amount": 4_499}, "808"),
        ({"monthly_amount": 21_499}, "809"),
        ({"monthly_number": 9}, "810"),
        ({"weekly_amount": 9_499}, "811"),
        ({"weekly_number": 5}, "812"),
        ({"daily_number": 1, "weekly_number": 1, "monthly_number": 1}, "807"),
        ({"weekly_number": 5, "monthly_amount": 1}, "809"),
    ],
)
def test_the_first_limit_that_would_be_passed(limits: dict[str, int], code: str | None) -> None:
    reached = limit_reached(PayerLimits(**limits), USE, 1_500)
    assert (reached.number if reached else None) == code


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("limits", "use", "again_at"),
    [
        (PromptLimits(), PromptUse(99, 99, 1, 2), None),
        (PromptLimits(per_number=20), PromptUse(19, 19, 1, 2), None),
        (PromptLimits(per_number=20), PromptUse(20, 1, 1_000, 5_000), HOUR + 1_000),
        (PromptLimits(per_number_and_address=5), PromptUse(20, 4, 1_000, 5_000), None),
        (PromptLimits(per_number_and_address=5), PromptUse(20, 5, 1_000, 5_000), HOUR + 5_000),
        (PromptLimits(per_number=20, per_number_and_address=5), PromptUse(20, 5, 1_000, 5_000), HOUR + 5_000),
    ],
)
def test_a_prompt_may_be_sent_again_when_the_oldest_is_an_hour_old(
    limits: PromptLimits, use: PromptUse, again_at: int | None
) -> None:
    reached = prompts_reached(limits, use)
    assert (reached.again_at if reached else None) == again_at
