"""Payments that are ended while notifiers in processes of their own tell them and are killed; and what must hold afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cauri.clock import Clock, new_id
from cauri.domain import moves
from cauri.domain.errors import StoreUnavailable
from cauri.domain.outcome import Accepted
from cauri.domain.payment import Change, Payment, PaymentRequest
from cauri.domain.site import Site
from cauri.store import Store
from tests.forks import Forked, forks
from tests.notifier.receiver import Receiver
from tests.store.records import new_payment, sent_attempt

# How many deliveries: a few in every run of the tests, ten thousand in ``make soak``.
SOAK = int(os.environ.get("CAURI_TEST_SOAK", "0"))
AT_ONCE = 40
SETTINGS = {"at_once": AT_ONCE, "per_host": 16}
# Payments in flight: each waits for a notifier to look, as no news comes from another process.
WRITERS = 640 if SOAK else 64
SITES = 10
clock = Clock()


@dataclass
class Processes:
    """Notifiers over one database."""

    database: str
    folder: Path
    running: list[Forked] = field(default_factory=list)

    async def start(self) -> Forked:
        process = forks().start(
            *(self.database, json.dumps(SETTINGS)),
            module="tests.notifier.telling_process",
            folder=self.folder,
            output=self.folder / "log",
        )
        self.running.append(process)
        return process

    async def kill(self, process: Forked) -> None:
        """kill -9."""
        process.kill()
        await asyncio.to_thread(process.wait)
        self.running.remove(process)

    async def stop(self) -> None:
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        await asyncio.gather(*(asyncio.to_thread(process.wait) for process in self.running))


@dataclass
class Orders:
    """``number`` payments that go 662, 623, 00, each told at a path of its own."""

    store: Store
    receiver: Receiver
    number: int
    written: int = 0

    @property
    def paths(self) -> list[str]:
        return [f"/order-{index}" for index in range(self.number)]

    async def sites(self) -> None:
        for index in range(SITES):
            await self.store.save_site(Site(site_id=str(index), name="Chez Awa", secret_key="s" * 32))

    async def write(self) -> None:
        waiting = iter(list(enumerate(self.paths)))

        async def some() -> None:
            for index, path in waiting:
                await self._one(index, path)
                self.written += 1

        await asyncio.gather(*(some() for _ in range(WRITERS)))

    async def _one(self, index: int, path: str) -> None:
        now, site_id = clock.now(), str(index % SITES)
        request = PaymentRequest(
            description="Panier",
            return_url="https://shop.example/return",
            notify_url=self.receiver.url + path,
        )
        asked = new_payment(site_id=site_id, request=request, created_at=now, expires_at=now + 1_800_000)
        payment: Payment = await until_taken(self.store.open_payment, asked)
        attempt = sent_attempt(payment, started_at=now, sent_at=now, next_ask_at=None)
        start = moves.started(payment, attempt, None, now, new_id())
        assert await until_taken(self.store.apply, start)
        accepted = Accepted(operator_id="OP-1", amount=None, currency=None, paid_at=now)
        if index % 3:  # two of three are heard of while they wait, too
            await self.receiver.heard(path, 1, within_s=600)
        end = moves.settled(start.after, attempt, accepted, clock.now(), new_id())
        assert isinstance(end, Change)
        assert await until_taken(self.store.apply, end)

    def told(self) -> int:
        """How many have heard their end."""
        return sum(1 for path in self.paths if "00" in self.receiver.codes(path)[-1:])

    async def told_to(self, number: int, within_s: float = 90) -> None:
        try:
            async with asyncio.timeout(within_s * (10 if SOAK else 1)):
                while self.told() < number:
                    await asyncio.sleep(0.5 if SOAK else 0.02)
        except TimeoutError:
            raise AssertionError(f"{self.told()} of {number} heard their end") from None

    def duplicates(self) -> int:
        """How many posts told a path what it had been told before."""
        return sum(
            sum(Counter(self.receiver.codes(path)).values()) - len(set(self.receiver.codes(path)))
            for path in self.paths
        )

    def out_of_order(self) -> list[str]:
        """Paths that heard an older state after a newer one."""
        return [
            path for path in self.paths if (codes := self.receiver.codes(path)) != sorted(codes, reverse=True)
        ]


async def until_taken(write: Any, value: Any) -> Any:
    """Written, however often the database goes away meanwhile; every write may be repeated."""
    while True:
        try:
            return await write(value)
        except StoreUnavailable:
            await asyncio.sleep(0.1)


async def leases_end(store: Store) -> None:
    """The same as waiting until every lease of the dead is over."""
    await store.engine.script(["UPDATE notification SET claimed_until = 0 WHERE claimed_until > 0"])
