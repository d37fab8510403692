"""The store's writes, each an operation over a batch of rows (see ``engine``). Every one is safe to run again."""

from __future__ import annotations

from collections.abc import Sequence

from cauri.domain.errors import StoreRefused
from cauri.domain.payment import Change, Payment
from cauri.store.engine import Operation, Row, Statement
from cauri.store.rows import (
    Fields,
    attempt_fields,
    change_fields,
    new_payment_fields,
    payment_of,
    surplus_fields,
)


def open_payments(payments: Sequence[Payment]) -> Operation[list[Payment]]:
    """Writes new payments with their first history row; gives back, in order, what the database now holds under each transaction_id.

    An answer whose token is not the one that was handed in is an older payment of the same name.
    """
    fields = [new_payment_fields(payment) for payment in payments]
    inserted = {row[0] for row in (yield Statement("insert_payments", rows=fields))}
    fresh = [row for row in fields if row["token"] in inserted]
    if fresh:
        yield Statement("insert_opened", rows=fresh)
    older: dict[tuple[str, str], Payment] = {}
    if len(fresh) < len(fields):
        rest = [row for row in fields if row["token"] not in inserted]
        for row in (yield Statement("payments_by_transaction", rows=rest)):
            found = payment_of(row)
            older[found.site_id, found.transaction_id] = found
    return [
        payment if payment.token in inserted else older[payment.site_id, payment.transaction_id]
        for payment in payments
    ]


def apply_changes(changes: Sequence[Change]) -> Operation[list[bool]]:
    """Writes each change under its guard, with its history row and the mark that a notification is due.

    True: this change stands (also when an earlier run of the same change wrote it). False: somebody was faster, nothing was written.
    """
    fields = [change_fields(change) for change in changes]
    yield Statement("lock_payments", rows=fields)
    moved = {row[0] for row in (yield Statement("move_payments", rows=fields))}
    stands = [change for change in changes if change.after.token in moved]
    yield from _write_attempts(stands)
    yield from _write_records(stands, [row for row in fields if row["token"] in moved])
    if len(stands) < len(changes):
        moved |= yield from _written_before(changes, fields, moved)
    return [change.after.token in moved for change in changes]


def _write_attempts(changes: Sequence[Change]) -> Operation[None]:
    touched = [(status, attempt) for change in changes for status, attempt in change.attempts]
    old = [attempt_fields(attempt, status) for status, attempt in touched if status is not None]
    new = [attempt_fields(attempt, None) for status, attempt in touched if status is None]
    if old and len((yield Statement("move_attempts", rows=old))) != len(old):
        raise StoreRefused("an attempt is not in the status that its payment's version implies")
    if new:
        yield Statement("insert_attempts", rows=new)


def _write_records(changes: Sequence[Change], fields: list[Fields]) -> Operation[None]:
    if fields:
        yield Statement("insert_history", rows=fields)
    due = {change.after.token for change in changes if change.notify}
    if due:
        yield Statement("mark_notifications", rows=[row for row in fields if row["token"] in due])
    surpluses = [surplus_fields(change, change.surplus) for change in changes if change.surplus]
    if surpluses:
        yield Statement("insert_surpluses", rows=surpluses)


def _written_before(changes: Sequence[Change], fields: list[Fields], moved: set[str]) -> Operation[set[str]]:
    """The changes that an earlier run of this batch had committed before its connection was lost."""
    rest = [row for row in fields if row["token"] not in moved]
    made: dict[str, str] = {row[0]: row[1] for row in (yield Statement("moves_by_version", rows=rest))}
    return {change.after.token for change in changes if made.get(change.after.token) == change.move_id}


def record_deliveries(deliveries: Sequence[Fields]) -> Operation[list[bool]]:
    """Writes deliveries and what they did to their notifications; False where the claim was no longer ours."""
    ours = {row[0] for row in (yield Statement("record_tries", rows=deliveries))}
    yield Statement("insert_deliveries", rows=deliveries)
    return [row["token"] in ours for row in deliveries]


def release_asks(rows: Sequence[Fields]) -> Operation[list[bool]]:
    """Ends our claims on attempts and says when each is to be asked next; False where the claim was no longer ours."""
    ours = {row[0] for row in (yield Statement("release_asks", rows=rows))}
    return [row["reference"] in ours for row in rows]


def one(statement: Statement) -> Operation[list[Row]]:
    """A single statement."""
    return (yield statement)
