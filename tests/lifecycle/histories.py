"""A history: what happens to a payment, and what must be seen of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lifecycle.steps import Step


@dataclass(frozen=True)
class History:
    """``told``: the codes the shop heard, in order. ``events`` without the first, ``opened``. ``attempts``: their ends."""

    name: str
    steps: tuple[Step, ...]
    told: str
    events: str
    attempts: str = ""
    tries: int = 0
    surpluses: int = 0
    attempts_max: int = 3
    amount: int = 1500
