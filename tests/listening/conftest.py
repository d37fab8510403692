"""A sandbox and ``cauri listen`` as processes of their own, and a shop's receiver that comes and goes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio

from tests.cli.conftest import Cauri, cauri
from tests.forks import Forked
from tests.notifier.receiver import Receiver
from tests.ports import free_port

__all__ = ["Cauri", "cauri"]

PATIENCE_S = 30


class ComingAndGoing(Receiver):
    """A receiver whose address stays when it is stopped and started again."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        if not hasattr(self, "_news"):
            self._news = defaultdict(asyncio.Condition)
        self._lines = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def names(self) -> list[str]:
        """Whose notifications came to /notify, in order."""
        return [post.fields["cpm_trans_id"] for post in self.posts["/notify"]]


class Listening:
    """A running ``cauri listen`` and what it has said."""

    def __init__(self, process: Forked) -> None:
        self._process = process
        self._printed = process.output.open(encoding="utf-8")
        self.lines: list[str] = []

    async def says(self, words: str) -> str:
        """The first line from now on that holds these words."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = await self._line()
                if words in line:
                    return line

    async def _line(self) -> str:
        line = ""
        while not line.endswith("\n"):
            ended = self._process.poll() is not None
            line += self._printed.readline()
            assert line or not ended, f"it ended: {self.lines}"
            if not line.endswith("\n"):
                await asyncio.sleep(0.01)
        self.lines.append(line.rstrip())
        return self.lines[-1]

    async def stop(self, number: int = signal.SIGINT) -> int:
        """The exit status."""
        self._process.send_signal(number)
        await asyncio.to_thread(self._process.communicate, PATIENCE_S)
        self.lines += self._printed.read().splitlines()
        assert self._process.returncode is not None
        return self._process.returncode


class Desk:
    """A sandbox process on ports of its own that stay over restarts, seen by its one site."""

    def __init__(self, cauri: Cauri) -> None:
        self._cauri = cauri
        self.folder = cauri.folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.facts: dict[str, str] = {}
        self.listeners: list[Listening] = []

    async def start(self) -> None:
        # --port comes again and the last one counts
        arguments = ("--data", "state", "--operator-delay", "0", "--port", str(self.port))
        self.facts = await asyncio.to_thread(self._cauri.start, *arguments)

    async def stop(self) -> None:
        await asyncio.to_thread(self._cauri.stop)

    async def kill(self) -> None:
        await asyncio.to_thread(self._cauri.kill)
        self._cauri.processes.clear()

    async def cancelled(self, name: str, notify_url: str = "http://127.0.0.1:9/notify") -> None:
        """A payment that is cancelled at once: one thing to tell."""
        body = {
            "apikey": self.facts["apikey"],
            "site_id": self.facts["site_id"],
            "transaction_id": name,
            "amount": 100,
            "currency": "XOF",
            "description": "Deux pagnes",
            "return_url": "http://127.0.0.1:9/return",
            "notify_url": notify_url,
        }
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client:
            opened = await client.post(self.facts["payment_endpoint"], json=body)
            assert opened.status_code == 200, opened.text
            answer = await client.post(opened.json()["data"]["payment_url"] + "/cancel", data={"": ""})
            assert answer.status_code in (200, 303), answer.text

    async def listen(self, *arguments: str, gateway: str | None = None) -> Listening:
        """Returns when the process runs; ``says("listening")`` waits until it listens."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CAURI_")}
        listening = Listening(
            self._cauri.begin(
                *("listen", "--gateway", gateway or self.url, *arguments),
                environment={**kept, "XDG_STATE_HOME": str(self.folder / "xdg")},
            )
        )
        self.listeners.append(listening)
        return listening


@pytest_asyncio.fixture
async def desk(cauri: Cauri) -> AsyncIterator[Desk]:
    desk = Desk(cauri)
    await desk.start()
    yield desk
    for listening in desk.listeners:
        await listening.stop(signal.SIGKILL)


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[ComingAndGoing]:
    """Down at first."""
    shop = ComingAndGoing()
    yield shop
    if hasattr(shop, "_server"):
        await shop.stop()


@pytest.fixture
def told() -> Callable[[Listening], list[str]]:
    """The transaction_ids of the lines that say that one was forwarded."""

    def names(listening: Listening) -> list[str]:
        return [
            found[1] for line in listening.lines if (found := re.match(r"\S+  (\S+)  \d+ \S+  → 200 ", line))
        ]

    return names
