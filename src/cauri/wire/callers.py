"""Who is calling, and how often a key or an address may (contract section 8, "request limits"). Per process; 0 is no limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from math import ceil
from typing import Any

import structlog

from cauri.clock import SECOND, Clock
from cauri.domain.errors import TooManyRequests

log = structlog.get_logger("cauri.wire")

# Past this many the longest unseen is forgotten: a flood of addresses costs memory only so far.
REMEMBERED_MAX = 10_000

_IPV6_CUSTOMER_BITS = 64  # one customer has a whole /64, and may use any address of it


class Buckets:
    """A token bucket for each name: ``amount`` at once, refilled evenly over ``per_s`` seconds."""

    def __init__(self, clock: Clock, amount: int, per_s: int) -> None:
        self._clock = clock
        self._amount = float(amount)
        self._refill = amount / (per_s * SECOND)  # tokens a millisecond
        self._left: dict[str, tuple[float, int]] = {}

    def take(self, name: str) -> None:
        """Takes one token. Raises TooManyRequests where none is left; then nothing is taken."""
        if not self._amount:
            return
        now = self._clock.now()
        tokens = self._tokens(name, now)
        if tokens < 1:
            raise self._refused(tokens)
        self._left.pop(name, None)
        self._left[name] = (tokens - 1, now)
        if len(self._left) > REMEMBERED_MAX:
            del self._left[next(iter(self._left))]

    def check(self, name: str) -> None:
        """Raises TooManyRequests where no token is left; takes none."""
        if name in self._left:
            tokens = self._tokens(name, self._clock.now())
            if tokens < 1:
                raise self._refused(tokens)

    @property
    def untouched(self) -> bool:
        """Whether nobody has taken anything yet, so that nobody's name need be found out."""
        return not self._left

    def _tokens(self, name: str, now: int) -> float:
        left = self._left.get(name)
        if left is None:
            return self._amount
        elapsed = max(0, now - left[1])  # the machine's clock may be set back
        return min(self._amount, left[0] + elapsed * self._refill)

    def _refused(self, tokens: float) -> TooManyRequests:
        return TooManyRequests(max(1, ceil((1 - tokens) / self._refill / SECOND)))


class Addresses:
    """Who is calling, seen through the proxies that may say so."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        """``trusted_proxies``: addresses or networks (``10.0.0.0/8``). Raises ValueError for anything else."""
        self._trusted: list[IPv4Network | IPv6Network] = [
            ip_network(text, strict=False) for text in trusted_proxies
        ]
        self._warned = False

    def of(self, scope: Mapping[str, Any]) -> str:
        """The caller's address (an IPv6 caller's /64). X-Forwarded-For counts only as far as trusted proxies wrote it."""
        client = scope.get("client")
        address = _parsed(client[0]) if client else None
        if address is None or not self._trusts(address):
            self._warn_of_proxy(address, scope)
            return _name(address)
        for hop in reversed(_forwarded_for(scope)):
            named = _parsed(hop)
            if named is None:
                break
            address = named
            if not self._trusts(address):
                break
        return _name(address)

    def _warn_of_proxy(self, address: IPv4Address | IPv6Address | None, scope: Mapping[str, Any]) -> None:
        """A proxy that nobody named makes all its callers one caller, who soon meets every limit: said once."""
        if self._warned or address is None or address.is_global or not _forwarded_for(scope):
            return
        self._warned = True
        log.warning(
            "proxy_not_trusted", alert=True, address=str(address), remedy="name it in trusted_proxies"
        )

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _forwarded_for(scope: Mapping[str, Any]) -> list[str]:
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(lines).split(",") if hop.strip()]


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def _name(address: IPv4Address | IPv6Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_CUSTOMER_BITS), strict=False))
    return "unknown" if address is None else str(address)
