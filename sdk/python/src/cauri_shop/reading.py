"""From the bytes of an answer to typed values or typed errors. Pure: no network, no clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NoReturn

from .answers import PaymentStatus, Started
from .codes import STATUS_CODES, normalised, state_of, what_to_do
from .errors import (
    DuplicatePayment,
    IdempotencyMismatch,
    OutcomeUnknown,
    RequestRefused,
    TooManyRequests,
    UnknownPayment,
    UnreadableAnswer,
    WrongKeys,
)

_ERROR_OF_CODE: dict[str, type[RequestRefused]] = {
    "409": IdempotencyMismatch,
    "429": TooManyRequests,
    "609": WrongKeys,
    "613": WrongKeys,
    "620": DuplicatePayment,
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whole. `retry_after` is the header of that name."""

    http_status: int
    body: bytes
    retry_after: str | None = None


def read_started(answer: Answer) -> Started:
    """The answer to POST /v2/payment. Raises RequestRefused, OutcomeUnknown."""
    envelope = _envelope(answer)
    if normalised(envelope.get("code")) != "201":
        _refuse(answer, envelope)
    data = _data(envelope) or {}
    token, url = text_of(data.get("payment_token")), text_of(data.get("payment_url"))
    if token is None or url is None:
        raise UnreadableAnswer(
            "the gateway answered 201 without payment_token or payment_url; the payment may exist: check it",
            http_status=answer.http_status,
            code="201",
        )
    return Started(token, url, text_of(envelope.get("api_response_id")) or "")


def read_status(answer: Answer) -> PaymentStatus:
    """The answer to POST /v2/payment/check. Raises RequestRefused, UnknownPayment, OutcomeUnknown."""
    envelope = _envelope(answer)
    code, data = normalised(envelope.get("code")), _data(envelope)
    if data is None:
        _refuse_check(answer, envelope, code)
    amount = whole_amount(data.get("amount"))
    if amount is None and text_of(data.get("amount")) is not None:
        raise UnreadableAnswer(
            "the gateway's amount is no whole number", http_status=answer.http_status, code=code
        )
    return PaymentStatus(
        state=state_of(code),
        code=code,
        message=text_of(envelope.get("message")) or "",
        api_response_id=text_of(envelope.get("api_response_id")) or "",
        amount=amount,
        payment_date=moment(data.get("payment_date")),
        fund_availability_date=moment(data.get("fund_availability_date")),
        raw=data,
        **{name: text_of(data.get(name)) for name in _TEXTS},
    )


_TEXTS = (
    "currency",
    "operator_id",
    "payment_method",
    "phone_number",
    "phone_prefix",
    "status",
    "description",
    "metadata",
)


def _envelope(answer: Answer) -> dict[str, Any]:
    """The JSON object of the answer; a 5xx says nothing of what happened, whatever its body holds."""
    try:
        envelope = json.loads(answer.body)
    except (ValueError, RecursionError):
        envelope = None
    if answer.http_status >= 500:
        code = normalised(envelope.get("code")) if isinstance(envelope, dict) else None
        raise OutcomeUnknown(
            f"the gateway answered HTTP {answer.http_status}: nothing is known, ask again",
            http_status=answer.http_status,
            code=code,
        )
    if not isinstance(envelope, dict) or not normalised(envelope.get("code")):
        raise UnreadableAnswer(
            f"HTTP {answer.http_status} without the API's JSON: is base_url right, is a proxy answering?",
            http_status=answer.http_status,
        )
    return envelope


def _data(envelope: dict[str, Any]) -> dict[str, Any] | None:
    """`data` when it is an object; an empty PHP array is no data."""
    data = envelope.get("data")
    return data if isinstance(data, dict) else None


def _refuse_check(answer: Answer, envelope: dict[str, Any], code: str) -> NoReturn:
    """Raises for a check without `data`: even a code of the status table is then no payment's status."""
    if code in STATUS_CODES:
        raise UnreadableAnswer(
            f"code {code} came without data, so it is not this payment's status: ask again",
            http_status=answer.http_status,
            code=code,
        )
    # A wrong path is also a 404; only the payment's own 404 may be called an unknown payment.
    if code == "404" and envelope.get("message") != "NOT_FOUND":
        _refuse(answer, envelope, UnknownPayment)
    _refuse(answer, envelope)


def _refuse(answer: Answer, envelope: dict[str, Any], kind: type[RequestRefused] | None = None) -> NoReturn:
    code = normalised(envelope.get("code"))
    error = (kind or _ERROR_OF_CODE.get(code, RequestRefused))(
        code,
        text_of(envelope.get("message")) or "",
        text_of(envelope.get("description")) or "",
        http_status=answer.http_status,
        api_response_id=text_of(envelope.get("api_response_id")) or "",
        what_to_do=what_to_do(code),
    )
    if isinstance(error, TooManyRequests):
        error.retry_after = whole_amount(answer.retry_after)
    raise error


def text_of(value: object) -> str | None:
    """Text of a JSON value: numbers as digits, objects and lists as compact JSON, blank or null as None."""
    if value is None:
        return None
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value if value.strip() else None


def whole_amount(value: object) -> int | None:
    """`100`, `"100"`, `100.0` and `"100.00"` are 100; None for anything with a fraction or no number at all."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    whole, _, fraction = str(value).strip().partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) < 19) or fraction.strip("0"):
        return None
    return int(whole)


def moment(value: object) -> datetime | None:
    """`2021-04-07 14:07:24` as an aware datetime in UTC; None for blank or unreadable dates, which decide nothing."""
    try:
        return datetime.strptime(str(value).strip(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
