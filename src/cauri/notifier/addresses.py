"""Which addresses a notify_url may lead to: a gateway must not be made to call its own network.

Judged three times, each time what is then used: the URL as it is written, every address that its name resolves to, and once more the
address of each socket before it connects. A name resolves once for each connection, which goes to an address that was judged: what the
name says afterwards does not matter. **All** addresses of a name must be public. Leaving the private ones out would be as safe; but a
name that has both is an attack or a mistake, and its developer should read that, not have it work from here and fail from elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from cauri.notifier.faults import Fault, in_words
from cauri.notifier.names import SystemNames

HTTP_PORTS = frozenset({80, 443})
ANY_PORT = 0

# Prefixes whose last 32 bits are an IPv4 address that a translator would connect to (RFC 4291 2.5.5.1, RFC 6052).
_CARRIES_IPV4 = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
# The only IPv6 addresses of the public internet (RFC 4291 2.4); ``ipaddress`` takes some of the others for global.
_PUBLIC_IPV6 = IPv6Network("2000::/3")
# What ``ipaddress`` takes for global, in some versions or in all, and is not a shop's address: IETF assignments (Oracle's metadata are at
# 192.0.0.192), 6to4 relays, documentation, and the address at which Azure serves its machines.
_NO_SHOPS = tuple(
    ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "3fff::/20")
)


class ForbiddenAddress(OSError):
    """The host is, or resolves to, a private, loopback, link-local or otherwise not public address. Its text names the address."""


class ForbiddenUrl(ValueError):
    """A URL that is not called, whoever it leads to."""

    def __init__(self, fault: Fault, detail: object = "") -> None:
        super().__init__(in_words(fault, detail))
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Reach:
    """Where notifications may go: to private addresses or not, and to which ports beside 80 and 443 (0 among them: to any)."""

    private_allowed: bool
    ports: frozenset[int] = frozenset()

    def judged(self, text: str) -> URL:
        """The URL as it will be called, letter for letter: a shop may sign what it is called by.

        Raises ForbiddenUrl, ForbiddenAddress.
        """
        url = _read(text)
        port = url.port or 0
        if port not in HTTP_PORTS | self.ports and ANY_PORT not in self.ports:
            raise ForbiddenUrl(Fault.PORT, port)
        if not self.private_allowed:
            check_literal(url.raw_host or "")
        return url

    @property
    def connector_options(self) -> dict[str, Any]:
        """How aiohttp's connector is to resolve names and to make sockets."""
        if self.private_allowed:
            return {"resolver": SystemNames()}
        return {"resolver": PublicOnly(), "socket_factory": public_socket}


def _read(text: str) -> URL:
    if not text.isprintable() or " " in text:
        raise ForbiddenUrl(Fault.NOT_A_URL, "it holds a space or a control character")
    try:
        url = URL(text, encoded=text.isascii())
        host, _ = url.raw_host, url.port
    except ValueError as error:
        raise ForbiddenUrl(Fault.NOT_A_URL, error) from None
    if url.scheme not in ("http", "https"):
        raise ForbiddenUrl(Fault.NOT_HTTP)
    if not host:
        raise ForbiddenUrl(Fault.NOT_A_URL, "it names no host")
    if "@" in url.raw_authority:
        raise ForbiddenUrl(Fault.USER_IN_URL)
    return url


def check_address(text: str) -> None:
    """Raises ForbiddenAddress unless this is a public unicast address; an IPv4 address inside an IPv6 one is judged as itself."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        address = _carried(address)
    if not address.is_global or address.is_multicast or _outside(address):
        raise ForbiddenAddress(text)


def check_literal(host: str) -> None:
    """The same for a host written as an address, in any of the notations that the system's resolver takes (127.1, 0x7f000001).

    ``host`` is the one that the HTTP client will use: it writes full-width digits as plain ones.
    """
    host = host.removesuffix(".")
    try:
        check_address(socket.inet_ntoa(socket.inet_aton(host)))
    except ForbiddenAddress:
        raise
    except OSError:
        pass
    try:
        check_address(host.strip("[]"))
    except ForbiddenAddress:
        raise
    except ValueError:
        return


def _carried(address: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, itself where it stands for none."""
    if any(address in network for network in _CARRIES_IPV4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _outside(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return True
    return any(address in network for network in _NO_SHOPS)


class PublicOnly(AbstractResolver):
    """Resolves once and hands out only what was judged, so that the connection goes to the address that was judged.

    ``resolver``: who knows the names; the system where none is given.
    """

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver or SystemNames()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            check_address(each["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def public_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for one result of getaddrinfo, the last door before the connection. Raises ForbiddenAddress."""
    family, kind, protocol, _, target = address
    check_address(target[0])
    return socket.socket(family, kind, protocol)
