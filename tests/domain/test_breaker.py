"""The breaker as a table: starts and their outcomes, the state after each, and whether another start may go."""

from __future__ import annotations

import pytest

from cauri.domain import breaker as breakers
from cauri.domain.breaker import Breaker, BreakerRule, BreakerState, failed_start, lets_through, state_of
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting

RULE = BreakerRule(failures=3, open_ms=30_000)

# x: a start fails; o: a start is answered; p: a start leaves; a number: so many seconds pass.
# Then the state, and whether a start may go.
LIVES = [
    ("", "closed", True),
    ("xx", "closed", True),
    ("xxo", "closed", True),
    ("xxoxx", "closed", True),
    ("xxx", "open", False),
    ("xxx 29", "open", False),
    ("xxx 30", "half-open", True),
    ("xxx 30 p", "half-open", False),
    ("xxx 30 p 29", "half-open", False),
    ("xxx 30 p 30", "half-open", True),  # the probe never came back
    ("xxx 30 po", "closed", True),
    ("xxx 30 po xx", "closed", True),
    ("xxx 30 px", "open", False),
    ("xxx 30 px 29", "open", False),
    ("xxx 30 px 30", "half-open", True),
    ("xxx 20 x 10", "half-open", True),  # a late failure of before does not keep it open
    ("xxx 10 o", "closed", True),  # a late answer of before proves that it works
]


@pytest.mark.parametrize(("life", "state", "lets"), LIVES)
def test_a_breaker_lives_like_this(life: str, state: str, lets: bool) -> None:
    breaker, now = Breaker(), 1_000
    for word in life.replace("x", " x ").replace("o", " o ").replace("p", " p ").split():
        match word:
            case "x":
                breaker = breakers.failed(breaker, RULE, now)
            case "o":
                breaker = breakers.answered()
            case "p":
                breaker = breakers.started(breaker, RULE, now)
            case seconds:
                now += int(seconds) * 1_000
    assert state_of(breaker, RULE, now) is BreakerState(state)
    assert lets_through(breaker, RULE, now) is lets


def test_without_a_number_of_failures_it_never_opens() -> None:
    never, breaker = BreakerRule(failures=0), Breaker()
    for now in range(1_000):
        breaker = breakers.failed(breaker, never, now)
    assert lets_through(breaker, never, 1_000)


@pytest.mark.parametrize(
    ("outcome", "against"),
    [
        (Refused(Code.OPERATOR_UNAVAILABLE, unstarted=True), True),
        (Unknown("lost"), True),
        (Unknown("unreadable answer, HTTP 500"), True),
        (Unknown("unknown word", alert=True), None),
        (Refused(Code.OPERATOR_UNAVAILABLE), False),
        (Refused(Code.INSUFFICIENT_BALANCE), False),
        (Waiting(), False),
        (Accepted("op"), False),
    ],
)
def test_what_speaks_against_an_operator(outcome: Outcome, against: bool | None) -> None:
    assert failed_start(outcome) is against
