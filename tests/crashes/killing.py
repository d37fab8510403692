"""A machine whose gateway dies right before a line that is named to it, with every simulated operator beside it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from cauri.app import Gateway
from cauri.simulated import simulated_operators, simulated_settings
from cauri.simulator.app import Dialect
from cauri.simulator.exchange import Exchange
from tests.crashes.client import new_client
from tests.crashes.machine import Machine
from tests.crashes.zygote import Point

ASIDE_S = 86_400


@dataclass
class KillingMachine(Machine):
    """``methods``: which connectors serve which method, in their order. ``dead`` is done when the gateway has died, with its exit status."""

    methods: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pid: int | None = None

    def dialects(self) -> list[Callable[[Exchange], Dialect]]:
        return simulated_operators(self.operators_url, self.url)

    def operators_config(self) -> str:
        tables = {
            "operators": msgspec.to_builtins(simulated_settings(self.operators_url)),
            "methods": dict(self.methods),
        }
        return toml(tables)

    async def set_up(self) -> None:
        await super().set_up()
        self.gateway = Gateway(
            self.settings
        )  # never started: to ask what a connector's rules are, and to close
        # A setting of this name would be refused, and it is for the tests.
        environment = {name: value for name, value in os.environ.items() if name != "CAURI_KILLS"}
        self.zygote = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.crashes.zygote",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )

    async def start(self, kill: Point | None = None, note: Path | None = None) -> None:
        """Returns when the gateway answers. ``kill``: the line before which it dies; ``note``: the file that it writes its lines to.

        Who died is no longer counted among those that share an operator's pace, as after a pause.
        """
        await self.store.engine.script(["DELETE FROM standing"])
        order = {
            "config": str(self.config),
            "log": str(self.folder / "log"),
            "kill": kill,
            "note": None if note is None else str(note),
        }
        assert self.zygote.stdin is not None
        self.zygote.stdin.write(json.dumps(order).encode() + b"\n")
        self.pid = int((await self._answer())["pid"])
        self.dead = asyncio.ensure_future(self._dies())
        async with asyncio.timeout(30), new_client(timeout_s=5) as client:
            while True:
                assert not self.dead.done(), (self.folder / "log").read_text()[-3000:]
                try:
                    if (await client.get(f"{self.url}/healthz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    await asyncio.sleep(0.01)

    async def kill(self) -> None:
        if self.pid is not None and not self.dead.done():
            os.kill(self.pid, signal.SIGKILL)
            await self.dead

    async def tear_down(self) -> None:
        await super().tear_down()
        await self.gateway.operators.close()
        await self.gateway.store.close()
        assert self.zygote.stdin is not None
        self.zygote.stdin.close()
        await self.zygote.wait()

    async def set_aside(self, token: str) -> None:
        """While the gateway is down: nothing of this payment is due for a day, so that another can be looked at alone."""
        await self._move(ASIDE_S, f" WHERE token = '{token}'")

    async def takes_up(self) -> None:
        """What was set aside is as it was."""
        await self._move(-ASIDE_S)

    async def questions_are_due(self, token: str) -> None:
        """Time for the next question to the operator, where nobody is asking it now."""
        await self.store.engine.script(
            [f"UPDATE attempt SET next_ask_at = 0 WHERE token = '{token}' AND status = 'sent'"]
        )

    async def _answer(self) -> dict[str, Any]:
        assert self.zygote.stdout is not None
        return dict(json.loads(await self.zygote.stdout.readline()))

    async def _dies(self) -> int:
        return int((await self._answer())["status"])


def toml(tables: Mapping[str, Any], path: str = "") -> str:
    """Tables of texts, numbers, truths and lists of texts; what is None or empty is left out."""
    own, deeper = [], []
    for name, value in tables.items():
        if isinstance(value, Mapping):
            if value:
                deeper.append(toml(value, f"{path}.{name}" if path else name))
        elif value is not None:
            own.append(f"{name} = {json.dumps(value)}")
    head = [f"[{path}]"] if path and own else []
    return "\n".join([*head, *own, "", *deeper])
