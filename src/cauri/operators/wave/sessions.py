"""What Wave's checkout sessions say."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.operators.foreign import NotWhole, decoded, identifier, quoted, web_address, whole_units
from cauri.operators.http import Answer
from cauri.operators.wave.words import (
    CONFIGURATION_WORDS,
    MISMATCH,
    NOT_FOUND,
    PAYMENT_ERROR_WORDS,
    SESSION_WORDS,
    Meaning,
)

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class PaymentError(msgspec.Struct):
    code: str = ""
    message: str = ""


class Session(msgspec.Struct):
    """A checkout session: the answer to a start and to a question, ``data`` of a webhook."""

    id: str
    checkout_status: str
    payment_status: str
    amount: msgspec.Raw = msgspec.Raw()
    currency: str | None = None
    client_reference: str | None = None
    transaction_id: str | int | None = None
    last_payment_error: PaymentError | None = None
    wave_launch_url: str | None = None
    when_completed: str | None = None
    when_expires: str | None = None


class Found(msgspec.Struct):
    """The answer to a search. Sessions are read one by one, so that one that cannot be read does not hide one that was paid."""

    result: list[msgspec.Raw]


class Trouble(msgspec.Struct):
    """An HTTP error in Wave's words. ``details`` says which field a validation refused; its shape is not documented."""

    code: str
    message: str = ""
    details: msgspec.Raw = msgspec.Raw()


def read_start(answer: Answer, reference: str) -> Outcome:
    """The answer to a new session; the same Idempotency-Key again gives the same session."""
    if answer.status in (200, 201):
        session = decoded(answer.body, Session)
        return _unreadable(answer) if session is None else outcome_of(session, reference)
    if answer.status == 503:
        return Refused(Code.OPERATOR_UNAVAILABLE, "HTTP 503", unstarted=True)
    trouble = decoded(answer.body, Trouble)
    if answer.status in (401, 403):
        word = f"HTTP {answer.status}" if trouble is None else quoted(trouble.code, 60)
        return Refused(Code.SERVICE_UNAVAILABLE, word)
    if trouble is None or answer.status not in (400, 409, 422):
        return _unreadable(answer)
    if trouble.code == MISMATCH:
        return Unknown("this reference began another session", alert=True)
    if trouble.code not in CONFIGURATION_WORDS:
        return Unknown(f"unknown error code: {quoted(trouble.code, 60)}", alert=True)
    if b"payer_mobile" in bytes(trouble.details) or "payer_mobile" in trouble.message:
        return Refused(Code.PHONE_NOT_SUPPORTED, trouble.code)
    return Refused(Code.SERVICE_UNAVAILABLE, trouble.code)


def read_session(answer: Answer, reference: str) -> Outcome:
    """The answer about a session that we know by its id."""
    if answer.status == 404 and _code(answer) == NOT_FOUND:
        return Unknown("the operator does not know its own session any more", alert=True)
    session = decoded(answer.body, Session) if answer.status == 200 else None
    return _unreadable(answer) if session is None else outcome_of(session, reference)


def read_search(answer: Answer, reference: str) -> Outcome:
    """The answer to a search by our reference: of several sessions the one that was paid counts, else one that can still be."""
    found = decoded(answer.body, Found) if answer.status == 200 else None
    if found is None:
        return _unreadable(answer)
    if not found.result:
        return Unknown("the operator knows no session with our reference", not_found=True)
    sessions = [decoded(raw, Session) for raw in found.result]
    ours = [each for each in sessions if each is not None and each.client_reference == reference]
    best = min((outcome_of(each, reference) for each in ours), key=_weight, default=None)
    if isinstance(best, Accepted | Waiting):
        return best
    if None in sessions:
        return Unknown("a session in the search cannot be read", alert=True)
    return best or Unknown("the answer is about another client_reference", alert=True)


def outcome_of(session: Session, reference: str) -> Outcome:
    if session.client_reference is not None and session.client_reference != reference:
        return Unknown("the answer is about another client_reference", alert=True)
    match SESSION_WORDS.get((session.checkout_status, session.payment_status)):
        case Meaning.OPEN:
            return _open(session)
        case Meaning.PAID:
            return _paid(session, reference)
        case Meaning.CANCELLED:
            return _ended(session, Code.PAYMENT_FAILED if _out_of_time(session) else Code.CANCELLED)
        case Meaning.EXPIRED:
            return _ended(session, Code.PAYMENT_FAILED)
        case Meaning.ODD:
            return Unknown(f"contradicting statuses: {_statuses(session)}", alert=True)
        case None:
            return Unknown(f"unknown statuses: {_statuses(session)}", alert=True)


def session_id(handle: str | None) -> str | None:
    """The handle as it may stand in a path, None where it cannot."""
    return handle if handle is not None and _SESSION_ID.fullmatch(handle) else None


def _open(session: Session) -> Outcome:
    """Under way, whatever failed so far: the session stays payable, so its last error is told and never final."""
    page_url, handle = web_address(session.wave_launch_url), session_id(session.id)
    if page_url is None or handle is None:
        return Unknown("an open session without a usable id and wave_launch_url", alert=True)
    error = session.last_payment_error
    word = session.checkout_status + (f": {quoted(error.code, 60)}" if error is not None else "")
    return Waiting(Code.WAITING_AT_OPERATOR, page_url, word, handle)


def _paid(session: Session, reference: str) -> Outcome:
    if session.client_reference != reference:
        return Unknown("paid, without our client_reference", alert=True)
    operator_id = identifier(session.transaction_id) or identifier(session.id)
    try:
        amount = whole_units(session.amount)
    except NotWhole:
        return Unknown("paid, with an amount that is not whole", alert=True)
    if operator_id is None:
        return Unknown("paid, without a reference", alert=True)
    return Accepted(operator_id, amount, session.currency, moment(session.when_completed))


def _ended(session: Session, code: Code) -> Outcome:
    """Over and unpaid: the last error says why, where there was one."""
    error = session.last_payment_error
    if error is None or not error.code:
        return Refused(code, _statuses(session))
    if error.code not in PAYMENT_ERROR_WORDS:
        return Unknown(f"unknown last_payment_error: {quoted(error.code, 60)}", alert=True)
    return Refused(PAYMENT_ERROR_WORDS[error.code], f"{session.checkout_status}: {error.code}")


def _out_of_time(session: Session) -> bool:
    """Whether nobody cancelled it: a session that is over by its own ``when_expires`` says cancelled, too."""
    ended, limit = moment(session.when_completed), moment(session.when_expires)
    return session.checkout_status == "expired" and ended is not None and limit is not None and ended >= limit


def moment(text: str | None) -> int | None:
    """An ISO 8601 time with its zone as milliseconds UTC, None where it is anything else."""
    try:
        at = None if text is None else datetime.fromisoformat(text)
        return None if at is None or at.tzinfo is None else round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _statuses(session: Session) -> str:
    return f"{quoted(session.checkout_status, 30)}, {quoted(session.payment_status, 30)}"


def _weight(outcome: Outcome) -> int:
    return (Accepted, Waiting, Unknown, Refused).index(type(outcome))


def _code(answer: Answer) -> str:
    trouble = decoded(answer.body, Trouble)
    return "" if trouble is None else trouble.code


def _unreadable(answer: Answer) -> Unknown:
    """Passing troubles (5xx, 429) come and go; anything else that is not Wave's word wants a person."""
    return Unknown(
        f"unreadable answer, HTTP {answer.status}", alert=answer.status < 500 and answer.status != 429
    )
