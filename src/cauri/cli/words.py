"""Times and payments in words for the terminal. Numbers of phones are masked."""

from __future__ import annotations

import re

from cauri.cli.instance import Trouble
from cauri.clock import DAY, HOUR, MINUTE, SECOND
from cauri.domain.moments import iso, read_past
from cauri.domain.payment import Attempt, HistoryRow, Surplus, Timeline


def checked_site_id(text: str, option: str = "--site-id") -> str:
    """A site_id as the wire and the command line can carry it. Raises Trouble."""
    if not re.fullmatch(r"[!-~]{1,64}", text):
        raise Trouble(f"{option}: {text!r} must be 1 to 64 characters without blanks, such as 445160")
    return text


def duration(option: str, text: str) -> int:
    """Milliseconds of a text such as ``90s``, ``30m``, ``48h`` or ``2d``. Raises Trouble."""
    read = re.fullmatch(r"([0-9]{1,6})([smhd])", text.strip())
    if read is None:
        raise Trouble(
            f"{option}: write a number of at most 6 digits and its unit, such as 30m, 48h or 2d, not {text!r}"
        )
    return int(read[1]) * {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}[read[2]]


def past(option: str, text: str, now: int) -> int:
    """The moment where something begins, which is not still to come. Raises Trouble."""
    try:
        return read_past(text, now)
    except ValueError as error:
        raise Trouble(f"{option}: {error}") from None


def moment(milliseconds: int) -> str:
    """UTC, to the millisecond."""
    return iso(milliseconds)[:-1].replace("T", " ")


def timeline_lines(timeline: Timeline) -> list[str]:
    """A payment's history, attempts and deliveries in the order in which they happened."""
    payment = timeline.payment
    attempts = {attempt.number: attempt for attempt in timeline.attempts}
    events: list[tuple[int, str]] = []
    for row in timeline.history:
        move = f"{row.from_code or '–'} → {row.to_code}" if row.from_code != row.to_code else row.to_code
        who = f"  by {row.actor}" if row.actor else ""
        why = f"  ({row.note})" if row.note else ""
        attempt = (
            f"  attempt {row.attempt}: {_attempt(attempts[row.attempt], row)}"
            if row.attempt in attempts
            else ""
        )
        events.append((row.at, f"{row.event:<14} {move:<12}{attempt}{who}{why}".rstrip()))
    for delivery in timeline.deliveries:
        answer = str(delivery.status) if delivery.status is not None else "no answer"
        trouble = f"  {delivery.error}" if delivery.error else ""
        again = f"; next try {moment(delivery.next_try_at)}" if delivery.next_try_at else ""
        events.append(
            (
                delivery.at,
                f"{'delivery':<14} {delivery.code:<12}  {answer} in {delivery.duration_ms} ms{trouble}{again}",
            )
        )
    lines = [
        f"payment  {payment.transaction_id}  site {payment.site_id}  {payment.amount} {payment.currency}",
        f"now      {payment.code.number} {payment.code.message}  version {payment.version}  failed tries {payment.tries} of {payment.request.attempts_max}",
        f"token    {payment.token}",
        "",
        *(f"{moment(at)}  {text}" for at, text in sorted(events, key=lambda event: event[0])),
    ]
    lines += [_surplus(each) for each in timeline.surpluses]
    return [*lines, *_pending(timeline)]


def _surplus(surplus: Surplus) -> str:
    back = (
        f"; given back {moment(surplus.refunded_at)} by {surplus.refunded_by}: {surplus.refund_why}"
        if surplus.refunded_at is not None
        else "; to be given back ('cauri surplus list')"
    )
    return (
        f"SURPLUS  attempt {surplus.attempt}: {surplus.amount} {surplus.currency} received after the end, "
        f"operator's {surplus.operator_id}{back}"
    )


def _attempt(attempt: Attempt, row: HistoryRow) -> str:
    """Who paid how; beside the row that ended the attempt also the operator's last word."""
    number = f"{attempt.phone.prefix} {attempt.phone.masked}" if attempt.phone.given else "without a number"
    text = f"{attempt.method} {number} by {attempt.connector}"
    if row.at != attempt.ended_at:
        return text
    word = f", {attempt.word}" if attempt.word else ""
    return text + word + (f", operator's {attempt.operator_id}" if attempt.operator_id else "")


def _pending(timeline: Timeline) -> list[str]:
    state = timeline.notification
    if state is None:
        return []
    if state["parked_at"]:
        name = f"{timeline.payment.site_id} {timeline.payment.transaction_id}"
        return [
            "",
            f"notification parked at {moment(state['parked_at'])}: the shop never answered 2xx; "
            f"'cauri deliveries replay {name}' tells it again",
        ]
    if state["due_at"]:
        return ["", f"notification due at {moment(state['due_at'])}, {state['tries']} tries so far"]
    return ["", "notification: the shop knows the newest state"]
