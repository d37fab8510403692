"""What can go wrong, as a tree that knows nothing of HTTP.

CauriError
├── RequestError              a merchant's request that is refused (contract section 5); ``api`` gives each its HTTP status
│   ├── BodyTooLarge          413
│   ├── UnsupportedMediaType  403
│   ├── TooManyRequests       429
│   ├── FaultyFields          608, one Fault per field
│   ├── UnknownApikey         609
│   ├── UnknownSite           613
│   ├── SiteClosed            625
│   ├── CurrencyNotEnabled    612
│   ├── AmountTooLow          641
│   ├── AmountTooHigh         642
│   ├── LockedPhoneInvalid    624
│   ├── LockedPhoneElsewhere  624
│   ├── TransactionIdUsed     620
│   ├── IdempotencyMismatch   409
│   └── PaymentNotFound       404
├── PayerError                something the page tells the payer; no attempt was made
├── NothingToRefund           no such surplus, or it was given back already
├── NothingToClose            a person's decision about an attempt that is no longer open
├── StoreUnavailable          503: the database cannot be reached or is overloaded
└── StoreRefused              one row that the database would not take
"""

from __future__ import annotations

from dataclasses import dataclass


class CauriError(Exception):
    """Any error of ours."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field. ``rule`` names a text of ``wire.texts``, ``values`` fill it."""

    field: str
    rule: str
    values: tuple[tuple[str, str], ...] = ()


class RequestError(CauriError):
    """A merchant's request that is refused."""


class BodyTooLarge(RequestError):
    pass


class UnsupportedMediaType(RequestError):
    pass


class TooManyRequests(RequestError):
    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"retry after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class FaultyFields(RequestError):
    def __init__(self, *faults: Fault) -> None:
        super().__init__(", ".join(f"{fault.field}: {fault.rule}" for fault in faults))
        self.faults = faults


class UnknownApikey(RequestError):
    pass


class UnknownSite(RequestError):
    pass


class SiteClosed(RequestError):
    pass


class CurrencyNotEnabled(RequestError):
    def __init__(self, currency: str, enabled: tuple[str, ...]) -> None:
        super().__init__(currency)
        self.currency = currency
        self.enabled = enabled


class AmountTooLow(RequestError):
    def __init__(self, low: int, currency: str) -> None:
        super().__init__(f"below {low} {currency}")
        self.low = low
        self.currency = currency


class AmountTooHigh(RequestError):
    def __init__(self, high: int, currency: str) -> None:
        super().__init__(f"above {high} {currency}")
        self.high = high
        self.currency = currency


class LockedPhoneInvalid(RequestError):
    pass


class LockedPhoneElsewhere(RequestError):
    """The locked number is a good one, of a country that cannot pay this."""

    def __init__(self, country: str, amount: int, currency: str) -> None:
        super().__init__(f"{country} cannot pay {amount} {currency}")
        self.country = country
        self.amount = amount
        self.currency = currency


class TransactionIdUsed(RequestError):
    pass


class IdempotencyMismatch(RequestError):
    pass


class PaymentNotFound(RequestError):
    pass


class PayerError(CauriError):
    """Something the page tells the payer. ``reason`` names a text of ``checkout.texts``; no attempt was made, nothing changed.
    ``again_at``: when to try again, milliseconds UTC, where that is known.

    Reasons: ``phone_unreadable``, ``phone_length``, ``phone_country``, ``country_unavailable``, ``method_unavailable``,
    ``method_needed``, ``in_flight``, ``too_soon``, ``too_many_prompts``, ``ended``, ``code_format``, ``no_code_expected``,
    ``session_over``.
    """

    def __init__(self, reason: str, again_at: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again_at = again_at


class NothingToRefund(CauriError):
    """There is no such surplus, or it was given back already."""


class NothingToClose(CauriError):
    """The attempt is not open, or does not exist."""


class StoreUnavailable(CauriError):
    """The database cannot be reached or is overloaded. ``maybe_recorded``: it was lost during COMMIT and could not be read back."""

    def __init__(self, message: str, *, maybe_recorded: bool = False) -> None:
        super().__init__(message)
        self.maybe_recorded = maybe_recorded


class StoreRefused(CauriError):
    """The database would not take this row (a character it cannot hold, a constraint)."""
