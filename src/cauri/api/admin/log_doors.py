"""What was sent and what happened: deliveries, payments, notifications that are owed, and the record of admin writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from cauri.api.admin import answers
from cauri.api.admin.answers import AuditPage, DeliveryDetail, DeliveryPage, OwedPage
from cauri.api.admin.cursors import At, Name, paged, place_of
from cauri.api.admin.door import Call, Door, check_all_sites, not_found, site_named
from cauri.api.admin.payment_answers import PaymentDetail, payment_detail
from cauri.api.admin.reading import Cursor, Limit, Moment, SiteId, TransactionId
from cauri.api.admin.refusals import FieldTrouble, faulty
from cauri.store import Owed, Place

if TYPE_CHECKING:
    from cauri.domain.payment import Payment
    from cauri.store import LoggedDelivery, Store


class DeliveriesQuery(msgspec.Struct, frozen=True):
    site: SiteId | None = None
    transaction_id: TransactionId | None = None
    status: Annotated[
        Literal["delivered", "failed"] | None,
        Meta(description="`delivered`: answered 2xx. `failed`: answered otherwise, or not at all."),
    ] = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class OwedQuery(msgspec.Struct, frozen=True):
    state: Annotated[
        Literal["due", "parked"],
        Meta(description="`due`: tried now or later. `parked`: not tried any more until replayed."),
    ] = "due"
    site: SiteId | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class AuditQuery(msgspec.Struct, frozen=True):
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class LogDoors:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._log = store.deliveries

    def doors(self) -> list[Door]:
        return [
            Door(
                method="GET",
                path="/deliveries",
                operation="listDeliveries",
                scope="deliveries:read",
                summary="List deliveries",
                description="Every POST to a `notify_url`, newest first. `transaction_id` needs `site`.",
                query=DeliveriesQuery,
                answer=DeliveryPage,
                act=self._deliveries,
            ),
            Door(
                method="GET",
                path="/deliveries/{id}",
                operation="showDelivery",
                scope="deliveries:read",
                summary="One delivery",
                description="With the first characters of the shop's answer.",
                answer=DeliveryDetail,
                act=self._delivery,
            ),
            Door(
                method="GET",
                path="/payments/{site}/{transaction_id}",
                operation="showPayment",
                scope="payments:read",
                summary="What happened to a payment",
                description="History, attempts and deliveries. A slash in the `transaction_id` is written `%2F`.",
                answer=PaymentDetail,
                act=self._payment,
            ),
            Door(
                method="GET",
                path="/notifications",
                operation="listNotifications",
                scope="notifications:read",
                summary="Notifications that are due or parked",
                query=OwedQuery,
                answer=OwedPage,
                act=self._owed,
            ),
            Door(
                method="GET",
                path="/audit",
                operation="listAudit",
                scope="audit:read",
                summary="What was asked for with admin tokens",
                description="Every write, done or refused, newest first. Only for a token that is for all sites.",
                query=AuditQuery,
                answer=AuditPage,
                act=self._audit,
            ),
        ]

    async def _deliveries(self, call: Call) -> DeliveryPage:
        query: DeliveriesQuery = call.query
        since = call.since(query.since)
        before = Place(call.until(query.until))
        if query.cursor is not None:
            before = Place(*place_of(query.cursor, tuple[At, Name]))
        rows = await self._rows(call, query, since, before)
        page, cursor = paged(rows, query.limit, lambda row: (row.at, row.delivery_id))
        return DeliveryPage([answers.delivery(row) for row in page], cursor)

    async def _rows(
        self, call: Call, query: DeliveriesQuery, since: int, before: Place
    ) -> list[LoggedDelivery]:
        """One more than a page holds, where there are more."""
        if query.transaction_id is not None:
            payment = await self._known_payment(query.site, query.transaction_id)
            return await self._log.of_payment(
                payment, since=since, before=before, limit=query.limit + 1, result=query.status or "any"
            )
        if query.site is not None:
            await site_named(self._store, query.site)
        return await self._log.page(
            call.sites(query.site),
            since=since,
            before=before,
            limit=query.limit + 1,
            result=query.status or "any",
        )

    async def _delivery(self, call: Call) -> DeliveryDetail:
        place = answers.place_of_delivery(call.path["id"])
        row = None if place is None else await self._log.one(place)
        if row is None or not call.token.sees(row.site_id):
            raise not_found(
                "id: there is no such delivery; it may have been pruned, deliveries are kept for a time"
            )
        return answers.delivery_detail(row)

    async def _payment(self, call: Call) -> PaymentDetail:
        payment = await self._known_payment(call.path["site"], call.path["transaction_id"])
        return payment_detail(await self._store.timeline(payment))

    async def _owed(self, call: Call) -> OwedPage:
        query: OwedQuery = call.query
        if query.site is not None:
            await site_named(self._store, query.site)
        after = (0, "", "") if query.cursor is None else place_of(query.cursor, tuple[At, Name, Name])
        rows = await self._log.owed(query.state, call.sites(query.site), after=after, limit=query.limit + 1)
        page, cursor = paged(rows, query.limit, Owed.place)
        return OwedPage([answers.owed(row) for row in page], cursor)

    async def _audit(self, call: Call) -> AuditPage:
        query: AuditQuery = call.query
        check_all_sites(call, "the record")
        before = (call.until(query.until), "")
        if query.cursor is not None:
            before = place_of(query.cursor, tuple[At, Name])
        rows = await self._store.admin.audit(
            since=call.since(query.since), before=before, limit=query.limit + 1
        )
        page, cursor = paged(rows, query.limit, lambda row: (row.at, row.audit_id))
        return AuditPage([answers.audit_entry(row) for row in page], cursor)

    async def _known_payment(self, site_id: str | None, transaction_id: str) -> Payment:
        if site_id is None:
            raise faulty(
                FieldTrouble("site", "say whose: a transaction_id is a site's own name for a payment")
            )
        payment = await self._store.payment_by_transaction(site_id, transaction_id)
        if payment is None:
            raise not_found(f"transaction_id: site {site_id} has no payment {transaction_id}")
        return payment
