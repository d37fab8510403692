"""A site's notifications as they are made, for ``cauri listen``: each as the gateway itself would send it now.

In the order of their changes. A change is seen only once it is committed, and commits do not come in the order of changes: what is
younger than OVERLAP when it is read may get a neighbour yet. An answer therefore begins again where that was so, and the reader drops what
it has by ``id``.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from cauri.api.admin.cursors import At, Name
from cauri.api.admin.door import Call, Door, not_found, site_named
from cauri.api.admin.reading import Moment
from cauri.api.admin.refusals import FieldTrouble, Refusal, faulty
from cauri.clock import SECOND, Clock
from cauri.domain.errors import StoreUnavailable
from cauri.domain.moments import iso
from cauri.store import Heard
from cauri.wire.notification import message

if TYPE_CHECKING:
    from cauri.domain.payment import Payment
    from cauri.domain.site import Site
    from cauri.store import Store, Vault

OVERLAP = 30 * SECOND
WAIT_MAX_S = 25
LOOK_EVERY_S = 1.0


class FeedQuery(msgspec.Struct, frozen=True):
    after: Annotated[
        Annotated[str, Meta(max_length=2_000)] | None,
        Meta(description="The `cursor` of the last answer. Without it: from now, `since` or the `last`."),
    ] = None
    wait: Annotated[int, Meta(ge=0, le=WAIT_MAX_S, description="Seconds to wait for one that is new.")] = 0
    last: Annotated[
        Annotated[int, Meta(ge=0, le=200)] | None, Meta(description="Begin with so many of the newest.")
    ] = None
    since: Moment | None = None
    limit: Annotated[int, Meta(ge=1, le=200, description="How many at most.")] = 100


class FeedNotification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification of a payment's newest state, signed now. POST `body` with `headers`. `id`: the same one whenever it comes again."""

    id: str
    at: str
    site: str
    transaction_id: str
    code: str
    message: str
    url: str | None
    headers: dict[str, str]
    body: str


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the changes. Those of the last 30 s come again: drop by `id`. `settled`: what changed before it does not, its ids
    may be forgotten. `seen`: ids from before the beginning, to be dropped too. `more`: ask again at once. `now`: the gateway's clock."""

    notifications: list[FeedNotification]
    cursor: str
    settled: str
    more: bool
    seen: list[str]
    now: str


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a reader has come. ``exact``: within a long list, so that nothing before it is to come again. ``settled``: what changed
    before this moment was committed when it was read, and does not come again."""

    site_id: Name
    since: At
    token: Name
    settled: At
    exact: bool = False

    @property
    def from_settled(self) -> _Place:
        """Where the next list begins: before this place, unless all up to it is settled."""
        if self.exact or self.settled > self.since:
            return self
        return replace(self, since=self.settled, token="")


class _Part(NamedTuple):
    rows: list[Heard]
    place: _Place
    more: bool
    seen: list[Heard]


class Bell:
    """Rings when this process has made a notification due; ``silence``: nobody waits any more, the process stops."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()
        self.silenced = False

    def ring(self) -> None:
        for event in self._waiting:
            event.set()

    def silence(self) -> None:
        self.silenced = True
        self.ring()

    async def heard(self, within_s: float) -> None:
        """Returns when it rings, at the latest after ``within_s``."""
        if self.silenced or within_s <= 0:
            return
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(within_s):
                await event.wait()
        except TimeoutError:
            return
        finally:
            self._waiting.discard(event)


class Feed:
    def __init__(self, store: Store, vault: Vault, clock: Clock, bell: Bell) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._bell = bell
        self._log = store.deliveries

    def doors(self) -> list[Door]:
        return [
            Door(
                method="GET",
                path="/sites/{site}/notifications",
                operation="listen",
                scope="notifications:listen",
                summary="A site's notifications as they are made",
                description="Long polling: ask again with the `cursor` of the answer. What the gateway itself delivers does not change.",
                query=FeedQuery,
                waits=True,
                answer=FeedPage,
                act=self._page,
            ),
            Door(
                method="GET",
                path="/sites/{site}/notifications/{transaction_id}",
                operation="freshNotification",
                scope="notifications:listen",
                summary="A payment's notification, signed now",
                answer=FeedNotification,
                act=self._fresh,
            ),
        ]

    async def _page(self, call: Call) -> FeedPage:
        query: FeedQuery = call.query
        if query.after is not None and (query.last is not None or query.since is not None):
            raise faulty(
                FieldTrouble("after", "goes with neither last nor since: the cursor says where to go on")
            )
        if query.last is not None and query.since is not None:
            raise faulty(FieldTrouble("last", "give either last or since"))
        site = await site_named(self._store, call.path["site"])
        if query.after is not None:
            part = await self._next(self._opened(query.after, site.site_id), query)
        elif query.since is not None:
            part = await self._from(site.site_id, call.since(query.since), query.limit)
        else:
            part = await self._newest(site.site_id, query.last or 0, call.now)
        payments = await self._store.payments_by_tokens([row.token for row in part.rows])
        site = await site_named(self._store, site.site_id)  # its secret may have changed during the wait
        return FeedPage(
            notifications=[
                self._signed(row, payments[row.token], site) for row in part.rows if row.token in payments
            ],
            cursor=self._vault.sealed(msgspec.json.encode(part.place).decode()),
            settled=iso(part.place.settled),
            more=part.more,
            seen=[_id(row) for row in part.seen],
            now=iso(self._clock.now()),
        )

    async def _next(self, place: _Place, query: FeedQuery) -> _Part:
        now = self._clock.now()
        # Where a clock was put back the reader must not be deaf; it is told some again.
        if not place.exact and place.since > now + OVERLAP:
            settled = min(place.settled, max(0, now - OVERLAP))
            place = replace(place, since=now, token="", exact=False, settled=settled)
        begin = place.from_settled
        rows, at = await self._changed(place, begin, query)
        return _part(place, begin, rows, query.limit, at)

    async def _changed(self, place: _Place, begin: _Place, query: FeedQuery) -> tuple[list[Heard], int]:
        """One row more than asked for, and when they were read: once there is one beyond the place, or one that was not there before, or
        the wait is over."""
        deadline = asyncio.get_running_loop().time() + query.wait
        known: set[Heard] | None = None
        while True:
            at = self._clock.now()
            rows = await self._after(begin, query.limit + 1)
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0 or self._bell.silenced or await self._beyond(place, rows, query.limit):
                return rows, at
            if known is not None and not known.issuperset(rows):
                return rows, at
            known = set(rows)
            await self._bell.heard(min(left_s, LOOK_EVERY_S))

    async def _beyond(self, place: _Place, rows: list[Heard], limit: int) -> bool:
        if rows and (rows[-1].since, rows[-1].token) > (place.since, place.token):
            return True
        return len(rows) > limit and bool(await self._after(place, 1))

    async def _from(self, site_id: str, since: int, limit: int) -> _Part:
        start, at = _Place(site_id, since, "", since), self._clock.now()
        return _part(start, start, await self._after(start, limit + 1), limit, at)

    async def _newest(self, site_id: str, last: int, now: int) -> _Part:
        rows = await self._log.heard_last(site_id, last) if last else []
        since = max(now, rows[-1].since if rows else 0)
        place = _Place(site_id, since, "", max(0, since - OVERLAP))
        again = await self._coming_again(place)
        # What was committed meanwhile, after the first of those asked for, is asked for too.
        first = (rows[0].since, rows[0].token) if rows else (since + 1, "")
        return _Part(rows, place, False, [row for row in again if (row.since, row.token) < first])

    async def _coming_again(self, place: _Place) -> list[Heard]:
        """What is there before the beginning and will come all the same."""
        found: list[Heard] = []
        reached = place.from_settled
        while rows := await self._after(reached, 1_000):
            found += [row for row in rows if row.since <= place.since]
            if rows[-1].since > place.since:
                break
            reached = replace(reached, since=rows[-1].since, token=rows[-1].token)
        return found

    async def _after(self, place: _Place, limit: int) -> list[Heard]:
        return await self._log.heard(place.site_id, since=place.since, token=place.token, limit=limit)

    async def _fresh(self, call: Call) -> FeedNotification:
        site = await site_named(self._store, call.path["site"])
        name = call.path["transaction_id"]
        payment = await self._store.payment_by_transaction(site.site_id, name)
        if payment is None:
            raise not_found(f"transaction_id: site {site.site_id} has no payment {name}")
        state = await self._store.notification(payment)
        if state is None:
            raise not_found(f"transaction_id: nothing was ever to be told of {name}; has it a notify_url?")
        return self._signed(Heard(payment.token, state.since, state.due_version), payment, site)

    def _signed(self, row: Heard, payment: Payment, site: Site) -> FeedNotification:
        made = message(payment, site, at=self._clock.now(), number=1)
        return FeedNotification(
            id=_id(row),
            at=iso(row.since),
            site=site.site_id,
            transaction_id=payment.transaction_id,
            code=payment.code.number,
            message=site.message_of(payment.code),
            url=payment.request.notify_url,
            headers={"Content-Type": made.content_type, **made.headers},
            body=made.body.decode(),
        )

    def _opened(self, cursor: str, site_id: str) -> _Place:
        """Sealed, since it holds a payment's token, which opens its page. Raises Refusal."""
        try:
            place = msgspec.json.decode(self._vault.opened(cursor), type=_Place)
        except (StoreUnavailable, msgspec.DecodeError, ValueError):
            raise _strange_cursor() from None
        if place.site_id != site_id:
            raise _strange_cursor()
        return place


def _strange_cursor() -> Refusal:
    return faulty(
        FieldTrouble("after", "not a cursor of this site's feed: leave it out, or begin with since or last")
    )


def _part(place: _Place, begin: _Place, rows: list[Heard], limit: int, at: int) -> _Part:
    """``rows``: those after ``begin``, one more than the limit where there are more, read at ``at``."""
    more = len(rows) > limit
    rows = rows[:limit]
    found = [(row.since, row.token) for row in rows]
    since, token = found[-1] if more else max([(place.since, place.token), *found])
    settled = place.settled
    if begin.since <= settled:  # else what was passed on the way here is not read again before the next list
        whole = since if more else since + 1  # of one moment more may follow
        settled = max(settled, min(whole, at - OVERLAP))
    return _Part(rows, _Place(place.site_id, since, token, settled, more), more, [])


def _id(row: Heard) -> str:
    """Says which state of which payment, without the token itself; a replay is another one."""
    return f"{sha256(row.token.encode()).hexdigest()[:20]}-{row.version}-{row.since:x}"
