"""Who is at the admin doors: the bearer token of a request. Tokens are known by their SHA-256 only."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import structlog

from cauri.api.admin.refusals import UNAUTHORIZED, Refusal
from cauri.api.asgi import Scope
from cauri.clock import MINUTE, SECOND, Clock
from cauri.domain.admin import AdminToken
from cauri.wire.callers import Addresses, Buckets

if TYPE_CHECKING:
    from cauri.store import AdminRecords

log = structlog.get_logger("cauri.admin")

# A token revoked is refused everywhere this soon.
FRESH_FOR = 2 * SECOND
REMEMBERED_MAX = 1_000
TOKEN_MAX = 200


class Unauthorized(Refusal):
    """The same words whether the token is missing, unknown, expired or revoked. ``label`` is for the record only."""

    def __init__(self, label: str = "") -> None:
        super().__init__(
            UNAUTHORIZED,
            "the admin token is missing, unknown, expired or revoked: send 'Authorization: Bearer TOKEN'; "
            "'cauri admin token add' makes one",
            headers=((b"www-authenticate", b'Bearer realm="cauri admin"'),),
        )
        self.label = label


class TokenRing:
    """The tokens lately used in this process, each read again when it is older than FRESH_FOR."""

    def __init__(self, records: AdminRecords, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._known: dict[str, tuple[AdminToken, int]] = {}

    async def find(self, presented: str) -> AdminToken | None:
        """Also one that is expired or revoked. Looked up by its hash: the time that takes says nothing of a guess."""
        token_hash = sha256(presented.encode()).hexdigest()
        now = self._clock.now()
        known = self._known.get(token_hash)
        if known is not None and 0 <= now - known[1] < FRESH_FOR:
            return known[0]
        self._known.pop(token_hash, None)
        token = await self._records.token(token_hash)
        if token is None:
            return None
        if token.live(now):
            await self._note_use(token, now)
        self._known[token_hash] = (token, now)
        if len(self._known) > REMEMBERED_MAX:
            del self._known[next(iter(self._known))]
        return token

    async def _note_use(self, token: AdminToken, now: int) -> None:
        if token.last_used_at is None or token.last_used_at < now - MINUTE:
            await self._records.used(token.token_hash, now, now - MINUTE)


class Guard:
    """``requests_of_token`` and ``failures_of_address``: how much each may."""

    def __init__(
        self,
        records: AdminRecords,
        clock: Clock,
        requests_of_token: Buckets,
        failures_of_address: Buckets,
        addresses: Addresses,
    ) -> None:
        self._ring = TokenRing(records, clock)
        self._clock = clock
        self._requests = requests_of_token
        self._failures = failures_of_address
        self._addresses = addresses

    def address(self, scope: Scope) -> str:
        return self._addresses.of(scope)

    async def admit(self, scope: Scope) -> AdminToken:
        """The live token of this request. Raises Unauthorized, TooManyRequests, StoreUnavailable."""
        address = self.address(scope)
        self._failures.check(address)
        presented = bearer(scope)
        token = await self._ring.find(presented) if presented else None
        if token is None or not token.live(self._clock.now()):
            self._failures.take(address)
            label = token.label if token else ""
            log.info("admin_token_refused", address=address, label=label)
            raise Unauthorized(label)
        self._requests.take(token.token_hash)
        return token

    async def still_admits(self, scope: Scope) -> None:
        """For a request that was admitted and waited. Raises Unauthorized, StoreUnavailable."""
        token = await self._ring.find(bearer(scope))
        if token is None or not token.live(self._clock.now()):
            raise Unauthorized(token.label if token else "")


def bearer(scope: Scope) -> str:
    """The token that a request presents, empty where it presents none that could be one."""
    lines = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(lines) != 1:
        return ""
    scheme, _, token = lines[0].decode("latin-1").strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.isascii() and len(token) <= TOKEN_MAX else ""
