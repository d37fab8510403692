"""Ends payments whose session is over and that have nothing in flight."""

from __future__ import annotations

import asyncio

import structlog

from cauri.domain.payment import Payment
from cauri.lifecycle import Lifecycle

log = structlog.get_logger("cauri.loops")

BATCH = 100


class ExpirePayments:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    async def tick(self, now: int) -> int:
        """How many payments were looked at; a payment that something was started for meanwhile is left alone."""
        due = await self._lifecycle.store.expired(now, BATCH)
        return sum(await asyncio.gather(*(self._expire(payment) for payment in due)))

    async def _expire(self, payment: Payment) -> int:
        """One that cannot be ended now does not keep the others waiting."""
        try:
            await self._lifecycle.expire(payment)
        except Exception as error:
            log.error(
                "expire_failed",
                site_id=payment.site_id,
                transaction_id=payment.transaction_id,
                error=f"{type(error).__name__}: {error}",
            )
            return 0
        return 1
