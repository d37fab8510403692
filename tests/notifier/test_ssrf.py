"""A notify_url is written by a stranger: whatever it says, the gateway calls nobody in its own network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from cauri.clock import Clock
from cauri.notifier import addresses
from cauri.notifier.addresses import ForbiddenAddress, PublicOnly, check_address, public_socket
from cauri.notifier.sender import Sender, Sent
from cauri.wire.notification import Message
from tests.notifier.receiver import Answer, Receiver, http

MESSAGE = Message("text/plain", b"hello", {"x-token": "00"})
PUBLIC = "93.184.215.14"


@pytest.fixture
async def guarded() -> AsyncIterator[Sender]:
    """As in production, but for the ports: the receiver has whichever was free."""
    sender = Sender(Clock(), private_allowed=False, ports=(0,), timeout_s=2)
    yield sender
    await sender.close()


PRIVATE_HOSTS = [
    # this machine, in every notation that a resolver takes
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "0177.0.0.1",
    "017700000001", "0", "0.0.0.0", "00.0", "127.0.0.1.", "127.1.", "localhost", "LocalHost",
    # written to look like something else
    "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "ｌｏｃａｌｈｏｓｔ", "ⓛocalhost", "127.0.0.１",
    # private, shared, link-local, documentation, benchmarks, multicast, reserved, broadcast
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "192.0.0.8", "192.88.99.1",
    # the clouds' metadata
    "192.0.0.192", "[::ffff:192.0.0.192]", "[64:ff9b::c000:c0]", "[2002:c000:c0::1]", "168.63.129.16", "169.254.169.254", "0xa9fea9fe", "2852039166", "[fd00:ec2::254]", "[fe80::a9fe:a9fe]", "[::ffff:169.254.169.254]",
    # IPv6
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fe80::1%25lo]", "[::1%25lo]", "[fec0::1]",
    "[ff02::1]", "[2001:db8::1]", "[100::1]", "[5f00::1]", "[4000::1]", "[3fff::1]",
    # IPv4 inside IPv6: mapped, compatible, NAT64, 6to4, Teredo
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:10.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a00:1::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
]  # fmt: skip


# Some systems know a name for these, others none: called they are in neither case.
NAMES_OR_NOTHING = (
    "localhost.",
    "127%2e0%2e0%2e1",
    "127.0.0.1%2f.shop.example",
    "127.0.0.1.nowhere.invalid",
    "%31%32%37.0.0.1",
)


@pytest.mark.parametrize("host", [*PRIVATE_HOSTS, *NAMES_OR_NOTHING])
async def test_no_notation_of_a_private_address_is_called(
    guarded: Sender, receiver: Receiver, host: str
) -> None:
    port = receiver.url.rpartition(":")[2]
    path = f"/inside/{host}".encode("ascii", "replace").decode().replace("?", "-")
    sent = await guarded.post(f"http://{host}:{port}{path}", MESSAGE)
    assert sent.status is None
    nowhere = ("that its DNS record is published",) if host in NAMES_OR_NOTHING else ()
    assert (sent.error or "").endswith(("is not a public address", *nowhere)), sent.error
    assert not receiver.posts[path]


TRICKS = [
    ("http://user:password@127.0.0.1:{port}/", "no user name"),
    ("http://93.184.215.14@127.0.0.1:{port}/", "no user name"),
    ("http://shop.example:443@127.0.0.1:{port}/", "no user name"),
    ("http://@127.0.0.1:{port}/", "no user name"),
    ("http://127.0.0.1:{port}#@shop.example/", "not a public address"),
    ("http://127.0.0.1:{port}?@shop.example/", "not a public address"),
    ("http://127.0.0.1:{port}\\@shop.example/", "no address that can be called"),
    ("http://1.1.1.1 &@127.0.0.1:{port}# @3.3.3.3/", "a space"),
    ("http://127.0.0.1:{port}/\r\nHost: inside\r\n\r\nGET /admin", "a space or a control character"),
    ("http://127.0.0.1:{port}/%0d%0aX: y\n", "a space or a control character"),
    ("http://127.0.0.1\t:{port}/", "a space or a control character"),
    ("http://127.0.0.1\0.shop.example/", "a space or a control character"),
    ("http://127.0.0.1\u202e:{port}/", "a space or a control character"),
    ("file:///etc/passwd", "https:// or http://"),
    ("gopher://127.0.0.1:{port}/_x", "https:// or http://"),
    ("ftp://127.0.0.1:{port}/", "https:// or http://"),
    ("unix:///run/docker.sock", "https:// or http://"),
    ("//127.0.0.1:{port}/", "https:// or http://"),
    ("http:/127.0.0.1:{port}/", "names no host"),
    ("http://", "names no host"),
    ("http://:{port}/", "names no host"),
    ("http://[::1", "no address that can be called"),
    ("http://127.0.0.1:99999/", "no address that can be called"),
    ("", "https:// or http://"),
]  # fmt: skip


@pytest.mark.parametrize("private_allowed", [False, True])
@pytest.mark.parametrize(("url", "why"), TRICKS)
async def test_a_url_made_to_deceive_is_refused(
    receiver: Receiver, url: str, why: str, private_allowed: bool
) -> None:
    if private_allowed and why.startswith("not a public"):
        return  # it leads where it says; that is refused only where private addresses are
    before = sum(map(len, receiver.posts.values()))
    sender = Sender(Clock(), private_allowed=private_allowed, ports=(0,), timeout_s=2)
    sent = await sender.post(url.format(port=receiver.url.rpartition(":")[2]), MESSAGE)
    await sender.close()
    assert sent.status is None
    assert why in (sent.error or "")
    assert sum(map(len, receiver.posts.values())) == before


@pytest.mark.parametrize("port", [0, 1, 22, 25, 2375, 5432, 6379, 8080, 9200, 11211, 65535])
async def test_other_ports_than_the_webs_are_refused_before_anything_is_looked_up(port: int) -> None:
    sender = Sender(Clock(), private_allowed=False, ports=())
    sent = await sender.post(f"http://shop.example:{port}/", MESSAGE)
    await sender.close()
    assert (sent.error or "").startswith(f"refused: port {port} is not open")


@pytest.mark.parametrize("ports", [(), (8443,), (0,)])
async def test_a_port_is_open_when_the_setting_names_it_and_zero_opens_all(
    receiver: Receiver, ports: tuple[int, ...]
) -> None:
    own = int(receiver.url.rpartition(":")[2])
    for allowed, heard in ((ports, 0 in ports), ((*ports, own), True)):
        sender = Sender(Clock(), private_allowed=True, ports=allowed)
        sent = await sender.post(f"{receiver.url}/ports", MESSAGE)
        await sender.close()
        assert sent.delivered == heard


class Names(AbstractResolver):
    """A name server of a test's own: each question about a name gets the next of its answers; the last one stands."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers, self.asked = answers, 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        left = self.answers[host.split(".", maxsplit=1)[0]]
        now = left.pop(0) if len(left) > 1 else left[0]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for each in now
        ]

    async def close(self) -> None:
        pass


OF_THIS_TEST: ContextVar[Internet | None] = ContextVar("OF_THIS_TEST", default=None)


class Internet:
    """The wire between us and the world: it notes where a test's connections go, and lets PUBLIC end at the receiver."""

    def __init__(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        self.called: list[str] = []
        OF_THIS_TEST.set(self)
        self._port = int(receiver.url.rpartition(":")[2])
        loop = asyncio.get_running_loop()
        self._connect = loop.sock_connect
        monkeypatch.setattr(loop, "sock_connect", self.connect)

    async def connect(self, sock: socket.socket, address: Any) -> None:
        """The loop is every test's: what other tests left running on it is let through unnoted."""
        if OF_THIS_TEST.get() is self:
            self.called.append(address[0])
        await self._connect(sock, ("127.0.0.1", self._port) if address[0] == PUBLIC else address)


async def _posted(names: Names, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> list[Sent]:
    """So many POSTs to one name, each with a connection and a question of its own."""
    monkeypatch.setattr(addresses, "PublicOnly", lambda: PublicOnly(names))
    sent = []
    for _ in range(times):
        sender = Sender(Clock(), private_allowed=False, ports=(), timeout_s=2)
        sent.append(await sender.post("http://shop.example/rebind", MESSAGE))
        await sender.close()
    return sent


async def test_the_connection_goes_to_the_address_that_was_judged_whatever_the_name_says_next(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet = Internet(receiver, monkeypatch)
    names = Names(shop=[[PUBLIC], ["127.0.0.1"]])
    first, second = await _posted(names, monkeypatch, times=2)
    assert first.delivered
    assert [post.headers["host"] for post in receiver.posts["/rebind"]] == ["shop.example"]
    assert second.error == "refused: 127.0.0.1 is not a public address"
    assert (names.asked, internet.called) == (2, [PUBLIC])


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1", PUBLIC], [PUBLIC, "fe80::1%2"], ["::ffff:10.0.0.1"]],
)
async def test_a_name_must_have_public_addresses_only(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    internet = Internet(receiver, monkeypatch)
    [sent] = await _posted(Names(shop=[found]), monkeypatch)
    assert (sent.error or "").endswith("is not a public address")
    assert internet.called == []


async def test_the_last_door_stands_though_the_resolver_were_passed_by() -> None:
    target = ("127.0.0.1", 80)
    with pytest.raises(ForbiddenAddress):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", target))
    opened = public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 80)))
    opened.close()


@pytest.mark.parametrize(
    "address",
    [
        PUBLIC,
        "1.1.1.1",
        "41.207.160.1",
        "2606:4700::1111",
        "64:ff9b::101:101",
        "::ffff:1.1.1.1",
        "2002:101:101::",
    ],
)
def test_public_addresses_are_open(address: str) -> None:
    check_address(address)


async def test_no_redirect_is_followed_least_of_all_inside(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet = Internet(receiver, monkeypatch)
    where = f"Location: {receiver.url}/metadata"
    receiver.answers["/rebind"].append(Answer(http(307, b"", where)))
    [sent] = await _posted(Names(shop=[[PUBLIC]]), monkeypatch)
    assert (sent.status, sent.error) == (
        307,
        "redirects are not followed: give the final address as notify_url",
    )
    assert internet.called == [PUBLIC]
    assert not receiver.posts["/metadata"]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
async def test_no_proxy_of_the_environment_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, receiver.url)
    sender = Sender(Clock(), private_allowed=False, ports=(0,), timeout_s=2)
    sent = await sender.post("http://127.0.0.1:9/proxied", MESSAGE)
    await sender.close()
    assert sent.error == "refused: 127.0.0.1 is not a public address"
    assert not [path for path in receiver.posts if "proxied" in path]
