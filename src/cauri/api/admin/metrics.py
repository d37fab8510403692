"""``GET /admin/metrics``: gauges read from the database, so that any process answers alike, and this process's own counters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from cauri.api.admin import operator_metrics
from cauri.api.admin.door import Call, Door, Text, check_all_sites
from cauri.domain.moments import iso

if TYPE_CHECKING:
    from cauri.store import QueueCounts, Store

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Deliveries:
    """Counts this process's deliveries by what came of them: ``delivered``, ``refused`` (an answer that is not 2xx), ``no_answer``."""

    RESULTS = ("delivered", "refused", "no_answer")

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counter = Counter(
            "cauri_deliveries",
            "Deliveries that this process made, by what came of them.",
            ["result", "process"],
            registry=self.registry,
        )

    def count(self, status: int | None) -> None:
        """``status``: the HTTP status, None where no answer came."""
        result = "no_answer" if status is None else "delivered" if 200 <= status < 300 else "refused"
        self._labelled(result).inc()

    def exposition(self) -> bytes:
        for result in self.RESULTS:  # from the first scrape on, so that a rate can be taken
            self._labelled(result)
        return generate_latest(self.registry)

    def _labelled(self, result: str) -> Counter:
        """The process is asked each time: workers are forked after this was made."""
        return self._counter.labels(result=result, process=str(os.getpid()))


class AlertSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Something that wants a person. `name`: what, and of whom. `detail`: in words."""

    name: str
    since: str
    detail: str


class AlertList(msgspec.Struct, frozen=True):
    """Oldest first."""

    alerts: list[AlertSeen]


class Metrics:
    def __init__(self, store: Store, deliveries: Deliveries) -> None:
        self._store = store
        self._deliveries = deliveries

    def doors(self) -> list[Door]:
        return [
            Door(
                method="GET",
                path="/metrics",
                operation="metrics",
                scope="metrics:read",
                summary="Metrics for Prometheus",
                description="Text format 0.0.4. Gauges are of the whole instance, `cauri_deliveries_total` of the process that answers.",
                answer=str,
                media_type=CONTENT_TYPE,
                act=self._metrics,
            ),
            Door(
                method="GET",
                path="/alerts",
                operation="listAlerts",
                scope="metrics:read",
                summary="Alerts that are raised",
                description="The same that the log tells with `alert: true` and ends with `alert_ended`.",
                answer=AlertList,
                act=self._alerts,
            ),
        ]

    async def _alerts(self, call: Call) -> AlertList:
        check_all_sites(call)
        raised = await self._store.admin.alerts()
        return AlertList(
            [AlertSeen(name=each.name, since=iso(each.since), detail=each.detail) for each in raised]
        )

    async def _metrics(self, call: Call) -> Text:
        check_all_sites(call)
        counts = await self._store.notifications.counts(call.now)
        payments, attempts = await self._store.figures.waiting_counts()
        gauges = {
            **of_queue(counts, call.now),
            ("cauri_payments_waiting", "Payments that have no end yet."): payments,
            ("cauri_attempts_in_flight", "Attempts that an operator has not ended yet."): attempts,
            ("cauri_alerts", "Alerts that are raised; GET /admin/alerts names them."): len(
                await self._store.admin.alerts()
            ),
        }
        operators = await operator_metrics.exposition(self._store, call.now)
        text = _exposed(gauges) + _endpoints(counts) + operators + self._deliveries.exposition()
        return Text(CONTENT_TYPE, text)


def of_queue(counts: QueueCounts, now: int) -> dict[tuple[str, str], float]:
    """Name and help of each gauge of the queue, and its value."""
    age = 0 if counts.oldest_since is None else max(0, now - counts.oldest_since) / 1000
    return {
        (
            "cauri_notifications_oldest_undelivered_seconds",
            "How long ago the oldest state changed that its shop has not heard; 0: all are told. Parked ones are not counted.",
        ): age,
        ("cauri_notifications_due", "Notifications that may be sent now."): counts.due,
        (
            "cauri_notifications_undelivered",
            "Notifications that are due or scheduled for a later try.",
        ): counts.undelivered,
        (
            "cauri_notifications_parked",
            "Notifications given up until the address answers or they are replayed.",
        ): counts.parked,
    }


def _exposed(gauges: Mapping[tuple[str, str], float]) -> bytes:
    registry = CollectorRegistry()
    for (name, words), value in gauges.items():
        Gauge(name, words, registry=registry).set(value)
    return generate_latest(registry)


def _endpoints(counts: QueueCounts) -> bytes:
    registry = CollectorRegistry()
    gauge = Gauge(
        "cauri_endpoints_in_trouble",
        "Addresses in trouble: open (breaker), parked, catching_up (answer again).",
        ["state"],
        registry=registry,
    )
    gauge.labels("open").set(counts.endpoints_open)
    gauge.labels("parked").set(counts.endpoints_parked)
    gauge.labels("catching_up").set(counts.endpoints_catching_up)
    return generate_latest(registry)
