"""Money that came for payments that had ended: what is to be given back, and that it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from cauri.api.admin.cursors import At, Name, paged, place_of
from cauri.api.admin.door import Call, Door, each_of, not_found, site_named
from cauri.api.admin.reading import Cursor, Limit, SiteId
from cauri.api.admin.refusals import CONFLICT, Refusal
from cauri.domain.errors import NothingToRefund
from cauri.domain.moments import iso, iso_or_none

if TYPE_CHECKING:
    from cauri.lifecycle import Lifecycle
    from cauri.store import Store
    from cauri.store.books import SurplusRow

Reference = Annotated[
    str,
    Meta(
        min_length=36,
        max_length=36,
        pattern="^[0-9a-f-]+$",
        description="The surplus's `reference`, as the list names it.",
    ),
]
Why = Annotated[
    str,
    Meta(
        min_length=1, max_length=500, pattern=r"\S", description="How it was given back, kept in the history."
    ),
]


class SurplusesQuery(msgspec.Struct, frozen=True):
    site: SiteId | None = None
    all: Annotated[bool, Meta(description="Those that were given back, too.")] = False
    cursor: Cursor | None = None
    limit: Limit = 50


class SurplusEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`reference` names it, here and at the operator. Amounts in whole currency units. `refunded_at`: null until it was given back."""

    reference: str
    at: str
    site: str
    transaction_id: str
    connector: str
    method: str
    operator_id: str
    amount: int
    currency: str
    refunded_at: str | None
    refunded_by: str
    refund_why: str


class SurplusPage(msgspec.Struct, frozen=True):
    """Newest first. `cursor`: for the next, older page; null at the end."""

    surpluses: list[SurplusEntry]
    cursor: str | None


class RefundedBody(msgspec.Struct, frozen=True):
    """Cauri sends no money: this says that somebody did."""

    site: SiteId
    reference: Reference
    why: Why


class Refunded(msgspec.Struct, frozen=True):
    """Marked as given back; the payment stays as it ended."""

    site: str
    transaction_id: str
    code: str


class SurplusDoors:
    def __init__(self, store: Store, lifecycle: Lifecycle) -> None:
        self._store = store
        self._lifecycle = lifecycle

    def doors(self) -> list[Door]:
        return [
            Door(
                method="GET",
                path="/surpluses",
                operation="listSurpluses",
                scope="surpluses:read",
                summary="Money to give back",
                description="What came for payments that had already ended, newest first.",
                query=SurplusesQuery,
                answer=SurplusPage,
                act=self._surpluses,
            ),
            Door(
                method="POST",
                path="/surpluses/refunded",
                operation="refundedSurplus",
                scope="surpluses:write",
                summary="Say that a surplus was given back",
                description="Once: a second time is a conflict. Who says it is the token's label.",
                body=RefundedBody,
                answer=Refunded,
                act=self._refunded,
                example={
                    "site": "445160",
                    "reference": "3f2a8c1e-0c5d-4a4e-9a51-3d6f0d6c1a77",
                    "why": "refund R-12 at Moov",
                },
            ),
        ]

    async def _surpluses(self, call: Call) -> SurplusPage:
        query: SurplusesQuery = call.query
        if query.site is not None:
            await site_named(self._store, query.site)
        place = None if query.cursor is None else place_of(query.cursor, tuple[At, Name])
        after = {} if place is None else {"after": place}
        found: list[SurplusRow] = []
        for each_site in each_of(call.sites(query.site)):
            found += await self._store.books.surpluses(
                everything=query.all,
                site_id=each_site or "",
                limit=query.limit + 1,
                **after,
            )
        found.sort(key=lambda each: (-each.at, each.reference))
        page, cursor = paged(found, query.limit, lambda each: (each.at, each.reference))
        return SurplusPage([_entry(each) for each in page], cursor)

    async def _refunded(self, call: Call) -> Refunded:
        body: RefundedBody = call.body
        attempt = await self._store.attempt_by_reference(body.reference)
        payment = None if attempt is None else await self._store.payment_by_token(attempt.token)
        if payment is None or payment.site_id != body.site:
            raise not_found(f"reference: site {body.site} has no surplus {body.reference}")
        try:
            payment = await self._lifecycle.refund(body.reference, who=call.token.label, why=body.why.strip())
        except NothingToRefund as error:
            raise Refusal(CONFLICT, f"reference: {error}") from None
        return Refunded(payment.site_id, payment.transaction_id, payment.code.number)


def _entry(row: SurplusRow) -> SurplusEntry:
    return SurplusEntry(
        reference=row.reference,
        at=iso(row.at),
        site=row.site_id,
        transaction_id=row.transaction_id,
        connector=row.connector,
        method=row.method,
        operator_id=row.operator_id,
        amount=row.amount,
        currency=row.currency,
        refunded_at=iso_or_none(row.refunded_at),
        refunded_by=row.refunded_by,
        refund_why=row.refund_why,
    )
