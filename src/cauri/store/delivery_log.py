"""The log of deliveries, read and pruned, and a site's notifications in the order of their changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from cauri.domain.payment import DeliveryRow, Payment
from cauri.store.engine import Row
from cauri.store.queries import LOGGED_COLUMNS
from cauri.store.statements import Statements

Result = Literal["any", "delivered", "failed"]


class LoggedDelivery(DeliveryRow, frozen=True, kw_only=True):
    """One POST as the log has it: with its own id and whose it was."""

    delivery_id: str
    site_id: str
    transaction_id: str


class OldDelivery(msgspec.Struct, frozen=True):
    """A row of the log that may be pruned. ``needed``: its notification is still undelivered, and this says why."""

    slot: int
    token: str
    at: int
    delivery_id: str
    needed: bool


class Place(NamedTuple):
    """A place in the log, newest first: everything older than it follows. ``delivery_id`` "" is the beginning of a moment."""

    at: int
    delivery_id: str = ""


class Owed(msgspec.Struct, frozen=True):
    """A notification that is not delivered: ``due_at`` when it is tried next, ``parked_at`` since when it is not tried."""

    site_id: str
    transaction_id: str
    code: str
    due_version: int
    told_version: int
    since: int
    tries: int
    due_at: int | None
    parked_at: int | None

    def place(self) -> tuple[int, str, str]:
        return (self.due_at or self.parked_at or 0, self.site_id, self.transaction_id)


class Heard(NamedTuple):
    """One notification in its site's order: the payment's ``token`` and newest ``version``, told since ``since``."""

    token: str
    since: int
    version: int


class DeliveryLog(Statements):
    """Every method may raise StoreUnavailable. ``result``: only those answered 2xx (``delivered``), or otherwise or not at all (``failed``)."""

    async def page(
        self,
        sites: tuple[str, ...] | None,
        *,
        since: int,
        before: Place,
        limit: int,
        result: Result = "any",
    ) -> list[LoggedDelivery]:
        """Newest first, at most ``limit`` of these sites (None: of all) from ``since`` to before ``before``."""
        span: dict[str, Any] = {
            "since": since,
            "at": before.at,
            "delivery_id": before.delivery_id,
            "limit": limit,
        }
        of_all, of_site = "failed_deliveries", "failed_deliveries_of_site"
        if result != "failed":
            of_all, of_site = "logged_deliveries", "logged_deliveries_of_site"
            span["result"] = result
        if sites is None:
            return [_logged(row) for row in await self._read(of_all, **span)]
        found = [_logged(row) for site in sites for row in await self._read(of_site, site_id=site, **span)]
        return sorted(found, key=lambda each: (each.at, each.delivery_id), reverse=True)[:limit]

    async def of_payment(
        self, payment: Payment, *, since: int, before: Place, limit: int, result: Result = "any"
    ) -> list[LoggedDelivery]:
        """A payment's, newest first."""
        rows = await self._read(
            "logged_deliveries_of_payment",
            slot=payment.slot,
            token=payment.token,
            since=since,
            at=before.at,
            delivery_id=before.delivery_id,
            limit=limit,
            result=result,
        )
        return [_logged(row) for row in rows]

    async def one(self, place: Place) -> LoggedDelivery | None:
        rows = await self._read("logged_delivery", at=place.at, delivery_id=place.delivery_id)
        return _logged(rows[0]) if rows else None

    async def old(self, *, after: int, before: int, limit: int) -> list[OldDelivery]:
        """Deliveries made in [after, before), the oldest first."""
        rows = await self._read("old_deliveries", after=after, before=before, limit=limit)
        return [OldDelivery(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]

    async def delete(self, deliveries: Sequence[OldDelivery]) -> int:
        """They are no longer kept; how many there were."""
        rows = [msgspec.structs.asdict(each) for each in deliveries]
        return len(await self._write_rows("delete_deliveries", rows))

    async def owed(
        self,
        state: Literal["due", "parked"],
        sites: tuple[str, ...] | None,
        *,
        after: tuple[int, str, str],
        limit: int,
    ) -> list[Owed]:
        """Of these sites (None: of all), in the order of ``due_at`` or ``parked_at``, after a place: that moment, site, transaction_id."""
        place = {"at": after[0], "after_site": after[1], "after_transaction": after[2], "limit": limit}
        statement = {"due": "owed_due", "parked": "owed_parked"}[state]
        found = [
            Owed(*row)
            for site in (("",) if sites is None else sites)
            for row in await self._read(statement, site_id=site, **place)
        ]
        return sorted(found, key=Owed.place)[:limit]

    async def heard(self, site_id: str, *, since: int, token: str, limit: int) -> list[Heard]:
        """A site's notifications after a place, in the order of their changes."""
        rows = await self._read("heard_of_site", site_id=site_id, since=since, token=token, limit=limit)
        return [Heard(*row) for row in rows]

    async def heard_last(self, site_id: str, limit: int) -> list[Heard]:
        """A site's newest notifications, oldest of them first."""
        rows = await self._read("heard_last", site_id=site_id, limit=limit)
        return [Heard(*row) for row in reversed(rows)]


def _logged(row: Row) -> LoggedDelivery:
    return LoggedDelivery(**dict(zip(LOGGED_COLUMNS, row, strict=True)))
