"""Shops for the notifier to tell, in a process of their own: one that answers, one that answers 500, one that never answers.

Each listens on a port of its own at every loopback address, so that ``http://127.1.2.3:PORT`` are as many hosts as are wanted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import time
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
BROKEN = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nOops"
_NAME = b"cpm_trans_id="


class Shops:
    """``arrived``: when each transaction_id was first told to the good shop, seconds; ``posts``: how many there were."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.posts = 0

    def told(self, body: bytes) -> None:
        self.posts += 1
        start = body.find(_NAME) + len(_NAME)
        name = body[start : body.index(b"&", start)].decode()
        self.arrived.setdefault(name, time.time())


class Shop(asyncio.Protocol):
    """``answer`` None: says nothing. A GET is answered with what has arrived."""

    def __init__(self, shops: Shops, answer: bytes | None) -> None:
        self._shops = shops
        self._answer = answer
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or self._transport is None:
            return
        if head.startswith(b"GET"):
            report = json.dumps({"arrived": self._shops.arrived, "posts": self._shops.posts}).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(report) + report)
            self._received = b""
            return
        lowered = head.lower()
        start = lowered.index(b"content-length:") + 15
        if len(body) < int(lowered[start:].split(b"\r\n", 1)[0]) or self._answer is None:
            return
        if self._answer is GOOD:
            self._shops.told(body)
        self._received = b""
        self._transport.write(self._answer)


async def serve(ready_file: Path) -> None:
    shops = Shops()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    facts = {}
    for name, answer in (("good", GOOD), ("broken", BROKEN), ("silent", None)):
        server = await loop.create_server(partial(Shop, shops, answer), "0.0.0.0", 0, backlog=4096)
        facts[name] = server.sockets[0].getsockname()[1]
    facts["closed"] = _closed_port()
    draft = ready_file.with_suffix(".draft")
    draft.write_text(json.dumps(facts))
    draft.rename(ready_file)
    await ended.wait()


def _closed_port() -> int:
    """A port that refuses: taken, and never listened on."""
    _held.append(taken := socket.socket())
    taken.bind(("0.0.0.0", 0))
    return int(taken.getsockname()[1])


_held: list[socket.socket] = []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready-file", type=Path, required=True)
    uvloop.run(serve(parser.parse_args().ready_file))
