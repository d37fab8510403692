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


@dataclass(frozen=True, slots=True)
class _Otherwise:
    """What a line says of an attempt instead of paid. ``taken``: the attempt, where we have its money."""

    at: int
    words: str
    taken: Attempt | None


class Reconciliation:
    """One statement of one operator. Every method may raise StoreUnavailable."""

    def __init__(self, store: Store, connector: str) -> None:
        self._store = store
        self._connector = connector
        self._paid_on: dict[str, tuple[int, int]] = {}  # reference → the line that says paid, its date
        self._otherwise: dict[str, _Otherwise] = {}  # reference → the last that the statement says instead
        self._unreadable: dict[str, int] = {}  # reference → its line that nobody can read

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

    def unreadable(self, reference: str, number: int) -> None:
        """A line with this reference that nobody can read: it may take back what another one says."""
        self._unreadable[reference] = number

    def doubt(self, reference: str) -> str | None:
        """What else the statement says of an attempt that it calls paid; None where nothing. To be asked when all lines were compared."""
        if reference in self._unreadable:
            return f"line {self._unreadable[reference]} cannot be read"
        return self._taken_back(reference)

    async def missing(self, since: int, until: int) -> AsyncIterator[Found]:
        """Money that we have and that the statement does not; to be asked when all lines were compared.

        What it takes back, whenever that was paid; and what it does not name of the attempts that began and ended between two
        moments: the operator's own date lies somewhere in between, so that such an attempt can be in no other statement.
        """
        for reference, other in self._otherwise.items():
            words, attempt = self._taken_back(reference), other.taken
            if words and attempt and not await self._given_back(attempt):
                yield Found(Finding.HERE, None, attempt, words)
        async for attempt in self._store.books.taken_between(self._connector, since, until):
            named = attempt.reference in self._paid_on or attempt.reference in self._otherwise
            if not named and attempt.started_at >= since:
                yield Found(Finding.HERE, None, attempt, "not in the statement")

    def _taken_back(self, reference: str) -> str | None:
        """What it says at or after its line that says paid, or without one."""
        paid, other = self._paid_on.get(reference), self._otherwise.get(reference)
        if other is None or (paid is not None and other.at < paid[1]):
            return None
        return f"the statement says {other.words}"

    async def _given_back(self, attempt: Attempt) -> bool:
        """A surplus that a person has given back is taken back there, too."""
        payment = await self._store.payment_by_token(attempt.token)
        held = await self._store.surpluses(payment) if payment else ()
        return any(each.attempt == attempt.number and each.refunded_at is not None for each in held)

    def _compared(self, line: Line, named: Attempt | None, numbered: list[Attempt]) -> Found:
        attempt = named or (numbered[0] if len(numbered) == 1 else None)
        if attempt is not None and attempt.connector != self._connector:
            return Found(Finding.STRANGE, line, None, f"the reference is one of {attempt.connector}'s")
        if not line.paid:
            if attempt is not None:
                self._note(line, attempt)
            return Found(Finding.UNPAID, line, attempt)
        if attempt is None:
            why = (
                f"{len(numbered)} attempts have this number" if numbered else "no attempt has this reference"
            )
            return Found(Finding.STRANGE, line, None, why)
        before, _ = self._paid_on.setdefault(attempt.reference, (line.number, line.at))
        if before != line.number:
            return Found(Finding.TWICE, line, attempt, f"already on line {before}")
        if line.amount != attempt.amount or line.currency != attempt.currency:
            why = f"{line.amount} {line.currency} there, {attempt.amount} {attempt.currency} here"
            return Found(Finding.DIFFERS, line, attempt, why)
        return Found(Finding.BOTH if attempt.status in TAKEN else Finding.THERE, line, attempt)

    def _note(self, line: Line, attempt: Attempt) -> None:
        """The statement's last word that is not paid; of two of one moment, the lower one in the file."""
        before = self._otherwise.get(attempt.reference)
        if before is None or before.at <= line.at:
            words = f"{line.word or 'something else'} on line {line.number}"
            taken = attempt if attempt.status in TAKEN else None
            self._otherwise[attempt.reference] = _Otherwise(line.at, words, taken)


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
