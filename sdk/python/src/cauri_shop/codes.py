"""The numbers of the API and what each means. Everything is decided by number: their words changed over the years.

Source: the 2021 guide's table of `message` values, and the later table of CinetPay's documentation.
"""

from __future__ import annotations

from enum import Enum


class PaymentState(Enum):
    """What a payment has come to. UNKNOWN is a number nobody documented: wait and ask again, never cancel."""

    PAID = "paid"
    REFUSED = "refused"
    WAITING = "waiting"
    UNKNOWN = "unknown"


_PAID, _REFUSED, _WAITING = PaymentState.PAID, PaymentState.REFUSED, PaymentState.WAITING

# Our own words; the wire's are kept as they came in `PaymentStatus.message`.
STATUS_CODES: dict[str, tuple[str, PaymentState]] = {
    "00": ("SUCCESS", _PAID),
    "600": ("PAYMENT_FAILED", _REFUSED),
    "602": ("INSUFFICIENT_BALANCE", _REFUSED),
    "603": ("SERVICE_UNAVAILABLE", _REFUSED),
    "604": ("OTP_CODE_ERROR", _REFUSED),
    "606": ("INCORRECT_SETTINGS", _REFUSED),
    "623": ("WAITING_CUSTOMER_TO_VALIDATE", _WAITING),
    "627": ("TRANSACTION_CANCEL", _REFUSED),
    "635": ("ERROR_PHONE_NUMBER_NOT_FOUND", _REFUSED),
    "636": ("ERROR_PHONE_NUMBER_NOT_SUPPORTED", _REFUSED),
    "641": ("ERROR_AMOUNT_TOO_LOW", _REFUSED),
    "642": ("ERROR_AMOUNT_TOO_HIGH", _REFUSED),
    "662": ("WAITING_CUSTOMER_PAYMENT", _WAITING),
    "663": ("WAITING_CUSTOMER_OTP_CODE", _WAITING),
    "664": ("WAITING_CUSTOMER_PAYMENT_AT_OPERATOR_SIDE", _WAITING),
    "804": ("OPERATOR_UNAVAILABLE", _REFUSED),
    "807": ("DAILY_MAX_NUMBER_REACHED", _REFUSED),
    "808": ("DAILY_MAX_AMOUNT_REACHED", _REFUSED),
    "809": ("MONTHLY_MAX_AMOUNT_REACHED", _REFUSED),
    "810": ("MONTHLY_MAX_NUMBER_REACHED", _REFUSED),
    "811": ("WEEKLY_MAX_AMOUNT_REACHED", _REFUSED),
    "812": ("WEEKLY_MAX_NUMBER_REACHED", _REFUSED),
}

_WHAT_TO_DO: dict[str, str] = {
    "403": "Send JSON to this base_url; a firewall in between may also answer 403",
    "404": "Compare the transaction_id or payment_token with your own record, and the site_id and base_url",
    "409": "Use a new idempotency_key for a new request; repeat the same arguments with an old one",
    "413": "Shorten metadata, invoice_data or description",
    "429": "Wait as long as Retry-After says, then repeat",
    "608": "Correct the fields that the description names",
    "609": "Check the apikey in your account's integration page",
    "612": "Enable this currency for the site, or use another",
    "613": "Check the site_id; it must belong to this apikey",
    "620": "Take a new transaction_id, or check the payment that already has this one",
    "624": "Check apikey, site_id and the customer's phone number; then ask the gateway's support with api_response_id",
    "625": "The site is closed or its subscription is over: ask the gateway's support",
    "641": "Raise the amount to the minimum of this currency",
    "642": "Lower the amount to the maximum of this currency",
}


def normalised(code: object) -> str:
    """The code as text: `0`, `"0"` and `"00"` are `"00"`, `600` is `"600"`; what is no number stays as it came."""
    if code is None or isinstance(code, (bool, float, dict, list)):
        return ""
    text = str(code).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return text
    number = int(text)
    return str(number) if number else "00"


def state_of(code: str) -> PaymentState:
    """The state that a normalised code stands for; UNKNOWN for a number that is in no table."""
    return STATUS_CODES.get(code, ("", PaymentState.UNKNOWN))[1]


def what_to_do(code: str) -> str:
    """Advice for a refused request, in one sentence; empty for a code that is in no table."""
    return _WHAT_TO_DO.get(code, "")
