"""A notifier in a process of its own, that can be killed: ``python -m tests.notifier.telling_process DATABASE SETTINGS`` (JSON)."""

from __future__ import annotations

import asyncio
import json
import sys

from cauri import logs
from cauri.clock import Clock
from cauri.domain.notifying import NotificationSettings
from cauri.loops.base import Loop
from cauri.notifier.loop import Notifier
from cauri.notifier.sender import Sender
from cauri.serving import stop_signal
from cauri.store import Store, Vault, engine_for
from tests.store.conftest import SECRET


async def tell(database: str, settings: NotificationSettings) -> None:
    told, clock = stop_signal(), Clock()
    store = Store(engine_for(database), Vault(SECRET))
    sender = Sender(clock, private_allowed=True, ports=(0,), timeout_s=settings.timeout_s)
    notifier = Notifier(store, sender, clock, settings)
    queue = Loop("notifier", notifier.tick, period_s=0.2, clock=clock)
    news = Loop("news", notifier.tell_news, period_s=0.2, clock=clock)
    notifier.wake, notifier.wake_news = queue.wake, news.wake
    queue.start()
    news.start()
    await told.wait()
    await queue.stop()
    await news.stop()
    await notifier.stop()
    await store.close()


if __name__ == "__main__":
    logs.set_up("text", "warning")
    asyncio.run(tell(sys.argv[1], NotificationSettings(**json.loads(sys.argv[2]))))
