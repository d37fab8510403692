"""The admin doors as an ASGI application: finds the door, asks who is there, reads, lets the door act, keeps the record of writes."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import structlog
from msgspec.structs import replace

from cauri.api.admin.door import Call, Door, Table, Text, check_site
from cauri.api.admin.reading import read_json, read_query
from cauri.api.admin.refusals import OUR_BUG, SCOPE_MISSING, FieldTrouble, Refusal, faulty, refusal_of
from cauri.api.admin.tokens import Guard, Unauthorized
from cauri.api.asgi import Disconnected, Receive, Scope, Send, read_capped, read_head
from cauri.clock import Clock, new_id
from cauri.domain.admin import AdminToken, AuditRow
from cauri.domain.errors import StoreUnavailable, TooManyRequests
from cauri.wire.callers import Buckets

if TYPE_CHECKING:
    from cauri.store import AdminRecords

log = structlog.get_logger("cauri.admin")

# Writes that nobody was recognised for are kept too, up to so many a minute of all addresses; the others are only logged.
STRANGERS_A_MINUTE = 60
TARGET_MAX = 500
PATH_VALUE_MAX = 200
_JSON = "application/json"


class Desk:
    def __init__(self, table: Table, records: AdminRecords, guard: Guard, clock: Clock) -> None:
        self._table = table
        self._records = records
        self._guard = guard
        self._clock = clock
        self._strangers = Buckets(clock, STRANGERS_A_MINUTE, per_s=60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = new_id()
        try:
            status, answer = 200, await self._served(scope, receive)
        except Disconnected:
            return
        except Exception as error:
            refusal = refusal_of(error) or self._broken(scope, request_id, error)
            status = refusal.kind.status
            answer = Text(_JSON, refusal.body(request_id), refusal.headers)
        lines = [
            (b"content-type", answer.media_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": answer.body})

    async def _served(self, scope: Scope, receive: Receive) -> Text:
        door, path = self._table.find(scope["method"], scope["raw_path"])
        body = await read_capped(receive, read_head(scope["headers"]).content_length)
        answer = await (self._write if door.writes else self._read)(door, path, scope, body)
        return answer if isinstance(answer, Text) else Text(_JSON, msgspec.json.encode(answer))

    async def _read(self, door: Door, path: dict[str, str], scope: Scope, body: bytes) -> Any:
        token = _NOBODY if door.scope is None else await self._guard.admit(scope)
        answer = await door.act(self._call(door, token, path, scope, body))
        if door.waits:
            await self._guard.still_admits(scope)
        return answer

    async def _write(self, door: Door, path: dict[str, str], scope: Scope, body: bytes) -> Any:
        """Recorded before it is done, and what became of it after: nothing is done that is not in the record."""
        row = self._row(door, scope)
        try:
            token = await self._guard.admit(scope)
        except Unauthorized as refusal:
            await self._record_stranger(replace(row, label=refusal.label, result=_result(refusal)))
            raise
        row = replace(row, label=token.label)
        try:
            call = self._call(door, token, path, scope, body)
        except Refusal as refusal:
            await self._records.begin(replace(row, result=_result(refusal)))
            raise
        await self._records.begin(replace(row, target=_target(row.target, call.body)))
        return await self._acted(door, call, row)

    async def _acted(self, door: Door, call: Call, row: AuditRow) -> Any:
        result = "200 ok"
        try:
            return await door.act(call)
        except Exception as error:
            refusal = refusal_of(error)
            result = _result(refusal) if refusal else f"{OUR_BUG.status} {OUR_BUG.code}"
            raise
        except BaseException:
            result = "broken off"
            raise
        finally:
            await self._finish(row, result)

    async def _finish(self, row: AuditRow, result: str) -> None:
        _tell(row, result)
        try:
            await self._records.finish(row, result)
        except StoreUnavailable as error:
            log.error(
                "admin_write_not_finished_in_record", audit_id=row.audit_id, result=result, error=str(error)
            )

    async def _record_stranger(self, row: AuditRow) -> None:
        _tell(row, row.result)
        try:
            self._strangers.take("all")
        except TooManyRequests:
            return
        await self._records.begin(row)

    def _row(self, door: Door, scope: Scope) -> AuditRow:
        return AuditRow(
            audit_id=new_id(),
            at=self._clock.now(),
            label="",
            address=self._guard.address(scope),
            what=door.operation,
            target=_printable(scope["path"])[:TARGET_MAX],
            result="begun",
        )

    def _call(self, door: Door, token: AdminToken, path: dict[str, str], scope: Scope, body: bytes) -> Call:
        """Raises Refusal, in this order: the scope, the site, the parameters, the body."""
        if door.scope is not None and door.scope not in token.scopes:
            raise Refusal(
                SCOPE_MISSING,
                f"this door needs the scope {door.scope}, the token has: {', '.join(token.scopes)}",
            )
        _check_path(path)
        check_site(token, path)
        query = read_query(scope["query_string"], door.query)
        check_site(token, query)
        read = None
        if door.body is not None:
            read = read_json(read_head(scope["headers"]).content_type, body, door.body)
            check_site(token, read)
        return Call(token, self._clock.now(), path, query, read)

    def _broken(self, scope: Scope, request_id: str, error: Exception) -> Refusal:
        """Our bug. The log has where it happened, not the error's text, which may quote numbers or names."""
        frames = traceback.extract_tb(error.__traceback__)
        log.error(
            "request_failed",
            error_id=request_id,
            path=_printable(scope["path"]),
            error=type(error).__name__,
            at=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        )
        return Refusal(OUR_BUG, f"a fault of ours: the log has it under {request_id}")


_NOBODY = AdminToken(token_hash="", label="", scopes=(), sites=(), created_at=0)


def _check_path(path: dict[str, str]) -> None:
    for name, value in path.items():
        if not value or len(value) > PATH_VALUE_MAX or not value.isprintable():
            raise faulty(FieldTrouble(name, "must be 1 to 200 printable characters"))


def _tell(row: AuditRow, result: str) -> None:
    log.info(
        "admin_write", label=row.label, address=row.address, what=row.what, target=row.target, result=result
    )


def _result(refusal: Refusal) -> str:
    return f"{refusal.kind.status} {refusal.kind.code}"


def _target(path: str, body: Any) -> str:
    """The path, and what the body asks in a few words."""
    if body is None:
        return path
    given = msgspec.structs.asdict(body).items()
    asked = {name: _bare(value) if name == "url" else value for name, value in given if value is not None}
    return f"{path} {msgspec.json.encode(asked).decode()}"[:TARGET_MAX]


def _bare(url: str) -> str:
    """Without user, password and query, which may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _printable(text: str) -> str:
    """On one line, in ASCII: strangers choose it, people read it in a terminal."""
    return "".join(each if " " <= each <= "~" else ascii(each)[1:-1] for each in text)
