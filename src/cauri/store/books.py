"""What people who reconcile read: surpluses, and attempts as an operator's statement names them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from cauri.domain.payment import Attempt
from cauri.store.rows import attempt_of, slot_of_reference
from cauri.store.statements import Statements

PAGE = 500
_END_OF_TIME = 2**62


class SurplusRow(msgspec.Struct, frozen=True, kw_only=True):
    """A surplus with the payment it came for. ``reference``: the attempt's, by which it is named. Times in milliseconds UTC."""

    reference: str
    site_id: str
    transaction_id: str
    at: int
    connector: str
    method: str
    operator_id: str
    amount: int
    currency: str
    refunded_at: int | None
    refunded_by: str
    refund_why: str


class Books(Statements):
    """Every method may raise StoreUnavailable."""

    async def surpluses(
        self,
        *,
        everything: bool = False,
        site_id: str = "",
        after: tuple[int, str] = (_END_OF_TIME, ""),
        limit: int = PAGE,
    ) -> list[SurplusRow]:
        """Newest first; those given back too where ``everything``. ``after``: moment and reference of the last one seen."""
        rows = await self._read(
            "surpluses",
            everything=int(everything),
            site_id=site_id,
            before=after[0],
            after=after[1],
            limit=limit,
        )
        names = SurplusRow.__struct_fields__
        return [SurplusRow(**dict(zip(names, row, strict=True))) for row in rows]

    async def attempts_by_reference(self, references: Sequence[str]) -> dict[str, Attempt]:
        """By the reference that the operator knows; a text that is no reference of ours is not found."""
        rows = [
            {"slot": slot, "reference": text}
            for text in references
            if (slot := slot_of_reference(text)) is not None
        ]
        found = await self._read_rows("attempts_by_reference", rows) if rows else []
        return {attempt.reference: attempt for attempt in map(attempt_of, found)}

    async def attempts_by_operator_id(
        self, connector: str, operator_ids: Sequence[str]
    ) -> dict[str, list[Attempt]]:
        """By the operator's own number, which need not be unique."""
        rows = [{"connector": connector, "operator_id": each} for each in dict.fromkeys(operator_ids)]
        found: dict[str, list[Attempt]] = {}
        if rows:
            for row in await self._read_rows("attempts_by_operator_id", rows):
                attempt = attempt_of(row)
                found.setdefault(attempt.operator_id or "", []).append(attempt)
        return found

    async def taken_between(self, connector: str, since: int, until: int) -> AsyncIterator[Attempt]:
        """The connector's attempts whose money came between two moments, oldest first."""
        after = ""
        while True:
            rows = await self._read(
                "taken_between", connector=connector, since=since, until=until, after=after, limit=PAGE
            )
            for row in rows:
                attempt = attempt_of(row)
                yield attempt
                since, after = attempt.ended_at or since, attempt.reference
            if len(rows) < PAGE:
                return
