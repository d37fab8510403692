"""How often an operator may be asked (contract section 8: never beyond its operator's rate)."""

from __future__ import annotations

from collections import deque

from cauri.clock import SECOND


class Pace:
    """How many questions may leave now, so that no second of the operator's ever sees more than ``per_s`` arrive.

    Each counts until a second after its answer: how long it was on its way, nobody here knows. Below one a second it is one in
    ``1 / per_s`` seconds. ``per_s`` may be changed at any time.
    """

    def __init__(self, per_s: float) -> None:
        self.per_s = per_s
        self._under_way = 0
        self._answered: deque[int] = deque()

    @property
    def _most(self) -> int:
        return max(1, int(self.per_s))

    @property
    def _span(self) -> int:
        return max(SECOND, round(SECOND / self.per_s))

    def free(self, now: int) -> int:
        """``now`` in milliseconds. A clock that is put back gives nothing, and holds nothing back beyond its span."""
        if self._answered and self._answered[-1] > now:
            self._answered = deque(min(moment, now) for moment in self._answered)
        while self._answered and self._answered[0] <= now - self._span:
            self._answered.popleft()
        return max(0, self._most - self._under_way - len(self._answered))

    @property
    def opens_at(self) -> int | None:
        """When the next question is free, where answers of the last span are what keeps it back."""
        too_many = self._under_way + len(self._answered) - self._most
        return self._answered[too_many] + self._span if 0 <= too_many < len(self._answered) else None

    def take(self, number: int) -> None:
        """So many questions leave."""
        self._under_way += number

    def answered(self, now: int) -> None:
        """One of them was answered, or given up."""
        self._under_way -= 1
        self._answered.append(now)
