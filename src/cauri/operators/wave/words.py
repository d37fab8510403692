"""Wave's words and what they become, total over the reference's lists."""

from __future__ import annotations

from enum import Enum

from cauri.domain.codes import Code
from cauri.operators.foreign import RESERVED_WORDS


class Meaning(Enum):
    """What a session's two statuses say together."""

    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ODD = "odd"  # the two contradict each other


CHECKOUT_WORDS = ("open", "complete", "expired")
PAYMENT_WORDS = ("processing", "cancelled", "succeeded")

# (checkout_status, payment_status). While a session is open, whatever failed can be tried again.
SESSION_WORDS: dict[tuple[str, str], Meaning] = {
    ("open", "processing"): Meaning.OPEN,
    ("open", "cancelled"): Meaning.OPEN,
    ("open", "succeeded"): Meaning.ODD,
    ("complete", "processing"): Meaning.OPEN,
    ("complete", "cancelled"): Meaning.CANCELLED,
    ("complete", "succeeded"): Meaning.PAID,
    ("expired", "processing"): Meaning.EXPIRED,
    ("expired", "cancelled"): Meaning.CANCELLED,
    ("expired", "succeeded"): Meaning.ODD,
}

# last_payment_error.code: never final, but the code with which a session ends that ends unpaid.
PAYMENT_ERROR_WORDS: dict[str, Code] = {
    "blocked-account": Code.PAYMENT_FAILED,
    "cross-border-payment-not-allowed": Code.PAYMENT_FAILED,
    "customer-age-restricted": Code.PAYMENT_FAILED,
    "insufficient-funds": Code.INSUFFICIENT_BALANCE,
    "kyb-limits-exceeded": Code.DAILY_MAX_AMOUNT,  # approximation: it does not say which limit (section 8, principle 3)
    "payer-mobile-mismatch": Code.PHONE_NOT_SUPPORTED,
    "payment-failure": Code.PAYMENT_FAILED,
    # The simulated operators' reserved words, for codes that Wave has no word for.
    **RESERVED_WORDS,
}

# "code" of an HTTP error: our own fault, or that of our account (section 8, principle 2).
CONFIGURATION_WORDS: frozenset[str] = frozenset(
    {
        "missing-auth-header",
        "invalid-auth",
        "api-key-not-provided",
        "no-matching-api-key",
        "api-key-revoked",
        "invalid-wallet",
        "disabled-wallet",
        "unauthorized-wallet",
        "request-validation-error",
    }
)
NOT_FOUND = "checkout-session-not-found"
MISMATCH = "idempotency-mismatch"

# Webhooks that speak of a session; others (b2b.*, merchant.payment_received, test.test_event) are genuine and not for us.
SESSION_EVENTS: frozenset[str] = frozenset({"checkout.session.completed", "checkout.session.payment_failed"})
