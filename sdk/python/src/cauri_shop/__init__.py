"""cauri_shop: take mobile-money payments on your own site, over CinetPay's Checkout API v2 (Cauri or CinetPay)."""

from .answers import PaymentStatus, Started
from .book import AsyncPaymentBook, Effect, Payment, PaymentBook, PaymentEvent, State
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
    OrderAlreadyPaid,
    OtherSite,
    OutcomeUnknown,
    RequestRefused,
    TooManyRequests,
    UnevenAmount,
    UnknownPayment,
    UnreadableAnswer,
    WrongKeys,
)
from .ids import new_transaction_id
from .money import payable_amount
from .notification import Notification
from .phone import international_phone
from .return_page import Return, read_return
from .version import __version__
from .webhook import Webhook, verify_webhook

__all__ = [
    "CINETPAY",
    "AsyncCheckout",
    "AsyncPaymentBook",
    "BadNotification",
    "BadSignature",
    "CauriError",
    "Checkout",
    "DuplicatePayment",
    "Effect",
    "IdempotencyMismatch",
    "InvalidField",
    "NetworkTrouble",
    "NotSent",
    "Notification",
    "NotificationRefused",
    "OrderAlreadyPaid",
    "OtherSite",
    "OutcomeUnknown",
    "Payment",
    "PaymentBook",
    "PaymentEvent",
    "PaymentState",
    "PaymentStatus",
    "RequestRefused",
    "Return",
    "Started",
    "State",
    "TooManyRequests",
    "UnevenAmount",
    "UnknownPayment",
    "UnreadableAnswer",
    "Webhook",
    "WrongKeys",
    "__version__",
    "international_phone",
    "new_transaction_id",
    "payable_amount",
    "read_return",
    "verify_webhook",
]
