"""A gateway and its simulated operators, running in this process over real HTTP, for tests."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from msgspec.structs import replace

from cauri.clock import Clock
from cauri.domain.site import Site, SiteSettings
from cauri.keys import hash_of
from cauri.lifecycle import Lifecycle
from cauri.sandbox import Sandbox, SandboxOptions
from cauri.serving import bound_socket
from cauri.store import Store


@dataclass
class Running:
    """One started sandbox, seen by one site of it."""

    sandbox: Sandbox
    engine: str
    site_id: str
    apikey: str
    secret_key: str

    @property
    def url(self) -> str:
        return self.sandbox.url

    @property
    def simulator_url(self) -> str:
        return self.sandbox.operators_url

    @property
    def store(self) -> Store:
        return self.sandbox.gateway.store

    @property
    def lifecycle(self) -> Lifecycle:
        return self.sandbox.gateway.lifecycle

    @property
    def clock(self) -> Clock:
        return self.sandbox.clock

    async def new_site(self, **settings: object) -> Running:
        """The same gateway seen by a site of its own, so that tests do not meet. Keywords: SiteSettings or Site fields."""
        own = {name: settings.pop(name) for name in list(settings) if name in SiteSettings.__struct_fields__}
        site = Site(
            site_id=str(secrets.randbelow(10**9)),
            name="Chez Awa",
            secret_key=secrets.token_hex(16),
            settings=SiteSettings(**own),  # type: ignore[arg-type]
            created_at=self.clock.now(),
        )
        site = replace(site, **settings)
        apikey = secrets.token_hex(16)
        await self.store.save_site(site)
        await self.store.give_key(hash_of(apikey), site.site_id, label="test", now=self.clock.now())
        return Running(self.sandbox, self.engine, site.site_id, apikey, site.secret_key or "")

    async def restart_gateway(self) -> None:
        """What a restart of the gateway's process does: nothing of it is left but the database."""
        await self.sandbox.restart_gateway()

    async def stop(self) -> None:
        await self.sandbox.stop()


async def run(
    database: str, *, clock: Clock | None = None, operator_delay_s: float = 0.0, **options: object
) -> Running:
    """A sandbox on free ports over this database. ManualClock is welcome."""
    wanted = SandboxOptions(database=database, operator_delay_s=operator_delay_s, **options)  # type: ignore[arg-type]
    sandbox = Sandbox(wanted, bound_socket("127.0.0.1", 0), bound_socket("127.0.0.1", 0), clock)
    await sandbox.start()
    engine = "postgres" if database.startswith("postgres") else "sqlite"
    return Running(sandbox, engine, wanted.site_id, wanted.apikey, wanted.secret_key)
