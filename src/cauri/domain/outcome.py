"""What an operator said of an attempt. A lost, unclear or mismatching answer is ``Unknown``, never a refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cauri.domain.codes import Code


@dataclass(frozen=True, slots=True)
class Accepted:
    """The money moved. ``amount`` and ``currency`` are None where the operator's answer does not have them.

    ``amount`` is in whole currency units; ``paid_at`` in milliseconds UTC, None where the operator gives no date.
    """

    operator_id: str
    amount: int | None = None
    currency: str | None = None
    paid_at: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The operator's final no. ``word`` is its own word, for the history and the logs.

    ``unstarted``: nothing left, or the operator says that it is unavailable and began nothing: another connector may be tried.
    """

    code: Code
    word: str = ""
    unstarted: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Under way. ``code`` is 623, 663 or 664, None to keep what is shown; ``page_url`` where the payer must go.

    ``handle``: what the connector needs to ask later, kept with the attempt and given back in its Order; at most 2 000 characters.
    """

    code: Code | None = None
    page_url: str | None = None
    word: str = ""
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing can be concluded. ``not_found``: the operator says that it knows no such reference.

    ``alert`` is true where a person should look: a mismatch, an unknown word, refused credentials.
    """

    why: str
    not_found: bool = False
    alert: bool = False


Outcome = Accepted | Refused | Waiting | Unknown

# How every connector begins to say that it heard none of its operator's words about the attempt: a proxy's error page, or a question
# that could not be put because the operator refused us a token.
UNREADABLE = "unreadable answer"
UNASKED = "the check has no token"
_UNSAID = re.compile(f"{UNREADABLE}|{UNASKED}")


def spoken(word: str | None) -> str:
    """What the operator itself has said of an attempt, empty where it said nothing. ``word``: the attempt's."""
    return _UNSAID.split(word or "", maxsplit=1)[0].removesuffix("; ")


def noted(word: str | None, why: str) -> str:
    """An attempt's word once this is known of it, too: an answer that nobody could read does not wipe out one that was."""
    said = spoken(word)
    return f"{said}; {why}" if said and _UNSAID.match(why) else why
