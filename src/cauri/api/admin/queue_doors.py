"""The queue of notifications: which addresses are in trouble, and telling again what was told or given up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from cauri.api.admin.cursors import At, cursor_of, place_of
from cauri.api.admin.door import Call, Door, each_of, not_found, site_named
from cauri.api.admin.reading import Cursor, Moment, SiteId, TransactionId
from cauri.api.admin.refusals import CONFLICT, FieldTrouble, Refusal, faulty
from cauri.clock import CLOCKS_DIFFER_BY, HOUR, Clock
from cauri.domain.endpoints import endpoint_of
from cauri.domain.moments import iso

if TYPE_CHECKING:
    from cauri.store import EndpointTrouble, Store

SLICES_A_CALL = 10
CURSOR_LASTS = HOUR


class EndpointsQuery(msgspec.Struct, frozen=True):
    site: SiteId | None = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most.")] = 200


class EndpointSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An address in trouble. `open`: its breaker is, it is tried now and then. `parked`: all it has is. `catching_up`: it answers again."""

    site: str
    origin: str
    state: Literal["open", "parked", "catching_up"]
    since: str
    failures: int
    next_try_at: str
    last_word: str
    waiting: int
    parked: int


class EndpointList(msgspec.Struct, frozen=True):
    """The longest in trouble first."""

    endpoints: list[EndpointSeen]


class ProbeBody(msgspec.Struct, frozen=True):
    """An address in trouble, as the list names it."""

    site: SiteId
    origin: Annotated[str, Meta(min_length=1, max_length=300, examples=["https://shop.example:443"])]


class ReplayBody(msgspec.Struct, frozen=True):
    """One payment."""

    site: SiteId
    transaction_id: TransactionId


class ReplaySinceBody(msgspec.Struct, frozen=True):
    """Whatever changed since a moment, delivered or not. `cursor`: of the answer before, to go on."""

    site: SiteId
    since: Moment
    cursor: Cursor | None = None


class ReplayParkedBody(msgspec.Struct, frozen=True):
    """What was parked, of one site or, without `site`, of all that the token is for. `cursor`: of the answer before, to go on."""

    site: SiteId | None = None
    cursor: Cursor | None = None


class Replayed(msgspec.Struct, frozen=True):
    """How many are due again. `cursor`: there is more, ask again with it; null at the end."""

    replayed: int
    cursor: str | None = None


class Probed(msgspec.Struct, frozen=True):
    """The address is tried at once."""

    site: str
    origin: str


class QueueDoors:
    """``wake``: this process's notifier has something to do."""

    def __init__(self, store: Store, clock: Clock, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._queue = store.notifications
        self._wake = wake

    def doors(self) -> list[Door]:
        return [*self._of_endpoints(), *self._of_replays()]

    def _of_endpoints(self) -> list[Door]:
        return [
            Door(
                method="GET",
                path="/endpoints",
                operation="listEndpoints",
                scope="endpoints:read",
                summary="Addresses in trouble",
                description="Sites' notify_url hosts that do not answer, and what waits for them.",
                query=EndpointsQuery,
                answer=EndpointList,
                act=self._endpoints,
            ),
            Door(
                method="POST",
                path="/endpoints/probe",
                operation="probeEndpoint",
                scope="deliveries:write",
                summary="Try an address in trouble now",
                body=ProbeBody,
                answer=Probed,
                act=self._probe,
                example={"site": "445160", "origin": "https://shop.example:443"},
            ),
        ]

    def _of_replays(self) -> list[Door]:
        return [
            Door(
                method="POST",
                path="/deliveries/replay",
                operation="replay",
                scope="deliveries:write",
                summary="Tell a payment's newest state again",
                description="Now, with a fresh schedule, also where it was delivered or parked.",
                body=ReplayBody,
                answer=Replayed,
                act=self._replay,
                example={"site": "445160", "transaction_id": "order-1001"},
            ),
            Door(
                method="POST",
                path="/deliveries/replay-since",
                operation="replaySince",
                scope="deliveries:write",
                summary="Tell a site everything again that changed since a moment",
                description="At most 5000 in one request: ask again with the `cursor` until it is null.",
                body=ReplaySinceBody,
                answer=Replayed,
                act=self._replay_since,
                example={"site": "445160", "since": "2h"},
            ),
            Door(
                method="POST",
                path="/deliveries/replay-parked",
                operation="replayParked",
                scope="deliveries:write",
                summary="Tell again what was parked",
                description="At most 5000 of a site in one request: ask again with the `cursor` until it is null.",
                body=ReplayParkedBody,
                answer=Replayed,
                act=self._replay_parked,
                example={"site": "445160"},
            ),
        ]

    async def _endpoints(self, call: Call) -> EndpointList:
        query: EndpointsQuery = call.query
        if query.site is not None:
            await site_named(self._store, query.site)
        found: list[EndpointTrouble] = []
        for site in each_of(call.sites(query.site)):
            found += await self._queue.in_trouble(query.limit, site_id=site)
        found.sort(key=lambda each: each.since)
        return EndpointList([_seen(each) for each in found[: query.limit]])

    async def _probe(self, call: Call) -> Probed:
        body: ProbeBody = call.body
        if not await self._queue.probe_now(endpoint_of(body.site, body.origin), call.now):
            raise not_found(
                "origin: this address is in no trouble, or is being tried: GET /admin/endpoints lists them"
            )
        self._wake()
        return Probed(body.site, body.origin)

    async def _replay(self, call: Call) -> Replayed:
        body: ReplayBody = call.body
        payment = await self._store.payment_by_transaction(body.site, body.transaction_id)
        if payment is None:
            raise not_found(f"transaction_id: site {body.site} has no payment {body.transaction_id}")
        if not await self._queue.replay_payment(body.site, body.transaction_id, call.now):
            raise Refusal(
                CONFLICT,
                "transaction_id: nothing was ever to be told of this payment: it has no notify_url, or has not changed yet",
            )
        if payment.request.notify_url is not None:
            await self._queue.probe_now(endpoint_of(body.site, payment.request.notify_url), call.now)
        self._wake()
        return Replayed(1)

    async def _replay_since(self, call: Call) -> Replayed:
        body: ReplaySinceBody = call.body
        await site_named(self._store, body.site)
        since, begun = call.since(body.since), call.now
        if body.cursor is not None:
            since, begun = place_of(body.cursor, tuple[At, At])
            _check_begun(begun, call.now)
        total, more = await self._sliced(
            lambda: self._queue.replay_since(body.site, since, begun, now=self._clock.now())
        )
        await self._probe_troubled((body.site,), call.now)
        return Replayed(total, cursor_of(since, begun) if more else None)

    async def _replay_parked(self, call: Call) -> Replayed:
        body: ReplayParkedBody = call.body
        if body.site is not None:
            await site_named(self._store, body.site)
        sites = call.sites(body.site)
        begun = call.now
        if body.cursor is not None:
            (begun,) = place_of(body.cursor, tuple[At])
            _check_begun(begun, call.now)
        total, more = 0, False
        for site in each_of(sites):
            found, rest = await self._sliced(
                lambda site=site: self._queue.replay_parked(begun, site_id=site, now=self._clock.now())  # type: ignore[misc]
            )
            total, more = total + found, more or rest
        await self._probe_troubled(sites, call.now)
        return Replayed(total, cursor_of(begun) if more else None)

    async def _sliced(self, replay: Callable[[], Awaitable[int]]) -> tuple[int, bool]:
        """How many in all, and whether there may be more."""
        total = 0
        for _ in range(SLICES_A_CALL):
            found = await replay()
            self._wake()
            total += found
            if not found:
                return total, False
        return total, True

    async def _probe_troubled(self, sites: tuple[str, ...] | None, now: int) -> None:
        """What was replayed would wait for its address's next try otherwise."""
        for site in each_of(sites):
            for each in await self._queue.in_trouble(site_id=site):
                await self._queue.probe_now(each.endpoint, now)
        self._wake()


def _check_begun(begun: int, now: int) -> None:
    """When a replay in several requests was begun, as its cursor says: notifications are due then at the earliest. Raises Refusal."""
    if not now - CURSOR_LASTS <= begun <= now + CLOCKS_DIFFER_BY:
        raise faulty(FieldTrouble("cursor", "not of a replay of the last hour: begin anew without it"))


def _seen(each: EndpointTrouble) -> EndpointSeen:
    return EndpointSeen(
        site=each.site_id,
        origin=each.origin,
        state=each.state,  # type: ignore[arg-type]
        since=iso(each.since),
        failures=each.failures,
        next_try_at=iso(each.probe_at),
        last_word=each.error,
        waiting=each.waiting,
        parked=each.parked,
    )
