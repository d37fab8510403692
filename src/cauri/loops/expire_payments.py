"""Ends payments whose session is over and that have nothing in flight."""

from __future__ import annotations

from cauri.lifecycle import Lifecycle

BATCH = 100


class ExpirePayments:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    async def tick(self, now: int) -> int:
        """How many payments were looked at; a payment that something was started for meanwhile is left alone."""
        due = await self._lifecycle.store.expired(now, BATCH)
        for payment in due:
            await self._lifecycle.expire(payment)
        return len(due)
