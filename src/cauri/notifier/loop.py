"""Takes up notifications that are due, delivers each and records what came of it (contract section 4 and 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice

import structlog

from cauri.clock import Clock, new_id
from cauri.domain.notifying import NotificationSettings
from cauri.notifier.delivering import Delivering, Task
from cauri.notifier.endpoints import Endpoints
from cauri.notifier.places import Places
from cauri.notifier.sender import Sender
from cauri.notifier.sites import Sites
from cauri.notifier.under_way import UnderWay
from cauri.store import DueNotification, Endpoint, Store

log = structlog.get_logger("cauri.notifier")

# Notifications that are looked at, and endpoints that are, in one read of the queue.
WINDOW_MIN = 64
LANES = 100
# Endpoints of which nothing is known that are searched at once: a longer search takes longer from those that answer.
SEARCHED = 20
# Milliseconds between two searches behind a front of the queue that may not go.
SEARCH_EVERY = 50
# Milliseconds for which what was seen to be due is good: whether it still is decides the claim.
SEEN_FOR = 500
# How long news of endpoints that do not answer waits for more of it, while a crowd of them fails.
TOGETHER_S = 0.05


class Notifier:
    """``wake`` is called when there is something to do before the next ``tick``: news, or room for what was waiting; ``wake_news``
    when there is something for ``tell_news``."""

    def __init__(
        self, store: Store, sender: Sender, clock: Clock, settings: NotificationSettings | None = None
    ) -> None:
        self.wake: Callable[[], None] = lambda: None
        self.wake_news: Callable[[], None] = lambda: None
        self._settings = settings or NotificationSettings()
        self._store = store
        self._queue = store.notifications
        self._sender = sender
        self._clock = clock
        self._places = Places(self._settings)
        self._endpoints = Endpoints(self._queue, self._places, self._settings, clock)
        self._delivering = Delivering(
            store, sender, clock, self._settings, self._places, self._endpoints, Sites(store, clock)
        )
        self._places.on_free = self._freed
        self._under_way = UnderWay(self._delivering.deliver)
        self._seen: list[DueNotification] = []
        self._seen_at = 0
        self._fresh: dict[str, None] = {}
        self._left: set[str] = set()
        self._hints: dict[str, None] = {}
        self._blocked_at = 0
        self._stuck = False
        self._lane = ""
        self._more = self._only_room = self._news = self._stopping = False
        self._soon: asyncio.TimerHandle | None = None
        self._one_at_a_time = asyncio.Lock()

    def hear(self, endpoint: str | None = None) -> None:
        """Something new is due, at this endpoint: the next tick looks for it, or ``tell_news`` where it is known to answer."""
        if endpoint is not None and self._places.answers(endpoint) and not self._endpoints.is_open(endpoint):
            self._fresh[endpoint] = None
            self.wake_news()
            return
        if endpoint is not None and len(self._hints) < LANES:
            self._hints[endpoint] = None
        self._news = True
        self._wake_for_unproven()

    async def tick(self, now: int) -> int:
        """How many notifications were taken up or put off; each is delivered in a task of its own."""
        return 0 if self._stopping else await self._under_way.to_its_end(self._take(now))

    async def tell_news(self, now: int) -> int:
        """The same for what is new at endpoints that answer: it waits for no look at a queue that others may fill."""
        if self._stopping or not self._fresh:
            return 0
        return await self._under_way.to_its_end(self._take_news(now))

    async def _take_news(self, now: int) -> int:
        fresh = list(islice(self._fresh, LANES))
        for endpoint in fresh:
            del self._fresh[endpoint]
        try:
            most = min(self._settings.per_host, max(self._places.free, 1))
            lanes = await self._queue.due_of_endpoints(fresh, now, most)
            self._leave_to_tick([endpoint for endpoint, _ in lanes if self._endpoints.is_open(endpoint)])
            lanes = [lane for lane in lanes if not self._endpoints.is_open(lane[0])]
            wanted = self._places.take(each for _, due in lanes for each in due)
            for endpoint, due in lanes:
                if not due or len(due) == most or not all(self._places.has(each.token) for each in due):
                    self._come_back_to(endpoint, bool(due))
            return await self._claim(wanted, now) + bool(self._fresh)
        except BaseException:
            self._leave_to_tick(fresh)
            raise

    def _come_back_to(self, endpoint: str, due: bool) -> None:
        """What found no place waits for one; a change of what is being told is due when that is written down."""
        if self._places.is_busy(endpoint):
            self._left.add(endpoint)
        elif due:
            self._leave_to_tick([endpoint])

    def _leave_to_tick(self, endpoints: Sequence[str]) -> None:
        if not endpoints:
            return
        for endpoint in endpoints[: LANES - len(self._hints)]:
            self._hints[endpoint] = None
        self._news = True
        self.wake()

    def _wake_for_unproven(self) -> None:
        """Where a crowd fails, those of a moment are looked for together: each look takes time from those that answer."""
        if self._places.crowded:
            self._wake_soon()
        else:
            self.wake()

    def _wake_soon(self) -> None:
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(TOGETHER_S, self._now)

    def _now(self) -> None:
        self._soon = None
        self.wake()

    async def _take(self, now: int) -> int:
        async with self._one_at_a_time:
            probed = 0
            if await self._endpoints.look(now):
                self._stuck = False  # once a second the front is looked at as wide as ever
                probed = await self._probe(now)
            return probed + await self._take_up(now)

    async def idle(self) -> None:
        """Returns when every delivery taken up has been made."""
        await self._under_way.idle()

    async def stop(self) -> None:
        """What was claimed and not sent is given back. Deliveries under way get a moment to end; one that is cut off is made again when
        its lease ends, not before: the shop may be reading it."""
        self._stopping = True
        if self._soon is not None:
            self._soon.cancel()
        await self._under_way.end()
        await self._sender.close()

    async def _take_up(self, now: int) -> int:
        if self._places.free <= 0:
            self._more = True
            return 0
        only_room = self._only_room and not self._news and not self._hints
        self._only_room = False
        if only_room and self._seen and 0 <= now - self._seen_at < SEEN_FOR:
            wanted = self._take_seen()
            taken = await self._claim(wanted, now)
            if taken or not wanted:
                return taken
        if 0 < now - self._blocked_at < SEARCH_EVERY:
            if not only_room:
                self._wake_soon()
            return 0
        hints, self._hints, self._news = list(self._hints), {}, False
        return await self._look_and_take(now, hints)

    async def _look_and_take(self, now: int, hints: Sequence[str]) -> int:
        window = WINDOW_MIN if self._stuck else max(WINDOW_MIN, 2 * self._places.free)
        due = await self._queue.due(now, window)
        closed = [each for each in due if self._endpoints.is_open(each.endpoint)]
        held = await self._endpoints.hold(closed, now) if closed else 0
        self._seen, self._seen_at = due, now
        wanted = self._take_seen()
        self._stuck = len(due) == window and held == 0 and len(wanted) < window // 4
        searching = 0
        if len(due) == window and self._places.free > 0:
            self._blocked_at = now
            try:
                more, searching = await self._from_behind(now, hints)
            except BaseException:
                for each in wanted:
                    self._places.give_back(each)
                raise
            wanted += self._places.take(more)
            self._seen = [each for each in self._seen if not self._places.has(each.token)]
        self._more = bool(self._seen) or len(due) == window
        return await self._claim(wanted, now) + held + searching

    def _take_seen(self) -> list[DueNotification]:
        """Those of what was seen that may go now; the others stay for the next place."""
        self._seen = [each for each in self._seen if not self._endpoints.is_open(each.endpoint)]
        wanted = self._places.take(self._seen)
        self._seen = [each for each in self._seen if not self._places.has(each.token)]
        return wanted

    async def _from_behind(self, now: int, hints: Sequence[str]) -> tuple[list[DueNotification], int]:
        """The front of the queue is full of what may not go now: those with news and those that answer are asked for by name, then
        one after the other. The number is 1 while there are endpoints in this round that were not looked at."""
        most = min(self._settings.per_host, self._places.free)
        named = list(dict.fromkeys([*hints, *self._places.answering(LANES)]))
        lanes = await self._queue.due_of_endpoints(named, now, most)
        answering = [each for name, due in lanes if not self._endpoints.is_open(name) for each in due]
        if self._places.free_for_unproven <= 0:
            return answering, 0
        lanes = await self._queue.due_by_endpoint(now, after=self._lane, lanes=SEARCHED, most=most)
        self._lane = lanes[-1][0] if len(lanes) == SEARCHED else ""
        waiting = [each for endpoint, due in lanes if not self._endpoints.is_open(endpoint) for each in due]
        return answering + waiting, int(self._lane != "")

    async def _claim(self, wanted: Sequence[DueNotification], now: int) -> int:
        if not wanted:
            return 0
        claim, until = new_id(), now + self._settings.lease
        claimed: list[DueNotification] = []
        try:
            claimed = await self._queue.claim(wanted, now=now, until=until, claim=claim)
        finally:
            ours = {each.token for each in claimed}
            for each in wanted:
                if each.token not in ours:
                    self._places.give_back(each)
        await self._start([(each, None) for each in claimed], claim, until)
        return len(claimed)

    async def _probe(self, now: int) -> int:
        claim, until = new_id(), now + self._settings.lease
        probes = await self._endpoints.claim_probes(now, claim)
        await self._start(probes, claim, until)
        return len(probes)

    async def _start(
        self, taken: Sequence[tuple[DueNotification, Endpoint | None]], claim: str, until: int
    ) -> None:
        """The newest state of each is read once all are claimed, in one statement."""
        if not taken:
            return
        try:
            payments = await self._store.payments_by_tokens([due.token for due, _ in taken])
        except BaseException:
            await self._give_back([due for due, _ in taken], claim)
            raise
        if self._stopping:
            await self._give_back([due for due, _ in taken], claim)
            return
        for due, probed in taken:
            if due.token in payments:
                task = Task(due, payments[due.token], claim, until, probed)
                if self._places.is_unproven(due.token):
                    self._under_way.begin_in_turn(task)
                else:
                    self._under_way.begin(task)
            else:
                self._places.give_back(due)
                log.error("notification_without_payment", alert=True, site_id=due.site_id)

    async def _give_back(self, claimed: Sequence[DueNotification], claim: str) -> None:
        """Places and claims of what is not sent now; a claim that cannot be given back ends with its lease."""
        for due in claimed:
            self._places.give_back(due)
        await self._queue.release(claimed, claim)

    def _freed(self, endpoint: str) -> None:
        if endpoint in self._left:
            self._left.discard(endpoint)
            self.hear(endpoint)  # it may answer no more
        if not (self._more or self._news):
            return
        self._only_room = True
        if self._places.answers(endpoint):
            self.wake()
        else:
            self._wake_for_unproven()
