"""When a notification is tried again and how many may be under way: the contract's section 8 as data that an instance can change."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

SECOND = 1_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

Seconds = Annotated[int, Meta(ge=1, le=30 * 24 * 3600)]

# A spread of ten per cent of a day would cost the last of the daily tries its place before the end.
JITTER_SHARE = 0.1
JITTER_MAX = 10 * MINUTE


class NotificationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first try is made at once; ``gaps_s`` are the waits after each failed one, then ``later_gap_s`` again and again, the last try
    ``last_try_after_s`` after the state changed. Defaults: contract section 8.

    ``at_once`` deliveries are under way in one process, ``per_host`` of them at one host, and at most ``unproven_percent`` of them at
    endpoints that have not answered yet or do not answer.
    """

    gaps_s: Annotated[tuple[Seconds, ...], Meta(min_length=1)] = (10, 60, 300, 1800, 7200, 21600, 43200)
    later_gap_s: Seconds = 86400
    last_try_after_s: Seconds = 259200
    retry_after_max_s: Seconds = 3600
    timeout_s: Annotated[int, Meta(ge=1, le=60)] = 10
    at_once: Annotated[int, Meta(ge=2, le=5000)] = 200
    per_host: Annotated[int, Meta(ge=1, le=1000)] = 32
    unproven_percent: Annotated[int, Meta(ge=1, le=99)] = 25
    breaker_failures: Annotated[int, Meta(ge=2, le=1000)] = 5
    probe_gap_s: Seconds = 10
    probe_gap_max_s: Seconds = 60
    parked_probe_gap_s: Seconds = 3600
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    ports: tuple[Annotated[int, Meta(ge=0, le=65535)], ...] = ()
    alert_after_minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)] = 10

    @property
    def last_try_after(self) -> int:
        """Milliseconds after the change of state."""
        return self.last_try_after_s * SECOND

    @property
    def alert_after(self) -> int:
        """Milliseconds that a shop may go without being told before a person hears of it."""
        return self.alert_after_minutes * MINUTE

    @property
    def keep(self) -> int:
        """Milliseconds that a delivery stays in the log."""
        return self.keep_days * DAY

    @property
    def lease(self) -> int:
        """Milliseconds for which a notification is one process's: long enough to wait for others and for the whole answer."""
        return max(60, 4 * self.timeout_s) * SECOND

    @property
    def unproven_at_once(self) -> int:
        return max(1, self.at_once * self.unproven_percent // 100)


def gap_after(settings: NotificationSettings, tries: int, elapsed: int) -> int | None:
    """Milliseconds to wait after the ``tries``-th failed try, ``elapsed`` ms after the state changed; None: park it.

    A gap that would pass the last try's moment is cut short, so that the last try is made exactly then.
    """
    left = settings.last_try_after - elapsed
    if left <= 0:
        return None
    gaps = settings.gaps_s
    gap = gaps[tries - 1] if 1 <= tries <= len(gaps) else settings.later_gap_s
    return min(gap * SECOND, left)


def probe_gap(settings: NotificationSettings, failures: int) -> int:
    """Milliseconds between two tries of an endpoint whose breaker is open: doubled by every failure, up to a cap."""
    doubled = settings.probe_gap_s << min(failures, 20)
    return min(doubled, settings.probe_gap_max_s) * SECOND
