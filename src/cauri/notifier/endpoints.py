"""Endpoints in trouble: breakers that open, are tried and close; endpoints whose notifications are parked; catching up.

What is known stands in the table ``endpoint``, for all processes and after any restart; each reads what changed once a second.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from msgspec.structs import replace

from cauri.clock import CLOCKS_DIFFER_BY, SECOND, Clock
from cauri.domain.notifying import NotificationSettings, probe_gap
from cauri.notifier.places import Places
from cauri.store import DueNotification, Endpoint, NotificationQueue

log = structlog.get_logger("cauri.notifier")

LOOK_EVERY = SECOND
# A process that has not heard yet may still hold a row of an endpoint that answers again: nobody is done before this.
CATCH_UP_LASTS = 5 * SECOND
PROBES_AT_ONCE = 50
HELD_AT_ONCE = 500


class Endpoints:
    def __init__(
        self, queue: NotificationQueue, places: Places, settings: NotificationSettings, clock: Clock
    ) -> None:
        self._queue = queue
        self._places = places
        self._settings = settings
        self._clock = clock
        self._known: dict[str, Endpoint] = {}
        self._looked_at = 0
        self._news = True

    def is_open(self, endpoint: str) -> bool:
        """Whether its breaker is open, as far as this process has heard."""
        known = self._known.get(endpoint)
        return known is not None and known.state == "open"

    async def look(self, now: int) -> bool:
        """Once a second: hears what other processes have said, and brings forward what endpoints that answer again have missed.

        True where a second had passed.
        """
        if not self._news and 0 <= now - self._looked_at < LOOK_EVERY:
            return False
        self._news = False
        since = self._looked_at - CLOCKS_DIFFER_BY if self._looked_at else 0
        for each in await self._queue.endpoints_changed(since):
            self._hear(each)
        for each in [each for each in self._known.values() if each.state == "catching_up"]:
            await self._bring_forward(each, now)
        self._looked_at = now
        return True

    async def hold(self, due: Iterable[DueNotification], now: int) -> int:
        """What is due at open breakers waits for a sign of life; how many were taken from the front of the queue."""
        rows = list(due)[:HELD_AT_ONCE]
        if not rows:
            return 0
        held, parked = await self._queue.hold(rows, now=now, last=self._settings.last_try_after)
        if parked:
            log.error("notifications_parked", alert=True, number=parked, endpoint=rows[0].endpoint)
        if held + parked == 0:
            await self._ask_about({each.endpoint for each in rows})
        return held + parked

    async def claim_probes(self, now: int, claim: str) -> list[tuple[DueNotification, Endpoint]]:
        """One notification for each endpoint that is to be tried now, claimed, with a place."""
        room = min(PROBES_AT_ONCE, self._places.free_for_failing)
        if room <= 0:
            return []
        found: list[tuple[DueNotification, Endpoint]] = []
        try:
            for each in await self._queue.claim_probes(now=now, until=now + self._settings.lease, limit=room):
                await self._add_probe(each, now, claim, found)
        except BaseException:  # nobody will send these: their payments must not seem to be under way for ever
            for due, _ in found:
                self._places.give_back(due)
            raise
        return found

    async def failed(
        self,
        due: DueNotification,
        error: str,
        *,
        later_s: int,
        probed: Endpoint | None,
    ) -> None:
        """A delivery failed: a breaker opens, or stays open. ``later_s``: how long its shop wants to be left alone, 0 where it did not say."""
        now, endpoint = self._clock.now(), due.endpoint
        number = self._places.failed(endpoint, due.token)
        if not endpoint:  # from before endpoints were written down: soon it will be known
            return
        if probed is not None:
            await self._still_silent(probed, now, later_s, error)
        elif number >= self._settings.breaker_failures and not self.is_open(endpoint):
            await self._open(due, now, later_s, error)

    async def parked(self, due: DueNotification, error: str, *, gone: bool) -> None:
        """A notification is parked: its endpoint is from now on tried now and then, unless it answers others.

        ``gone``: by a 410, which is true of its address and maybe of no other there: the endpoint's next answer brings it back, once.
        """
        if due.endpoint and (gone or not self._places.answered_since(due.endpoint, due.since)):
            await self._park(due, self._clock.now(), error, gone)

    async def answered(self, due: DueNotification) -> None:
        """A delivery was heard: where the endpoint was in trouble, it begins to catch up."""
        now, endpoint = self._clock.now(), due.endpoint
        self._places.answered(endpoint, now)
        if endpoint not in self._known or self._known[endpoint].state not in ("open", "parked"):
            return
        since = await self._queue.endpoint_answered(endpoint, now)
        self._news = True
        if since is not None:
            log.info("endpoint_closed", site_id=due.site_id, endpoint=endpoint, silent_ms=now - since)

    async def _ask_about(self, names: set[str]) -> None:
        """Somebody closed these breakers, maybe by a clock so far behind ours that we do not hear of it by looking at what changed."""
        found = {each.endpoint: each for each in await self._queue.endpoints_named(sorted(names))}
        for name in names - set(found):
            self._known.pop(name, None)
        for each in found.values():
            self._hear(each)
        self._news = True

    def _hear(self, endpoint: Endpoint) -> None:
        before = self._known.pop(endpoint.endpoint, None)
        if endpoint.state == "closed":
            return
        self._known[endpoint.endpoint] = endpoint
        if endpoint.state == "catching_up" and (before is None or before.state != "catching_up"):
            self._places.begin_again(endpoint.endpoint)

    async def _add_probe(
        self, each: Endpoint, now: int, claim: str, found: list[tuple[DueNotification, Endpoint]]
    ) -> None:
        self._hear(each)
        endpoint, due = await self._probe(each, now, now + self._settings.lease, claim)
        if due is None:
            return
        if self._places.take_one(due):
            found.append((due, endpoint))
        else:
            await self._queue.release([due], claim)
            await self._queue.probe_now(endpoint.endpoint, now)

    async def _probe(
        self, endpoint: Endpoint, now: int, until: int, claim: str
    ) -> tuple[Endpoint, DueNotification | None]:
        """What is sent to see whether it answers: the next that waits, else the newest that is parked; then all it has is parked."""
        name, parked_after = endpoint.endpoint, now - self._settings.keep
        if endpoint.state == "open":
            due = await self._queue.claim_held(name, now=now, until=until, claim=claim)
            if due is not None:
                return endpoint, due
        due = await self._queue.claim_parked(
            name, now=now, until=until, claim=claim, parked_after=parked_after
        )
        if due is None and await self._queue.close_endpoint(name, now=now, parked_after=parked_after):
            self._news = True
        return replace(endpoint, state="parked"), due

    async def _still_silent(self, probed: Endpoint, now: int, later_s: int, error: str) -> None:
        parked = probed.state == "parked"
        gap = max(probe_gap(self._settings, probed.failures + 1), later_s * SECOND)
        if parked:
            gap = max(self._settings.parked_probe_gap_s, later_s) * SECOND
        await self._queue.put_off_probe(
            probed.endpoint, state=probed.state, now=now, probe_at=now + gap, error=error
        )
        before = self._known.get(probed.endpoint)
        if parked and before is not None and before.state == "open":
            self._tell("endpoint_parked", probed.site_id, probed.endpoint, error)

    async def _open(self, due: DueNotification, now: int, later_s: int, error: str) -> None:
        probe_at = now + max(probe_gap(self._settings, 0), later_s * SECOND)
        opened = await self._queue.open_endpoint(
            due.endpoint, due.site_id, now=now, probe_at=probe_at, error=error
        )
        self._news = True
        if opened:
            self._tell("endpoint_opened", due.site_id, due.endpoint, error)

    async def _park(self, due: DueNotification, now: int, error: str, gone: bool) -> None:
        probe_at = now + self._settings.parked_probe_gap_s * SECOND
        parked = await self._queue.park_endpoint(
            due.endpoint, due.site_id, now=now, probe_at=probe_at, error=error, gone=gone
        )
        self._news = True
        if parked:
            self._tell("endpoint_parked", due.site_id, due.endpoint, error)

    async def _bring_forward(self, endpoint: Endpoint, now: int) -> None:
        last = self._settings.last_try_after
        brought = await self._queue.bring_forward(endpoint, now, last=last)
        if brought or now - endpoint.answered_at < CATCH_UP_LASTS:
            return
        probe_at = now + self._settings.parked_probe_gap_s * SECOND
        state = await self._queue.endpoint_caught_up(endpoint, now, last=last, probe_at=probe_at)
        self._news = True
        if state is not None:
            log.info("endpoint_caught_up", site_id=endpoint.site_id, endpoint=endpoint.endpoint, state=state)
        self._known.pop(endpoint.endpoint, None)

    def _tell(self, event: str, site_id: str, endpoint: str, error: str) -> None:
        """Without an alert: a person is called by the alerts' loop, once for all processes, and told when it is over."""
        log.warning(event, site_id=site_id, endpoint=endpoint, error=error)
