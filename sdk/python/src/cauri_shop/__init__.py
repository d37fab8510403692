"""cauri_shop: take mobile-money payments on your own site, over CinetPay's Checkout API v2 (Cauri or CinetPay)."""

from .answers import PaymentStatus, Started
from .checkout import CINETPAY, AsyncCheckout, Checkout
from .codes import PaymentState
from .errors import (
    BadNotification,
    BadSignature,
    CauriError,
    DuplicatePayment,
    IdempotencyMismatch,
    InvalidField,
    NetworkTrouble,
    NotificationRefused,
    NotSent,
    OtherSite,
    OutcomeUnknown,
    RequestRefused,
    TooManyRequests,
    UnknownPayment,
    UnreadableAnswer,
    WrongKeys,
)
from .notification import Notification
from .return_page import Return, read_return
from .version import __version__

__all__ = [
    "CINETPAY",
    "AsyncCheckout",
    "BadNotification",
    "BadSignature",
    "CauriError",
    "Checkout",
    "DuplicatePayment",
    "IdempotencyMismatch",
    "InvalidField",
    "NetworkTrouble",
    "NotSent",
    "Notification",
    "NotificationRefused",
    "OtherSite",
    "OutcomeUnknown",
    "PaymentState",
    "PaymentStatus",
    "RequestRefused",
    "Return",
    "Started",
    "TooManyRequests",
    "UnknownPayment",
    "UnreadableAnswer",
    "WrongKeys",
    "__version__",
    "read_return",
]
