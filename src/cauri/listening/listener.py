"""Reads the feed, forwards each notification in its order, and holds on to it while the receiver or the gateway is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf

from cauri.clock import MINUTE, SECOND, Clock
from cauri.domain.moments import iso
from cauri.listening.gateway import Away, GatewayFeed, Gone, Notification, Page, StrangeCursor
from cauri.listening.kept import Kept
from cauri.notifier.causes import EXPECTED, fault_of
from cauri.notifier.faults import Fault, fault_of_status, in_words
from cauri.notifier.sender import Sender
from cauri.wire.notification import Message

# A receiver that answers otherwise than 2xx is tried again after these.
TRY_GAPS_S = (1.0, 3.0)
AWAY_GAPS_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
# A signature's moment is checked by receivers (5 minutes is usual): after so long a new one is fetched.
SIGNED_FOR = 60 * SECOND
# Nobody listens there now: what came is held until somebody does.
_NOBODY_THERE = frozenset({Fault.REFUSED, Fault.NAME, Fault.UNREACHABLE, Fault.CONNECT_TIME})
# A server that starts, or a proxy without its application: held too, but one notification that breaks the shop must not be held for ever.
_MAYBE_NOBODY_STATUSES = frozenset({502, 503, 504})
MAYBE_FOR = 5 * MINUTE


@dataclass(frozen=True)
class Beginning:
    """Where to begin: the newest ``last``, or ``since`` a moment; neither: where the last run ended, or now. ``fresh``: now."""

    last: int | None = None
    since: str | None = None
    fresh: bool = False

    @property
    def resumes(self) -> bool:
        return self.last is None and self.since is None and not self.fresh


@dataclass(frozen=True, slots=True)
class _Tried:
    """``fault`` None: answered 2xx. ``held_for``: milliseconds for which this is taken for nobody being there."""

    words: str
    fault: Fault | None
    held_for: float = 0


class Listener:
    """``forward_to`` None: notifications are shown only. ``tell``: where its lines go."""

    def __init__(
        self,
        feed: GatewayFeed,
        kept: Kept,
        sender: Sender,
        clock: Clock,
        *,
        forward_to: str | None,
        tell: Callable[[str], None],
    ) -> None:
        self._feed = feed
        self._kept = kept
        self._sender = sender
        self._clock = clock
        self._forward_to = forward_to
        self._tell = tell
        self._gateway_away = False
        self._began = clock.now()

    async def run(self, beginning: Beginning) -> None:
        """Never returns by itself. Raises Refused."""
        page = await self._patiently(lambda: self._begun(beginning))
        self._tell(self._greeting(beginning))
        while True:
            await self._take(page)
            page = await self._patiently(self._next)

    def _greeting(self, beginning: Beginning) -> str:
        where = f", forwarding to {self._forward_to}" if self._forward_to else ""
        since = f"; going on after {self._kept.newest}" if beginning.resumes and self._kept.newest else ""
        return f"listening to {self._feed.url}{where}{since} (Ctrl-C ends, nothing is lost)"

    async def _begun(self, beginning: Beginning) -> Page:
        if beginning.resumes and self._kept.cursor:
            return await self._next(wait=False)
        if beginning.resumes and self._kept.since:  # stopped within its first page
            return await self._feed.begin(since=self._kept.since)
        since = beginning.since
        if self._gateway_away and beginning.last is None and since is None:
            since = self._since_the_start()
        page = await self._feed.begin(last=beginning.last, since=since)
        first = page.notifications[0].at if page.notifications else page.now
        self._kept.begin(min(first, page.settled), page.seen, page.now)
        return page

    def _since_the_start(self) -> str:
        """Now is when the developer said so, not when the gateway was up at last; as a span, since its clock may be another."""
        return f"{(self._clock.now() - self._began) // SECOND + 1}s"

    async def _next(self, *, wait: bool = True) -> Page:
        try:
            return await self._feed.after(self._kept.cursor, wait=wait)
        except StrangeCursor:
            self._tell("the gateway has other data than before: going on with what it has since")
            return await self._feed.begin(since=self._newest_by_our_clock())

    def _newest_by_our_clock(self) -> str | None:
        """The other gateway's clock may be behind: a moment that is still to come there would be refused."""
        return min(self._kept.newest, iso(self._clock.now())) or None

    async def _take(self, page: Page) -> None:
        """What was not forwarded when the program ends comes again: the place is kept when all of the page is done."""
        received = self._clock.now()
        for notification in page.notifications:
            if not self._kept.knows(notification.id):
                told, words = await self._handle(notification, received)
                self._kept.done(told.at, told.id, notification.id)
                self._tell(f"{_line(told)}{words}")  # what is said to be done is kept as done
        self._kept.reached(page.cursor, page.settled)

    async def _handle(self, notification: Notification, received: int) -> tuple[Notification, str]:
        """Gives back the one that was told, a newer one where the first had to be held for long, and what came of it."""
        if self._forward_to is None:
            return notification, ""
        tries, failures, began = 0, 0, self._clock.now()
        while True:
            if self._clock.now() - received > SIGNED_FOR:
                notification, received = await self._signed_again(notification), self._clock.now()
            tried = await self._post(notification, tries + failures + 1)
            if tried.fault is None:
                return notification, f"  → {tried.words}"
            if tried.held_for == inf:
                began = self._clock.now()
            if self._clock.now() - began < tried.held_for:
                gap_s = AWAY_GAPS_S[min(failures, len(AWAY_GAPS_S) - 1)]
                if not failures:
                    self._tell(f"{_line(notification)}  → held until somebody answers: {tried.words}")
                failures += 1
            elif tries < len(TRY_GAPS_S):
                gap_s, tries, failures = TRY_GAPS_S[tries], tries + 1, 0
                self._tell(f"{_line(notification)}  → {tried.words}; again in {gap_s:g} s")
            else:
                given_up = f"given up here after {tries + 1} tries, the gateway's own go on; a replay brings it here, too"
                return notification, f"  → {tried.words}; {given_up}"
            await asyncio.sleep(gap_s)

    async def _post(self, notification: Notification, number: int) -> _Tried:
        headers = dict(notification.headers)
        if "webhook-try" in headers:
            headers["webhook-try"] = str(number)
        content_type = headers.pop("Content-Type", "application/octet-stream")
        began = self._clock.now()
        try:
            message = Message(content_type, notification.body.encode(), headers)
            answer = await self._sender.request("POST", self._forward_to or "", message)
        except EXPECTED as error:
            fault, detail = fault_of(error, self._sender.timeout_s)
            return _Tried(in_words(fault, detail), fault, _held_for(fault))
        wrong = fault_of_status(answer.status)
        # What 410 does is of the gateway's own deliveries.
        advice = "" if wrong in (None, Fault.GONE) else f": {in_words(wrong, answer.status)}"
        held_for = MAYBE_FOR if answer.status in _MAYBE_NOBODY_STATUSES else 0
        return _Tried(f"{answer.status} in {self._clock.now() - began} ms{advice}", wrong, held_for)

    async def _signed_again(self, notification: Notification) -> Notification:
        """The newest state with a new signature; the one we have where there is no other now."""
        try:
            return await self._feed.fresh(notification.transaction_id)
        except (Away, Gone):
            return notification

    async def _patiently(self, ask: Callable[[], Awaitable[Page]]) -> Page:
        """Asks until the gateway answers. Raises Refused."""
        failures = 0
        while True:
            try:
                page = await ask()
            except Away as away:
                if not self._gateway_away:
                    self._tell(f"the gateway is away: {away}; trying until it is back")
                self._gateway_away = True
                gap_s = AWAY_GAPS_S[min(failures, len(AWAY_GAPS_S) - 1)]
                failures += 1
                await asyncio.sleep(max(gap_s, away.after_s))
                continue
            if self._gateway_away:
                self._gateway_away = False
                self._tell("the gateway is back")
            return page


def _held_for(fault: Fault) -> float:
    if fault in _NOBODY_THERE:
        return inf
    return MAYBE_FOR if fault is Fault.HUNG_UP else 0


def _line(notification: Notification) -> str:
    name = shown(notification.transaction_id)
    return f"{notification.at}  {name}  {notification.code} {notification.message}"


def shown(text: str) -> str:
    """A shop's own words cannot write to the terminal."""
    return text if text.isprintable() else ascii(text)
