"""The assembly: store, operators, lifecycle, loops and routes; the only file that knows them all."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette

from cauri.api.routes import build as build_api
from cauri.checkout.routes import build as build_checkout
from cauri.clock import SECOND, Clock
from cauri.config import Settings
from cauri.connectors import operators_of
from cauri.domain.breaker import BreakerRule
from cauri.domain.limits import PromptLimits
from cauri.lifecycle import Lifecycle, LifecycleSettings
from cauri.loops.base import Loop
from cauri.loops.expire_payments import ExpirePayments
from cauri.loops.poll_operators import PollOperators
from cauri.notifier.loop import Notifier
from cauri.notifier.sender import Sender
from cauri.store import Store, Vault, engine_for

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MEMORY = "sqlite:///:memory:"
STANDING_TOLD_EVERY_S = 15


def open_store(settings: Settings) -> Store:
    """The store of these settings; nothing is connected yet."""
    database = None if settings.database == MEMORY else settings.database
    return Store(engine_for(database), Vault(settings.secret))


class Gateway:
    """One process's engine: an ASGI application, and the loops beside it. ``start`` before serving, ``stop`` after."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.store = open_store(settings)
        self.operators = operators_of(settings)
        self.lifecycle = Lifecycle(
            self.store,
            self.operators,
            self.clock,
            LifecycleSettings(
                public_url=settings.public_url.rstrip("/"),
                bounds=settings.bounds_table,
                attempt_gap_s=settings.limits.attempt_gap_s,
                prompts=PromptLimits(
                    per_number=settings.limits.prompts_per_number,
                    per_number_and_address=settings.limits.prompts_per_number_and_address,
                ),
                breaker=BreakerRule(
                    settings.routing.breaker_failures, settings.routing.breaker_open_s * SECOND
                ),
                process=f"{socket.gethostname()}:{os.getpid()}",
            ),
        )
        self.notifier = Notifier(
            self.store, Sender(self.clock, private_allowed=settings.private_notify_urls), self.clock
        )
        self.poller = PollOperators(self.lifecycle, self.clock)
        self.expiry = ExpirePayments(self.lifecycle)
        self._loops = self._make_loops()
        self._api = build_api(
            self.lifecycle,
            settings.public_url,
            self.operators.names,
            rate_per_key=settings.limits.rate_per_key,
            failed_auth_per_address=settings.limits.failed_auth_per_address,
            trusted_proxies=settings.trusted_proxies,
        )
        self._pages = Starlette(routes=[*self._api.routes, *self._checkout_routes()])

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """The merchants' two endpoints go straight to their doors: they are the hot path."""
        door = self._api.door(scope["path"]) if scope["type"] == "http" else None
        await (door or self._pages)(scope, receive, send)

    async def start(self) -> None:
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        """What is under way is finished or left to its lease; then everything is closed."""
        for loop in self._loops:
            await loop.stop()
        await self.lifecycle.stop()
        await self.poller.stop()
        await self.notifier.stop()
        await self.operators.close()
        await self.store.close()

    def _make_loops(self) -> list[Loop]:
        notify = Loop("notifier", self.notifier.tick, period_s=1, clock=self.clock)
        poll = Loop("poll_operators", self.poller.tick, period_s=0.5, clock=self.clock)
        self.lifecycle.on_notification = notify.wake
        self.lifecycle.on_question = poll.wake
        return [
            notify,
            poll,
            Loop("expire_payments", self.expiry.tick, period_s=5, clock=self.clock),
            Loop("watch", self.lifecycle.watch.tick, period_s=1, clock=self.clock),
            Loop("tidy", self.lifecycle.tidy, period_s=600, clock=self.clock),
            Loop("standing", self._tell_standing, period_s=STANDING_TOLD_EVERY_S, clock=self.clock),
            *self._availability_loop(),
        ]

    def _availability_loop(self) -> list[Loop]:
        every_s = self.settings.routing.availability_every_s
        if every_s == 0:
            return []
        return [
            Loop("availability", self.lifecycle.standing.ask_operators, period_s=every_s, clock=self.clock)
        ]

    async def _tell_standing(self, _now: int) -> int:
        await self.lifecycle.standing.save(self.store)
        return 0

    def _checkout_routes(self) -> list[Any]:
        return build_checkout(
            self.lifecycle,
            public_url=self.settings.public_url,
            page_posts_per_address=self.settings.limits.page_posts_per_address,
            trusted_proxies=self.settings.trusted_proxies,
            clock=self.clock,
        )
