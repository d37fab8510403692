"""How MTN says that a payment failed, and the payers of its own sandbox."""

from collections.abc import Mapping

from cauri.simulator.stories import FAILURE_CODES, NEVER, Story

_OWN_WORDS: Mapping[str, str] = {
    "600": "INTERNAL_PROCESSING_ERROR",
    "602": "NOT_ENOUGH_FUNDS",
    "603": "PAYEE_NOT_ALLOWED_TO_RECEIVE",
    "627": "APPROVAL_REJECTED",
    "635": "PAYER_NOT_FOUND",
    "808": "PAYER_LIMIT_REACHED",
    "636": "VALIDATION_ERROR",
    "804": "SERVICE_UNAVAILABLE",
}

WORDS: Mapping[str, str] = {code: _OWN_WORDS.get(code, f"CAURI_{code}") for code in FAILURE_CODES}
"""Code of the status table → `reason` beside FAILED, or `code` of a refusal at once."""

REFUSED_AT_ONCE: Mapping[str, tuple[int, str]] = {
    "636": (400, "payer.partyId is not valid"),
    "804": (503, "Service temporarily unavailable, try again later."),
}
"""The two failures that MTN answers instead of 202; nothing is recorded then. All others come by status."""

_ENDS: Mapping[str, tuple[str, str]] = {
    "450": ("600", "INTERNAL_PROCESSING_ERROR"),
    "451": ("627", "APPROVAL_REJECTED"),
    "452": ("600", "EXPIRED"),
    "455": ("635", "PAYER_NOT_FOUND"),
    "456": ("603", "PAYEE_NOT_ALLOWED_TO_RECEIVE"),
    "457": ("603", "NOT_ALLOWED"),
    "458": ("603", "NOT_ALLOWED_TARGET_ENVIRONMENT"),
    "459": ("603", "INVALID_CALLBACK_URL_HOST"),
    "460": ("603", "INVALID_CURRENCY"),
    "461": ("600", "INTERNAL_PROCESSING_ERROR"),
    "462": ("804", "SERVICE_UNAVAILABLE"),
    "463": ("600", "COULD_NOT_PERFORM_TRANSACTION"),
}
_STEM = "46733123"

REASONS: Mapping[str, str] = {_STEM + ending: reason for ending, (_, reason) in _ENDS.items()}
"""Payer of MTN's sandbox → the reason it ends with: all by status, after 202."""

SLOW_PAYER = _STEM + "454"
SLOW_PAYER_S = 30
"""MTN's own takes 25 to 50 s."""

TEST_NUMBERS: Mapping[str, Story] = {
    **{_STEM + ending: Story(outcome=code) for ending, (code, _) in _ENDS.items()},
    _STEM + "453": Story(outcome=NEVER),
    SLOW_PAYER: Story(delay_s=SLOW_PAYER_S),
}

ACCOUNT_HOLDERS: Mapping[str, tuple[int, str]] = {
    _STEM + "450": (404, "RESOURCE_NOT_FOUND"),
    _STEM + "452": (500, "NOT_ALLOWED"),
    _STEM + "453": (500, "NOT_ALLOWED_TARGET_ENVIRONMENT"),
    _STEM + "454": (500, "INTERNAL_PROCESSING_ERROR"),
    _STEM + "455": (503, "SERVICE_UNAVAILABLE"),
}
INACTIVE_HOLDER = _STEM + "451"
"""The sandbox's answers to …/accountholder/msisdn/{number}/active."""
