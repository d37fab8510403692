"""What the admin doors answer when they do not do what was asked: one envelope, one table."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cauri.api.asgi import Header
from cauri.domain.errors import BodyTooLarge, StoreRefused, StoreUnavailable, TooManyRequests


class Kind(NamedTuple):
    """``when`` is for the documentation."""

    status: int
    code: str
    when: str


INVALID = Kind(
    400,
    "invalid_request",
    "A parameter or a field of the body is missing or breaks its rule; `fields` has each.",
)
UNAUTHORIZED = Kind(401, "unauthorized", "The admin token is missing, unknown, expired or revoked.")
SCOPE_MISSING = Kind(403, "scope_missing", "The token lacks the scope that this door needs.")
SITE_NOT_ALLOWED = Kind(403, "site_not_allowed", "The token is for other sites.")
NOT_FOUND = Kind(404, "not_found", "There is no such site, payment, delivery or address.")
NO_SUCH_PATH = Kind(404, "no_such_path", "There is no such door.")
WRONG_METHOD = Kind(405, "method_not_allowed", "The door takes another method; `Allow` says which.")
CONFLICT = Kind(409, "conflict", "It cannot be done as things are now; the message says why.")
TOO_LARGE = Kind(413, "body_too_large", "The body is larger than 64 KiB.")
NOT_JSON = Kind(415, "unsupported_media_type", "The body is not `application/json`.")
TOO_MANY = Kind(
    429, "too_many_requests", "Too many failed tokens from this address, or requests of this token."
)
OUR_BUG = Kind(500, "internal", "A fault of ours; the log has the same `request_id`.")
UNAVAILABLE = Kind(503, "unavailable", "The database is down or overloaded.")

KINDS = (
    INVALID,
    UNAUTHORIZED,
    SCOPE_MISSING,
    SITE_NOT_ALLOWED,
    NOT_FOUND,
    NO_SUCH_PATH,
    WRONG_METHOD,
    CONFLICT,
    TOO_LARGE,
    NOT_JSON,
    TOO_MANY,
    OUR_BUG,
    UNAVAILABLE,
)

STORE_RETRY_AFTER_S = 2


class FieldTrouble(msgspec.Struct, frozen=True):
    """``field``: the parameter's or the field's name. ``message``: what it must be."""

    field: str
    message: str


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """``code``: for programs, one of the table. ``message``: for people, with the remedy. ``fields``: each faulty field."""

    code: str
    message: str
    fields: tuple[FieldTrouble, ...] = ()


class AdminError(msgspec.Struct, frozen=True):
    """Every answer that is not a success."""

    error: ErrorBody
    request_id: str


class Refusal(Exception):
    """Ends a request with this answer."""

    def __init__(
        self, kind: Kind, message: str, *fields: FieldTrouble, headers: tuple[Header, ...] = ()
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.fields = fields
        self.headers = headers

    def body(self, request_id: str) -> bytes:
        error = ErrorBody(self.kind.code, self.message, self.fields)
        return msgspec.json.encode(AdminError(error, request_id))


def faulty(*fields: FieldTrouble) -> Refusal:
    """Fields that break their rules, all at once."""
    return Refusal(INVALID, "; ".join(f"{each.field}: {each.message}" for each in fields), *fields)


def refusal_of(error: Exception) -> Refusal | None:
    """The answer for an error that is not our bug; None for one that is."""
    match error:
        case Refusal():
            return error
        case BodyTooLarge():
            return Refusal(TOO_LARGE, "a body has at most 64 KiB")
        case TooManyRequests():
            wait = error.retry_after_s
            return Refusal(
                TOO_MANY, f"try again in {wait} s", headers=((b"retry-after", str(wait).encode()),)
            )
        case StoreUnavailable():
            again = (
                ""
                if not error.maybe_recorded
                else "; it may have been done all the same: look before you repeat it"
            )
            return Refusal(
                UNAVAILABLE,
                f"the database does not answer: try again in a moment{again}",
                headers=((b"retry-after", str(STORE_RETRY_AFTER_S).encode()),),
            )
        case StoreRefused():
            return Refusal(INVALID, "the database would not take a value of this request")
        case _:
            return None
