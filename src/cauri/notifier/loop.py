"""Takes up notifications that are due, delivers each and records what came of it (contract section 4 and 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from cauri.clock import Clock, new_id
from cauri.domain.notifying import NotificationSettings
from cauri.notifier.delivering import Delivering, Task
from cauri.notifier.endpoints import Endpoints
from cauri.notifier.places import Places
from cauri.notifier.sender import Sender
from cauri.notifier.sites import Sites
from cauri.store import DueNotification, Endpoint, Store

log = structlog.get_logger("cauri.notifier")

WINDOW_MIN = 64
LANES = 100
STOP_S = 2


class Notifier:
    """``on_room`` is called when a delivery has ended and more may be waiting for its place."""

    def __init__(
        self, store: Store, sender: Sender, clock: Clock, settings: NotificationSettings | None = None
    ) -> None:
        self.on_room: Callable[[], None] = lambda: None
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
        self._tasks: set[asyncio.Task[None]] = set()
        self._lane = ""
        self._more = False

    async def tick(self, now: int) -> int:
        """How many notifications were taken up or put off; each is delivered in a task of its own."""
        probed = 0
        if await self._endpoints.look(now):
            probed = await self._probe(now)
        return probed + await self._take_up(now)

    async def idle(self) -> None:
        """Returns when every delivery taken up has been made."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def stop(self) -> None:
        """Deliveries under way get a moment to end; one that is cut off is made again when its lease ends."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sender.close()

    async def _take_up(self, now: int) -> int:
        if self._places.free <= 0:
            self._more = True
            return 0
        window = max(WINDOW_MIN, 2 * self._places.free)
        due = await self._queue.due(now, window)
        held = await self._endpoints.hold(
            (each for each in due if self._endpoints.is_open(each.endpoint)), now
        )
        wanted = self._places.take(each for each in due if not self._endpoints.is_open(each.endpoint))
        searching = 0
        if len(due) == window and self._places.free > 0:
            more, searching = await self._from_behind(now)
            wanted += more
        self._more = len(wanted) < len(due)
        return await self._claim(wanted, now) + held + searching

    async def _from_behind(self, now: int) -> tuple[list[DueNotification], int]:
        """The front of the queue is full of what may not go now: first those that answer are asked for by name, then one after
        the other. The number is 1 while there are endpoints in this round that were not looked at."""
        most = min(self._settings.per_host, self._places.free)
        found = await self._queue.due_of_endpoints(self._places.answering(LANES), now, most)
        taken = self._places.take(each for _, due in found for each in due)
        if self._places.free_for_unproven <= 0:
            return taken, 0
        lanes = await self._queue.due_by_endpoint(now, after=self._lane, lanes=LANES, most=most)
        self._lane = lanes[-1][0] if len(lanes) == LANES else ""
        waiting = [each for endpoint, due in lanes if not self._endpoints.is_open(endpoint) for each in due]
        return taken + self._places.take(waiting), int(self._lane != "")

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
        payments = {}
        try:
            payments = await self._store.payments_by_tokens([due.token for due, _ in taken])
        finally:
            for due, probed in taken:
                if due.token in payments:
                    self._spawn(Task(due, payments[due.token], claim, until, probed))
                else:
                    self._places.give_back(due)
                    log.error("notification_without_payment", site_id=due.site_id)

    def _spawn(self, task: Task) -> None:
        running = asyncio.get_running_loop().create_task(self._delivering.deliver(task))
        self._tasks.add(running)
        running.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._more:
            self.on_room()
