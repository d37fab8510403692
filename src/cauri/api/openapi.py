"""The OpenAPI 3.1 document, from the types that are sent and read and the table of errors."""

from __future__ import annotations

from typing import Any

import msgspec

from cauri import __version__
from cauri.api.errors import NO_SUCH_PATH, OUR_BUG, ROWS, WRONG_METHOD, Row
from cauri.domain.codes import Code
from cauri.domain.errors import (
    AmountTooHigh,
    AmountTooLow,
    CauriError,
    CurrencyNotEnabled,
    IdempotencyMismatch,
    LockedPhoneElsewhere,
    LockedPhoneInvalid,
    PaymentNotFound,
    SiteClosed,
    TransactionIdUsed,
)
from cauri.wire.answers import STATUS_OF_KIND, Checked, Created, Refusal
from cauri.wire.bodies import FORM, JSON
from cauri.wire.requests import IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_MAX
from cauri.wire.schema import CheckFields, PaymentFields

Document = dict[str, Any]

_TYPES = (PaymentFields, CheckFields, Created, Checked, Refusal)
_REF = "#/components/schemas/{name}"

# Contract section 5: these never answer a check, and only a check is answered the last.
_OF_PAYMENT_ONLY: frozenset[type[CauriError]] = frozenset(
    {
        SiteClosed,
        CurrencyNotEnabled,
        AmountTooLow,
        AmountTooHigh,
        LockedPhoneElsewhere,
        LockedPhoneInvalid,
        TransactionIdUsed,
        IdempotencyMismatch,
    }
)
_OF_CHECK_ONLY: frozenset[type[CauriError]] = frozenset({PaymentNotFound})

_INTRODUCTION = """\
CinetPay's Checkout API v2: open a payment, send your customer to its page, hear that something changed, check.

Both endpoints take JSON and forms and answer JSON. An answer with `data` speaks of a payment; an answer without `data` refuses the
request, and says nothing about any payment. Decide by `code`, never by `message`.
"""

_CODES_INTRODUCTION = "What `code` says of a payment, when the answer has `data`:\n\n| code | message | data.status |\n|---|---|---|\n"


def document(public_url: str) -> Document:
    """The whole document for a gateway reached at this URL."""
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template=_REF)
    schemas["CheckFields"]["anyOf"] = [
        {"required": [name]} for name in ("transaction_id", "payment_token", "token")
    ]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cauri merchant API", "version": __version__, "description": _INTRODUCTION},
        "servers": [{"url": public_url}],
        "tags": [{"name": "payments"}],
        "paths": {
            "/v2/payment": {"post": _open_payment()},
            "/v2/payment/check": {"post": _check_payment()},
        },
        "components": {"schemas": schemas},
    }


def _open_payment() -> Document:
    return {
        "operationId": "openPayment",
        "tags": ["payments"],
        "summary": "Open a payment",
        "description": "Keep `payment_token` with your order and send the customer to `payment_url`.",
        "parameters": [_idempotency_header()],
        "requestBody": _body(PaymentFields),
        "responses": _responses(Created, _OF_CHECK_ONLY),
    }


def _check_payment() -> Document:
    codes = "".join(f"| {code.number} | {code.message} | {STATUS_OF_KIND[code.kind]} |\n" for code in Code)
    return {
        "operationId": "checkPayment",
        "tags": ["payments"],
        "summary": "Check a payment",
        "description": _CODES_INTRODUCTION + codes,
        "requestBody": _body(CheckFields),
        "responses": _responses(Checked, _OF_PAYMENT_ONLY),
    }


def _idempotency_header() -> Document:
    return {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "required": False,
        "description": "An extension of ours. Same key and same body: the first answer again, at any time. Same key and another body: 409. "
        "Without it a repeated `transaction_id` is refused (620).",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": IDEMPOTENCY_KEY_MAX,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        },
    }


def _body(fields: type) -> Document:
    schema = {"$ref": _REF.format(name=fields.__name__)}
    return {"required": True, "content": {JSON: {"schema": schema}, FORM: {"schema": schema}}}


def _responses(success: type, never: frozenset[type[CauriError]]) -> Document:
    """One entry an HTTP status; the rows that share it are told apart by their code."""
    by_status: dict[int, list[Row]] = {}
    rows = [row for error, row in ROWS.items() if error not in never]
    for row in (*rows, NO_SUCH_PATH, WRONG_METHOD, OUR_BUG):
        by_status.setdefault(row.status, []).append(row)
    refusals = {str(status): _refusal(status, by_status[status]) for status in sorted(by_status)}
    return {"200": {"description": _first_line(success), "content": _json(success)}, **refusals}


def _refusal(status: int, rows: list[Row]) -> Document:
    table = "".join(f"| {row.code} | {row.message} | {row.when} |\n" for row in rows)
    answer: Document = {
        "description": f"| code | message | when |\n|---|---|---|\n{table}",
        "content": _json(Refusal),
    }
    if status in (429, 503):
        seconds = {"type": "string", "pattern": "^[0-9]+$"}
        answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": seconds}}
    return answer


def _json(type_: type) -> Document:
    return {JSON: {"schema": {"$ref": _REF.format(name=type_.__name__)}}}


def _first_line(type_: type) -> str:
    return (type_.__doc__ or "").strip().partition("\n")[0]
