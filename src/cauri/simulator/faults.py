"""What the network does to an answer: what was ordered for the next ones, and the weather."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

CALLBACK = "callback"
DOORS = ("start", "check", "token", "toolkit", "page", CALLBACK)
"""What a dialect's doors are for; `callback` is what the operator itself sends."""

FAULTS = ("drop_before", "drop_after", "429", "500", "503", "nonsense", "twice")
"""Beside these, `slow:<seconds>`. `drop_before`: the request never arrives (a callback: is never sent). `drop_after`: it
is worked on, its answer is lost (a callback: arrives, and its answer is lost). `twice`: it arrives twice. `429` and
`503` turn it away, `500` comes after it was worked on, in the plain words of a proxy.
"""
TURNED_AWAY = {"429": "Too Many Requests", "503": "Service Unavailable"}
FAULTS_OF_CALLBACKS = ("drop_before", "drop_after", "twice")


@dataclass(frozen=True)
class Weather:
    """Chances, 0 to 1, that an answer or a callback is spoiled; their sum is at most 1.

    `drop` is `drop_before` or `drop_after`, one time in two. The same seed spoils the same answers: the nth
    request at a door has the same weather whatever happens at the others. No operators: all of them.
    """

    seed: int = 0
    drop: float = 0
    error: float = 0
    nonsense: float = 0
    twice: float = 0
    slow: float = 0
    slow_s: float = 2
    operators: tuple[str, ...] = ()

    def fault(self, operator: str, door: str, nth: int) -> str | None:
        if self.operators and operator not in self.operators:
            return None
        dice = random.Random(f"{self.seed}:{operator}:{door}:{nth}")  # noqa: S311 - it must be foreseeable
        thrown, before = dice.random(), dice.random() < 0.5
        for chance, fault in (
            (self.drop, "drop_before" if before else "drop_after"),
            (self.error, "500"),
            (self.nonsense, "nonsense"),
            (self.twice, "twice"),
            (self.slow, f"slow:{self.slow_s:g}"),
        ):
            if thrown < chance:
                return fault if door != CALLBACK or fault not in ("500", "nonsense") else None
            thrown -= chance
        return None


@dataclass
class Order:
    """A fault for the next `left` answers. `operator` None: any. `door`: one of `DOORS`, or a path as in /_control/doors."""

    fault: str
    door: str
    operator: str | None
    left: int

    def fits(self, operator: str, door: str, path: str) -> bool:
        return self.left > 0 and self.operator in (None, operator) and self.door in (door, path)

    def as_json(self) -> Mapping[str, object]:
        return {"fault": self.fault, "door": self.door, "operator": self.operator, "times": self.left}


@dataclass
class Faults:
    """The payer's pages have no weather; they have what is ordered for them."""

    weather: Weather = field(default_factory=Weather)
    orders: list[Order] = field(default_factory=list)
    _seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def order(self, order: Order) -> None:
        self.orders.append(order)

    def set_weather(self, weather: Weather) -> None:
        self.weather = weather
        self._seen.clear()

    def next(self, operator: str, door: str, path: str = "") -> str | None:
        """The fault of this answer, if any: the oldest order that fits, else what the weather says."""
        self._seen[operator, door] += 1
        for order in self.orders:
            if order.fits(operator, door, path):
                order.left -= 1
                self.orders = [one for one in self.orders if one.left]
                return order.fault
        return None if door == "page" else self.weather.fault(operator, door, self._seen[operator, door])

    def clear(self) -> None:
        self.orders.clear()
        self.set_weather(Weather())
