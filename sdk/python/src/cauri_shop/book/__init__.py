"""The payment book: deliver each order once. `PaymentBook` blocks, `AsyncPaymentBook` is awaited."""

from .book import AsyncPaymentBook, PaymentBook
from .doors import BODY_MAX_BYTES, DoorAnswer, return_query
from .events import Effect, PaymentEvent
from .outbox import OutboxRun
from .reconcile import Reconciled
from .rows import EffectRow, OrderRow, Payment, State
from .store import BookStore, BookTransaction
from .texts import PageText, page
from .unreachable import StoreUnreachable

__all__ = [
    "BODY_MAX_BYTES",
    "AsyncPaymentBook",
    "BookStore",
    "BookTransaction",
    "DoorAnswer",
    "Effect",
    "EffectRow",
    "OrderRow",
    "OutboxRun",
    "PageText",
    "Payment",
    "PaymentBook",
    "PaymentEvent",
    "Reconciled",
    "State",
    "StoreUnreachable",
    "page",
    "return_query",
]
