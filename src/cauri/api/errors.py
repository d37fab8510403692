"""Each error's place on the wire: HTTP status, code, message (contract section 5). A test keeps the table total."""

from __future__ import annotations

from typing import NamedTuple

from cauri.api.asgi import Answer, Header
from cauri.domain.errors import (
    AmountTooHigh,
    AmountTooLow,
    BodyTooLarge,
    CauriError,
    CurrencyNotEnabled,
    FaultyFields,
    IdempotencyMismatch,
    LockedPhoneElsewhere,
    LockedPhoneInvalid,
    PaymentNotFound,
    SiteClosed,
    StoreUnavailable,
    TooManyRequests,
    TransactionIdUsed,
    UnknownApikey,
    UnknownSite,
    UnsupportedMediaType,
)
from cauri.wire import answers, texts


class Row(NamedTuple):
    """``when`` is for the documentation."""

    status: int
    code: str
    message: str
    when: str


# In the order in which they are checked.
ROWS: dict[type[CauriError], Row] = {
    BodyTooLarge: Row(413, "413", "REQUEST_ENTITY_TOO_LARGE", "The body is larger than 64 KiB."),
    UnsupportedMediaType: Row(403, "403", "FORBIDDEN", "The content type is neither JSON nor form."),
    TooManyRequests: Row(
        429,
        "429",
        "TOO_MANY_REQUEST",
        "Too many failed authentications of this address, or requests of this key.",
    ),
    FaultyFields: Row(
        400,
        "608",
        "MINIMUM_REQUIRED_FIELDS",
        "The body cannot be read, or fields are missing or break their rules.",
    ),
    UnknownApikey: Row(400, "609", "AUTH_NOT_FOUND", "The apikey is unknown."),
    UnknownSite: Row(400, "613", "ERROR_SITE_ID_NOTVALID", "The site is unknown, or not this key's."),
    SiteClosed: Row(400, "625", "ABONNEMENT_OR_TRANSACTIONS_EXPIRED", "The site is closed or suspended."),
    CurrencyNotEnabled: Row(
        400, "612", "ERROR_CURRENCY_NOTVALID", "The currency is not enabled for the site."
    ),
    AmountTooLow: Row(400, "641", "ERROR_AMOUNT_TOO_LOW", "The amount is below the bounds."),
    AmountTooHigh: Row(400, "642", "ERROR_AMOUNT_TOO_HIGH", "The amount is above the bounds."),
    LockedPhoneInvalid: Row(
        400, "624", "UNKNOWN_ERROR", "`lock_phone_number` is true and the number is bad."
    ),
    LockedPhoneElsewhere: Row(
        400, "624", "UNKNOWN_ERROR", "`lock_phone_number` is true and the number's country cannot pay."
    ),
    TransactionIdUsed: Row(
        400, "620", "ERROR_DOUBLE_PAYEMNT", "The `transaction_id` was already used by this site."
    ),
    IdempotencyMismatch: Row(
        409, "409", "IDEMPOTENCY_MISMATCH", "The `Idempotency-Key` came before with another body."
    ),
    PaymentNotFound: Row(404, "404", "TRANSACTION_NOT_FOUND", "The site has no such payment."),
    StoreUnavailable: Row(503, "503", "TEMPORARILY_UNAVAILABLE", "Storage is down or overloaded."),
}

OUR_BUG = Row(500, "624", "UNKNOWN_ERROR", "A fault of ours; the log carries the same `api_response_id`.")
NO_SUCH_PATH = Row(404, "404", "NOT_FOUND", "No such path.")
WRONG_METHOD = Row(405, "405", "METHOD_NOT_ALLOWED", "Only POST is accepted.")

STORE_RETRY_AFTER_S = 2


def answer_to(error: CauriError, accept_language: str, response_id: str) -> Answer:
    """The refusal that this error is on the wire. KeyError for an error that has no place there."""
    row = ROWS[type(error)]
    description = texts.describe(error, texts.language_of(accept_language))
    return Answer(
        row.status, answers.refusal(row.code, row.message, description, response_id), _retry_after(error)
    )


def answer_to_bug(accept_language: str, response_id: str) -> Answer:
    text = texts.OUR_BUG[texts.language_of(accept_language)].format(error_id=response_id)
    return _plain(OUR_BUG, text, response_id)


def answer_to_path(accept_language: str, response_id: str) -> Answer:
    return _plain(NO_SUCH_PATH, texts.NO_SUCH_PATH[texts.language_of(accept_language)], response_id)


def answer_to_method(accept_language: str, response_id: str) -> Answer:
    text = texts.WRONG_METHOD[texts.language_of(accept_language)]
    return _plain(WRONG_METHOD, text, response_id, (b"allow", b"POST, OPTIONS"))


def _plain(row: Row, description: str, response_id: str, *headers: Header) -> Answer:
    return Answer(row.status, answers.refusal(row.code, row.message, description, response_id), headers)


def _retry_after(error: CauriError) -> tuple[Header, ...]:
    if isinstance(error, TooManyRequests):
        return ((b"retry-after", str(error.retry_after_s).encode()),)
    if isinstance(error, StoreUnavailable):
        return ((b"retry-after", str(STORE_RETRY_AFTER_S).encode()),)
    return ()
