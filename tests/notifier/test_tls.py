"""Whoever takes notifications over https proves who it is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cauri.clock import Clock
from cauri.notifier.sender import Sender, Sent
from cauri.wire.notification import Message
from tests.notifier.certificates import DAY, NOW, Authority
from tests.notifier.receiver import Receiver, http

MESSAGE = Message("text/plain", b"hello", {"x-token": "00"})

Served = Callable[[ssl.SSLContext | None], Awaitable[Receiver]]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trusted as the system's own authorities are."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    return authority


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with AsyncExitStack() as stack:

        async def serve(tls: ssl.SSLContext | None) -> Receiver:
            receiver = Receiver()
            await receiver.start(tls)
            stack.push_async_callback(receiver.stop)
            return receiver

        yield serve


async def _posted(url: str) -> Sent:
    sender = Sender(Clock(), private_allowed=True, ports=(0,), timeout_s=5)
    sent = await sender.post(url, MESSAGE)
    await sender.close()
    return sent


async def test_a_certificate_of_a_trusted_authority_is_accepted(authority: Authority, served: Served) -> None:
    receiver = await served(authority.server())
    assert (await _posted(f"{receiver.url}/tls")).delivered
    assert receiver.posts["/tls"][0].body == b"hello"


@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ({"self_signed": True}, "it is self-signed"),
        ({"since": NOW - 3 * DAY, "until": NOW - DAY}, "it has expired"),
        ({"since": NOW + DAY, "until": NOW + 3 * DAY}, "it is not valid yet"),
        ({"names": ("other.example",)}, "it is for another name"),
    ],
)
async def test_any_other_certificate_is_refused_and_the_reason_told(
    authority: Authority, served: Served, certificate: dict[str, object], why: str
) -> None:
    receiver = await served(authority.server(**certificate))  # type: ignore[arg-type]
    sent = await _posted(f"{receiver.url}/tls")
    assert sent.status is None
    assert (sent.error or "").startswith(f"the TLS certificate is not accepted: {why}")
    assert not receiver.posts["/tls"]


async def test_an_authority_that_nobody_knows_is_refused(
    authority: Authority, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = await served(authority.server())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "elsewhere").trusted))
    sent = await _posted(f"{receiver.url}/tls")
    assert "its issuer is not known here: serve the whole chain" in (sent.error or "")


async def test_a_port_that_speaks_plain_http_is_not_called_over_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(http(400, b"speak HTTP"))
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    sent = await _posted(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/tls")
    server.close()
    assert (sent.error or "").startswith("no TLS connection ("), sent.error
