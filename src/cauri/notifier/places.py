"""Who may be told next: how many deliveries may be under way at each endpoint, at each host, and in this process.

An endpoint begins with a few deliveries at a time; each success doubles them and each failure halves them. Endpoints that have not
answered yet and those that do not answer share a part of the places, so that those that do answer always find one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from cauri.domain.endpoints import origin_of
from cauri.domain.notifying import NotificationSettings
from cauri.store import DueNotification

REMEMBERED_MAX = 20_000
# More than one from the beginning: an address that hangs must not hold up the endpoint's other payments.
AT_FIRST = 2
# So many endpoints that do not answer are a crowd.
CROWD = 8


@dataclass(slots=True)
class Lane:
    """What this process knows of an endpoint. ``under_way``: those in flight, and those whose answer is being written down.
    ``failing``: the different payments whose tries failed since the last success."""

    origin: str
    allowance: int = AT_FIRST
    in_flight: int = 0
    under_way: int = 0
    answered_at: int | None = None
    failing: set[str] = field(default_factory=set)

    @property
    def rank(self) -> int:
        """0: it answers; 1: nothing is known; 2: it does not answer. One failed payment does not make a failing endpoint."""
        if len(self.failing) > 1 or (self.failing and self.answered_at is None):
            return 2
        return 1 if self.answered_at is None else 0


class Places:
    """``on_free`` is called with the endpoint whenever a place has become free there, or a delivery has been written down."""

    def __init__(self, settings: NotificationSettings) -> None:
        self.on_free: Callable[[str], None] = lambda endpoint: None
        self._settings = settings
        self._lanes: dict[str, Lane] = {}
        self._at_origin: Counter[str] = Counter()
        # Payments that have a place, with their endpoint's rank when they got it; None when the shop has answered.
        self._under_way: dict[str, int | None] = {}
        self._of_rank = [0, 0, 0]
        self._failing: set[str] = set()

    @property
    def free(self) -> int:
        return self._settings.at_once - len(self._under_way)

    @property
    def free_for_unproven(self) -> int:
        """Half of these places are for those of which nothing is known: failing ones come back again and again."""
        return min(self.free, self._settings.unproven_at_once - self._of_rank[1] - self._of_rank[2])

    @property
    def crowded(self) -> bool:
        """Whether many endpoints have failed since they last answered, or are being tried that may well fail."""
        return len(self._failing) >= CROWD or self._of_rank[1] + self._of_rank[2] >= CROWD

    @property
    def free_for_failing(self) -> int:
        return min(self.free_for_unproven, self._settings.unproven_at_once // 2 - self._of_rank[2])

    def take(self, due: Iterable[DueNotification]) -> list[DueNotification]:
        """Those that may go now, with a place for each: first of endpoints that answer, then of unknown ones, then of failing ones."""
        ranked: tuple[deque[DueNotification], ...] = (deque(), deque(), deque())
        for each in due:
            ranked[self.lane(each.endpoint).rank].append(each)
        return [each for queue in ranked for each in queue if self.take_one(each)]

    def take_one(self, due: DueNotification) -> bool:
        """A place for this one, where its endpoint, its host and this process have one."""
        lane = self.lane(due.endpoint)
        rank = lane.rank
        if self.free <= 0 or lane.in_flight >= lane.allowance or due.token in self._under_way:
            return False
        if self._at_origin[lane.origin] >= self._settings.per_host:
            return False
        if (rank == 1 and self.free_for_unproven <= 0) or (rank == 2 and self.free_for_failing <= 0):
            return False
        lane.in_flight += 1
        lane.under_way += 1
        self._at_origin[lane.origin] += 1
        self._of_rank[rank] += 1
        self._under_way[due.token] = rank
        return True

    def has(self, token: str) -> bool:
        """Whether this payment has a place."""
        return token in self._under_way

    def is_unproven(self, token: str) -> bool:
        """Whether this payment's place is one of those for endpoints that do not answer, or of which nothing is known."""
        return self._under_way.get(token) in (1, 2)

    def leave(self, due: DueNotification) -> None:
        """The shop has answered: its endpoint and its host have room again. The process has when that is written down, so that no more
        than its places can be told twice by a process that dies."""
        lane, rank = self.lane(due.endpoint), self._under_way[due.token]
        if rank is None:
            return
        lane.in_flight -= 1
        self._of_rank[rank] -= 1
        self._at_origin[lane.origin] -= 1
        if self._at_origin[lane.origin] <= 0:
            del self._at_origin[lane.origin]
        self._under_way[due.token] = None
        self.on_free(due.endpoint)

    def give_back(self, due: DueNotification) -> None:
        self.leave(due)
        del self._under_way[due.token]
        self.lane(due.endpoint).under_way -= 1
        self.on_free(due.endpoint)

    def answered(self, endpoint: str, now: int) -> None:
        lane = self.lane(endpoint)
        del self._lanes[endpoint]
        self._lanes[endpoint] = lane  # the latest stands last
        lane.answered_at = now
        lane.failing.clear()
        self._failing.discard(endpoint)
        lane.allowance = min(lane.allowance * 2, self._settings.per_host)

    def failed(self, endpoint: str, token: str) -> int:
        """How many different payments have failed there since the last success, counted up to the breaker's number."""
        lane = self.lane(endpoint)
        lane.allowance = max(1, lane.allowance // 2)
        if len(lane.failing) < self._settings.breaker_failures:
            lane.failing.add(token)
        self._failing.add(endpoint)
        return len(lane.failing)

    def begin_again(self, endpoint: str) -> None:
        """Its breaker was closed: it is to be heard of afresh, and found to work or not by a few."""
        lane = self.lane(endpoint)
        lane.failing.clear()
        lane.allowance = AT_FIRST
        self._failing.discard(endpoint)

    def answers(self, endpoint: str) -> bool:
        """Whether it does, as far as this process knows."""
        lane = self._lanes.get(endpoint)
        return lane is not None and lane.rank == 0

    def is_busy(self, endpoint: str) -> bool:
        """Whether anything is under way there: ``on_free`` will be called for it."""
        lane = self._lanes.get(endpoint)
        return lane is not None and lane.under_way > 0

    def answered_since(self, endpoint: str, moment: int) -> bool:
        """Whether it has answered this process after that moment."""
        answered_at = self.lane(endpoint).answered_at
        return answered_at is not None and answered_at > moment

    def answering(self, limit: int) -> list[str]:
        """Endpoints that answer and could be told more."""
        found = (
            name
            for name, lane in reversed(self._lanes.items())
            if lane.rank == 0 and lane.in_flight < lane.allowance
        )
        return list(islice(found, limit))

    def lane(self, endpoint: str) -> Lane:
        lane = self._lanes.get(endpoint)
        if lane is None:
            if len(self._lanes) >= REMEMBERED_MAX:
                self._forget_idle()
            lane = self._lanes[endpoint] = Lane(origin_of(endpoint))
        return lane

    def _forget_idle(self) -> None:
        """The older half of those that have nothing under way; they begin with one again."""
        idle = [endpoint for endpoint, lane in self._lanes.items() if not lane.under_way]
        for endpoint in idle[: REMEMBERED_MAX // 2]:
            del self._lanes[endpoint]
            self._failing.discard(endpoint)
