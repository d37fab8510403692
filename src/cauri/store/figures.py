"""Figures by operator, and what the serving processes last said of their connectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cauri.store.statements import Statements


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts that left since a moment, by how they have ended. ``unavailable``: those of ``failed`` that are the operator's or our fault."""

    connector: str
    method: str
    sent: int
    paid: int
    failed: int
    unavailable: int


class InFlight(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts without an end: all, those whose question is due, those sent before a moment."""

    connector: str
    method: str
    sent: int
    due: int
    unended: int


class OpenCounts(msgspec.Struct, frozen=True, kw_only=True):
    """``surpluses`` not given back; attempts ``unended``; since when the ``oldest_question`` waits for its turn, None where none does."""

    surpluses: int
    unended: int
    oldest_question: int | None


class StandingRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a process said of a connector at a moment; ``state`` is JSON."""

    process: str
    connector: str
    at: int
    state: str


class Figures(Statements):
    """Every method may raise StoreUnavailable."""

    async def rates(self, since: int) -> list[Rate]:
        rows = await self._read("rates", since=since)
        return [Rate(**dict(zip(Rate.__struct_fields__, row, strict=True))) for row in rows]

    async def in_flight(self, now: int, before: int) -> list[InFlight]:
        """``before``: what was sent earlier and has no end is unended."""
        rows = await self._read("in_flight", now=now, before=before)
        return [InFlight(**dict(zip(InFlight.__struct_fields__, row, strict=True))) for row in rows]

    async def open_counts(self, now: int, before: int) -> OpenCounts:
        """``before``: what was sent earlier and has no end is unended."""
        row = (await self._read("open_counts", now=now, before=before))[0]
        return OpenCounts(**dict(zip(OpenCounts.__struct_fields__, row, strict=True)))

    async def waiting_counts(self) -> tuple[int, int]:
        """Payments that wait, attempts that are in flight."""
        row = (await self._read("waiting_counts"))[0]
        return int(row[0]), int(row[1])

    async def standings(self, since: int) -> list[StandingRow]:
        rows = await self._read("standings", since=since)
        return [StandingRow(**dict(zip(StandingRow.__struct_fields__, row, strict=True))) for row in rows]

    async def processes(self, since: int) -> dict[str, int]:
        """How many processes have said something of each connector since a moment."""
        return dict(await self._read("standing_processes", since=since))  # type: ignore[arg-type]

    async def save_standings(self, standings: Sequence[StandingRow], *, forget_before: int) -> None:
        """What a process says of its connectors now; processes that said nothing since ``forget_before`` are forgotten."""
        fields: list[dict[str, Any]] = [msgspec.structs.asdict(each) for each in standings]
        if fields:
            await self._write_rows("save_standings", fields)
        await self._write("prune_standings", before=forget_before)

    async def delete_standings(self, process: str) -> None:
        await self._write("delete_standings", process=process)
