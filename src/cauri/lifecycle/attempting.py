"""From a number to an attempt: which phone, which method, which connector, and the row that is committed before any call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeGuard

from msgspec.structs import replace

from cauri.clock import SECOND, new_id, operator_reference
from cauri.domain.codes import Code
from cauri.domain.errors import PayerError
from cauri.domain.methods import METHODS, Family, Method
from cauri.domain.payment import Attempt, AttemptStatus, Payment
from cauri.domain.phone import BadPhone, Phone, guess_method, no_number, read_phone
from cauri.lifecycle.routing import Way
from cauri.lifecycle.view import CountryOffer
from cauri.operators.base import Connector, Flow, Route

LEASE_MARGIN = 10 * SECOND
_CODE = re.compile(r"[0-9]{4,8}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the payer chose, checked: the number, the method, and who is to serve it."""

    phone: Phone
    method: Method
    way: Way


def chosen_phone(payment: Payment, country: str, number: str | None, wanted: str | None = None) -> Phone:
    """The number that is to pay; a card needs none. Raises PayerError."""
    own = payment.request.customer_phone
    if own is not None and (payment.request.lock_phone_number or not number):
        return read_phone(own)
    if not number and is_card(wanted):
        return no_number(METHODS[wanted].country)
    try:
        return read_phone(number or "", country)
    except BadPhone as error:
        raise PayerError(f"phone_{error.reason}") from None


def is_card(wanted: str | None) -> TypeGuard[str]:
    """Whether the method that the payer named is a card: the country of a phone does not matter to it."""
    return wanted in METHODS and METHODS[wanted].family is Family.CARD


def chosen_method(phone: Phone, offers: tuple[CountryOffer, ...], wanted: str | None) -> Method:
    """The method that the payer named, or the one its number tells. Raises PayerError."""
    country = METHODS[wanted].country if is_card(wanted) else phone.country
    offer = next((offer for offer in offers if offer.country == country), None)
    if offer is None:
        raise PayerError("method_unavailable" if is_card(wanted) else "country_unavailable")
    methods = {each.method.code: each for each in offer.methods}
    if wanted:
        if wanted not in methods:
            raise PayerError("method_unavailable")
        method = METHODS[wanted]
    else:
        guess = guess_method(phone, tuple(each.method for each in offer.methods))
        if guess is None:
            raise PayerError("method_needed")
        method = guess
    if methods[method.code].unavailable in ("not_offered", "card_block"):
        raise PayerError("method_unavailable")
    return method


def new_attempt(payment: Payment, choice: Choice, now: int) -> Attempt:
    """The row of a new attempt: *asked* where a code is needed first, else *sent* and leased to us."""
    return _row(payment, choice.phone, choice.method.code, choice.way, now, code_given=False)


def successor(payment: Payment, failed: Attempt, way: Way, now: int, *, code_given: bool) -> Attempt:
    """The row that takes over from an attempt which began nothing; a code that the payer has given is not asked for again."""
    return _row(payment, failed.phone, failed.method, way, now, code_given=code_given)


def _row(payment: Payment, phone: Phone, method: str, way: Way, now: int, *, code_given: bool) -> Attempt:
    attempt = Attempt(
        slot=payment.slot,
        token=payment.token,
        number=payment.attempts + 1,
        reference=operator_reference(payment.slot),
        connector=way.connector.name,
        method=method,
        phone=phone,
        amount=payment.amount,
        currency=payment.currency,
        status=AttemptStatus.ASKED,
        code=Code.WAITING_OTP,
        started_at=now,
    )
    waits = way.route.flow is Flow.CODE and not code_given
    return attempt if waits else sent(attempt, way.connector, way.route, now)


def sent(attempt: Attempt, connector: Connector, route: Route, now: int) -> Attempt:
    """The attempt as it is committed before its operator is called: asked about as soon as our lease on it ends."""
    return replace(
        attempt,
        status=AttemptStatus.SENT,
        code=route.flow.waiting_code,
        sent_at=now,
        next_ask_at=now + SECOND if connector.silence.askable else None,
        claimed_until=now + round(connector.start_timeout_s * SECOND) + LEASE_MARGIN,
        claimed_by=new_id(),
    )


def not_sent(attempt: Attempt, code: Code, now: int) -> Attempt:
    """An attempt that a rule of ours refuses before anything leaves."""
    return replace(
        attempt,
        status=AttemptStatus.FAILED,
        code=code,
        sent_at=None,
        ended_at=now,
        next_ask_at=None,
        claimed_until=0,
        claimed_by=None,
        word="refused here",
    )


def checked_code(text: str) -> str:
    """The payer's one-time code: 4 to 8 digits, blanks ignored. Raises PayerError."""
    code = re.sub(r"\s", "", text)
    if not _CODE.fullmatch(code) or not code.isascii():
        raise PayerError("code_format")
    return code
