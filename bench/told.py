"""Telling shops: how many deliveries a second one notifier makes, in how much memory, and whether dead shops delay a healthy one."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.database import value
from bench.processes import child, output_of
from bench.telling import Telling, add_sites, end, end_all, new_payment, store_on
from cauri import logs
from cauri.domain.endpoints import endpoint_of
from cauri.domain.payment import Payment
from cauri.event_loop import EventLoop
from cauri.serving import spare_what_stays
from cauri.store import Store
from cauri.store.migrate import migrate

SHOPS = 20
DEAD = 1_000
DEAD_BACKLOG = 3
HEALTHY_A_SECOND = 50
DEAD_A_SECOND = 50
SECONDS = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """``cpu_us``: processor time of the notifier for each delivery, reading the queue and writing the log included."""

    due: int
    a_second: float
    cpu_us: float
    began_mb: float
    most_mb: float


@dataclass(frozen=True, slots=True)
class Delay:
    """From the commit of the final status to the arrival of the POST at the healthy shop."""

    told: int
    p50_ms: float
    p99_ms: float


def rate(database: str, due: int, shops: int = SHOPS) -> Rate:
    """So many are due to so many shops when the notifier, a process of its own, starts; it ends when all are told."""
    with child("bench.shops") as facts:
        uvloop.run(_fill(database, due, shops, facts["good"]))
        if database.startswith("postgres"):
            value(database, "ANALYZE")
        told = json.loads(output_of([sys.executable, "-m", "bench.telling", database, "--due", str(due)]))
        posts = _report(facts)["posts"]
    if posts != due:
        raise RuntimeError(f"{due} were due and {posts} posts arrived")
    return Rate(due, due / told["seconds"], told["cpu_s"] / due * 1e6, told["began_mb"], told["most_mb"])


async def _fill(database: str, due: int, shops: int, port: int) -> None:
    store = store_on(database)
    await migrate(store.engine)
    await add_sites(store, [str(number) for number in range(shops)])
    for first in range(0, due, 10_000):
        numbers = range(first, min(first + 10_000, due))
        await end_all(store, [_to_shop(number % shops, number, port) for number in numbers])
    await store.close()


def _to_shop(shop: int, number: int, port: int) -> Payment:
    return new_payment(str(shop), f"N{number}", f"http://127.2.0.{1 + shop}:{port}/notify")


def delay(database: str, *, dead: int) -> Delay:
    """One healthy site's payments end one after the other, beside so many dead endpoints whose payments end as well."""
    logs.set_up("text", "error")
    with child("bench.shops") as facts, tempfile.TemporaryFile("w") as quiet:
        kept, sys.stderr = sys.stderr, quiet
        try:
            ended = uvloop.run(_delay(database, facts, dead), loop_factory=EventLoop)
        finally:
            sys.stderr = kept
        arrived = _report(facts)["arrived"]
    waits = sorted((arrived[name] - at) * 1000 for name, at in ended.items())
    return Delay(len(waits), waits[len(waits) // 2], waits[len(waits) * 99 // 100])


async def _delay(database: str, facts: dict[str, Any], dead: int) -> dict[str, float]:
    store = store_on(database)
    await migrate(store.engine)
    names = [f"dead{number}" for number in range(dead)]
    await add_sites(store, ["healthy", *names])
    ended: dict[str, float] = {}
    async with Telling(store) as telling:
        await _warm(store, telling, facts)
        await end_all(
            store, [_to_dead(facts, number, nth) for number in range(dead) for nth in range(DEAD_BACKLOG)]
        )
        if database.startswith("postgres"):  # what autovacuum does within its first minute
            await asyncio.to_thread(value, database, "ANALYZE")
        spare_what_stays()  # as `cauri serve` does
        await asyncio.gather(
            _healthy(store, telling, facts, ended),
            _dying(store, telling, facts, dead) if dead else asyncio.sleep(0),
        )
        await _all_arrived(facts, ended)
    await store.close()
    return ended


def _to_dead(facts: dict[str, Any], number: int, nth: int) -> Payment:
    """A third of them refuse, a third never answer, a third answer 500; each at an address of its own."""
    port = (facts["closed"], facts["silent"], facts["broken"])[number % 3]
    address = f"127.3.{number // 250}.{1 + number % 250}"
    return new_payment(f"dead{number}", f"D{number}-{nth}", f"http://{address}:{port}/notify")


async def _warm(store: Store, telling: Telling, facts: dict[str, Any]) -> None:
    """The healthy shop is known to answer when the measurement begins, as in any process that has run a while."""
    ended: dict[str, float] = {}
    for number in range(20):
        ended[f"W{number}"] = await _end(store, telling, facts, f"W{number}")
    await _all_arrived(facts, ended)


async def _healthy(store: Store, telling: Telling, facts: dict[str, Any], ended: dict[str, float]) -> None:
    chance = random.Random(1)  # customers come by chance: a beat would meet the other's always, or never
    for number in range(HEALTHY_A_SECOND * SECONDS):
        ended[f"H{number}"] = await _end(store, telling, facts, f"H{number}")
        await asyncio.sleep(chance.expovariate(HEALTHY_A_SECOND))


async def _end(store: Store, telling: Telling, facts: dict[str, Any], name: str) -> float:
    payment = new_payment("healthy", name, f"http://127.2.0.1:{facts['good']}/notify")
    at = await end(store, payment)
    telling.notifier.hear(endpoint_of(payment.site_id, payment.request.notify_url or ""))
    return at


async def _dying(store: Store, telling: Telling, facts: dict[str, Any], dead: int) -> None:
    chance = random.Random(2)
    for number in range(DEAD_A_SECOND * SECONDS):
        payment = _to_dead(facts, number * 7 % dead, DEAD_BACKLOG + number)
        await end(store, payment)
        telling.notifier.hear(endpoint_of(payment.site_id, payment.request.notify_url or ""))
        await asyncio.sleep(chance.expovariate(DEAD_A_SECOND))


async def _all_arrived(facts: dict[str, Any], ended: dict[str, float]) -> None:
    async with asyncio.timeout(60):
        while ended.keys() - (await asyncio.to_thread(_report, facts))["arrived"].keys():
            await asyncio.sleep(0.2)


def _report(facts: dict[str, Any]) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{facts['good']}/report") as answer:
        report: dict[str, Any] = json.load(answer)
        return report


def shown(name: str, rates: Sequence[Rate]) -> str:
    """One line for each amount due."""
    return "\n".join(
        f"{name}, {each.due:,} due: {each.a_second:,.0f} deliveries/s, {each.cpu_us:.0f} µs of processor time each, "
        f"memory {each.began_mb:.0f} → {each.most_mb:.0f} MB"
        for each in rates
    )
