"""The sandbox: gateway, simulated operators and loops in one process, with a site that is ready to be used.

It differs from production by URLs and keys, never by code.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from cauri.app import MEMORY, Gateway
from cauri.clock import Clock
from cauri.config import Limits, NotificationSettings, Routing, Settings
from cauri.domain.admin import SCOPES, AdminToken
from cauri.domain.methods import METHODS
from cauri.domain.site import Site, SiteSettings
from cauri.keys import SANDBOX_ADMIN_TOKEN, SANDBOX_APIKEY, SANDBOX_SECRET_KEY, SANDBOX_SITE_ID, hash_of
from cauri.serving import Server, address_of, bound_socket, url_of
from cauri.simulated import METHODS as CHOSEN_METHODS
from cauri.simulated import simulated_operators, simulated_settings
from cauri.simulator.app import simulator
from cauri.store.migrate import migrate

SITE_NAME = "Boutique de démonstration"

ANY_SHOP = NotificationSettings(ports=(0,))
NO_LIMITS = Limits(
    rate_per_key=0,
    failed_auth_per_address=0,
    page_posts_per_address=0,
    attempt_gap_s=0,
    prompts_per_number_and_address=0,
    prompts_per_number=0,
)

# Stories of failure are told one after the other here: they must not close an operator for the next.
NO_BREAKER = Routing(breaker_failures=0)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """``database``: as in the settings. ``public_url`` None: the address the gateway listens on.

    ``methods``: the connector of a method, where it is not the sandbox's usual one.
    ``adjusted`` has the last word on the gateway's settings.
    """

    database: str = MEMORY
    secret: str = "sandbox-" + "0" * 16
    public_url: str | None = None
    site_id: str = SANDBOX_SITE_ID
    apikey: str = SANDBOX_APIKEY
    secret_key: str = SANDBOX_SECRET_KEY
    admin_token: str = SANDBOX_ADMIN_TOKEN
    operator_delay_s: float = 1.0
    limits: Limits = NO_LIMITS
    methods: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    adjusted: Callable[[Settings], Settings] = lambda settings: settings


class Sandbox:
    """``start`` returns when everything answers; ``stop`` ends it all."""

    def __init__(
        self,
        options: SandboxOptions,
        gateway_socket: socket.socket,
        operators_socket: socket.socket,
        clock: Clock | None = None,
    ) -> None:
        self.options = options
        self.clock = clock or Clock()
        self.url = url_of(gateway_socket)
        self._gateway_address = address_of(gateway_socket)
        self.public_url = (options.public_url or self.url).rstrip("/")
        self.operators_url = url_of(operators_socket)
        self.gateway = Gateway(options.adjusted(self._settings()), self.clock)
        self._gateway_server = Server(self.gateway, gateway_socket)
        self._operators_server = Server(self._simulator(), operators_socket, lifespan=True)

    async def start(self) -> None:
        await migrate(self.gateway.store.engine)
        await ensure_site(self.gateway, self.options)
        await ensure_admin_token(self.gateway, self.options.admin_token)
        await self._operators_server.start()
        await self.gateway.start()
        await self._gateway_server.start()

    async def stop(self) -> None:
        self.gateway.end_waits()
        await self._gateway_server.stop()
        await self.gateway.stop()
        await self._operators_server.stop()

    async def restart_gateway(self) -> None:
        """Another gateway on the same data and address, as after an upgrade; the operators live on."""
        await self._gateway_server.stop()
        await self.gateway.stop()
        self.gateway = Gateway(self.gateway.settings, self.clock)
        await self.gateway.start()
        host, port = self._gateway_address
        self._gateway_server = Server(self.gateway, bound_socket(host, port))
        await self._gateway_server.start()

    def facts(self) -> dict[str, Any]:
        """What a shop needs to know, as written to the ready file. ``methods``: each method that is offered, with its connector."""
        operators = self.gateway.operators
        return {
            "base_url": self.public_url,
            "payment_endpoint": f"{self.public_url}/v2/payment",
            "check_endpoint": f"{self.public_url}/v2/payment/check",
            "operators_url": self.operators_url,
            "site_id": self.options.site_id,
            "apikey": self.options.apikey,
            "secret_key": self.options.secret_key,
            "admin_token": self.options.admin_token,
            "methods": {
                method: serving[0].name
                for method in METHODS
                if (serving := operators.serving(method)) is not None
            },
        }

    def _settings(self) -> Settings:
        return Settings(
            public_url=self.public_url,
            database=self.options.database,
            secret=self.options.secret,
            private_notify_urls=True,
            notifications=ANY_SHOP,
            limits=self.options.limits,
            routing=NO_BREAKER,
            operators=simulated_settings(self.operators_url),
            methods={**CHOSEN_METHODS, **self.options.methods},
        )

    def _simulator(self) -> Any:
        return simulator(
            self.clock,
            simulated_operators(self.operators_url, self.url),
            operator_delay_s=self.options.operator_delay_s,
        )


async def ensure_site(gateway: Gateway, options: SandboxOptions) -> None:
    """The site exists with these keys, all countries and currencies enabled; one that is there keeps its settings."""
    store, now = gateway.store, gateway.clock.now()
    site = await store.site(options.site_id)
    if site is None:
        site = Site(site_id=options.site_id, name=SITE_NAME, settings=SiteSettings(), created_at=now)
    if site.secret_key != options.secret_key:
        await store.save_site(
            replace(site, secret_key=options.secret_key, old_secret_key=None, old_secret_until=None)
        )
    await store.give_key(hash_of(options.apikey), options.site_id, label="sandbox", now=now)


async def ensure_admin_token(gateway: Gateway, admin_token: str) -> None:
    """The token may do all there is to do, for all sites."""
    token = AdminToken(
        token_hash=hash_of(admin_token),
        label="sandbox" if admin_token == SANDBOX_ADMIN_TOKEN else f"sandbox {hash_of(admin_token)[:8]}",
        scopes=tuple(SCOPES),
        sites=None,
        created_at=gateway.clock.now(),
    )
    await gateway.store.admin.ensure(token)
