"""Tells, once each, that shops are not being told: a raised alert is a row, so that any number of processes raise and end it once."""

from __future__ import annotations

import structlog

from cauri.clock import HOUR, SECOND
from cauri.domain.moments import iso
from cauri.store import EndpointTrouble, Store

log = structlog.get_logger("cauri.alerts")

LATE = "notifications_late"
ENDPOINT = "endpoint_in_trouble "
TOLD_AGAIN_AFTER = HOUR
ENDPOINTS_MAX = 1_000


class Alerts:
    """``after``: milliseconds that a shop may go without being told, or its address without answering, before a person hears of it."""

    def __init__(self, store: Store, after: int) -> None:
        self._queue = store.notifications
        self._records = store.admin
        self._after = after

    async def tick(self, now: int) -> int:
        """Run once a minute, in every process."""
        raised = {alert.name for alert in await self._records.alerts()}
        wanted, complete = await self._wanted(now)
        for name, words in wanted.items():
            await self._raise(name, words, name in raised, now)
        for name in raised - set(wanted):
            if complete or not name.startswith(ENDPOINT):
                await self._end(name, now)
        return 0

    async def _wanted(self, now: int) -> tuple[dict[str, str], bool]:
        """The alerts that there is reason for, each with its words; whether all addresses were looked at."""
        wanted: dict[str, str] = {}
        counts = await self._queue.counts(now)
        if counts.oldest_since is not None and now - counts.oldest_since >= self._after:
            wanted[LATE] = (
                f"{counts.undelivered} notifications are not delivered, the oldest since {iso(counts.oldest_since)}"
            )
        troubled = await self._queue.in_trouble(ENDPOINTS_MAX)
        for each in troubled:
            # Of one that is gone the notification that was parked has told.
            if (each.state == "parked" and not each.gone) or (
                each.state == "open" and now - each.since >= self._after
            ):
                wanted[ENDPOINT + each.endpoint] = _words(each)
        return wanted, len(troubled) < ENDPOINTS_MAX

    async def _raise(self, name: str, words: str, known: bool, now: int) -> None:
        if known:
            ours = await self._records.repeat_alert(name, words, now, now - TOLD_AGAIN_AFTER)
        else:
            ours = await self._records.raise_alert(name, words, now)
        if ours:
            event, _, of = name.partition(" ")
            log.error(event, alert=True, again=known, detail=words, **({"endpoint": of} if of else {}))

    async def _end(self, name: str, now: int) -> None:
        since = await self._records.end_alert(name)
        if since is not None:
            event, _, of = name.partition(" ")
            lasted_s = (now - since) // SECOND
            log.warning("alert_ended", ended=event, lasted_s=lasted_s, **({"endpoint": of} if of else {}))


def _words(each: EndpointTrouble) -> str:
    return f"{each.state} since {iso(each.since)}: {each.waiting} wait, {each.parked} parked; last word: {each.error}"[
        :500
    ]
