"""The assembly: store, operators, lifecycle, loops and routes; the only file that knows them all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette

from cauri.api.admin import routes as admin
from cauri.api.admin.feed import Bell
from cauri.api.admin.metrics import Deliveries
from cauri.api.routes import build as build_api
from cauri.checkout.routes import build as build_checkout
from cauri.clock import SECOND, Clock
from cauri.config import Settings
from cauri.connectors import operators_of
from cauri.domain.breaker import BreakerRule
from cauri.domain.errors import StoreUnavailable
from cauri.domain.limits import PromptLimits
from cauri.lifecycle import Lifecycle, LifecycleSettings
from cauri.loops.alerts import Alerts
from cauri.loops.base import Loop
from cauri.loops.drop_old_secrets import DropOldSecrets
from cauri.loops.expire_payments import ExpirePayments
from cauri.loops.poll_operators import PollOperators
from cauri.notifier.loop import Notifier
from cauri.notifier.pruning import Pruning
from cauri.notifier.sender import Sender
from cauri.store import Store, Vault, engine_for

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MEMORY = "sqlite:///:memory:"
STANDING_TOLD_EVERY_S = 15
LEAVING_TAKES_S = 2


def open_store(settings: Settings) -> Store:
    """The store of these settings; nothing is connected yet."""
    database = None if settings.database == MEMORY else settings.database
    return Store(engine_for(database), Vault(settings.secret))


def sender_of(settings: Settings, clock: Clock) -> Sender:
    """What speaks to shops, under these settings' rules."""
    return Sender(
        clock,
        private_allowed=settings.private_notify_urls,
        ports=settings.notifications.ports,
        timeout_s=settings.notifications.timeout_s,
    )


class Gateway:
    """One process's engine: an ASGI application, and the loops beside it. ``start`` before serving, ``stop`` after."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.store = open_store(settings)
        self.operators = operators_of(settings, self.clock)
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
        self._bell = Bell()
        self._deliveries = Deliveries()
        self.sender = sender_of(settings, self.clock)
        self.sender.on_sent = self._deliveries.count
        self.notifier = Notifier(self.store, self.sender, self.clock, settings.notifications)
        self.pruning = Pruning(self.store, settings.notifications)
        self.poller = PollOperators(self.lifecycle, self.clock)
        self.expiry = ExpirePayments(self.lifecycle)
        self.old_secrets = DropOldSecrets(self.store)
        self.alerts = Alerts(self.store, settings.notifications.alert_after)
        self._loops = self._make_loops()
        self._api = build_api(
            self.lifecycle,
            settings.public_url,
            self.operators.names,
            rate_per_key=settings.limits.rate_per_key,
            failed_auth_per_address=settings.limits.failed_auth_per_address,
            trusted_proxies=settings.trusted_proxies,
        )
        self._admin = self._admin_doors()
        self._pages = Starlette(routes=[*self._api.routes, *self._checkout_routes()])

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """The merchants' two endpoints go straight to their doors: they are the hot path."""
        door = self._api.door(scope["path"]) if scope["type"] == "http" else None
        await (door or self._room(scope))(scope, receive, send)

    def _room(self, scope: Message) -> Any:
        path = scope.get("path", "")
        return self._admin if path == "/admin" or path.startswith("/admin/") else self._pages

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
        with contextlib.suppress(StoreUnavailable, TimeoutError):  # then it is forgotten by its silence
            async with asyncio.timeout(LEAVING_TAKES_S):
                await self.lifecycle.standing.leave(self.store)
        await self.operators.close()
        await self.store.close()

    def _make_loops(self) -> list[Loop]:
        notify = Loop("notifier", self.notifier.tick, period_s=1, clock=self.clock)
        poll = Loop("poll_operators", self.poller.tick, period_s=0.5, clock=self.clock)
        news = Loop("news", self.notifier.tell_news, period_s=1, clock=self.clock)
        self.notifier.wake, self.notifier.wake_news = notify.wake, news.wake
        self.lifecycle.on_notification = self._on_notification
        self.lifecycle.on_question = poll.wake
        return [
            notify,
            news,
            poll,
            Loop("expire_payments", self.expiry.tick, period_s=5, clock=self.clock),
            Loop("drop_old_secrets", self.old_secrets.tick, period_s=60, clock=self.clock),
            Loop("pruning", self.pruning.tick, period_s=60, clock=self.clock),
            Loop("alerts", self.alerts.tick, period_s=60, clock=self.clock),
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

    def end_waits(self) -> None:
        """Who waits for something new is answered at once: the process is about to stop."""
        self._bell.silence()

    def _on_notification(self, endpoint: str | None = None) -> None:
        self.notifier.hear(endpoint)
        self._bell.ring()

    def _admin_doors(self) -> Any:
        settings = self.settings
        doors = admin.all_doors(
            self.store,
            Vault(settings.secret),
            self.clock,
            lifecycle=self.lifecycle,
            bell=self._bell,
            deliveries=self._deliveries,
            sender=self.sender,
            wake=self._on_notification,
        )
        return admin.build(
            doors,
            self.store.admin,
            self.clock,
            public_url=settings.public_url.rstrip("/"),
            rate_per_token=settings.limits.rate_per_key,
            failed_auth_per_address=settings.limits.failed_auth_per_address,
            trusted_proxies=settings.trusted_proxies,
        )

    def _checkout_routes(self) -> list[Any]:
        return build_checkout(
            self.lifecycle,
            public_url=self.settings.public_url,
            page_posts_per_address=self.settings.limits.page_posts_per_address,
            trusted_proxies=self.settings.trusted_proxies,
            clock=self.clock,
        )
