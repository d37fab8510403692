"""An operator's statement against our attempts: paid on both sides, paid there and not here, paid here and not there.

Nothing is changed by comparing. A person may have what was paid there and not here recorded: it goes the way of any decision of a person.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cauri.domain.outcome import Accepted
from cauri.domain.payment import Attempt, AttemptStatus
from cauri.lifecycle.asking import Asking
from cauri.store import Store

TAKEN = (AttemptStatus.PAID, AttemptStatus.SURPLUS)


class Finding(StrEnum):
    """What a line of a statement, or an attempt that it does not have, comes to."""

    BOTH = "paid on both sides"
    THERE = "paid there, not here"
    HERE = "paid here, not there"
    DIFFERS = "amounts that differ"
    STRANGE = "paid there, unknown here"
    TWICE = "paid twice there"
    UNPAID = "not paid there"


@dataclass(frozen=True, slots=True)
class Line:
    """A statement's line, read. ``number`` in the file; ``amount`` exactly as written; ``at`` in milliseconds UTC; ``word``: its status."""

    number: int
    reference: str | None
    operator_id: str | None
    amount: Decimal
    currency: str
    paid: bool
    word: str
    at: int


@dataclass(frozen=True, slots=True)
class Found:
    """``line`` None: the statement does not have it; ``attempt`` None: we do not. ``why``: more, for a person."""

    finding: Finding
    line: Line | None
    attempt: Attempt | None
    why: str = ""


class Reconciliation:
    """One statement of one operator. Every method may raise StoreUnavailable."""

    def __init__(self, store: Store, connector: str) -> None:
        self._store = store
        self._connector = connector
        self._paid_on: dict[str, int] = {}  # reference → the line that says paid
        self._word: dict[str, str] = {}  # reference of money we have → what the statement says instead

    async def compare(self, lines: Sequence[Line]) -> list[Found]:
        """What each of these lines comes to, in order."""
        by_reference = await self._store.books.attempts_by_reference(
            [line.reference for line in lines if line.reference]
        )
        by_operator_id = await self._store.books.attempts_by_operator_id(
            self._connector,
            [
                line.operator_id
                for line in lines
                if line.operator_id and (line.reference or "") not in by_reference
            ],
        )
        return [
            self._compared(
                line, by_reference.get(line.reference or ""), by_operator_id.get(line.operator_id or "", [])
            )
            for line in lines
        ]

    async def missing(self, since: int, until: int) -> AsyncIterator[Found]:
        """Money that we have and that the statement does not, of attempts that began and ended between two moments.

        The operator's own date lies somewhere in between, so that such an attempt can be in no other statement.
        """
        async for attempt in self._store.books.taken_between(self._connector, since, until):
            if attempt.reference not in self._paid_on and attempt.started_at >= since:
                word = self._word.get(attempt.reference)
                yield Found(
                    Finding.HERE,
                    None,
                    attempt,
                    f"the statement says {word}" if word else "not in the statement",
                )

    def _compared(self, line: Line, named: Attempt | None, numbered: list[Attempt]) -> Found:
        attempt = named or (numbered[0] if len(numbered) == 1 else None)
        if attempt is not None and attempt.connector != self._connector:
            return Found(Finding.STRANGE, line, None, f"the reference is one of {attempt.connector}'s")
        if not line.paid:
            if attempt is not None and attempt.status in TAKEN:
                self._word[attempt.reference] = f"{line.word or 'something else'} on line {line.number}"
            return Found(Finding.UNPAID, line, attempt)
        if attempt is None:
            why = (
                f"{len(numbered)} attempts have this number" if numbered else "no attempt has this reference"
            )
            return Found(Finding.STRANGE, line, None, why)
        before = self._paid_on.setdefault(attempt.reference, line.number)
        if before != line.number:
            return Found(Finding.TWICE, line, attempt, f"already on line {before}")
        if line.amount != attempt.amount or line.currency != attempt.currency:
            why = f"{line.amount} {line.currency} there, {attempt.amount} {attempt.currency} here"
            return Found(Finding.DIFFERS, line, attempt, why)
        return Found(Finding.BOTH if attempt.status in TAKEN else Finding.THERE, line, attempt)


async def record(asking: Asking, store: Store, found: Found, *, who: str, why: str) -> AttemptStatus | None:
    """Has a finding THERE recorded as a person's decision: the attempt becomes paid or a surplus; None where nothing changed."""
    line, attempt = found.line, found.attempt
    if found.finding is not Finding.THERE or line is None or attempt is None:
        return None
    operator_id = line.operator_id or line.reference or ""
    outcome = Accepted(operator_id, int(line.amount), line.currency, line.at)
    await asking.settle(attempt, outcome, actor=who, note=f"{why}, line {line.number}")
    newest = await store.attempt_by_reference(attempt.reference)
    return newest.status if newest is not None and newest.status in TAKEN else None
