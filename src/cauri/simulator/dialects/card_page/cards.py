"""Test cards and what they do; how the page says that a payment failed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cauri.simulator.stories import FAILURE_CODES, NEVER, PAID


@dataclass(frozen=True)
class Card:
    """`outcome` as in a story. `failure`: the word where the outcome's own is not meant. `challenge`: 3-D Secure asks."""

    outcome: str = PAID
    challenge: bool = False
    failure: str | None = None


CHALLENGED = Card(challenge=True)

CARDS: Mapping[str, Card] = {
    "4242424242424242": Card(),
    "5555555555554444": Card(),
    "4000002760003184": CHALLENGED,
    "5200828282828210": CHALLENGED,
    "4000000000000002": Card("600"),
    "4000000000009995": Card("602"),
    "4000000000009979": Card("600", failure="stolen_card"),
    "4000008400001629": Card("604"),
    "4000000000006975": Card("808"),
    "4000008400001280": Card("602", challenge=True),
    "4000000000000119": Card(NEVER),
}
"""The numbers that many card processors' test environments use. Any other right number is challenged and pays."""

_OWN_WORDS: Mapping[str, str] = {
    "600": "declined",
    "602": "insufficient_funds",
    "604": "3ds_failed",
    "627": "cancelled",
    "808": "limit_exceeded",
}
WORDS: Mapping[str, str] = {code: _OWN_WORDS.get(code, f"CAURI_{code}") for code in FAILURE_CODES}
"""Code of the status table → `failure`. `stolen_card` is a word of its own, without a code of its own."""

AT_ONCE: Mapping[str, tuple[int, str, str]] = {
    "603": (401, "unauthorised", "The key is not valid."),
    "641": (422, "amount_too_low", "amount: too low for this card page."),
    "642": (422, "amount_too_high", "amount: too high for this card page."),
    "804": (503, "unavailable", "The card page is closed for the moment."),
}
"""What the start itself answers where the next outcome was set so: HTTP status, code, message."""

_EXPIRY = re.compile(r"\s*(0[1-9]|1[0-2])\s*/?\s*(?:20)?([0-9]{2})\s*")
_CVC = re.compile(r"[0-9]{3,4}")


def card_number(text: str) -> str | None:
    """The digits of a number that satisfies Luhn's check, or None."""
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"[0-9]{12,19}", digits):
        return None
    doubled = (int(d) * 2 if place % 2 else int(d) for place, d in enumerate(reversed(digits)))
    return digits if sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0 else None


def is_current(expiry: str, now_ms: int) -> bool:
    """Whether a card that says MM/YY is not over; nonsense is over."""
    found = _EXPIRY.fullmatch(expiry)
    if found is None:
        return False
    today = datetime.fromtimestamp(now_ms / 1000, UTC)
    return (2000 + int(found.group(2)), int(found.group(1))) >= (today.year, today.month)


def is_cvc(text: str) -> bool:
    return _CVC.fullmatch(text.strip()) is not None
