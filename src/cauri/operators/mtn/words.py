"""MTN's words and what they become, total over the reference's lists."""

from __future__ import annotations

from enum import Enum

from cauri.domain.codes import Code
from cauri.operators.foreign import RESERVED_WORDS


class Meaning(Enum):
    """What a status says of a request to pay."""

    UNDER_WAY = "under way"
    PAID = "paid"
    REFUSED = "refused"


# CREATED was observed and is in no document; ONGOING, REJECTED and TIMEOUT belong to other products of the same API.
STATUS_WORDS: dict[str, Meaning] = {
    "CREATED": Meaning.UNDER_WAY,
    "PENDING": Meaning.UNDER_WAY,
    "ONGOING": Meaning.UNDER_WAY,
    "SUCCESSFUL": Meaning.PAID,
    "FAILED": Meaning.REFUSED,
    "REJECTED": Meaning.REFUSED,
    "TIMEOUT": Meaning.REFUSED,
}

# Our own fault, or that of our account: the merchant hears 603 and whoever runs Cauri is alerted (section 8, principle 2).
CONFIGURATION_WORDS: frozenset[str] = frozenset(
    {
        "NOT_ALLOWED",
        "NOT_ALLOWED_TARGET_ENVIRONMENT",
        "INVALID_CALLBACK_URL_HOST",
        "INVALID_CURRENCY",
        "PAYEE_NOT_FOUND",
        "PAYEE_NOT_ALLOWED_TO_RECEIVE",
        "PAYEE_LIMIT_REACHED",
        "VALIDATION_ERROR",
    }
)

# "reason" of a failed request to pay, and "code" of an HTTP error.
REASON_WORDS: dict[str, Code] = {
    **dict.fromkeys(sorted(CONFIGURATION_WORDS), Code.SERVICE_UNAVAILABLE),
    "PAYER_NOT_FOUND": Code.PHONE_NOT_FOUND,
    "NOT_ENOUGH_FUNDS": Code.INSUFFICIENT_BALANCE,
    "PAYER_LIMIT_REACHED": Code.DAILY_MAX_AMOUNT,  # approximation: it does not say which limit (section 8, principle 3)
    "APPROVAL_REJECTED": Code.CANCELLED,
    "TRANSACTION_CANCELED": Code.CANCELLED,
    "SERVICE_UNAVAILABLE": Code.OPERATOR_UNAVAILABLE,
    "EXPIRED": Code.PAYMENT_FAILED,
    "PAYMENT_NOT_APPROVED": Code.PAYMENT_FAILED,
    "COULD_NOT_PERFORM_TRANSACTION": Code.PAYMENT_FAILED,
    "TRANSACTION_NOT_COMPLETED": Code.PAYMENT_FAILED,
    "SENDER_ACCOUNT_NOT_ACTIVE": Code.PAYMENT_FAILED,
    "INTERNAL_PROCESSING_ERROR": Code.PAYMENT_FAILED,  # as an HTTP 500 it decides nothing: AMBIGUOUS_ERRORS
    "RESOURCE_NOT_FOUND": Code.PAYMENT_FAILED,
    "TRANSACTION_NOT_FOUND": Code.PAYMENT_FAILED,
    "RESOURCE_ALREADY_EXIST": Code.PAYMENT_FAILED,
    # The simulated operators' reserved words, for codes that MTN has no word for.
    **RESERVED_WORDS,
}

# HTTP errors with these codes do not say that nothing was begun.
AMBIGUOUS_ERRORS: frozenset[str] = frozenset(
    {"INTERNAL_PROCESSING_ERROR", "RESOURCE_NOT_FOUND", "TRANSACTION_NOT_FOUND", "RESOURCE_ALREADY_EXIST"}
)
NOT_FOUND_ERRORS: frozenset[str] = frozenset({"RESOURCE_NOT_FOUND", "TRANSACTION_NOT_FOUND"})

# Of the question whether a number has an active account; anything else there decides nothing.
NO_ACCOUNT_ERRORS: frozenset[str] = frozenset({"RESOURCE_NOT_FOUND", "PAYER_NOT_FOUND"})

DUPLICATE = "RESOURCE_ALREADY_EXIST"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
