"""One delivery: the newest state, one POST, its record, and what is learned of the endpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from cauri.clock import SECOND, Clock, jittered, new_id
from cauri.domain.notifying import JITTER_MAX, JITTER_SHARE, NotificationSettings, gap_after
from cauri.domain.payment import DeliveryRow, Payment
from cauri.notifier.endpoints import Endpoints
from cauri.notifier.places import Places
from cauri.notifier.sender import Sender, Sent
from cauri.notifier.sites import Sites
from cauri.store import Delivered, DueNotification, Endpoint, Store
from cauri.wire.notification import message

log = structlog.get_logger("cauri.notifier")

GONE = 410


@dataclass(frozen=True, slots=True)
class Task:
    """A notification that is claimed and has a place. ``probed``: the endpoint in trouble that it tries."""

    due: DueNotification
    payment: Payment
    claim: str
    until: int
    probed: Endpoint | None

    @property
    def was_parked(self) -> bool:
        """Whether it only tries whether its endpoint answers again."""
        return self.probed is not None and self.probed.state == "parked"


class Delivering:
    def __init__(
        self,
        store: Store,
        sender: Sender,
        clock: Clock,
        settings: NotificationSettings,
        places: Places,
        endpoints: Endpoints,
        sites: Sites,
    ) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._settings = settings
        self._places = places
        self._endpoints = endpoints
        self._sites = sites

    async def deliver(self, task: Task) -> None:
        """Never raises: what could not be sent or recorded is taken up again when its lease ends."""
        try:
            sent = await self._sent(task)
            if sent is not None:
                await self._settle(task, sent)
        except Exception as error:
            log.error("delivery_failed", site_id=task.due.site_id, error=f"{type(error).__name__}: {error}")
        finally:
            self._places.give_back(task.due)

    async def _sent(self, task: Task) -> Sent | None:
        """None where nothing was sent. The shop's place is free again as soon as it has answered."""
        try:
            site = await self._sites.get(task.due.site_id)
            url = task.payment.request.notify_url
            if site is None or url is None:
                log.error("notification_without_address", alert=True, site_id=task.due.site_id)
                return None
            if self._clock.now() + self._settings.timeout_s * SECOND >= task.until:
                log.warning("delivery_too_late", site_id=task.due.site_id)
                await self._store.notifications.release([task.due], task.claim)
                return None
            told = message(task.payment, site, at=self._clock.now(), number=task.due.tries + 1)
            return _without_number(await self._sender.post(url, told), task.payment)
        finally:
            self._places.leave(task.due)

    async def _settle(self, task: Task, sent: Sent) -> None:
        if sent.delivered:
            await self._record(task, sent, None)
            await self._endpoints.answered(task.due)
            return
        next_try_at = next_try(self._settings, task.due, sent, self._clock.now())
        await self._endpoints.failed(
            task.due, sent.error or "", later_s=later_s(self._settings, sent), probed=task.probed
        )
        if next_try_at is None:
            await self._park(task, sent)
        else:
            await self._record(task, sent, next_try_at)

    async def _park(self, task: Task, sent: Sent) -> None:
        """Its endpoint is marked before, in case this process dies in between, and after, in case it was thought caught up in between."""
        gone = sent.status == GONE
        await self._endpoints.parked(task.due, sent.error or "", gone=gone)
        await self._record(task, sent, None)
        await self._endpoints.parked(task.due, sent.error or "", gone=gone)

    async def _record(self, task: Task, sent: Sent, next_try_at: int | None) -> None:
        payment = task.payment
        row = DeliveryRow(
            at=sent.at,
            number=task.due.tries + 1,
            version=payment.version,
            code=payment.code.number,
            url=payment.request.notify_url or "",
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
                claim=task.claim,
                delivery_id=new_id(),
                delivered=sent.delivered,
                row=row,
            )
        )
        self._tell(task, sent, next_try_at)

    def _tell(self, task: Task, sent: Sent, next_try_at: int | None) -> None:
        payment = task.payment
        named = {"site_id": payment.site_id, "transaction_id": payment.transaction_id}
        log.info(
            "delivery",
            **named,
            code=payment.code.number,
            status=sent.status,
            duration_ms=sent.duration_ms,
            next_try_at=next_try_at,
        )
        if not sent.delivered and next_try_at is None and not task.was_parked:
            log.error("notification_parked", alert=True, **named, status=sent.status, error=sent.error)


def _without_number(sent: Sent, payment: Payment) -> Sent:
    """Some receivers answer with what they were sent: record and log have the payer's number masked there, too."""
    if (phone := payment.phone) is None:
        return sent
    return replace(
        sent, answer=phone.masked_in(sent.answer), error=sent.error and phone.masked_in(sent.error)
    )


def next_try(settings: NotificationSettings, due: DueNotification, sent: Sent, now: int) -> int | None:
    """When a failed notification is tried again; None: it is parked. A shop that says 410 is not asked again.

    ``Retry-After`` can only make it later, up to its own cap, and never past the last try.
    """
    elapsed = now - due.since
    gap = gap_after(settings, due.tries + 1, elapsed)
    if gap is None or sent.status == GONE:
        return None
    left = settings.last_try_after - elapsed
    if gap < left:
        gap += max(-JITTER_MAX, min(jittered(gap, JITTER_SHARE) - gap, JITTER_MAX))
    return now + min(max(gap, later_s(settings, sent) * SECOND), left)


def later_s(settings: NotificationSettings, sent: Sent) -> int:
    """How long the shop wants to be left alone, up to the cap; 0 where it did not say."""
    return min(sent.retry_after_s or 0, settings.retry_after_max_s)
