"""What a database must do for the book. Django and SQLAlchemy are served; implement this for any other.

Every method may return its value or an awaitable of it, and `begin` a context manager or an asynchronous one: the
same protocol serves a `PaymentBook`, whose store returns values, and an `AsyncPaymentBook`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar, Union

from .rows import EffectRow, OrderRow, Payment

T = TypeVar("T")
Maybe = Union[T, Awaitable[T]]


class BookTransaction(Protocol):
    """One database transaction. `session` is handed to hooks, to write with; None where it is found otherwise."""

    @property
    def session(self) -> Any: ...

    def lock_order(self, order_ref: str) -> Maybe[OrderRow | None]:
        """Locks the order's row until the end of the transaction and gives it; None when there is none yet.

        It is the transaction's first statement and a write (`UPDATE … SET touched = touched + 1`): SQLite then takes
        its write lock before anything was read, and the other engines lock the row.
        """

    def add_order(self, order: OrderRow) -> Maybe[None]:
        """Inserts the order unless it is there; an equal insert at the same instant is no error. Lock it afterwards."""

    def save_order(self, order: OrderRow) -> Maybe[None]:
        """Writes `amount` and `currency` of a locked order."""

    def fulfil(self, order_ref: str, transaction_id: str, at: datetime) -> Maybe[bool]:
        """Writes `fulfilled_by` and `fulfilled_at` where `fulfilled_by` is NULL; whether a row changed."""

    def payments_of(self, order_ref: str) -> Maybe[Sequence[Payment]]:
        """The payments of an order, by number."""

    def add_payment(self, payment: Payment) -> Maybe[None]:
        """Inserts a payment; `transaction_id` and (`order_ref`, `number`) are unique."""

    def save_payment(self, payment: Payment) -> Maybe[bool]:
        """Writes everything that changes, and version + 1, where transaction_id and version are the row's."""

    def add_effect(self, effect: EffectRow) -> Maybe[None]:
        """Inserts an effect unless its key is there."""

    def payment(self, transaction_id: str) -> Maybe[Payment | None]:
        """The payment of this name."""

    def payment_by_token(self, payment_token: str) -> Maybe[Payment | None]:
        """The payment of this token, which is not empty."""

    def count_due(self, site_id: str, now: datetime) -> Maybe[int]:
        """How many payments of the site `due_payments` would give without its limit."""

    def due_payments(self, site_id: str, now: datetime, limit: int) -> Maybe[Sequence[Payment]]:
        """Payments of the site with `next_ask_at` <= now, oldest `created_at` first."""

    def claim_effects(
        self, now: datetime, until: datetime, limit: int, order_ref: str | None
    ) -> Maybe[Sequence[EffectRow]]:
        """Takes effects (of this order) that are not done and whose `next_try_at` is past, until `until`.

        Each by `UPDATE … SET next_try_at = :until, tries = tries + 1 WHERE key AND tries = :seen AND done_at IS NULL`:
        of two who claim, one gets it. Gives the rows as they are afterwards.
        """

    def save_effect(self, effect: EffectRow) -> Maybe[None]:
        """Writes `done_at`, `next_try_at` and `last_error`, where `done_at` is NULL."""


class BookStore(Protocol):
    """Where a book is kept: in the shop's own database, so that the shop's writes commit together with the book's."""

    def begin(
        self,
    ) -> AbstractContextManager[BookTransaction] | AbstractAsyncContextManager[BookTransaction]:
        """A real database transaction: committed at the end of the block, rolled back when the block raises.

        Raises RuntimeError inside a transaction of the caller: the book's rows are committed before the gateway is
        asked, and no database transaction waits for a network.
        """

    def reading(
        self,
    ) -> AbstractContextManager[BookTransaction] | AbstractAsyncContextManager[BookTransaction]:
        """For reads alone: the latest committed rows, without a lock. It may stand inside a caller's transaction."""
