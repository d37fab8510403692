"""What MTN's answers and callbacks say."""

from __future__ import annotations

import re

import msgspec

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback, Callback, Order
from cauri.operators.foreign import NotWhole, decoded, identifier, our_reference, quoted, whole_units
from cauri.operators.http import Answer
from cauri.operators.mtn.words import (
    AMBIGUOUS_ERRORS,
    DUPLICATE,
    NO_ACCOUNT_ERRORS,
    NOT_FOUND_ERRORS,
    REASON_WORDS,
    STATUS_WORDS,
    UNAVAILABLE,
    Meaning,
)

MAX_CALLBACK = 64 * 1024

# Statuses with which MTN tells an error of its own, as {code, message}.
_ERROR_STATUSES = frozenset({400, 404, 409, 500, 503})
_NAMES_THE_PAYER = re.compile(r"party.?id|msisdn", re.IGNORECASE)


class Reason(msgspec.Struct):
    code: str = ""
    message: str = ""


class RequestToPay(msgspec.Struct, rename="camel"):
    """A request to pay as its status and its callback tell it. ``reason`` is a bare word in practice, an object in the schema."""

    status: str
    amount: msgspec.Raw = msgspec.Raw()
    currency: str | None = None
    external_id: str | int | None = None
    financial_transaction_id: str | int | None = None
    reason: str | Reason | None = None

    @property
    def reason_word(self) -> str:
        return self.reason.code if isinstance(self.reason, Reason) else self.reason or ""


class Trouble(msgspec.Struct):
    """An HTTP error in MTN's words."""

    code: str = ""
    message: str = ""


class ActiveAccount(msgspec.Struct):
    result: bool


def read_account(answer: Answer) -> Refused | None:
    """The answer to "is this number's account active?": a refusal, or None where the payment may be tried."""
    if answer.status == 200:
        active = decoded(answer.body, ActiveAccount)
        return (
            None if active is None or active.result else Refused(Code.PHONE_NOT_FOUND, "account not active")
        )
    trouble = decoded(answer.body, Trouble)
    if answer.status == 404 and trouble is not None and trouble.code in NO_ACCOUNT_ERRORS:
        return Refused(Code.PHONE_NOT_FOUND, f"no account: {trouble.code}")
    return None


def read_start(answer: Answer) -> Outcome:
    """The answer to a request to pay: 202 without a body, or an error that counts only in MTN's own words."""
    if answer.status == 202:
        return Waiting(Code.WAITING_TO_VALIDATE, word="202")
    if answer.status in (401, 403):
        return Refused(Code.SERVICE_UNAVAILABLE, f"HTTP {answer.status}")
    trouble = decoded(answer.body, Trouble)
    if trouble is None or not trouble.code or answer.status not in _ERROR_STATUSES:
        return _unreadable(answer)
    if trouble.code == DUPLICATE:
        return Waiting(word=DUPLICATE)
    return _start_error(answer.status, trouble)


def _start_error(status: int, trouble: Trouble) -> Outcome:
    if trouble.code in AMBIGUOUS_ERRORS:
        return Unknown(f"the request to pay was answered HTTP {status} {trouble.code}")
    if trouble.code == UNAVAILABLE and status == 503:
        return Refused(Code.OPERATOR_UNAVAILABLE, UNAVAILABLE, unstarted=True)
    if trouble.code == UNAVAILABLE:  # documented with 503 only: with another status it may have begun
        return Unknown(f"the request to pay was answered HTTP {status} {UNAVAILABLE}")
    if status == 400 and _NAMES_THE_PAYER.search(f"{trouble.code} {trouble.message}"):
        return Refused(Code.PHONE_NOT_SUPPORTED, quoted(trouble.code, 60))
    if trouble.code in REASON_WORDS:
        return Refused(REASON_WORDS[trouble.code], trouble.code)
    if status == 400:
        return Refused(Code.SERVICE_UNAVAILABLE, f"HTTP 400 {quoted(trouble.code, 60)}")
    return Unknown(f"unknown error code: {quoted(trouble.code, 60)}", alert=True)


def read_check(answer: Answer, order: Order, currency: str) -> Outcome:
    """What the answer to a question says: HTTP errors speak of the question, never of the payment. ``currency``: what we asked in."""
    if answer.status == 404:
        trouble = decoded(answer.body, Trouble)
        if trouble is not None and trouble.code in NOT_FOUND_ERRORS:
            return Unknown("the operator knows no such request to pay", not_found=True)
    told = decoded(answer.body, RequestToPay)
    if told is None or answer.status != 200:
        return _unreadable(answer)
    outcome = _outcome(told, order.reference)
    return _in_our_currency(outcome, currency, order.currency) if isinstance(outcome, Accepted) else outcome


def read_callback(body: bytes, path: str) -> Callback:
    """``path``: our reference, since MTN repeats it nowhere else than in ``externalId``. Raises BadCallback."""
    if len(body) > MAX_CALLBACK:
        raise BadCallback(f"larger than {MAX_CALLBACK} bytes")
    told = decoded(body, RequestToPay)
    if told is None:
        raise BadCallback("not a request to pay")
    reference = our_reference(path) if path else our_reference(told.external_id)
    if reference is None:
        raise BadCallback("neither the path nor externalId is a reference of ours")
    return Callback(reference, _outcome(told, reference))


def _outcome(told: RequestToPay, reference: str) -> Outcome:
    if told.external_id is not None and our_reference(told.external_id) != reference:
        return Unknown("the answer is about another externalId", alert=True)
    match STATUS_WORDS.get(told.status):
        case Meaning.UNDER_WAY:
            return Waiting(Code.WAITING_TO_VALIDATE, word=told.status)
        case Meaning.PAID:
            return _paid(told)
        case Meaning.REFUSED:
            return _refused(told)
        case None:
            return Unknown(f"unknown status: {quoted(told.status or 'none', 60)}", alert=True)


def _paid(told: RequestToPay) -> Outcome:
    reference = our_reference(told.external_id)
    if reference is None:
        return Unknown("SUCCESSFUL without our externalId", alert=True)
    try:
        amount = whole_units(told.amount)
    except NotWhole:
        return Unknown("SUCCESSFUL with an amount that is not whole", alert=True)
    return Accepted(identifier(told.financial_transaction_id) or reference, amount, told.currency)


def _in_our_currency(paid: Accepted, asked: str, own: str) -> Outcome:
    """Payment and answer are compared in the currency that we asked in: where an environment has its own, that is not the payment's."""
    if paid.currency is not None and paid.currency != asked:
        return Unknown(
            f"mismatch: the operator says {quoted(paid.currency, 10)}, we asked {asked}", alert=True
        )
    return Accepted(paid.operator_id, paid.amount, None if paid.currency is None else own)


def _refused(told: RequestToPay) -> Outcome:
    word = told.reason_word
    if not word:
        return Refused(Code.PAYMENT_FAILED, told.status)
    if word not in REASON_WORDS:
        return Unknown(f"unknown reason: {quoted(word, 60)}", alert=True)
    return Refused(REASON_WORDS[word], word)


def _unreadable(answer: Answer) -> Unknown:
    """Passing troubles (5xx, 429) come and go; anything else that is not MTN's word wants a person."""
    return Unknown(
        f"unreadable answer, HTTP {answer.status}", alert=answer.status < 500 and answer.status != 429
    )
