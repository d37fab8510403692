"""Orange WebPay's words and shapes (reference: operators, section 2a; mapping: section 8), without the network."""

from __future__ import annotations

import hmac
import uuid
from base64 import b32decode, b32encode
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.operators.base import Flow, Order, Route
from cauri.operators.foreign import (
    RESERVED_WORDS,
    NotWhole,
    decoded,
    identifier,
    quoted,
    unaccented,
    web_address,
    whole_units,
)
from cauri.operators.http import Answer

PAGE_LIFE_S = 600
# A page that nobody submitted within its ten minutes can only become EXPIRED; the rest is for clocks that differ.
UNSUBMITTED_FINAL_AFTER_S = PAGE_LIFE_S + 300

SANDBOX, SANDBOX_CURRENCY = "dev", "OUV"


class Meaning(Enum):
    """What a status says of a web payment."""

    UNSUBMITTED = "unsubmitted"
    UNDER_WAY = "under way"
    PAID = "paid"
    FAILED = "failed"


STATUS_WORDS: dict[str, Meaning] = {
    "INITIATED": Meaning.UNSUBMITTED,
    "PENDING": Meaning.UNDER_WAY,
    "SUCCESS": Meaning.PAID,
    "FAILED": Meaning.FAILED,
    "EXPIRED": Meaning.FAILED,
}
EXPIRED = "EXPIRED"

# "code" of the errors of api.orange.com: ours to repair, the merchant hears 603.
ERROR_WORDS: dict[int, Code] = {23: Code.SERVICE_UNAVAILABLE}

_PAGE = Route("orange_webpay", Flow.PAGE, payer_has_s=PAGE_LIFE_S)
ROUTES_OF_COUNTRY: Mapping[str, Mapping[str, Route]] = MappingProxyType(
    {
        country: MappingProxyType(dict.fromkeys(methods, _PAGE))
        for country, methods in {
            "CI": ("OM",),
            "ML": ("OMML",),
            "GN": ("OMGN",),
            "CD": ("OMCD", "OMCDUSD"),
            "CM": ("OMCM",),
        }.items()
    }
)

_MAX_TEXT = 30
MAX_HANDLE = 2_000  # what is kept with an attempt (Waiting.handle)


class Handle(msgspec.Struct, omit_defaults=True):
    """What is kept with an attempt: the token to ask with, and the one that its notification must carry."""

    pay_token: str
    notif_token: str = ""


class Opened(msgspec.Struct):
    """The answer to webpayment."""

    pay_token: str | None = None
    payment_url: str | None = None
    notif_token: str | None = None


class Checked(msgspec.Struct):
    """The answer to transactionstatus."""

    status: str | None = None
    order_id: str | None = None
    txnid: str | int | None = None
    amount: msgspec.Raw = msgspec.Raw()


class Notice(msgspec.Struct):
    """A notification: neither our reference nor a signature."""

    status: str
    notif_token: str
    txnid: str | int | None = None


class Error(msgspec.Struct):
    code: int | str
    message: str | None = None
    description: str | None = None


def order_id_of(reference: str) -> str:
    """Our reference in 26 of the 30 characters that an order_id may have: base32 of the UUID's bytes. Raises ValueError."""
    return b32encode(uuid.UUID(reference).bytes).decode("ascii").rstrip("=")


def reference_of(order_id: str) -> str:
    """The reference that an order_id was made of. Raises ValueError."""
    return str(uuid.UUID(bytes=b32decode(order_id + "======")))


def payment_of(order: Order, merchant_key: str, segment: str) -> dict[str, object]:
    """The body of webpayment. ``reference`` is what the payer reads on Orange's page."""
    return {
        "merchant_key": merchant_key,
        "currency": SANDBOX_CURRENCY if segment == SANDBOX else order.currency,
        "order_id": order_id_of(order.reference),
        "amount": order.amount,
        "return_url": order.page_url,
        "cancel_url": order.page_url,
        "notif_url": f"{order.callback_url}/{order.reference}",
        "lang": "en" if order.lang == "en" else "fr",
        "reference": unaccented(order.description)[:_MAX_TEXT].strip() or order_id_of(order.reference),
    }


def question_of(order: Order, handle: Handle) -> dict[str, object]:
    """The body of transactionstatus: all three must match."""
    return {
        "order_id": order_id_of(order.reference),
        "amount": order.amount,
        "pay_token": handle.pay_token,
    }


def read_handle(text: str | None) -> Handle | None:
    handle = decoded(text.encode(), Handle) if text else None
    return handle if handle is not None and handle.pay_token else None


def carries(notif_token: str, text: str | None) -> bool:
    """Whether a handle holds this notif_token; in constant time, never for an empty one."""
    handle = read_handle(text)
    own = "" if handle is None else handle.notif_token
    return bool(own) and hmac.compare_digest(own.encode(), notif_token.encode("utf-8", "surrogatepass"))


def read_start(answer: Answer) -> Outcome:
    """What the answer to webpayment says. Whatever it is, no page means that nobody can pay: so an unclear one needs no person.

    An alert would count as Orange's word and keep the rule for silence from closing the attempt; the connector logs instead.
    """
    if answer.status == 201:
        return _opened(answer)
    if answer.status in {401, 403}:
        return Refused(Code.SERVICE_UNAVAILABLE, f"HTTP {answer.status}")
    if answer.status == 429 or answer.status >= 500:
        return Refused(Code.OPERATOR_UNAVAILABLE, f"HTTP {answer.status}", unstarted=True)
    error = decoded(answer.body, Error)
    number = int(error.code) if error is not None and str(error.code).isdecimal() else -1
    if answer.status == 400 and number in ERROR_WORDS:
        return Refused(ERROR_WORDS[number], f"HTTP 400, code {number}")
    return Unknown(f"unreadable answer, HTTP {answer.status}")


def read_check(answer: Answer, order: Order, late: bool, failed: Code) -> Outcome:
    """What the answer to transactionstatus says. HTTP errors speak of the question, never of the payment.

    ``late``: the page's life is over; ``failed``: the code of a FAILED, which Orange never explains.
    """
    said = decoded(answer.body, Checked)
    if said is None or answer.status not in {200, 201}:
        return Unknown(
            f"unreadable answer, HTTP {answer.status}", alert=answer.status < 500 and answer.status != 429
        )
    if said.order_id is not None and said.order_id != order_id_of(order.reference):
        return Unknown("the answer is about another order_id", alert=True)
    return outcome_of(said, late, failed)


def outcome_of(said: Checked, late: bool, failed: Code) -> Outcome:
    word = said.status or ""
    if word in RESERVED_WORDS:
        return Refused(RESERVED_WORDS[word], word)
    match STATUS_WORDS.get(word):
        case Meaning.UNSUBMITTED if late:
            return Refused(Code.PAYMENT_FAILED, f"{word} after the page's life")
        case Meaning.UNSUBMITTED | Meaning.UNDER_WAY:
            return Waiting(Code.WAITING_AT_OPERATOR, word=word)
        case Meaning.PAID:
            return _paid(said)
        case Meaning.FAILED:
            return Refused(Code.PAYMENT_FAILED if word == EXPIRED else failed, word)
        case None:
            return Unknown(f"unknown status: {quoted(word or 'none', 60)}", alert=True)


def _opened(answer: Answer) -> Outcome:
    opened = decoded(answer.body, Opened)
    pay_token = None if opened is None else _kept(opened.pay_token)
    page_url = None if opened is None else web_address(opened.payment_url)
    if opened is None or pay_token is None or page_url is None:
        return Unknown("HTTP 201 without a page to go to")
    handle = msgspec.json.encode(Handle(pay_token, _kept(opened.notif_token) or "")).decode()
    if len(handle) > MAX_HANDLE:
        return Unknown("HTTP 201 with tokens too long to keep")
    return Waiting(Code.WAITING_AT_OPERATOR, page_url, "CREATED", handle)


def _paid(said: Checked) -> Outcome:
    if said.order_id is None:
        return Unknown("SUCCESS without an order_id", alert=True)
    try:
        amount = whole_units(said.amount)
    except NotWhole:
        return Unknown("SUCCESS with an amount that is not whole", alert=True)
    return Accepted(identifier(said.txnid) or said.order_id, amount)


def _kept(token: str | None) -> str | None:
    """A token as Orange gave it, None where it cannot be kept and sent back."""
    usable = token is not None and token.isascii() and token.isprintable()
    return token or None if usable else None
