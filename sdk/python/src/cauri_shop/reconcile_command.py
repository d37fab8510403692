"""`python -m cauri_shop reconcile MODULE:BOOK`: one command for cron, for shops whose framework has none of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module
from typing import Callable

from .book import AsyncPaymentBook, OutboxRun, PaymentBook, Reconciled
from .book.unreachable import StoreUnreachable
from .errors import CauriError, InvalidField
from .progress_bar import progress_bar


def reconcile(name: str, limit: int | None, rate: float) -> int:
    """The exit status: 0 done, 1 something went wrong, told on standard error. Raises InvalidField where `name` names no book."""
    book = _book(name)
    try:
        found, run = (
            asyncio.run(_awaited(book, limit, rate))
            if isinstance(book, AsyncPaymentBook)
            else _done(book, limit, rate)
        )
    except (CauriError, StoreUnreachable) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(found)
    print(f"effects: {run.done} done, {run.failed} to be tried again")
    if found.trouble:
        print(found.trouble, file=sys.stderr)
    return 1 if found.trouble else 0


async def _awaited(book: AsyncPaymentBook, limit: int | None, rate: float) -> tuple[Reconciled, OutboxRun]:
    return await book.reconcile(limit=limit, rate=rate, progress=_progress()), await book.run_outbox()


def _done(book: PaymentBook, limit: int | None, rate: float) -> tuple[Reconciled, OutboxRun]:
    return book.reconcile(limit=limit, rate=rate, progress=_progress()), book.run_outbox()


def _book(name: str) -> PaymentBook | AsyncPaymentBook:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise InvalidField("book", "write MODULE:BOOK, such as shop.payments:book")
    sys.path.insert(0, os.getcwd())  # as `python -m` would find it
    try:
        book = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InvalidField("book", f"{name} cannot be found: {error}") from error
    if not isinstance(book, (PaymentBook, AsyncPaymentBook)):
        raise InvalidField("book", f"{name} is a {type(book).__name__}, not a payment book")
    return book


def _progress() -> Callable[[int, int], None] | None:
    """A bar in a terminal, nothing in a log."""
    return _draw if sys.stderr.isatty() else None


def _draw(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(progress_bar(done, total), end=end, file=sys.stderr, flush=True)
