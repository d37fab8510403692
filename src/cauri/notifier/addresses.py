"""Which addresses a notify_url may lead to: a gateway must not be made to call its own network."""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

# Prefixes whose last 32 bits are an IPv4 address that a translator would connect to (RFC 4291 2.5.5.1, RFC 6052).
_CARRIES_IPV4 = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
# Local whatever follows: translators' own prefix (RFC 8215) and the old site-local one, which ``ipaddress`` takes for global.
_LOCAL = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"))


class ForbiddenAddress(OSError):
    """The host is, or resolves to, a private, loopback, link-local or otherwise not public address."""


def check_address(text: str) -> None:
    """Raises ForbiddenAddress unless this is a public unicast address; an IPv4 address inside an IPv6 one is judged as itself."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        address = _carried(address)
    if not address.is_global or address.is_multicast or _is_local(address):
        raise ForbiddenAddress(f"{text} is not a public address")


def check_literal(host: str) -> None:
    """The same for a host written as an address, in any of the notations that the system's resolver takes (127.1, 0x7f000001).

    ``host`` is the one that the HTTP client will use: it writes full-width digits as plain ones.
    """
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


def _is_local(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv6Address) and any(address in network for network in _LOCAL)


class PublicOnly(AbstractResolver):
    """Resolves once and hands out only what was checked, so that the connection goes to the address that was judged."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            check_address(each["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def resolver_options(*, private_allowed: bool) -> dict[str, Any]:
    """How aiohttp's connector is to resolve names."""
    return {} if private_allowed else {"resolver": PublicOnly()}
