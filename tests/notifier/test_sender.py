"""One POST: what shops may answer, how long they may take, and where a notify_url may not lead."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cauri.clock import Clock
from cauri.notifier.sender import ANSWER_BYTES_MAX, TIMEOUT_S, Sender, Sent
from cauri.wire.notification import Message
from tests.notifier.receiver import Answer, Receiver, http

MESSAGE = Message("text/plain", b"hello", {"x-token": "00"})


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender(Clock(), private_allowed=True, ports=(0,), timeout_s=0.3)
    yield sender
    await sender.close()


async def answered(sender: Sender, receiver: Receiver, path: str, answer: Answer) -> Sent:
    receiver.answers[path].append(answer)
    return await sender.post(receiver.url + path, MESSAGE)


_BOMB = gzip.compress(b"\0" * 20_000_000)


@pytest.mark.parametrize(
    ("raw", "status", "answer"),
    [
        (http(200, b"OK"), 200, "OK"),
        (http(200, b"x" * 2_000_000), 200, "x" * ANSWER_BYTES_MAX),
        (http(200, b"a\0b\xff"), 200, "a\ufffdb\ufffd"),
        (http(200, b"\xff\xfe", "Content-Type: text/html; charset=klingon"), 200, "\ufffd\ufffd"),
        (http(200, b"plain", "Content-Encoding: br"), 200, "plain"),
        (http(200, b"not packed", "Content-Encoding: gzip"), 200, "not packed"),
        (http(200, b"", "Set-Cookie: \xff;;;="), 200, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + http(200), 200, ""),
        (http(999), 999, ""),
        (b"", None, ""),
        (b"\0\1nonsense\r\n\r\n", None, ""),
        (b"HTTP/9.9 200 OK\r\n\r\n", None, ""),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", None, ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", None, ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", None, ""),
    ],
    ids=[
        "short", "huge", "not text", "unknown charset", "packed unasked", "badly packed", "odd cookie", "continue",
        "odd status", "hangs up", "nonsense", "odd version", "long header", "bad length", "bad chunk",
    ],
)  # fmt: skip
async def test_whatever_a_shop_answers_is_told_and_nothing_is_raised(
    sender: Sender, receiver: Receiver, raw: bytes, status: int | None, answer: str
) -> None:
    sent = await answered(sender, receiver, "/answers", Answer(raw))
    assert sent.status == status
    assert sent.answer == answer
    assert sent.delivered == (status == 200)
    assert (sent.error is None) == sent.delivered


async def test_a_packed_answer_is_never_unpacked(sender: Sender, receiver: Receiver) -> None:
    sent = await answered(sender, receiver, "/bomb", Answer(http(200, _BOMB, "Content-Encoding: gzip")))
    assert sent.delivered
    assert receiver.posts["/bomb"][-1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"", keeps=True),
        Answer(b"HTTP/1.1 200 OK\r\nX-Slow: ", keeps=True),
        Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", keeps=True),
    ],
    ids=["no answer", "half a head", "no body"],
)
async def test_the_whole_answer_must_come_in_time(sender: Sender, receiver: Receiver, answer: Answer) -> None:
    sent = await answered(sender, receiver, "/slow", answer)
    assert (sent.status, sent.error) == (None, "no answer within 0.3 s: answer first, work after")
    assert 250 <= sent.duration_ms < 5_000


async def test_who_cannot_be_reached_is_told_from_who_does_not_answer(sender: Sender) -> None:
    """A host whose queue of connections is full drops ours, as a firewall does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as waiting:
        waiting.setblocking(False)
        waiting.connect_ex(full.getsockname())
        sent = await sender.post(f"http://127.0.0.1:{full.getsockname()[1]}/", MESSAGE)
    assert sent.error == "no connection within 0.3 s: is the address right, does a firewall drop us?"


@pytest.mark.parametrize(
    "raw",
    [
        b"\0\1nonsense\r\n\r\n",
        b"HTTP/1.1 \xff\xfe\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n" * 1_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000,
        b"",
    ],
)
async def test_what_went_wrong_is_told_without_the_secrets_of_the_address(
    sender: Sender, receiver: Receiver, raw: bytes
) -> None:
    receiver.answers["/n?key=s3cret"].append(Answer(raw))
    sent = await sender.post(receiver.url + "/n?key=s3cret", MESSAGE)
    assert sent.error is not None
    assert sent.error.isprintable()
    assert "s3cret" not in sent.error


FLOODS = [
    pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000, id="100 Continue"),
    pytest.param(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1_000, id="103 Early Hints"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 50_000, id="a chunk's extension"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000, id="one-byte chunks"),
]  # fmt: skip


@pytest.mark.parametrize(("head", "forever"), FLOODS)
async def test_an_answer_without_an_end_is_cut_off_long_before_its_time_is_up(
    head: bytes, forever: bytes
) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(forever)
                await writer.drain()
        writer.close()

    sender = Sender(Clock(), private_allowed=True, ports=(0,), timeout_s=30)
    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with asyncio.timeout(15):
            sent = await sender.post(url, MESSAGE)
        await sender.close()
    assert sent.status is None


async def test_each_answer_on_a_connection_that_is_kept_has_its_own_measure(receiver: Receiver) -> None:
    sender = Sender(Clock(), private_allowed=True, ports=(0,))
    for _ in range(6):
        sent = await answered(sender, receiver, "/long", Answer(http(200, b"x" * 250_000)))
        assert sent.delivered
    await sender.close()


def test_a_shop_has_ten_seconds_unless_told_otherwise() -> None:
    assert TIMEOUT_S == 10
    assert Sender.__init__.__kwdefaults__ == {"timeout_s": TIMEOUT_S}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "http://[::1",
        "http://:1/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://x\ty/",
        "/a",
    ],
)
async def test_an_address_that_is_none_is_a_failed_try(sender: Sender, url: str) -> None:
    sent = await sender.post(url, MESSAGE)
    assert (sent.status, bool(sent.error)) == (None, True)


async def test_the_allowed_private_address_is_called(sender: Sender, receiver: Receiver) -> None:
    sent = await answered(sender, receiver, "/allowed", Answer(http()))
    assert sent.delivered
    [post] = receiver.posts["/allowed"]
    assert (post.body, post.headers["x-token"]) == (b"hello", "00")


async def test_many_posts_go_side_by_side(receiver: Receiver) -> None:
    sender, let_go = Sender(Clock(), private_allowed=True, ports=(0,)), asyncio.Event()
    receiver.answers["/many"].extend(Answer(http(), when=let_go) for _ in range(50))
    posts = asyncio.gather(*(sender.post(f"{receiver.url}/many", MESSAGE) for _ in range(50)))
    await receiver.heard("/many", 50)
    let_go.set()
    assert all(sent.delivered for sent in await posts)
    await sender.close()


async def test_names_that_nobody_answers_for_keep_no_other_name_waiting(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither another shop's nor an operator's, which is asked for in the loop's own threads."""
    silent, asked, look_up = threading.Event(), threading.Semaphore(0), socket.getaddrinfo

    def system(host: Any, *args: Any, **named: Any) -> Any:
        if str(host).endswith(".dead.example"):
            asked.release()
            silent.wait(20)
        return look_up(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", system)
    sender = Sender(Clock(), private_allowed=True, ports=(0,), timeout_s=3)
    dead = [asyncio.create_task(sender.post(f"http://{n}.dead.example/", MESSAGE)) for n in range(60)]
    try:
        await asyncio.to_thread(asked.acquire, timeout=2)
        port = receiver.url.rpartition(":")[2]
        healthy = await asyncio.wait_for(sender.post(f"http://localhost:{port}/alive", MESSAGE), 2)
        assert healthy.delivered, healthy.error
        assert await asyncio.wait_for(asyncio.get_running_loop().getaddrinfo("localhost", 80), 2)
    finally:
        silent.set()
        await asyncio.gather(*dead)
        await sender.close()
