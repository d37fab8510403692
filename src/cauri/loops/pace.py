"""How often an operator may be asked (contract section 8: never beyond its operator's rate; decision 12)."""

from __future__ import annotations

from dataclasses import dataclass

from cauri.clock import SECOND

# How long a question may be on its way: an operator that has not answered by then has had it long ago.
ON_ITS_WAY = 2 * SECOND


@dataclass(eq=False, slots=True)
class Question:
    """One that left. ``counts_until``: milliseconds."""

    counts_until: int
    is_answered: bool = False


class Pace:
    """How many questions may leave now, so that no second of the operator's ever sees more than ``per_s`` arrive.

    Each counts until a second after its answer, since how long it was on its way is not known here, and three seconds at most. Below one a
    second it is one in ``1 / per_s`` seconds. ``per_s`` may be changed at any time.
    """

    def __init__(self, per_s: float) -> None:
        self.per_s = per_s
        self._counted: list[Question] = []

    @property
    def _most(self) -> int:
        return max(1, int(self.per_s))

    @property
    def _span(self) -> int:
        return max(SECOND, round(SECOND / self.per_s))

    def free(self, now: int) -> int:
        """``now`` in milliseconds. A clock that is put back gives nothing, and holds nothing back beyond its span."""
        for each in self._counted:
            longest = self._span if each.is_answered else self._span + ON_ITS_WAY
            each.counts_until = min(each.counts_until, now + longest)
        self._counted = [each for each in self._counted if each.counts_until > now]
        return max(0, self._most - len(self._counted))

    @property
    def opens_at(self) -> int | None:
        """When the next question is free, None where one is now."""
        too_many = len(self._counted) - self._most
        return sorted(each.counts_until for each in self._counted)[too_many] if too_many >= 0 else None

    def take(self, number: int, now: int) -> list[Question]:
        """So many questions leave."""
        taken = [Question(now + self._span + ON_ITS_WAY) for _ in range(number)]
        self._counted += taken
        return taken

    def answered(self, question: Question, now: int) -> None:
        """It was answered, or given up."""
        question.is_answered = True
        question.counts_until = min(question.counts_until, now + self._span)
