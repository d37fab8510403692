"""A notifier on a clock that is moved by hand, over a database of its own, and payments that are to be told to a real receiver."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from cauri.clock import ManualClock
from cauri.domain.notifying import NotificationSettings
from cauri.domain.payment import Payment, PaymentRequest
from cauri.domain.site import Site
from cauri.notifier.loop import Notifier
from cauri.notifier.sender import Sender
from cauri.store import NotificationState, Store
from tests.notifier.receiver import Receiver
from tests.store.records import NOW, cancelled, new_payment

SETTINGS = NotificationSettings()


@dataclass
class Queue:
    """``ends`` makes payments whose shops are to be told; ``turn`` is one tick and all that it began."""

    store: Store
    receiver: Receiver
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW + 10))
    settings: NotificationSettings = SETTINGS

    def __post_init__(self) -> None:
        self.notifier = self.another()

    def another(self, store: Store | None = None) -> Notifier:
        """A notifier as of another process."""
        sender = Sender(self.clock, private_allowed=True, ports=(0,), timeout_s=self.settings.timeout_s)
        return Notifier(store or self.store, sender, self.clock, self.settings)

    async def ends(self, path: str, site_id: str = "1", base: str | None = None, **fields: Any) -> Payment:
        """A payment that has ended with 627, to be told at this path."""
        if await self.store.site(site_id) is None:
            await self.store.add_site(Site(site_id=site_id, name="Chez Awa", secret_key="s" * 32))
        request = PaymentRequest(
            description="Panier",
            return_url="https://shop.example/return",
            notify_url=(base or self.receiver.url) + path,
        )
        payment = await self.store.open_payment(new_payment(site_id=site_id, request=request, **fields))
        change = cancelled(payment)
        assert await self.store.apply(change)
        return change.after

    async def all_end(self, paths: list[str], **named: Any) -> list[Payment]:
        return list(await asyncio.gather(*(self.ends(path, **named) for path in paths)))

    async def turn(self) -> int:
        found = await self.notifier.tick(self.clock.now())
        await self.notifier.idle()
        return found

    async def settles(self, turns: int = 500) -> None:
        """Turns without moving the clock, until nothing more is found to do."""
        for _ in range(turns):
            if await self.turn() == 0:
                return
        raise AssertionError("there is always something to do")

    async def passes(self, milliseconds: int, step: int) -> None:
        """Time passes, a step at a time."""
        for _ in range(0, milliseconds, step):
            self.clock.advance(step)
            await self.settles()

    async def state(self, payment: Payment) -> NotificationState:
        state = await self.store.notification(payment)
        assert state is not None
        return state

    def heard(self, paths: list[str]) -> int:
        """How many of these paths have heard anything."""
        return sum(1 for path in paths if self.receiver.posts[path])

    async def stop(self) -> None:
        await self.notifier.stop()
