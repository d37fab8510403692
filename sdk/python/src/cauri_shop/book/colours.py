"""One logic for both colours: it is written as coroutines, and a synchronous book runs them without an event loop."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from typing import Any, TypeVar, cast

T = TypeVar("T")


async def settled(value: T | Awaitable[T]) -> T:
    """The value, awaited if it has to be."""
    if inspect.isawaitable(value):
        return cast("T", await value)
    return value


@asynccontextmanager
async def entered(
    context: AbstractContextManager[T] | AbstractAsyncContextManager[T],
) -> AsyncIterator[T]:
    """Either kind of context manager, entered."""
    if isinstance(context, AbstractAsyncContextManager):
        async with context as inside:
            yield inside
    else:
        with context as inside:
            yield inside


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that never waits, because everything foreign that it calls is synchronous."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    work.close()
    raise TypeError("something asynchronous was given to a PaymentBook; use AsyncPaymentBook")
