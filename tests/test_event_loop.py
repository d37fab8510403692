"""Connections that are reset close their own descriptor, once, and no other's."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cauri.event_loop import EventLoop
from tests.resets import reset

TLS: dict[str, Any] = {"ssl": ssl.create_default_context(), "server_hostname": "shop.example"}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def connected(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    ours = socket.create_connection(listener.getsockname())
    theirs, _ = listener.accept()
    return ours, theirs


def still_names(descriptor: int, inode: int) -> bool:
    try:
        return os.fstat(descriptor).st_ino == inode
    except OSError:
        return False


async def test_tests_run_on_the_loop_that_serves() -> None:
    assert isinstance(asyncio.get_running_loop(), EventLoop)


@pytest.mark.parametrize("options", [{}, TLS], ids=["plain", "TLS"])
async def test_a_connection_that_is_reset_as_it_begins_closes_nothing_else(
    listener: socket.socket, tmp_path: Path, options: dict[str, Any]
) -> None:
    ours, theirs = connected(listener)
    number = ours.fileno()
    line = os.fstat(number).st_ino
    reset(theirs)
    with suppress(OSError):
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours, **options)
        transport.abort()
    async with asyncio.timeout(10):
        while still_names(number, line):
            await asyncio.sleep(0)
    # The database, say, gets the number that was freed.
    held = [os.open(tmp_path, os.O_RDONLY) for _ in range(50)]
    del ours
    await asyncio.sleep(0.1)
    gc.collect()
    for descriptor in held:
        os.close(descriptor)  # raises where it was closed already


async def test_a_socket_that_is_given_is_empty_afterwards(listener: socket.socket) -> None:
    ours, theirs = connected(listener)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    assert ours.fileno() == -1
    transport.write(b"hello")
    await asyncio.sleep(0.05)
    assert theirs.recv(5) == b"hello"
    assert transport.get_extra_info("peername") == listener.getsockname()
    transport.close()
    await asyncio.sleep(0.05)
    assert theirs.recv(5) == b"", "and closed with the transport"
    theirs.close()


async def test_one_that_is_cancelled_as_it_begins_closes_nothing_else(listener: socket.socket) -> None:
    ours, theirs = connected(listener)
    opening = asyncio.ensure_future(
        asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours, **TLS)
    )
    await asyncio.sleep(0.05)
    opening.cancel()
    with suppress(asyncio.CancelledError):
        await opening
    await asyncio.sleep(0.05)
    assert ours.fileno() == -1
    while theirs.recv(4096):
        pass  # its hello, and then the end
    theirs.close()


async def test_a_socket_that_is_refused_stays_its_owners() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        with pytest.raises(ValueError, match="Stream"):
            await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        assert ours.fileno() != -1
