"""Which story a payer's number gets: tables and pure functions.

The precedence (docs/sandbox.md): the story set over the control plane, then the operator's own complete
test numbers, then a failure code in the last three digits, `129`, `130`, the guide's own numbers, and at
last: it pays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PAID = "paid"
NEVER = "never"
Outcome = str
"""`PAID`, `NEVER`, or one of `FAILURE_CODES`."""

FAILURE_CODES = (
    "600", "602", "603", "604", "606", "627", "635", "636", "641", "642",
    "804", "807", "808", "809", "810", "811", "812",
)  # fmt: skip
"""Every code of the status table that ends a payment unpaid."""

OUTCOMES = (PAID, NEVER, *FAILURE_CODES)

WRONG_ONE_TIME_CODE = "000000"
"""The one one-time code that is wrong; any other six digits are right."""

Callback = Literal["normal", "lost", "twice", "before_answer"]
CALLBACKS = ("normal", "lost", "twice", "before_answer")
ANSWERS = ("normal", "drop_before", "drop_after", "500", "nonsense")
"""How a request to collect is answered; beside these, `slow:<seconds>`."""


@dataclass(frozen=True)
class Story:
    """What will happen to one request to collect.

    `delay_s` None means the simulator's own delay. `amount` and `currency` are what the operator claims to
    have collected where that differs from what it was asked. `answer` is one of `ANSWERS` or
    `slow:<seconds>`.
    """

    outcome: Outcome = PAID
    delay_s: float | None = None
    callback: Callback = "normal"
    answer: str = "normal"
    amount: str | None = None
    currency: str | None = None


PAYS = Story()
NEVER_ANSWERS = Story(outcome=NEVER)
PAYS_WITHOUT_CALLBACK = Story(callback="lost")

ENDINGS: Mapping[str, Story] = {
    **{code: Story(outcome=code) for code in FAILURE_CODES},
    "129": NEVER_ANSWERS,
    "130": PAYS_WITHOUT_CALLBACK,
}
"""Story by the last three digits of the number, whatever the operator."""

GUIDE_NUMBERS: Mapping[str, Story] = {
    "2250749012966": Story(outcome="600"),
    "2250102324373": PAYS,
}
"""The two payers of the 2021 guide's printed answers."""


def story_of(phone: str, test_numbers: Mapping[str, Story]) -> Story:
    """The story of `phone` (digits, with its country's prefix) at an operator with these test numbers."""
    return test_numbers.get(phone) or ENDINGS.get(phone[-3:]) or GUIDE_NUMBERS.get(phone) or PAYS


def answer_delay_s(answer: str) -> float:
    """The seconds of `slow:<seconds>`; 0 for every other way to answer."""
    kind, _, seconds = answer.partition(":")
    return float(seconds) if kind == "slow" else 0.0
