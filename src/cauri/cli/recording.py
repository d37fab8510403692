"""Writes at the command line go into the same record as those of admin tokens."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cauri.clock import Clock, new_id
from cauri.domain.admin import AuditRow
from cauri.store import AdminRecords


def who() -> str:
    """The name somebody is logged in with."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"


@asynccontextmanager
async def recorded(records: AdminRecords, what: str, target: str) -> AsyncIterator[None]:
    """Recorded before it is done, and what became of it after."""
    row = AuditRow(
        audit_id=new_id(),
        at=Clock().now(),
        label=f"cli {who()}"[:80],
        address="local",
        what=what,
        target=target[:500],
        result="begun",
    )
    await records.begin(row)
    try:
        yield
    except BaseException as error:
        await records.finish(row, f"failed: {error}"[:200])
        raise
    await records.finish(row, "ok")
