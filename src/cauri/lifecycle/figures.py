"""What the command line and the back office show of operators: how each stands, what it was asked to collect, what is left open."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cauri.clock import DAY, HOUR
from cauri.domain.breaker import BreakerState, worst
from cauri.lifecycle.life import UNENDED_AFTER
from cauri.lifecycle.standing import STANDING_LASTS, ConnectorState, MethodState
from cauri.store import Store
from cauri.store.figures import InFlight, Rate

Key = tuple[str, str]

_state = msgspec.json.Decoder(ConnectorState)


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts sent in a span of time. ``failed`` has ``unavailable`` in it: codes 603 and 804. ``paid_share``: of those that ended."""

    sent: int
    paid: int
    failed: int
    unavailable: int
    paid_share: float | None


class ProcessState(msgspec.Struct, frozen=True, kw_only=True):
    """One serving process's breaker for a connector, as it was at ``at`` (milliseconds UTC)."""

    process: str
    at: int
    breaker: str
    failures: int


class MethodFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``open`` None: its operator does not say. Bounds in whole currency units, None where there are none of its own.

    ``breaker``: the worst that any process says of its provider, None where none serves it.
    """

    method: str
    provider: str
    flow: str
    place: int | None
    open: bool | None
    words: str
    low: int | None
    high: int | None
    hour: Ended
    day: Ended
    in_flight: int
    questions_due: int
    unended: int
    breaker: str | None


class ConnectorFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``processes`` empty: no serving process has it. ``breaker``: the worst that any of them says."""

    connector: str
    breaker: str | None
    askable: bool | None
    processes: tuple[ProcessState, ...]
    methods: tuple[MethodFigures, ...]


class StandingNow(msgspec.Struct, frozen=True, kw_only=True):
    """The worst that any process says: breakers by connector and provider, and by method whether its operator has closed it.

    Methods of which their operators say nothing are not in ``closed``.
    """

    breakers: dict[Key, BreakerState]
    closed: dict[Key, bool]


async def standing_now(store: Store, now: int) -> StandingNow:
    """What the serving processes said of their connectors in the last three minutes."""
    breakers: dict[Key, BreakerState] = {}
    closed: dict[Key, bool] = {}
    for name, states in (await _states(store, now)).items():
        for each in (method for _, state in states for method in state.methods):
            provider = (name, each.provider)
            breakers[provider] = worst({each.breaker, breakers.get(provider, each.breaker)}) or each.breaker
            if each.open is not None:
                closed[name, each.method] = closed.get((name, each.method), False) or not each.open
    return StandingNow(breakers=breakers, closed=closed)


async def _states(store: Store, now: int) -> dict[str, list[tuple[ProcessState, ConnectorState]]]:
    """By connector, what each process said."""
    states: dict[str, list[tuple[ProcessState, ConnectorState]]] = {}
    for row in await store.figures.standings(now - STANDING_LASTS):
        state = _state.decode(row.state)
        told = ProcessState(
            process=row.process, at=row.at, breaker=state.breaker.value, failures=state.failures
        )
        states.setdefault(row.connector, []).append((told, state))
    return states


async def operators_now(store: Store, now: int) -> list[ConnectorFigures]:
    """Every connector that a process serves, or that was asked to collect in the last day, or that has attempts in flight."""
    states = await _states(store, now)
    hour = _by_method(await store.figures.rates(now - HOUR))
    day = _by_method(await store.figures.rates(now - DAY))
    open_now = {
        (each.connector, each.method): each
        for each in await store.figures.in_flight(now, now - UNENDED_AFTER)
    }
    names = sorted({*states, *(name for name, _ in (*day, *open_now))})
    return [_connector(name, states.get(name, []), hour, day, open_now) for name in names]


def _connector(
    name: str,
    states: list[tuple[ProcessState, ConnectorState]],
    hour: dict[Key, Rate],
    day: dict[Key, Rate],
    open_now: dict[Key, InFlight],
) -> ConnectorFigures:
    newest = max(states, key=lambda each: each[0].at)[1] if states else None
    served = {each.method: each for each in newest.methods} if newest else {}
    others = sorted({method for each, method in (*day, *open_now) if each == name} - set(served))
    return ConnectorFigures(
        connector=name,
        breaker=worst(state.breaker for _, state in states),
        askable=newest.askable if newest else None,
        processes=tuple(told for told, _ in states),
        methods=tuple(
            _method(
                method,
                served.get(method),
                hour.get((name, method)),
                day.get((name, method)),
                open_now.get((name, method)),
                worst(each.breaker for _, state in states for each in state.methods if each.method == method),
            )
            for method in (*served, *others)
        ),
    )


def _method(
    method: str,
    state: MethodState | None,
    hour: Rate | None,
    day: Rate | None,
    now: InFlight | None,
    breaker: BreakerState | None,
) -> MethodFigures:
    return MethodFigures(
        method=method,
        provider=state.provider if state else "",
        flow=state.flow if state else "",
        place=state.place if state else None,
        open=state.open if state else None,
        words=state.words if state else "",
        low=state.low if state else None,
        high=state.high if state else None,
        hour=_ended(hour),
        day=_ended(day),
        in_flight=now.sent if now else 0,
        questions_due=now.due if now else 0,
        unended=now.unended if now else 0,
        breaker=breaker,
    )


def _ended(rate: Rate | None) -> Ended:
    if rate is None:
        return Ended(sent=0, paid=0, failed=0, unavailable=0, paid_share=None)
    over = rate.paid + rate.failed
    return Ended(
        sent=rate.sent,
        paid=rate.paid,
        failed=rate.failed,
        unavailable=rate.unavailable,
        paid_share=round(rate.paid / over, 4) if over else None,
    )


def _by_method(rates: Iterable[Rate]) -> dict[Key, Rate]:
    return {(rate.connector, rate.method): rate for rate in rates}
