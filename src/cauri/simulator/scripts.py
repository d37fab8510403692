"""What was told beforehand: the stories of the next requests of a number, or of an operator."""

from collections import deque
from collections.abc import Sequence
from contextvars import ContextVar

from cauri.simulator.stories import Story

ASKED_OF: ContextVar[str | None] = ContextVar("ASKED_OF", default=None)
"""The operator (its dialect's name) whose door the current request came through."""


class Scripts:
    """Each request to collect takes one story: of its number first, then of its operator."""

    def __init__(self) -> None:
        self._of_phone: dict[str, deque[Story]] = {}
        self._of_operator: dict[str, deque[Story]] = {}

    def set_for_phone(self, phone: str, stories: Sequence[Story]) -> None:
        """In place of what was set before; no stories: nothing is told of it any more."""
        self._of_phone[phone] = deque(stories)

    def set_for_operator(self, operator: str, stories: Sequence[Story]) -> None:
        self._of_operator[operator] = deque(stories)

    def take(self, phone: str | None) -> Story | None:
        """The next story for `phone` at the operator that is asked; `phone` None: the payer is not known yet."""
        for line in (self._of_phone.get(phone or ""), self._of_operator.get(ASKED_OF.get() or "")):
            if line:
                return line.popleft()
        return None

    def clear(self) -> None:
        self._of_phone.clear()
        self._of_operator.clear()
