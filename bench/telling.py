"""One notifier in a process of its own, over a database that holds what is due: how fast it tells, and in how much memory.

``--due N`` payments have ended and are to be told to ``--shops`` endpoints of the good shop; it ends when all are told and prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from cauri import logs
from cauri.clock import MINUTE, Clock, new_id, payment_token
from cauri.domain import moves
from cauri.domain.notifying import NotificationSettings
from cauri.domain.payment import Change, Payment, PaymentRequest, slot_of
from cauri.domain.site import Site
from cauri.event_loop import EventLoop
from cauri.loops.base import Loop
from cauri.notifier.loop import Notifier
from cauri.notifier.sender import Sender
from cauri.serving import spare_what_stays
from cauri.store import Store, Vault, engine_for

AT_ONCE = 512
SETTINGS = NotificationSettings()


def store_on(database: str) -> Store:
    return Store(engine_for(database), Vault("a secret of the bench"))


async def add_sites(store: Store, site_ids: Sequence[str]) -> None:
    for site_id in site_ids:
        await store.save_site(Site(site_id=site_id, name="Chez Awa", secret_key="s" * 32))


def new_payment(site_id: str, name: str, notify_url: str) -> Payment:
    now, slot = Clock().now(), slot_of(site_id, name)
    request = PaymentRequest(
        description="Panier",
        return_url="https://shop.example/return",
        notify_url=notify_url,
        signature="s" * 32,
    )
    return Payment(
        slot=slot,
        site_id=site_id,
        transaction_id=name,
        token=payment_token(slot),
        amount=100,
        currency="XOF",
        created_at=now,
        expires_at=now + 30 * MINUTE,
        request=request,
    )


async def end(store: Store, payment: Payment) -> float:
    """The payment is opened and cancelled: its shop is to be told. The moment of the commit, seconds."""
    change = moves.ended_without_payment(
        await store.open_payment(payment), None, Clock().now(), new_id(), "cancelled"
    )
    if not isinstance(change, Change) or not await store.apply(change):
        raise RuntimeError("the payment could not be ended")
    return time.time()


async def end_all(store: Store, payments: Sequence[Payment]) -> None:
    waiting = iter(payments)

    async def some() -> None:
        for payment in waiting:
            await end(store, payment)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


class Telling:
    """A notifier and its loop, as ``app`` puts them together."""

    def __init__(self, store: Store, settings: NotificationSettings = SETTINGS) -> None:
        self.clock = Clock()
        sender = Sender(self.clock, private_allowed=True, ports=(0,), timeout_s=settings.timeout_s)
        self.notifier = Notifier(store, sender, self.clock, settings)
        queue = Loop("notifier", self.notifier.tick, period_s=1, clock=self.clock)
        news = Loop("news", self.notifier.tell_news, period_s=1, clock=self.clock)
        self.notifier.wake, self.notifier.wake_news = queue.wake, news.wake
        self.loops = (queue, news)

    async def __aenter__(self) -> Telling:
        for loop in self.loops:
            loop.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for loop in self.loops:
            await loop.stop()
        await self.notifier.stop()


def memory_mb() -> float:
    """Resident now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(database: str, due: int) -> dict[str, float]:
    store = store_on(database)
    spare_what_stays()  # as `cauri serve` does
    began_mb, most_mb = memory_mb(), 0.0
    began, cpu = time.perf_counter(), time.process_time()
    async with Telling(store):
        while True:
            counts = await store.notifications.counts(Clock().now())
            most_mb = max(most_mb, memory_mb())
            if counts.undelivered == 0:
                break
            await asyncio.sleep(0.1)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await store.close()
    return {"due": due, "seconds": seconds, "cpu_s": cpu, "began_mb": began_mb, "most_mb": most_mb}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--due", type=int, required=True)
    given = parser.parse_args()
    logs.set_up("json", "info")
    json.dump(uvloop.run(measure(given.database, given.due), loop_factory=EventLoop), sys.stdout)
