"""How often and how much one number may pay a site (807–812), and how often one number may be prompted (contract section 8).

Days, weeks and months are the calendar's in UTC, weeks begin on Monday; 0 is no limit. What counts is decided here, what was counted
comes from the store, which asks in the transaction that writes the attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from cauri.domain.codes import Code

PROMPTS_WINDOW_MS = 3_600_000


class PayerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Of one number at one site. Amounts are whole units of the payment's currency, and only that currency counts."""

    daily_number: int = 0
    daily_amount: int = 0
    weekly_number: int = 0
    weekly_amount: int = 0
    monthly_number: int = 0
    monthly_amount: int = 0

    @property
    def any(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)


class PromptLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to confirm that may be sent to one number in an hour: altogether, and asked for from one address."""

    per_number: int = 0
    per_number_and_address: int = 0

    @property
    def any(self) -> bool:
        return bool(self.per_number or self.per_number_and_address)


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """What must still hold when an attempt is written. ``prompts`` None: no prompt leaves; ``address``: a mark of who asked for it, of this number only."""

    limits: PayerLimits | None = None
    prompts: PromptLimits | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The attempt would pass a limit of the site: a refusal of our own with this code."""

    code: Code


@dataclass(frozen=True, slots=True)
class PromptsReached:
    """Too many prompts to this number; ``again_at``: when the next may be sent, milliseconds UTC."""

    again_at: int


# True: the change stands. False: somebody was faster. Otherwise: its guard does not hold. Only True has written anything.
Verdict = bool | LimitReached | PromptsReached


@dataclass(frozen=True, slots=True)
class Windows:
    """When the day, the week and the month began that hold a moment."""

    day: int
    week: int
    month: int

    @property
    def first(self) -> int:
        return min(self.day, self.week, self.month)


def windows_at(now: int) -> Windows:
    day = datetime.fromtimestamp(now / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    week = day - timedelta(days=day.weekday())
    return Windows(_ms(day), _ms(week), _ms(day.replace(day=1)))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class PayerUse:
    """What a number has paid a site, or is about to, apart from the attempt that asks. Amounts in that attempt's currency."""

    day_number: int
    day_amount: int
    week_number: int
    week_amount: int
    month_number: int
    month_amount: int


def limit_reached(limits: PayerLimits, use: PayerUse, amount: int) -> Code | None:
    """The first limit that this amount would pass, in the order of the codes."""
    passed: Sequence[tuple[int, int, Code]] = (
        (limits.daily_number, use.day_number + 1, Code.DAILY_MAX_NUMBER),
        (limits.daily_amount, use.day_amount + amount, Code.DAILY_MAX_AMOUNT),
        (limits.monthly_amount, use.month_amount + amount, Code.MONTHLY_MAX_AMOUNT),
        (limits.monthly_number, use.month_number + 1, Code.MONTHLY_MAX_NUMBER),
        (limits.weekly_amount, use.week_amount + amount, Code.WEEKLY_MAX_AMOUNT),
        (limits.weekly_number, use.week_number + 1, Code.WEEKLY_MAX_NUMBER),
    )
    return next((code for limit, wanted, code in passed if limit and wanted > limit), None)


@dataclass(frozen=True, slots=True)
class PromptUse:
    """Prompts to a number in the last hour, altogether and from this address, and the oldest of each, None where there is none."""

    number: int
    address: int
    oldest: int | None
    oldest_of_address: int | None


def prompts_reached(limits: PromptLimits, use: PromptUse) -> PromptsReached | None:
    """The limit that is met, and the moment at which its oldest prompt is an hour old; the later of the two where both are."""
    again = []
    if limits.per_number and use.number >= limits.per_number:
        again.append((use.oldest or 0) + PROMPTS_WINDOW_MS)
    if limits.per_number_and_address and use.address >= limits.per_number_and_address:
        again.append((use.oldest_of_address or 0) + PROMPTS_WINDOW_MS)
    return PromptsReached(max(again)) if again else None
