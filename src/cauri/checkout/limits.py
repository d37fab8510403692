"""How many forms one address may send in a minute, and which address a request comes from."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

from cauri.clock import MINUTE, SECOND, Clock

_ADDRESSES_MAX = 100_000


class PostLimit:
    """Counts per address and minute, in this process. ``per_minute`` 0 counts nothing."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}

    def retry_after_s(self, address: str) -> int | None:
        """Counts one form. None while it is within the limit, else the seconds until the next minute."""
        if self._per_minute <= 0:
            return None
        now = self._clock.now()
        # Forgetting everything is better than remembering every address of a flood.
        if now // MINUTE != self._minute or len(self._counts) >= _ADDRESSES_MAX:
            self._minute, self._counts = now // MINUTE, {}
        count = self._counts.get(address, 0) + 1
        self._counts[address] = count
        if count <= self._per_minute:
            return None
        return max(1, (MINUTE - now % MINUTE) // SECOND)


class Addresses:
    """Reads the client's address. ``trusted_proxies``: addresses or networks that may set X-Forwarded-For."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted: list[IPv4Network | IPv6Network] = [
            ip_network(one, strict=False) for one in trusted_proxies
        ]

    def of(self, connection: HTTPConnection) -> str:
        """The nearest address that is no proxy of ours: whatever stands further left was written by the client."""
        address = connection.client.host if connection.client else ""
        hops = [
            hop.strip() for line in connection.headers.getlist("x-forwarded-for") for hop in line.split(",")
        ]
        while hops and self._trusts(address):
            address = hops.pop()
        return address

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)
