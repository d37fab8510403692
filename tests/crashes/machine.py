"""A gateway in a process of its own that can be killed and started again on the same data; its operators live on elsewhere."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from cauri.app import open_store
from cauri.clock import Clock
from cauri.config import Settings, load
from cauri.domain.site import Site
from cauri.keys import hash_of
from cauri.serving import Server, bound_socket, url_of
from cauri.simulator.app import Dialect, simulator
from cauri.simulator.dialects.moov_3pp import Moov3pp
from cauri.simulator.dialects.pawapay import PawaPay
from cauri.simulator.exchange import Exchange
from cauri.store import Store
from cauri.store.migrate import migrate
from tests.crashes.client import new_client
from tests.forks import Forked, forks
from tests.ports import free_port

CONFIG = """
public_url = "{url}"
host = "127.0.0.1"
port = {port}
database = "{database}"
secret = "a secret of this test"
private_notify_urls = true
notifications = {{ ports = [0] }}
log_format = "text"

[limits]
rate_per_key = 0
failed_auth_per_address = 0
page_posts_per_address = 0
attempt_gap_s = 0
"""

OPERATORS = """
[operators.pawapay]
base_url = "{operators}/pawapay"
token = "token-of-this-test"

[operators.moov_3pp.CI]
base_url = "{operators}/moov"
username = "cauri"
password = "password-of-this-test"

[operators.moov_3pp.BF]
base_url = "{operators}/moov"
username = "cauri"
password = "password-of-this-test"
"""

# Every column that holds a moment.
MOMENTS = {
    "payment": ("created_at", "expires_at", "attempt_at", "ended_at", "paid_at", "left_at"),
    "attempt": ("started_at", "sent_at", "ended_at", "next_ask_at", "hinted_at", "claimed_until"),
    "notification": ("due_at", "since", "claimed_until"),
}


@dataclass
class Machine:
    """``start`` and ``kill`` as often as wanted; ``store`` reads beside the process."""

    database: str
    folder: Path
    site_id: str = "445160"
    apikey: str = field(default_factory=lambda: secrets.token_hex(16))
    process: Forked | None = None

    async def set_up(self) -> None:
        port = free_port()  # the same after every restart
        self.url = f"http://127.0.0.1:{port}"
        operators = bound_socket("127.0.0.1", 0)
        self.operators_url = url_of(operators)
        application = simulator(Clock(), self.dialects(), operator_delay_s=0.0)
        self._operators = Server(application, operators, lifespan=True)
        await self._operators.start()
        self.config = self.folder / "cauri.toml"
        general = CONFIG.format(url=self.url, port=port, database=self.database)
        self.config.write_text(general + self.operators_config())
        self.settings: Settings = load(self.config, {})
        self.store: Store = open_store(self.settings)
        await migrate(self.store.engine)
        await self.store.save_site(Site(site_id=self.site_id, name="Chez Awa", secret_key="s" * 32))
        await self.store.give_key(hash_of(self.apikey), self.site_id, label="test", now=0)

    def dialects(self) -> list[Callable[[Exchange], Dialect]]:
        """The operators that live on."""
        callback = f"{self.url}/operators/pawapay/callback"
        return [
            lambda exchange: PawaPay(exchange, "token-of-this-test", self.operators_url, callback),
            lambda exchange: Moov3pp(exchange, {"cauri": "password-of-this-test"}),
        ]

    def operators_config(self) -> str:
        return OPERATORS.format(operators=self.operators_url)

    async def start(self) -> None:
        """Returns when the gateway answers."""
        self.process = forks().start(
            *("serve", "--config", str(self.config)), folder=self.folder, output=self.folder / "log"
        )
        async with asyncio.timeout(20), new_client(timeout_s=5) as client:
            while True:
                assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
                try:
                    if (await client.get(f"{self.url}/healthz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """kill -9: nothing of ours runs any more."""
        if self.process is not None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)

    async def is_down_for(self, seconds: int) -> None:
        """The same as waiting so long before the next start: every moment in the database moves into the past."""
        await self._move(-seconds)

    async def _move(self, seconds: int, only: str = "") -> None:
        """``only``: a WHERE clause."""
        statements = [
            f"UPDATE {table} SET "
            + ", ".join(f"{column} = {column} + {seconds * 1000}" for column in columns)
            + only
            for table, columns in MOMENTS.items()
        ]
        await self.store.engine.script(statements)

    async def tear_down(self) -> None:
        await self.kill()
        await self.store.close()
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            await client.post(
                f"{self.operators_url}/_control/reset"
            )  # answers that are still held back are let go
        await self._operators.stop()

    async def control(self, client: httpx.AsyncClient, lever: str, /, **fields: Any) -> Any:
        url = f"{self.operators_url}/_control/{lever}"
        answer = await (client.post(url, json=fields) if fields else client.get(url))
        assert answer.status_code == 200, answer.text
        return answer.json()
