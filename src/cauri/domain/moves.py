"""The life of a payment (contract section 7) as pure functions: a state and what happened give a Change, or None.

Nothing here reads a clock or a database: time and ids come in as arguments, the store writes the Change under its guard.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cauri.domain.codes import Code
from cauri.domain.limits import Guard
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting, noted
from cauri.domain.payment import (
    OPEN_ATTEMPTS,
    Attempt,
    AttemptStatus,
    Change,
    Payment,
    PaymentStatus,
    Surplus,
)

Moved = tuple[AttemptStatus | None, Attempt]

_OF_CHANGE = ("surplus", "refunded", "rang_nobody", "guard", "actor", "note")


def _change(before: Payment, event: str, at: int, move_id: str, *attempts: Moved, **fields: Any) -> Change:
    """A Change whose payment has these fields and the next version."""
    own = {name: fields.pop(name) for name in _OF_CHANGE if name in fields}
    return Change(
        before=before,
        after=replace(before, version=before.version + 1, **fields),
        event=event,
        at=at,
        move_id=move_id,
        attempts=attempts,
        attempt=attempts[-1][1].number if attempts else None,
        **own,
    )


def _drop(open_attempt: Attempt | None, now: int) -> tuple[Moved, ...]:
    """An attempt that only waits for a code gives way to whatever comes next."""
    if open_attempt is None or open_attempt.status is not AttemptStatus.ASKED:
        return ()
    return ((AttemptStatus.ASKED, replace(open_attempt, status=AttemptStatus.DROPPED, ended_at=now)),)


def started(
    payment: Payment,
    attempt: Attempt,
    open_attempt: Attempt | None,
    now: int,
    move_id: str,
    guard: Guard | None = None,
) -> Change:
    """A new attempt: asked (a code is needed first), sent (committed before the operator is called), or failed by a rule of ours."""
    own_refusal = attempt.status is AttemptStatus.FAILED
    return _change(
        payment,
        {AttemptStatus.ASKED: "code asked", AttemptStatus.SENT: "sent", AttemptStatus.FAILED: "not sent"}[
            attempt.status
        ],
        now,
        move_id,
        *_drop(open_attempt, now),
        (None, attempt),
        code=Code.WAITING_PAYMENT if own_refusal else attempt.code,
        attempts=attempt.number,
        method=attempt.method,
        phone=attempt.phone.given,
        attempt_at=attempt.started_at,
        failed_code=attempt.code if own_refusal else payment.failed_code,
        guard=guard,
    )


def code_given(payment: Payment, attempt: Attempt, given: Attempt, now: int, move_id: str) -> Change:
    """The payer typed the code: asked → sent, or failed by a rule of ours."""
    moved = (attempt.status, given)
    if given.status is AttemptStatus.FAILED:
        return _change(
            payment, "not sent", now, move_id, moved, code=Code.WAITING_PAYMENT, failed_code=given.code
        )
    return _change(payment, "sent", now, move_id, moved, code=given.code)


def settled(
    payment: Payment,
    attempt: Attempt,
    outcome: Outcome,
    now: int,
    move_id: str,
    actor: str = "",
    note: str = "",
    *,
    open_attempt: Attempt | None = None,
) -> Change | None:
    """What an operator's word changes; None where it changes nothing.

    ``open_attempt``: the payment's attempt that is asked or sent, where it is another than the one spoken of.
    """
    match outcome:
        case Unknown():
            return _unclear(payment, attempt, outcome, now, move_id)
        case Waiting():
            return _waiting(payment, attempt, outcome, now, move_id)
        case Refused():
            return _refused(payment, attempt, outcome, now, move_id, actor, note)
        case Accepted():
            return _accepted(payment, attempt, outcome, now, move_id, actor, note, open_attempt)


def _unclear(payment: Payment, attempt: Attempt, outcome: Unknown, now: int, move_id: str) -> Change | None:
    """Where a person should look, the history says why, once; nothing else moves."""
    word = noted(attempt.word, outcome.why)
    if not outcome.alert or attempt.status is not AttemptStatus.SENT or attempt.word == word:
        return None
    moved = replace(attempt, word=word)
    return _change(payment, "unclear", now, move_id, (AttemptStatus.SENT, moved), note=outcome.why)


def _waiting(payment: Payment, attempt: Attempt, outcome: Waiting, now: int, move_id: str) -> Change | None:
    if payment.final or attempt.status is not AttemptStatus.SENT:
        return None
    code = outcome.code or attempt.code
    page_url = outcome.page_url or attempt.page_url
    handle = outcome.handle or attempt.handle
    if (code, page_url, handle) == (attempt.code, attempt.page_url, attempt.handle):
        return None
    moved = replace(attempt, code=code, page_url=page_url, handle=handle, word=outcome.word)
    return _change(payment, "waiting", now, move_id, (AttemptStatus.SENT, moved), code=code)


def _refused(
    payment: Payment, attempt: Attempt, outcome: Refused, now: int, move_id: str, actor: str, note: str
) -> Change | None:
    if attempt.status in (AttemptStatus.PAID, AttemptStatus.SURPLUS):
        return _contradicted(payment, attempt, outcome, now, move_id)
    if attempt.status is not AttemptStatus.SENT:
        return None
    moved = (AttemptStatus.SENT, _failed(attempt, outcome, now))
    if payment.final:
        return _change(payment, "failed", now, move_id, moved, actor=actor, note=note)
    tries = payment.tries + 1
    over = tries >= payment.request.attempts_max or now >= payment.expires_at or payment.left_at is not None
    end = (
        {"status": PaymentStatus.REFUSED, "code": outcome.code, "ended_at": now}
        if over
        else {"code": Code.WAITING_PAYMENT}
    )
    return _change(
        payment,
        "failed",
        now,
        move_id,
        moved,
        tries=tries,
        failed_code=outcome.code,
        rang_nobody=outcome.unstarted,
        actor=actor,
        note=note,
        **end,
    )


def failed_over(
    payment: Payment,
    attempt: Attempt,
    outcome: Refused,
    following: Attempt,
    now: int,
    move_id: str,
    guard: Guard | None = None,
) -> Change | None:
    """A start that began nothing: the attempt ends without costing a try, and its successor at another connector takes its place.

    None where the same try cannot go on: the payment or the attempt has ended, the customer has left, or the session is over.
    """
    over = payment.final or payment.left_at is not None or now >= payment.expires_at
    if over or attempt.status is not AttemptStatus.SENT or not outcome.unstarted:
        return None
    return _change(
        payment,
        "failed over",
        now,
        move_id,
        (AttemptStatus.SENT, _failed(attempt, outcome, now)),
        (None, following),
        code=following.code,
        attempts=following.number,
        method=following.method,
        phone=following.phone,
        attempt_at=following.started_at,
        failed_code=outcome.code,
        guard=guard,
        note=f"{attempt.connector}: {outcome.word}" if outcome.word else attempt.connector,
    )


def _failed(attempt: Attempt, outcome: Refused, now: int) -> Attempt:
    return replace(
        attempt,
        status=AttemptStatus.FAILED,
        code=outcome.code,
        ended_at=now,
        word=outcome.word,
        next_ask_at=None,
    )


def _contradicted(
    payment: Payment, attempt: Attempt, outcome: Refused, now: int, move_id: str
) -> Change | None:
    """An operator takes back an acceptance: recorded once, nothing else moves."""
    word = f"refused after acceptance: {outcome.word}"
    if attempt.word == word:
        return None
    moved = (attempt.status, replace(attempt, word=word))
    return _change(payment, "contradiction", now, move_id, moved, note=word)


def _accepted(
    payment: Payment,
    attempt: Attempt,
    outcome: Accepted,
    now: int,
    move_id: str,
    actor: str,
    note: str,
    open_attempt: Attempt | None,
) -> Change | None:
    if attempt.status not in (AttemptStatus.SENT, AttemptStatus.FAILED):
        return None
    status = AttemptStatus.SURPLUS if payment.final else AttemptStatus.PAID
    taken = replace(
        attempt,
        status=status,
        code=Code.SUCCESS,
        ended_at=now,
        operator_id=outcome.operator_id,
        next_ask_at=None,
    )
    moved = (attempt.status, taken)
    if payment.final:
        surplus = Surplus(
            attempt=attempt.number,
            operator_id=outcome.operator_id,
            amount=attempt.amount,
            currency=attempt.currency,
        )
        return _change(payment, "surplus", now, move_id, moved, surplus=surplus, actor=actor, note=note)
    return _change(
        payment,
        "paid",
        now,
        move_id,
        *_drop(open_attempt, now),
        moved,
        status=PaymentStatus.PAID,
        code=Code.SUCCESS,
        operator_id=outcome.operator_id,
        paid_at=outcome.paid_at or now,
        ended_at=now,
        method=attempt.method,
        phone=attempt.phone.given,
        attempt_at=attempt.started_at,
        actor=actor,
        note=note,
    )


def verified(attempt: Attempt, outcome: Outcome) -> Outcome:
    """An acceptance whose amount or currency is not the attempt's is Unknown, never paid (contract section 7)."""
    if not isinstance(outcome, Accepted):
        return outcome
    if outcome.amount is not None and outcome.amount != attempt.amount:
        return Unknown(f"mismatch: the operator says {outcome.amount}, we asked {attempt.amount}", alert=True)
    if outcome.currency is not None and outcome.currency != attempt.currency:
        return Unknown(
            f"mismatch: the operator says {outcome.currency}, we asked {attempt.currency}", alert=True
        )
    return outcome


def ended_without_payment(
    payment: Payment, open_attempt: Attempt | None, now: int, move_id: str, event: str
) -> Change | None:
    """Cancelled, given up or expired: final with the last failed attempt's code, 627 if none failed. None while something is in flight."""
    if payment.final or (open_attempt is not None and open_attempt.status is AttemptStatus.SENT):
        return None
    return _change(
        payment,
        event,
        now,
        move_id,
        *_drop(open_attempt, now),
        status=PaymentStatus.REFUSED,
        code=payment.failed_code or Code.CANCELLED,
        ended_at=now,
    )


def left(payment: Payment, now: int, move_id: str) -> Change | None:
    """The customer went back to the shop with something in flight: if that fails, the payment is final at once."""
    if payment.final or payment.left_at is not None:
        return None
    return _change(payment, "left", now, move_id, left_at=now)


def refunded(
    payment: Payment, surplus: Surplus, now: int, move_id: str, actor: str, note: str
) -> Change | None:
    """A person gave a surplus back to its payer; None where that was said before."""
    if surplus.refunded_at is not None:
        return None
    change = _change(payment, "refunded", now, move_id, refunded=surplus.attempt, actor=actor, note=note)
    return replace(change, attempt=surplus.attempt)


def is_open(attempt: Attempt) -> bool:
    return attempt.status in OPEN_ATTEMPTS
