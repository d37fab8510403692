"""``Upgrade: h2c`` is ignored and the body still read, however it arrives (contract section 1, "headers")."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cauri.api import h2c

from .conftest import Merchant, serving

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n"


def request(body: bytes, extra: bytes = OFFER, path: bytes = b"/echo?a=b") -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: x\r\n%sX-After: yes\r\nContent-Length: %d\r\n\r\n%s" % (
        path,
        extra,
        len(body),
        body,
    )


def chunked(body: bytes) -> bytes:
    pieces = b"".join(
        b"%x\r\n%s\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7)
    )
    return (
        b"POST /echo HTTP/1.1\r\nHost: x\r\n"
        + OFFER
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + pieces
        + b"0\r\n\r\n"
    )


@pytest.mark.parametrize("many", [1, 9_000], ids=["one endless header", "many short headers"])
async def test_a_head_larger_than_64_kib_is_refused_and_its_connection_closed(many: int) -> None:
    async with serving(echo) as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n")
        line = b"X-A: 12345\r\n" if many > 1 else b"X-A: " + b"a" * 100_000
        writer.write(line * many)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_a_caller_that_does_not_finish_its_request_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h2c, "REQUEST_WITHIN_S", 0.1)
    async with serving(echo) as url:
        host, port = url.removeprefix("http://").split(":")
        for begun in (
            b"",
            b"POST / HTTP/1.1\r\nHost",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
        ):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(begun)
            assert await reader.read() == b""
            writer.close()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what the application saw."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    names = sorted(name.decode() for name, _ in scope["headers"])
    seen = json.dumps([scope["path"], scope["query_string"].decode(), names, body.decode()]).encode()
    headers = [(b"content-length", str(len(seen)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": seen})


async def spoken(url: str, *segments: bytes, answers: int = 1) -> list[list[Any]]:
    """What the application saw of requests that were sent in these segments over one connection."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for segment in segments:
        writer.write(segment)
        await writer.drain()
        await asyncio.sleep(0)  # gives the server its turn, so that segments do arrive one by one
    seen = []
    for _ in range(answers):
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        seen.append(json.loads(await reader.readexactly(length)))
    writer.close()
    return seen


async def test_the_body_is_read_and_the_offer_is_gone() -> None:
    async with serving(echo) as url:
        (seen,) = await spoken(url, request(b"hello"))
    assert seen == ["/echo", "a=b", ["connection", "content-length", "host", "x-after"], "hello"]


async def test_a_request_without_an_offer_is_untouched() -> None:
    async with serving(echo) as url:
        (seen,) = await spoken(url, request(b"hello", extra=b"X-Before: h2c\r\n"))
    assert seen == ["/echo", "a=b", ["content-length", "host", "x-after", "x-before"], "hello"]


async def test_it_may_be_split_anywhere() -> None:
    whole = request(b"hello")
    async with serving(echo) as url:
        for cut in range(1, len(whole)):
            (seen,) = await spoken(url, whole[:cut], whole[cut:])
            assert seen[3] == "hello", cut
        (seen,) = await spoken(url, *(whole[i : i + 1] for i in range(len(whole))))
    assert seen[3] == "hello"


async def test_a_chunked_body_is_read() -> None:
    async with serving(echo) as url:
        (seen,) = await spoken(url, chunked(b"hello, hello, hello"))
    assert seen[3] == "hello, hello, hello"


async def test_pipelined_requests_are_all_answered_in_order() -> None:
    requests = [
        request(b"one"),
        request(b"two", extra=b""),
        chunked(b"three"),
        request(b"four"),
        request(b"", extra=b""),
    ]
    async with serving(echo) as url:
        for segments in ([b"".join(requests)], requests):
            seen = await spoken(url, *segments, answers=5)
            assert [one[3] for one in seen] == ["one", "two", "three", "four", ""]


async def test_a_body_that_speaks_of_h2c_is_not_changed() -> None:
    body = b"POST / HTTP/1.1\r\n" + OFFER + b"\r\n"
    async with serving(echo) as url:
        for extra in (OFFER, b""):
            (seen,) = await spoken(url, request(body, extra=extra))
            assert seen[3] == body.decode()


async def test_a_connection_lives_on_after_the_offer() -> None:
    async with serving(echo) as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for body in (b"one", b"two", b"three"):
            writer.write(request(body))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"200 OK" in head
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            assert json.loads(await reader.readexactly(length))[3] == body.decode()
        writer.close()


async def test_any_case_and_a_get_without_body() -> None:
    offer = b"connection: upgrade\r\nUPGRADE: H2C\r\n"
    async with serving(echo) as url:
        (seen,) = await spoken(url, b"GET /echo HTTP/1.1\r\nHost: x\r\n" + offer + b"\r\n")
    assert seen == ["/echo", "", ["connection", "host"], ""]


async def test_nonsense_gets_a_400() -> None:
    async with serving(echo) as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()


JAVA = """
import java.net.URI;
import java.net.http.*;

public class Upgrade {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int i = 0; i < 3; i++) {
            HttpRequest request = HttpRequest.newBuilder().uri(new URI(args[0])).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(args[1])).build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
        }
    }
}
"""


@pytest.mark.samples
@pytest.mark.skipif(shutil.which("java") is None, reason="no java here")
async def test_javas_own_client_is_understood(gateway: Any, merchant: Merchant, tmp_path: Path) -> None:
    source = tmp_path / "Upgrade.java"
    source.write_text(JAVA)
    transaction_id, _ = await merchant.opened()
    fields = {"apikey": merchant.apikey, "site_id": merchant.site_id, "transaction_id": transaction_id}
    java = await asyncio.create_subprocess_exec(
        "java",
        str(source),
        f"{gateway.url}/v2/payment/check",
        json.dumps(fields),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await java.communicate()
    assert [json.loads(line)["code"] for line in output.splitlines()] == ["662"] * 3
