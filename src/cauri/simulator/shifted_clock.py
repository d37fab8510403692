"""The operators' own clock: the one they were given, and as far ahead of it as the control plane says."""

from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...


class ShiftedClock:
    """Only ever moves forward, until it is put back with everything else."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead_ms = 0

    def now(self) -> int:
        return self._clock.now() + self.ahead_ms

    def advance(self, milliseconds: int) -> None:
        """Raises ValueError for a step back: what was planned for the time between would never happen."""
        if milliseconds < 0:
            raise ValueError("an operator's clock moves forward only")
        self.ahead_ms += milliseconds

    def put_back(self) -> None:
        self.ahead_ms = 0
