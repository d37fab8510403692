"""How each connector stands, as this process sees it: its breakers, one for each provider behind it, and what its operator last said of
its methods.

Each process sees for itself; what it sees is shared only to be shown (``save``), never to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import structlog

from cauri.clock import MINUTE, SECOND, Clock
from cauri.domain import breaker as breakers
from cauri.domain.breaker import Breaker, BreakerRule, BreakerState, worst
from cauri.domain.money import Bounds
from cauri.domain.outcome import Outcome
from cauri.operators.base import Availability, Connector, Route
from cauri.operators.registry import Operators
from cauri.store import Store
from cauri.store.figures import StandingRow

log = structlog.get_logger("cauri.operators")

# What an operator said longer ago is forgotten: silence does not keep a method closed.
AVAILABILITY_LASTS = 10 * MINUTE
STANDING_LASTS = 3 * MINUTE
SERVES_WITHIN = 45 * SECOND  # a process that said nothing for longer asks nobody any more


class MethodState(msgspec.Struct, frozen=True, kw_only=True):
    """How one connector serves one method now. ``open`` None: its operator says nothing. Bounds in whole currency units.

    ``breaker`` and ``failures`` are its provider's: starts in a row that failed there.
    """

    method: str
    provider: str
    flow: str
    place: int  # 1: tried first
    open: bool | None
    low: int | None
    high: int | None
    words: str = ""
    breaker: BreakerState = BreakerState.CLOSED
    failures: int = 0


class ConnectorState(msgspec.Struct, frozen=True, kw_only=True):
    """How one connector stands in one process: ``breaker`` and ``failures`` are those of its provider that stands worst."""

    breaker: BreakerState
    failures: int
    askable: bool
    methods: tuple[MethodState, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    at: int
    methods: Mapping[str, Availability]


class Standing:
    """``process`` names this process among those that serve the same database."""

    def __init__(self, operators: Operators, clock: Clock, rule: BreakerRule, process: str) -> None:
        self._operators = operators
        self._clock = clock
        self._rule = rule
        self._process = process
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._said: dict[str, _Said] = {}
        self._processes: dict[str, int] = {}

    def trouble(self, connector: Connector, route: Route, method: str, amount: int) -> str | None:
        """Why nothing can be started here now: ``amount_low``, ``amount_high``, ``out_of_service``, or None."""
        bounds = self.bounds(connector, route, method)
        if amount < bounds.low:
            return "amount_low"
        if amount > bounds.high:
            return "amount_high"
        said = self._availability(connector.name, method)
        if said is not None and not said.open:
            return "out_of_service"
        lets = breakers.lets_through(self._breaker(connector, route), self._rule, self._clock.now())
        return None if lets else "out_of_service"

    def bounds(self, connector: Connector, route: Route, method: str) -> Bounds:
        """The operator's own bounds: what it says now where it says any, inside what its documents say."""
        said = self._availability(connector.name, method)
        lows = [low for low in (route.low, said.low if said else None) if low is not None]
        highs = [high for high in (route.high, said.high if said else None) if high is not None]
        return Bounds(max(lows, default=0), min(highs, default=2**62))

    def leaves(self, connector: Connector, method: str) -> None:
        """A start is about to leave: behind a half-open breaker it is the one probe."""
        if (route := connector.routes.get(method)) is not None:
            breaker = self._breaker(connector, route)
            self._breakers[connector.name, route.provider] = breakers.started(
                breaker, self._rule, self._clock.now()
            )

    def heard(self, connector: Connector, method: str, outcome: Outcome) -> None:
        """What became of a start, for the breaker of the method's provider; opening and closing are told."""
        against, route = breakers.failed_start(outcome), connector.routes.get(method)
        if against is None or route is None:
            return
        before, now = self._breaker(connector, route), self._clock.now()
        after = breakers.failed(before, self._rule, now) if against else breakers.answered()
        self._breakers[connector.name, route.provider] = after
        say = log.bind(alert=True, connector=connector.name, provider=route.provider)
        if after.opened_at is not None and after.opened_at != before.opened_at:
            say.error("breaker_opened", failures=after.failures, again_after_s=self._rule.open_ms // 1000)
        elif before.opened_at is not None and after.opened_at is None:
            say.warning("breaker_closed")

    async def ask_operators(self, _now: int) -> int:
        """Asks every operator that says it how its methods stand. Run from time to time; a failure only leaves the older word."""
        await asyncio.gather(*(self._ask(connector) for connector in self._operators.all))
        return 0

    async def _ask(self, connector: Connector) -> None:
        try:
            methods = await connector.availability()
        except Exception as error:
            log.error("availability_failed", connector=connector.name, error=type(error).__name__)
            return
        if methods is None:
            return
        before = self._said.get(connector.name)
        self._said[connector.name] = _Said(self._clock.now(), methods)
        for method, said in methods.items():
            was = before.methods.get(method) if before else None
            if said.open != (was.open if was else True):
                tell = log.warning if said.open else log.error
                event = "operator_opened_method" if said.open else "operator_closed_method"
                tell(event, alert=True, connector=connector.name, method=method, words=said.words)

    async def save(self, store: Store) -> None:
        """Tells other processes, the command line and the back office how things stand here, and counts those that do the same."""
        now = self._clock.now()
        rows = [
            StandingRow(
                process=self._process,
                connector=connector.name,
                at=now,
                state=msgspec.json.encode(self.state(connector)).decode(),
            )
            for connector in self._operators.all
        ]
        await store.figures.save_standings(rows, forget_before=now - 10 * STANDING_LASTS)
        self._processes = await store.figures.processes(now - SERVES_WITHIN)

    async def leave(self, store: Store) -> None:
        """This process ends: the others need not share what operators allow with it any longer."""
        await store.figures.delete_standings(self._process)

    def processes(self, connector: str) -> int:
        """How many processes, this one included, share what its operator allows, as of the last ``save``."""
        return max(1, self._processes.get(connector, 1))

    def state(self, connector: Connector) -> ConnectorState:
        methods = tuple(
            state
            for method, route in connector.routes.items()
            if (state := self._method_state(connector, route, method)) is not None
        )
        return ConnectorState(
            breaker=worst([each.breaker for each in methods]) or BreakerState.CLOSED,
            failures=max((each.failures for each in methods), default=0),
            askable=connector.silence.askable,
            methods=methods,
        )

    def _method_state(self, connector: Connector, route: Route, method: str) -> MethodState | None:
        """None where the configuration sends this method elsewhere."""
        names = [each.name for each, _ in self._operators.candidates(method)]
        if connector.name not in names:
            return None
        said = self._availability(connector.name, method)
        bounds = self.bounds(connector, route, method)
        breaker = self._breaker(connector, route)
        return MethodState(
            method=method,
            provider=route.provider,
            flow=route.flow.value,
            place=names.index(connector.name) + 1,
            open=said.open if said else None,
            low=bounds.low or None,
            high=None if bounds.high == 2**62 else bounds.high,
            words=said.words if said else "",
            breaker=breakers.state_of(breaker, self._rule, self._clock.now()),
            failures=breaker.failures,
        )

    def _breaker(self, connector: Connector, route: Route) -> Breaker:
        return self._breakers.get((connector.name, route.provider)) or Breaker()

    def _availability(self, connector: str, method: str) -> Availability | None:
        said = self._said.get(connector)
        if said is None or self._clock.now() - said.at > AVAILABILITY_LASTS:
            return None
        return said.methods.get(method)
