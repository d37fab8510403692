"""Claims notifications that are due, sends the newest state, records what came of it (contract section 4 and 8)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from cauri.clock import SECOND, Clock, new_id
from cauri.domain.payment import DeliveryRow, Payment
from cauri.domain.schedules import notification_gap
from cauri.domain.site import Site
from cauri.notifier.sender import Sender, Sent
from cauri.store import Delivered, DueNotification, Store
from cauri.wire.notification import message

log = structlog.get_logger("cauri.notifier")

IN_FLIGHT_MAX = 100
LEASE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery that is about to be made, of the payment's newest state."""

    due: DueNotification
    claim: str
    payment: Payment
    site: Site
    url: str


class Notifier:
    def __init__(self, store: Store, sender: Sender, clock: Clock) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._delivering: set[asyncio.Task[None]] = set()

    async def tick(self, now: int) -> int:
        """How many notifications were taken up; each is delivered in a task of its own."""
        free = IN_FLIGHT_MAX - len(self._delivering)
        if free <= 0:
            return 0
        claim = new_id()
        due = await self._store.claim_notifications(now=now, until=now + LEASE, claim=claim, limit=free)
        for each in due:
            task = asyncio.get_running_loop().create_task(self._deliver(each, claim))
            self._delivering.add(task)
            task.add_done_callback(self._delivering.discard)
        return len(due)

    async def idle(self) -> None:
        """Returns when every delivery taken up has been made."""
        while self._delivering:
            await asyncio.wait(set(self._delivering))

    async def stop(self) -> None:
        """Deliveries under way get a moment to end; one that is cut off is made again when its lease ends."""
        if self._delivering:
            await asyncio.wait(self._delivering, timeout=2)
        for task in self._delivering:
            task.cancel()
        await asyncio.gather(*self._delivering, return_exceptions=True)
        await self._sender.close()

    async def _deliver(self, due: DueNotification, claim: str) -> None:
        try:
            prepared = await self._prepared(due, claim)
            if prepared is not None:
                told = message(
                    prepared.payment, prepared.site, at=self._clock.now(), number=prepared.due.tries + 1
                )
                sent = await self._sender.post(prepared.url, told)
                await self._record(prepared, sent)
        except Exception as error:
            log.error("delivery_failed", site_id=due.site_id, error=f"{type(error).__name__}: {error}")

    async def _prepared(self, due: DueNotification, claim: str) -> Prepared | None:
        payment = await self._store.payment_by_token(due.token)
        site = await self._store.site(due.site_id)
        if payment is None or site is None or payment.request.notify_url is None:
            log.error("notification_without_address", alert=True, site_id=due.site_id)
            return None
        return Prepared(due, claim, payment, site, payment.request.notify_url)

    async def _record(self, prepared: Prepared, sent: Sent) -> None:
        payment = prepared.payment
        next_try_at = None if sent.delivered else self._next_try_at(prepared.due)
        row = DeliveryRow(
            at=sent.at,
            number=prepared.due.tries + 1,
            version=payment.version,
            code=payment.code.number,
            url=prepared.url,
            status=sent.status,
            duration_ms=sent.duration_ms,
            answer=sent.answer,
            error=sent.error,
            next_try_at=next_try_at,
        )
        await self._store.record_delivery(
            Delivered(
                slot=payment.slot,
                token=payment.token,
                site_id=payment.site_id,
                transaction_id=payment.transaction_id,
                claim=prepared.claim,
                delivery_id=new_id(),
                delivered=sent.delivered,
                row=row,
            )
        )
        log.info(
            "delivery",
            site_id=payment.site_id,
            transaction_id=payment.transaction_id,
            code=payment.code.number,
            status=sent.status,
            duration_ms=sent.duration_ms,
            next_try_at=next_try_at,
        )
        if not sent.delivered and next_try_at is None:
            log.error(
                "notification_parked",
                alert=True,
                site_id=payment.site_id,
                transaction_id=payment.transaction_id,
            )

    def _next_try_at(self, due: DueNotification) -> int | None:
        now = self._clock.now()
        gap = notification_gap(due.tries + 1, now - due.since)
        return None if gap is None else now + gap
