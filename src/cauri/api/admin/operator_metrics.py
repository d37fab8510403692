"""The gauges of operators: breakers, methods that operators closed, surpluses, what is asked too late or never ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from cauri.domain.breaker import BreakerState
from cauri.lifecycle.figures import standing_now
from cauri.lifecycle.life import UNENDED_AFTER

if TYPE_CHECKING:
    from cauri.lifecycle.figures import StandingNow
    from cauri.store import Store
    from cauri.store.figures import OpenCounts

_DEGREES = list(BreakerState)


async def exposition(store: Store, now: int) -> bytes:
    """In Prometheus' text format. What processes say is their last word of the last three minutes."""
    counts = await store.figures.open_counts(now, now - UNENDED_AFTER)
    return _of_standing(await standing_now(store, now)) + _of_counts(counts, now)


def _of_standing(standing: StandingNow) -> bytes:
    registry = CollectorRegistry()
    breaker = Gauge(
        "cauri_operator_breaker",
        "The breaker of a provider behind a connector, the worst of all processes: 0 closed, 1 half-open, 2 open.",
        ["connector", "provider"],
        registry=registry,
    )
    for (connector, provider), state in standing.breakers.items():
        breaker.labels(connector, provider).set(_DEGREES.index(state))
    closed = Gauge(
        "cauri_operator_method_closed",
        "1 where the operator itself says that it takes no payments now. Only operators that say anything are here.",
        ["connector", "method"],
        registry=registry,
    )
    for (connector, method), is_closed in standing.closed.items():
        closed.labels(connector, method).set(is_closed)
    return generate_latest(registry)


def _of_counts(counts: OpenCounts, now: int) -> bytes:
    registry = CollectorRegistry()
    oldest = 0.0 if counts.oldest_question is None else max(0, now - counts.oldest_question) / 1000
    for name, words, value in (
        ("cauri_surpluses_held", "Surpluses that were not given back; cauri surplus list.", counts.surpluses),
        (
            "cauri_attempts_unended",
            "Attempts that left an hour ago or earlier and have no end; cauri reconcile list.",
            counts.unended,
        ),
        (
            "cauri_operator_oldest_question_seconds",
            "How long ago the question was due that has waited longest for its turn to be put to an operator; 0: none waits.",
            oldest,
        ),
    ):
        Gauge(name, words, registry=registry).set(value)
    return generate_latest(registry)
