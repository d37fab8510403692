"""How Wave says that a payment failed: `last_payment_error` of a session that stays open."""

from collections.abc import Mapping

from cauri.simulator.stories import FAILURE_CODES

MESSAGES: Mapping[str, str] = {
    "blocked-account": "The customer tried to pay using a blocked account.",
    "cross-border-payment-not-allowed": "The customer tried to pay from another country.",
    "customer-age-restricted": "The customer is not old enough for this payment.",
    "insufficient-funds": "The customer did not have enough balance.",
    "kyb-limits-exceeded": "The payment would exceed a limit of the business or of the customer.",
    "payer-mobile-mismatch": "The payer's number is not the one this session is restricted to.",
    "payment-failure": "The payment could not be made.",
}
"""Every `code` of Wave's with its `message`."""

_OWN_WORDS: Mapping[str, str] = {
    "600": "payment-failure",
    "602": "insufficient-funds",
    "603": "unauthorized-wallet",
    "636": "payer-mobile-mismatch",
    "804": "service-unavailable",
    "808": "kyb-limits-exceeded",
}

CANCELLED = "627"
"""The payer refuses: no error of Wave's, the session is over with `payment_status` cancelled."""

WORDS: Mapping[str, str] = {
    code: "cancelled" if code == CANCELLED else _OWN_WORDS.get(code, f"CAURI_{code}")
    for code in FAILURE_CODES
}
"""Code of the status table → `last_payment_error.code`, `payment_status` for 627, `code` of a refusal at once."""

REFUSED_AT_ONCE: Mapping[str, tuple[int, str]] = {
    "603": (403, "Your wallet is not authorised to use this API."),
    "804": (503, "The service is not available; try again later."),
}
"""Failures that answer the creation where the session names its payer; nothing is recorded then."""


def message_of(code: str) -> str:
    return MESSAGES.get(code, f"Reserved word of the simulator: {code}.")
