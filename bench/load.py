"""The load: ``wrk`` where it is installed, else a small client of our own. Both keep their connections and one request in flight on each."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from bench.processes import Failed, output_of
from bench.requests import NUMBER_PLACE

OWN_PROCESSES = 2
_SCRIPT = Path(__file__).with_name("load.lua")
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Measured:
    """``requests`` answered in ``seconds``; ``errors`` are answers other than 200 and connections lost."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def generator() -> str:
    """What makes the load on this machine."""
    return "wrk" if shutil.which("wrk") else "bench.load"


def load(
    url: str, template: str, *, seconds: int, connections: int, numbers: int = 0, first: int = 0
) -> Measured:
    """Sends the template for so long. ``numbers`` 0: counts upwards from ``first``; else draws from 1 … numbers."""
    with tempfile.NamedTemporaryFile("w", prefix="cauri-bench-", encoding="utf-8", newline="") as file:
        file.write(template)
        file.flush()
        run = _wrk if generator() == "wrk" else _own
        return run(url, file.name, seconds, connections, numbers, first)


def _wrk(url: str, file: str, seconds: int, connections: int, numbers: int, first: int) -> Measured:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT), url]
    text = output_of([*command, "--", file, str(numbers), str(first)])
    return Measured(**json.loads(text.strip().splitlines()[-1]))


def _own(url: str, file: str, seconds: int, connections: int, numbers: int, first: int) -> Measured:
    """Several processes side by side; their numbers interleave."""
    share = max(connections // OWN_PROCESSES, 1)
    commands = [
        [sys.executable, "-m", "bench.load", url, file]
        + [str(value) for value in (seconds, share, numbers, first + index)]
        for index in range(OWN_PROCESSES)
    ]
    with ThreadPoolExecutor(OWN_PROCESSES) as pool:
        parts = [json.loads(text) for text in pool.map(output_of, commands)]
    times = sorted(time_ms for part in parts for time_ms in part["times_ms"])
    if not times:
        raise Failed(f"{url} answered nothing")
    return Measured(
        requests=len(times),
        seconds=max(part["seconds"] for part in parts),
        errors=sum(part["errors"] for part in parts),
        p50_ms=times[len(times) // 2],
        p99_ms=times[len(times) * 99 // 100],
    )


class _Client(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, notes how long it took, sends again."""

    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not asyncio's by class
        self._send()

    def _send(self) -> None:
        if self._transport is not None:
            self._sent_at = time.perf_counter()
            self._transport.write(self._sender.next_request())

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(_HEAD_END)
        if end < 0 or len(self._received) < end + len(_HEAD_END) + _content_length(self._received[:end]):
            return
        self._sender.answered(self._received, time.perf_counter() - self._sent_at)
        self._received = b""
        if not self._sender.over:
            self._send()
        elif self._transport is not None:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._sender.lost()


class _Sender:
    """What the connections of one process share."""

    def __init__(self, template: str, seconds: float, numbers: int, first: int) -> None:
        head, found, tail = template.partition(NUMBER_PLACE)
        self._head, self._tail, self._numbered = head.encode(), tail.encode(), bool(found)
        self._numbers, self._number = numbers, first
        self._ends_at = time.perf_counter() + seconds
        self.times_ms: list[float] = []
        self.errors = 0

    @property
    def over(self) -> bool:
        return time.perf_counter() >= self._ends_at

    def next_request(self) -> bytes:
        if not self._numbered:
            return self._head
        number = random.randint(1, self._numbers) if self._numbers else self._number
        self._number += OWN_PROCESSES
        return b"%b%010d%b" % (self._head, number, self._tail)

    def answered(self, answer: bytes, seconds: float) -> None:
        self.times_ms.append(round(seconds * 1000, 3))
        self.errors += not answer.startswith(b"HTTP/1.1 200")

    def lost(self) -> None:
        self.errors += not self.over


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(_LENGTH) + len(_LENGTH)
    return int(lowered[start:].split(b"\r\n", 1)[0])


async def _run(url: str, template: str, seconds: int, connections: int, numbers: int, first: int) -> None:
    address = urlsplit(url)
    sender = _Sender(template, seconds, numbers, first)
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Client(sender), address.hostname or "", address.port or 80)
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - began
    json.dump({"times_ms": sender.times_ms, "seconds": elapsed, "errors": sender.errors}, sys.stdout)


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    for name in ("seconds", "connections", "numbers", "first"):
        parser.add_argument(name, type=int)
    given = parser.parse_args()
    # newline="": the template's line ends are HTTP's
    text = given.file.open(encoding="utf-8", newline="").read()
    uvloop.run(_run(given.url, text, given.seconds, given.connections, given.numbers, given.first))
