"""The 22 codes a payment can show (contract section 6, guide "Vérification d'un paiement").

Our names are correct English; the number and the text are the wire's, letter for letter, mistakes included.
"""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What a code says of the payment."""

    PAID = "paid"
    REFUSED = "refused"
    WAITING = "waiting"


class Code(Enum):
    """Number on the wire, message on the wire, kind."""

    SUCCESS = ("00", "SUCCES", Kind.PAID)
    PAYMENT_FAILED = ("600", "PAYMENT_FAILED", Kind.REFUSED)
    INSUFFICIENT_BALANCE = ("602", "INSUFFISENT_BALANCE", Kind.REFUSED)
    SERVICE_UNAVAILABLE = ("603", "SERVICE_UNAVAILABLE", Kind.REFUSED)
    OTP_CODE_ERROR = ("604", "OTP_CODE_ERROR", Kind.REFUSED)
    INCORRECT_SETTINGS = ("606", "INCORRECT_SETTINGS", Kind.REFUSED)
    WAITING_TO_VALIDATE = ("623", "WAITING_CUSTOMER_TO_VALIDATE", Kind.WAITING)
    CANCELLED = ("627", "TRANSACTION_CANCEL", Kind.REFUSED)
    PHONE_NOT_FOUND = ("635", "ERROR_PHONE_NUMBER_NOT_FOUND", Kind.REFUSED)
    PHONE_NOT_SUPPORTED = ("636", "ERROR_PHONE_NUMBER_NOT_SUPPORTED", Kind.REFUSED)
    AMOUNT_TOO_LOW = ("641", "ERROR_AMOUNT_TOO_LOW", Kind.REFUSED)
    AMOUNT_TOO_HIGH = ("642", "ERROR_AMOUNT_TOO_HIGH", Kind.REFUSED)
    WAITING_PAYMENT = ("662", "WAITING_CUSTOMER_PAYMENT", Kind.WAITING)
    WAITING_OTP = ("663", "WAITING_CUSTOMER_OTP_CODE", Kind.WAITING)
    WAITING_AT_OPERATOR = ("664", "WAITING_CUSTOMER_PAYMENT_AT_OPERATOR_SIDE", Kind.WAITING)
    OPERATOR_UNAVAILABLE = ("804", "OPERATOR_UNAVAILABLE", Kind.REFUSED)
    DAILY_MAX_NUMBER = ("807", "DAILY_MAX_NUMBER_TRANSACTION_REACHED", Kind.REFUSED)
    DAILY_MAX_AMOUNT = ("808", "DAILY_MAX_AMOUNT_TRANSACTION_REACHED", Kind.REFUSED)
    MONTHLY_MAX_AMOUNT = ("809", "MONTHLY_MAX_AMOUNT_TRANSACTION_REACHED", Kind.REFUSED)
    MONTHLY_MAX_NUMBER = ("810", "MONTHLY_MAX_NUMBER_TRANSACTION_REACHED", Kind.REFUSED)
    WEEKLY_MAX_AMOUNT = ("811", "WEEKLY_MAX_AMOUNT_TRANSACTION_REACHED", Kind.REFUSED)
    WEEKLY_MAX_NUMBER = ("812", "WEEKLY_MAX_NUMBER_TRANSACTION_REACHED", Kind.REFUSED)

    number: str
    message: str
    kind: Kind

    def __init__(self, number: str, message: str, kind: Kind) -> None:
        self.number = number
        self.message = message
        self.kind = kind

    @property
    def final(self) -> bool:
        return self.kind is not Kind.WAITING

    @classmethod
    def of(cls, number: str) -> Code:
        """The code with this number; KeyError where there is none."""
        return BY_NUMBER[number]


BY_NUMBER: dict[str, Code] = {code.number: code for code in Code}

FAILURES: tuple[Code, ...] = tuple(code for code in Code if code.kind is Kind.REFUSED)
