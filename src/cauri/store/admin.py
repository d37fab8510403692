"""Admin tokens, the record of what was done with them, and the alerts that are raised. Every method may raise StoreUnavailable."""

from __future__ import annotations

from typing import Any

import msgspec

from cauri.domain.admin import AdminToken, AuditRow
from cauri.store.engine import Row
from cauri.store.queries import ADMIN_TOKEN_COLUMNS
from cauri.store.rows import read_texts, text_of
from cauri.store.statements import Statements


class Alert(msgspec.Struct, frozen=True):
    """Something that wants a person. ``name`` says what and where, such as ``endpoint_parked https://shop.example``."""

    name: str
    since: int
    told_at: int
    detail: str


class AdminRecords(Statements):
    # tokens

    async def add(self, token: AdminToken) -> bool:
        """False where a live token has this label already, and nothing was written."""
        return bool(
            await self._write(
                "insert_admin_token", **_kept(token), sites=_sites(token), expires_at=token.expires_at
            )
        )

    async def ensure(self, token: AdminToken) -> None:
        """The token is there and may do all that its scopes say, for all sites, whatever happened to it before."""
        await self._write("ensure_admin_token", **_kept(token))

    async def token(self, token_hash: str) -> AdminToken | None:
        """Also where it is expired or revoked. ``token_hash``: SHA-256, hex."""
        rows = await self._read("admin_token", token_hash=token_hash)
        return _token_of(rows[0]) if rows else None

    async def tokens(self) -> list[AdminToken]:
        """All that were ever made, newest first."""
        return [_token_of(row) for row in await self._read("admin_tokens")]

    async def revoke(self, label: str, now: int) -> bool:
        """False where no live token has this label."""
        return bool(await self._write("revoke_admin_token", label=label, now=now))

    async def used(self, token_hash: str, now: int, before: int) -> None:
        """Notes the use, unless one after ``before`` is noted already."""
        await self._write("admin_token_used", token_hash=token_hash, now=now, before=before)

    # what was done with them

    async def begin(self, row: AuditRow) -> None:
        await self._write("insert_audit", **msgspec.structs.asdict(row))

    async def finish(self, row: AuditRow, result: str) -> None:
        await self._write("finish_audit", at=row.at, audit_id=row.audit_id, result=result)

    async def audit(self, *, since: int, before: tuple[int, str], limit: int) -> list[AuditRow]:
        """Newest first, the rows before a place: ``(at, audit_id)`` of the last one seen, or a moment and ``""``."""
        rows = await self._read("audit", since=since, at=before[0], audit_id=before[1], limit=limit)
        return [AuditRow(**dict(zip(AuditRow.__struct_fields__, row, strict=True))) for row in rows]

    # alerts

    async def alerts(self) -> list[Alert]:
        """Those that are raised, oldest first."""
        return [Alert(*row) for row in await self._read("alerts")]

    async def raise_alert(self, name: str, detail: str, now: int) -> bool:
        """True for the one who raised it: it is theirs to tell."""
        return bool(await self._write("raise_alert", name=name, detail=detail, now=now))

    async def repeat_alert(self, name: str, detail: str, now: int, before: int) -> bool:
        """True where it was last told before ``before``, and is ours to tell again."""
        return bool(await self._write("repeat_alert", name=name, detail=detail, now=now, before=before))

    async def end_alert(self, name: str) -> int | None:
        """Since when it was raised, for the one who ended it."""
        rows = await self._write("end_alert", name=name)
        return int(rows[0][0]) if rows else None


def _kept(token: AdminToken) -> dict[str, Any]:
    return {
        "token_hash": token.token_hash,
        "label": token.label,
        "scopes": text_of(token.scopes),
        "created_at": token.created_at,
    }


def _sites(token: AdminToken) -> str | None:
    return None if token.sites is None else text_of(token.sites)


def _token_of(row: Row) -> AdminToken:
    fields = dict(zip(ADMIN_TOKEN_COLUMNS, row, strict=True))
    fields["scopes"] = read_texts(fields["scopes"])
    fields["sites"] = None if fields["sites"] is None else read_texts(fields["sites"])
    return AdminToken(**fields)
