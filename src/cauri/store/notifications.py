"""The queue of notifications: what is due, who sends it, which endpoints are in trouble, what is told again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from cauri.domain.endpoints import endpoint_of, origin_of
from cauri.domain.errors import StoreUnavailable
from cauri.domain.payment import PaymentRequest, slot_of
from cauri.store.engine import Row
from cauri.store.statements import Statements

SLICE = 500
# Longer than a statement may take.
_LOCKED_LOOKS = 120
_LOCKED_PAUSE_S = 0.05
_request = msgspec.json.Decoder(PaymentRequest)
_rows = msgspec.json.Decoder(list[tuple[int, str, str, str, int, int]])


class DueNotification(msgspec.Struct, frozen=True):
    """A notification that may be sent, or that this process has claimed. ``tries`` so far, since the state last changed at ``since``."""

    slot: int
    token: str
    site_id: str
    endpoint: str
    since: int
    tries: int

    @property
    def key(self) -> dict[str, Any]:
        return {"slot": self.slot, "token": self.token}


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint that is or was in trouble. ``state``: open, parked, catching_up, closed. Times in milliseconds UTC.

    ``failures``: tries in a row, since the trouble began, that were made only to see whether it answers. ``error``: its last word.
    ``gone``: 1 where it is parked by a 410 alone, so that nothing else there waits for its answer.
    """

    endpoint: str
    site_id: str
    state: str
    since: int
    failures: int
    probe_at: int
    answered_at: int
    changed_at: int
    error: str
    gone: int


class EndpointTrouble(msgspec.Struct, frozen=True):
    """The same for people, with how many notifications wait for it and how many are parked."""

    endpoint: str
    site_id: str
    state: str
    since: int
    failures: int
    probe_at: int
    error: str
    gone: int
    waiting: int
    parked: int

    @property
    def origin(self) -> str:
        return origin_of(self.endpoint)


class QueueCounts(msgspec.Struct, frozen=True):
    """``due``: may be sent now. ``undelivered``: due, or scheduled for later. ``oldest_since``: when the oldest of these changed."""

    due: int
    undelivered: int
    oldest_since: int | None
    parked: int
    endpoints_open: int
    endpoints_parked: int
    endpoints_catching_up: int


def _by_endpoint(rows: Sequence[Row]) -> list[tuple[str, list[DueNotification]]]:
    return [
        (endpoint, [DueNotification(*row) for row in _rows.decode(found or "[]")]) for endpoint, found in rows
    ]


class NotificationQueue(Statements):
    """Every method may raise StoreUnavailable."""

    # what is due

    async def due(self, now: int, limit: int) -> list[DueNotification]:
        """What may be sent now and is nobody's, the longest due first."""
        return [DueNotification(*row) for row in await self._read("due_notifications", now=now, limit=limit)]

    async def due_by_endpoint(
        self, now: int, *, after: str, lanes: int, most: int
    ) -> list[tuple[str, list[DueNotification]]]:
        """The next ``lanes`` endpoints after ``after`` that have anything scheduled, each with at most ``most`` of what is due."""
        rows = await self._read("due_by_endpoint", now=now, after=after, lanes=lanes, most=most)
        return _by_endpoint(rows)

    async def due_of_endpoints(
        self, endpoints: Sequence[str], now: int, most: int
    ) -> list[tuple[str, list[DueNotification]]]:
        """The same of these endpoints."""
        rows = [{"endpoint": endpoint} for endpoint in endpoints]
        return _by_endpoint(await self._read_rows("due_of_endpoints", rows, now=now, most=most))

    async def claim(
        self, wanted: Sequence[DueNotification], *, now: int, until: int, claim: str
    ) -> list[DueNotification]:
        """Those of them that were still due and nobody's, leased to ``claim`` until ``until``."""
        rows = await self._write_rows(
            "claim_notifications", [each.key for each in wanted], now=now, until=until, claim=claim
        )
        return [DueNotification(*row) for row in rows]

    async def release(self, claimed: Sequence[DueNotification], claim: str) -> None:
        """Gives back what was claimed and not sent."""
        await self._write_rows("release_notifications", [each.key for each in claimed], claim=claim)

    async def hold(self, due: Sequence[DueNotification], *, now: int, last: int) -> tuple[int, int]:
        """How many now wait until ``last`` ms after their change, how many are past that and parked; those of open breakers only."""
        keys = sorted((each.key for each in due), key=lambda key: (key["slot"], key["token"]))
        rows = await self._write_rows("hold_notifications", keys, now=now, last=last)
        parked = sum(1 for row in rows if row[0] is None)
        return len(rows) - parked, parked

    async def fill_endpoints(self, limit: int = SLICE) -> int:
        """Writes down where notifications from before endpoints go; how many were found."""
        found = await self._read("without_endpoint", limit=limit)
        rows = [
            {
                "slot": slot,
                "token": token,
                "endpoint": endpoint_of(site_id, _request.decode(request).notify_url or ""),
            }
            for slot, token, site_id, request in found
        ]
        if rows:
            await self._write_rows("set_endpoints", rows)
        return len(rows)

    # endpoints in trouble

    async def endpoints_changed(self, since: int) -> list[Endpoint]:
        return [Endpoint(*row) for row in await self._read("endpoints_changed", since=since)]

    async def endpoints_named(self, names: Sequence[str]) -> list[Endpoint]:
        rows = [{"endpoint": name} for name in names]
        return [Endpoint(*row) for row in await self._read_rows("endpoints_named", rows)]

    async def open_endpoint(
        self, endpoint: str, site_id: str, *, now: int, probe_at: int, error: str
    ) -> bool:
        """False where its breaker was open already."""
        return bool(
            await self._write(
                "open_endpoint",
                endpoint=endpoint,
                site_id=site_id,
                now=now,
                probe_at=probe_at,
                error=error,
            )
        )

    async def park_endpoint(
        self, endpoint: str, site_id: str, *, now: int, probe_at: int, error: str, gone: bool = False
    ) -> bool:
        """False where it was in trouble already, as much or more. ``gone``: by a 410."""
        return bool(
            await self._write(
                "park_endpoint",
                endpoint=endpoint,
                site_id=site_id,
                now=now,
                probe_at=probe_at,
                error=error,
                gone=int(gone),
            )
        )

    async def claim_probes(self, *, now: int, until: int, limit: int) -> list[Endpoint]:
        """Endpoints that are to be tried now, leased until ``until``."""
        return [
            Endpoint(*row) for row in await self._write("claim_probes", now=now, until=until, limit=limit)
        ]

    async def claim_held(self, endpoint: str, *, now: int, until: int, claim: str) -> DueNotification | None:
        """The next of what the endpoint has waiting, due or not."""
        rows = await self._write("claim_held", endpoint=endpoint, now=now, until=until, claim=claim)
        return DueNotification(*rows[0]) if rows else None

    async def claim_parked(
        self, endpoint: str, *, now: int, until: int, claim: str, parked_after: int
    ) -> DueNotification | None:
        """The newest of what the endpoint has parked since ``parked_after``."""
        rows = await self._write(
            "claim_parked", endpoint=endpoint, now=now, until=until, claim=claim, after=parked_after
        )
        return DueNotification(*rows[0]) if rows else None

    async def put_off_probe(self, endpoint: str, *, state: str, now: int, probe_at: int, error: str) -> bool:
        return bool(
            await self._write(
                "put_off_probe", endpoint=endpoint, state=state, now=now, probe_at=probe_at, error=error
            )
        )

    async def endpoint_answered(self, endpoint: str, now: int) -> int | None:
        """Since when it had been in trouble; None where it was not, or where somebody else has said so."""
        rows = await self._write("endpoint_answered", endpoint=endpoint, now=now)
        return rows[0][0] if rows else None

    async def bring_forward(self, endpoint: Endpoint, now: int, *, last: int, limit: int = SLICE) -> int:
        """Brings a slice of what the endpoint missed forward to now, unless as much is due already; how much there was. Where it was gone,
        that is what was parked: the others have their own schedules.

        ``last``: milliseconds from the beginning of a schedule to its last try.
        """
        [(due,)] = await self._read("due_at_endpoint", endpoint=endpoint.endpoint, now=now, limit=limit)
        if due >= limit:
            return limit
        asked = {
            "endpoint": endpoint.endpoint,
            "now": now,
            "brought_at": max(now, endpoint.answered_at),
            "answered_at": endpoint.answered_at,
        }
        brought = 0 if endpoint.gone else len(await self._write("bring_forward", **asked, limit=limit))
        if brought < limit:
            brought += len(await self._write("bring_back", **asked, early=last // 2, limit=limit - brought))
        return brought

    async def endpoint_caught_up(
        self, endpoint: Endpoint, now: int, *, last: int, probe_at: int
    ) -> str | None:
        """``closed``, or ``parked`` where something was parked since it answered; None where it is in trouble again."""
        rows = await self._write(
            "endpoint_caught_up",
            endpoint=endpoint.endpoint,
            answered_at=endpoint.answered_at,
            now=now,
            probe_at=probe_at,
            early=last // 2,
        )
        return rows[0][0] if rows else None

    async def close_endpoint(self, endpoint: str, *, now: int, parked_after: int) -> bool:
        """False where something is left that it is to be told, or was parked after that moment."""
        return bool(await self._write("close_endpoint", endpoint=endpoint, now=now, after=parked_after))

    async def forget_endpoints(self, before: int) -> None:
        await self._write("forget_endpoints", before=before)

    async def in_trouble(self, limit: int = SLICE, site_id: str | None = None) -> list[EndpointTrouble]:
        """The longest in trouble first."""
        rows = await self._read("endpoints_in_trouble", limit=limit, site_id=site_id or "")
        return [
            EndpointTrouble(*(row[column] for column in (0, 1, 2, 3, 4, 5, 8, 9, 10, 11))) for row in rows
        ]

    async def probe_now(self, endpoint: str, now: int) -> bool:
        """An endpoint in trouble is tried at once; False where it is in none, or is being tried."""
        return bool(await self._write("probe_now", endpoint=endpoint, now=now))

    async def counts(self, now: int) -> QueueCounts:
        [(undelivered, due, oldest)] = await self._read("undelivered", now=now)
        [(parked,)] = await self._read("parked")
        states: dict[str, int] = {row[0]: row[1] for row in await self._read("endpoint_states")}
        return QueueCounts(
            due=int(due),
            undelivered=undelivered,
            oldest_since=oldest,
            parked=parked,
            endpoints_open=states.get("open", 0),
            endpoints_parked=states.get("parked", 0),
            endpoints_catching_up=states.get("catching_up", 0),
        )

    # telling again

    async def replay_payment(self, site_id: str, transaction_id: str, now: int) -> bool:
        """Tells a payment's newest state again; False where there is none, or nothing was ever to be told of it."""
        key = {"slot": slot_of(site_id, transaction_id), "site_id": site_id, "transaction_id": transaction_id}
        found = await self._read_rows("tokens_by_transaction", [key])
        if not found:
            return False
        return bool(await self._write("replay_payment", slot=key["slot"], token=found[0][0], now=now))

    async def replay_since(
        self, site_id: str, since: int, begun: int, limit: int = SLICE, *, now: int = 0
    ) -> int:
        """Tells again, a slice at a time, whatever of the site changed at or after ``since``; until it gives 0.

        ``begun``: when the replay was, the same for all slices. ``now``: when they are due, not before that.
        """
        now = max(now, begun)
        return await self._replayed("replay_since", limit, now, site_id=site_id, since=since, begun=begun)

    async def replay_parked(
        self, begun: int, site_id: str | None = None, limit: int = SLICE, *, now: int = 0
    ) -> int:
        """The same for what was parked."""
        return await self._replayed(
            "replay_parked", limit, max(now, begun), begun=begun, site_id=site_id or ""
        )

    async def _replayed(self, statement: str, limit: int, now: int, **parameters: Any) -> int:
        """A slice passes over rows that a sender is just writing: they are waited for, or the last slice would leave them out."""
        for _ in range(_LOCKED_LOOKS):
            rows = await self._write(statement, **parameters, now=now, limit=limit)
            if rows or not await self._read(f"left_to_{statement}", **parameters):
                return len(rows)
            await asyncio.sleep(_LOCKED_PAUSE_S)
        raise StoreUnavailable("some notifications stay locked: not all of them are due again")
