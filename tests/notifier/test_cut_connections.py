"""Connections that are cut at any point cost their shop a delivery, and nobody else anything."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cauri.clock import Clock
from cauri.notifier.sender import Sender
from cauri.wire.notification import Message
from tests.notifier.certificates import Authority
from tests.notifier.receiver import http
from tests.resets import reset

MESSAGE = Message("text/plain", b"hello", {"x-token": "00"})


def cut_at_its_hello(line: socket.socket, _: ssl.SSLContext) -> None:
    line.recv(1)
    reset(line)


def nonsense_for_a_hello(line: socket.socket, _: ssl.SSLContext) -> None:
    line.recv(4096)
    line.sendall(bytes(300))
    reset(line)


def answered(raw: bytes) -> Callable[[socket.socket, ssl.SSLContext], None]:
    def answer(line: socket.socket, tls: ssl.SSLContext) -> None:
        with tls.wrap_socket(line, server_side=True) as safe:
            safe.recv(4096)
            safe.sendall(raw)
            reset(safe)

    return answer


def rightly_answered(line: socket.socket, tls: ssl.SSLContext) -> None:
    with tls.wrap_socket(line, server_side=True) as safe:
        safe.recv(4096)
        safe.sendall(http(200))


WAYS: tuple[Callable[[socket.socket, ssl.SSLContext], None], ...] = (
    lambda line, _: reset(line),
    lambda line, _: line.close(),
    cut_at_its_hello,
    nonsense_for_a_hello,
    lambda line, tls: reset(tls.wrap_socket(line, server_side=True)),
    answered(b""),
    answered(http(200, b"x" * 500)[:-400]),
    answered(http(200)),
    rightly_answered,
)


@pytest.fixture
def cutting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https address that cuts its connections in each of the ways in turn."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    tls, ways = authority.server(), itertools.cycle(WAYS)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def cut(line: socket.socket, way: Callable[[socket.socket, ssl.SSLContext], None]) -> None:
        with suppress(OSError), line:
            way(line, tls)

    def cut_each() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=cut, args=(listener.accept()[0], next(ways)), daemon=True).start()

    threading.Thread(target=cut_each, daemon=True).start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}/notify"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


async def test_what_is_opened_meanwhile_stays_open(cutting: str) -> None:
    """Files here; in a gateway, other shops' connections and the database's. On uvloop's own loop the process may end."""
    sender = Sender(Clock(), private_allowed=True, ports=(0,), timeout_s=5)
    delivered = 0
    for _ in range(12):
        posting = [asyncio.ensure_future(sender.post(cutting, MESSAGE)) for _ in range(40)]
        opened: list[int] = []
        while not all(each.done() for each in posting):
            if len(opened) < 200:
                opened += [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]
            await asyncio.sleep(0.001)
        delivered += sum(each.result().delivered for each in posting)
        for descriptor in opened:
            os.close(descriptor)  # raises where it was closed already
    await sender.close()
    assert 0 < delivered < 12 * 40
