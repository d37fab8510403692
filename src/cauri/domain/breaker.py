"""The breaker of a provider behind a connector, as pure values: it opens after consecutive failed starts, lets one probe through after a while, and closes
with the first start that the operator answers.

Only starts count: a failure is a start that could not be sent, or whose answer was lost or no answer at all (``failed_start``); a payer's
refusal is an answer like any other. Times are milliseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from cauri.domain.outcome import Outcome, Refused, Unknown


class BreakerState(StrEnum):
    """From the best to the worst."""

    CLOSED = "closed"  # starts go through
    HALF_OPEN = "half-open"  # one probe may go, or is on its way
    OPEN = "open"  # nothing is sent


def worst(states: Iterable[BreakerState]) -> BreakerState | None:
    """The one that lets the least through; None of none."""
    return max(states, key=list(BreakerState).index, default=None)


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """``failures`` in a row open it, 0 never; ``open_ms`` later one probe may go."""

    failures: int = 5
    open_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class Breaker:
    """``failures`` in a row so far; ``opened_at`` None while closed; ``probe_at``: when the probe left that is not back yet."""

    failures: int = 0
    opened_at: int | None = None
    probe_at: int | None = None


def state_of(breaker: Breaker, rule: BreakerRule, now: int) -> BreakerState:
    if breaker.opened_at is None:
        return BreakerState.CLOSED
    return BreakerState.OPEN if now < breaker.opened_at + rule.open_ms else BreakerState.HALF_OPEN


def lets_through(breaker: Breaker, rule: BreakerRule, now: int) -> bool:
    """Whether a start may go now. A probe that never came back gives way to another after ``open_ms``."""
    match state_of(breaker, rule, now):
        case BreakerState.CLOSED:
            return True
        case BreakerState.OPEN:
            return False
        case BreakerState.HALF_OPEN:
            return breaker.probe_at is None or now >= breaker.probe_at + rule.open_ms


def started(breaker: Breaker, rule: BreakerRule, now: int) -> Breaker:
    """A start leaves: where the breaker is half open, it is the probe."""
    if state_of(breaker, rule, now) is BreakerState.HALF_OPEN:
        return replace(breaker, probe_at=now)
    return breaker


def failed(breaker: Breaker, rule: BreakerRule, now: int) -> Breaker:
    """A start failed: one more in a row. A failed probe opens the breaker afresh; late failures leave an open one as it is."""
    failures = breaker.failures + 1
    if breaker.opened_at is not None:
        if breaker.probe_at is None:
            return replace(breaker, failures=failures)
        return Breaker(failures=failures, opened_at=now)
    if rule.failures and failures >= rule.failures:
        return Breaker(failures=failures, opened_at=now)
    return replace(breaker, failures=failures)


def answered() -> Breaker:
    """The operator answered a start: everything is as at the beginning."""
    return Breaker()


def failed_start(outcome: Outcome) -> bool | None:
    """Whether a start's outcome speaks against its operator; None where it says nothing either way.

    An answer that nobody understands (an alert) proves neither that the operator works nor that it does not.
    """
    match outcome:
        case Refused(unstarted=unstarted):
            return unstarted
        case Unknown(alert=True):
            return None
        case Unknown():
            return True
        case _:
            return False
