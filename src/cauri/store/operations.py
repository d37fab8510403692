"""The store's writes, each an operation over a batch of rows (see ``engine``). Every one is safe to run again."""

from __future__ import annotations

from collections.abc import Sequence

from cauri.domain.errors import StoreRefused
from cauri.domain.limits import Verdict
from cauri.domain.payment import Change, Payment
from cauri.store.engine import Operation, Row, Statement
from cauri.store.guarding import guarded, payers_of, prompts_of, rounds, unrung_of
from cauri.store.rows import (
    Fields,
    attempt_fields,
    change_fields,
    new_attempt_fields,
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


def apply_changes(changes: Sequence[Change]) -> Operation[list[Verdict]]:
    """Writes each change under its guards, with its history row and the mark that a notification is due.

    True: this change stands (also when an earlier run of the same change wrote it). Anything else: nothing was written.
    """
    fields = {change.after.token: change_fields(change) for change in changes}
    if payers := payers_of(changes):
        yield Statement("lock_payers", rows=payers)
    yield Statement("lock_payments", rows=list(fields.values()))
    verdicts: dict[str, Verdict] = {}
    for some in rounds(changes):
        verdicts |= yield from _apply(some, fields)
    return [verdicts[change.after.token] for change in changes]


def _apply(changes: Sequence[Change], fields: dict[str, Fields]) -> Operation[dict[str, Verdict]]:
    verdicts: dict[str, Verdict] = {change.after.token: False for change in changes}
    verdicts |= yield from guarded(changes)
    rows = [fields[token] for token, verdict in verdicts.items() if verdict is False]
    moved = {row[0] for row in (yield Statement("move_payments", rows=rows))} if rows else set()
    stands = [change for change in changes if change.after.token in moved]
    yield from _write_attempts(stands)
    yield from _write_records(stands, [fields[change.after.token] for change in stands])
    if len(stands) < len(changes):
        rest = [change for change in changes if change.after.token not in moved]
        moved |= yield from _written_before(rest, [fields[change.after.token] for change in rest])
    return verdicts | dict.fromkeys(moved, True)


def _write_attempts(changes: Sequence[Change]) -> Operation[None]:
    touched = [(status, attempt, change) for change in changes for status, attempt in change.attempts]
    old = [attempt_fields(attempt, status) for status, attempt, _ in touched if status is not None]
    new = [new_attempt_fields(change, attempt) for status, attempt, change in touched if status is None]
    if old and len((yield Statement("move_attempts", rows=old))) != len(old):
        raise StoreRefused("an attempt is not in the status that its payment's version implies")
    if new:
        yield Statement("insert_attempts", rows=new)
    if prompts := prompts_of(changes):
        yield Statement("insert_prompts", rows=prompts)
    if unrung := unrung_of(changes):
        yield Statement("forget_prompts", rows=unrung)


def _write_records(changes: Sequence[Change], fields: list[Fields]) -> Operation[None]:
    if fields:
        yield Statement("insert_history", rows=fields)
    due = {change.after.token for change in changes if change.notify}
    if due:
        yield Statement("mark_notifications", rows=[row for row in fields if row["token"] in due])
    surpluses = [surplus_fields(change, change.surplus) for change in changes if change.surplus]
    if surpluses:
        yield Statement("insert_surpluses", rows=surpluses)
    refunded = [row for row in fields if row["refunded"] is not None]
    if refunded and len((yield Statement("refund_surpluses", rows=refunded))) != len(refunded):
        raise StoreRefused("a surplus was given back already, or there is none")


def _written_before(changes: Sequence[Change], fields: list[Fields]) -> Operation[set[str]]:
    """The changes that an earlier run of this batch had committed before its connection was lost."""
    made: dict[str, str] = {row[0]: row[1] for row in (yield Statement("moves_by_version", rows=fields))}
    return {change.after.token for change in changes if made.get(change.after.token) == change.move_id}


def record_deliveries(deliveries: Sequence[Fields]) -> Operation[list[bool]]:
    """Writes deliveries and what they did to their notifications; False where the claim was no longer ours.

    PostgreSQL does all of it in the first statement.
    """
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
