"""The words and shapes of the hosted card page (docs/operators.md, "Hosted card page"), without the network."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from types import MappingProxyType

import msgspec

from cauri.clock import SECOND
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback, Flow, Order, Route
from cauri.operators.foreign import (
    RESERVED_WORDS,
    NotWhole,
    decoded,
    identifier,
    quoted,
    web_address,
    whole_units,
)
from cauri.operators.http import Answer


class Meaning(Enum):
    """What a status says of a session."""

    UNDER_WAY = "under way"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


STATUS_WORDS: dict[str, Meaning] = {
    "open": Meaning.UNDER_WAY,
    "processing": Meaning.UNDER_WAY,
    "paid": Meaning.PAID,
    "failed": Meaning.FAILED,
    "expired": Meaning.EXPIRED,
}

FAILURE_WORDS: dict[str, Code] = {
    "declined": Code.PAYMENT_FAILED,
    "insufficient_funds": Code.INSUFFICIENT_BALANCE,
    "stolen_card": Code.PAYMENT_FAILED,  # the shop and the payer need not be told why
    "3ds_failed": Code.OTP_CODE_ERROR,  # 3-D Secure is the bank's one-time code
    "cancelled": Code.CANCELLED,
    "limit_exceeded": Code.DAILY_MAX_AMOUNT,  # approximation: which limit is not said
    # The simulated operators' reserved words, for codes that cards have no word for.
    **RESERVED_WORDS,
}

# error.code of a session that was not opened.
START_WORDS: dict[str, Code] = {
    "amount_too_low": Code.AMOUNT_TOO_LOW,
    "amount_too_high": Code.AMOUNT_TOO_HIGH,
}

# HTTP statuses of an error that says that nothing was opened, and why that is ours to repair.
CONFIGURATION_STATUSES = frozenset({400, 401, 403, 404, 422})

SESSION_LIFE_S = 30 * 60
_ROUTE = Route("card_page", Flow.PAGE, payer_has_s=SESSION_LIFE_S)
ROUTES_OF_COUNTRY: Mapping[str, Mapping[str, Route]] = MappingProxyType(
    {
        "CI": MappingProxyType({"VISAM": _ROUTE}),
        "CM": MappingProxyType({"VISAMCM": _ROUTE}),
        "CD": MappingProxyType(
            {"VISAMCDUSD": Route("card_page", Flow.PAGE, decimals=2, payer_has_s=SESSION_LIFE_S)}
        ),
    }
)

MAX_CALLBACK = 64 * 1024
SIGNATURE = "x-card-signature"
TOLERANCE_S = 5 * 60
_MAX_SIGNATURE = 1_000
_YEAR_2100 = 4_102_444_800_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")  # it becomes a part of a path
_CUSTOMER = ("id", "name", "surname", "email", "address", "city", "country", "state", "zip_code")


class Session(msgspec.Struct):
    """A session, in an answer or a callback."""

    id: str | None = None
    reference: str | None = None
    status: str | None = None
    amount: msgspec.Raw = msgspec.Raw()
    currency: str | None = None
    failure: str | None = None
    authorisation: str | None = None
    paid_at: msgspec.Raw = msgspec.Raw()
    page_url: str | None = None


class Sessions(msgspec.Struct):
    sessions: list[Session]


class Error(msgspec.Struct):
    code: str = ""


class Errors(msgspec.Struct):
    error: Error


def session_of(order: Order) -> dict[str, object]:
    """The body of POST /v1/sessions. What the merchant did not send of the customer is an empty text."""
    block = order.card_block or {}
    return {
        "reference": order.reference,
        "amount": written_amount(order),
        "currency": order.currency,
        "description": order.description,
        "return_url": order.page_url,
        "callback_url": order.callback_url,
        "customer": {
            **{name: block.get(f"customer_{name}", "") for name in _CUSTOMER},
            "phone_number": order.phone.digits if order.phone.national else "",
        },
    }


def written_amount(order: Order) -> str:
    """Decimal text in the currency's own unit: ``1500``, in dollars ``12.00``."""
    return f"{order.amount}.00" if order.currency == "USD" else str(order.amount)


def read_start(answer: Answer, order: Order) -> Outcome:
    """What the answer to an opening says. Without a page nobody can pay, so nothing here needs a person (Unknown closes by itself)."""
    if answer.status in {200, 201}:
        return _opened(answer, order)
    if answer.status == 429 or answer.status >= 500:
        return Refused(Code.OPERATOR_UNAVAILABLE, f"HTTP {answer.status}", unstarted=True)
    errors = decoded(answer.body, Errors)
    if answer.status in CONFIGURATION_STATUSES and errors is not None:
        return Refused(START_WORDS.get(errors.error.code, Code.SERVICE_UNAVAILABLE), _error_word(answer))
    return Unknown(f"unreadable answer, HTTP {answer.status}")


def read_check(answer: Answer, order: Order) -> Outcome:
    """What a session asked for by its id says. HTTP errors speak of the question."""
    session = decoded(answer.body, Session)
    if session is None or answer.status != 200:
        return _unreadable(answer)
    if session.reference != order.reference:
        return Unknown("the answer is about another reference", alert=True)
    return outcome_of(session)


def read_found(answer: Answer, order: Order) -> Outcome:
    """What the list of a reference's sessions says: none, or the one whose opening got no answer."""
    found = decoded(answer.body, Sessions)
    if found is None or answer.status != 200:
        return _unreadable(answer)
    if not found.sessions:
        return Unknown("the operator knows no such session", not_found=True)
    if len(found.sessions) > 1 or found.sessions[0].reference != order.reference:
        return Unknown("the answer is about other sessions", alert=True)
    return outcome_of(found.sessions[0])


def outcome_of(session: Session) -> Outcome:
    word = session.status or ""
    match STATUS_WORDS.get(word):
        case Meaning.UNDER_WAY:
            return Waiting(Code.WAITING_AT_OPERATOR, word=word)
        case Meaning.PAID:
            return _paid(session)
        case Meaning.FAILED:
            return _failed(session.failure)
        case Meaning.EXPIRED:
            return Refused(Code.PAYMENT_FAILED, word)
        case None:
            return Unknown(f"unknown status: {quoted(word or 'none', 60)}", alert=True)


def check_signature(text: str, body: bytes, key: bytes, now_s: int) -> None:
    """Raises BadCallback where the signature is missing, forged or older or newer than five minutes."""
    pairs = [part.strip().partition("=") for part in text[:_MAX_SIGNATURE].split(",")]
    stamp = next((value for name, _, value in pairs if name == "t"), "")
    given = [value for name, _, value in pairs if name == "v1"]
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12) or not given:
        raise BadCallback("unsigned")
    own = hmac.new(key, f"{stamp}.".encode() + body, sha256).hexdigest()
    if not any(hmac.compare_digest(own.encode(), value.lower().encode()) for value in given):
        raise BadCallback("forged: the signature is not by our key")
    if abs(now_s - int(stamp)) > TOLERANCE_S:
        raise BadCallback("the signature's time is too far from ours")


def _opened(answer: Answer, order: Order) -> Outcome:
    session = decoded(answer.body, Session)
    if session is None or session.reference != order.reference:
        return Unknown("opened, with an answer that is not about our reference")
    if session.status != "open":
        return outcome_of(session)
    page_url, handle = web_address(session.page_url), session.id or ""
    if page_url is None or _ID.fullmatch(handle) is None:
        return Unknown("opened, without a page to go to")
    return Waiting(Code.WAITING_AT_OPERATOR, page_url, "open", handle)


def _paid(session: Session) -> Outcome:
    operator_id = identifier(session.id)
    if operator_id is None:
        return Unknown("paid, without an id", alert=True)
    try:
        amount = whole_units(session.amount)
    except NotWhole:
        return Unknown("paid, with an amount that is not whole", alert=True)
    return Accepted(operator_id, amount, session.currency, _moment(session.paid_at))


def _failed(failure: str | None) -> Outcome:
    if failure is None:
        return Refused(Code.PAYMENT_FAILED, "failed")
    if failure not in FAILURE_WORDS:
        return Unknown(f"unknown failure: {quoted(failure, 60)}", alert=True)
    return Refused(FAILURE_WORDS[failure], failure)


def _moment(text: msgspec.Raw) -> int | None:
    """ISO 8601 in UTC as milliseconds; None for anything else: the engine then takes its own time."""
    written = decoded(text, str)
    try:
        moment = datetime.fromisoformat(written or "")
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        milliseconds = round(moment.timestamp() * SECOND)
    except (ValueError, OverflowError):
        return None
    return milliseconds if 0 < milliseconds < _YEAR_2100 else None


def _error_word(answer: Answer) -> str:
    errors = decoded(answer.body, Errors)
    word = "" if errors is None else quoted(errors.error.code, 60)
    return f"HTTP {answer.status} {word}".rstrip()


def _unreadable(answer: Answer) -> Unknown:
    return Unknown(
        f"unreadable answer, HTTP {answer.status}", alert=answer.status < 500 and answer.status != 429
    )
