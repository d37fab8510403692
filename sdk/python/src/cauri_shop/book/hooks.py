"""The shop's hooks and effects, as it registers them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable
from typing import Any, Callable, TypeVar

from ..ids import new_transaction_id
from .colours import settled
from .decide import Hook
from .events import Effect, PaymentEvent

_log = logging.getLogger("cauri_shop.book")
F = TypeVar("F", bound=Callable[..., Any])
OnEvent = Callable[[PaymentEvent], "Awaitable[None] | None"]
OnEffect = Callable[[Effect], "Awaitable[None] | None"]


class Hooks:
    """Decorators that register what the shop does. Several hooks of one kind run in the order of registration."""

    def __init__(self, *, prefix: str, asynchronous: bool) -> None:
        self._asynchronous = asynchronous
        self._hooks: dict[Hook, list[OnEvent]] = {hook: [] for hook in Hook}
        self._effects: dict[str, OnEffect] = {}
        self._name_payment: Callable[[str, int], str] = lambda order_ref, number: new_transaction_id(prefix)

    def on_paid(self, hook: F) -> F:
        """Runs once per order, in the transaction that records it as paid: deliver here, with database writes only."""
        return self._registered(Hook.PAID, hook)

    def on_refused(self, hook: F) -> F:
        """Runs once per refused payment. Not for an order that another payment fulfilled: nothing of it changes."""
        return self._registered(Hook.REFUSED, hook)

    def on_overpaid(self, hook: F) -> F:
        """Runs once per further paid payment of an order: money to give back. It is also logged as critical."""
        return self._registered(Hook.OVERPAID, hook)

    def on_mismatch(self, hook: F) -> F:
        """Runs once per payment whose amount, currency or site is not the order's; nothing is delivered."""
        return self._registered(Hook.MISMATCH, hook)

    def after_paid(self, name: str) -> Callable[[F], F]:
        """Registers an effect (a mail, an SMS, a call) that is retried after the commit until it does not raise.

        It runs at least once per order; `Effect.key`, for instance "mail:order-17", lets a receiver drop repeats.
        """
        if not isinstance(name, str) or not 1 <= len(name) <= 100 or not name.isprintable() or ":" in name:
            raise ValueError("after_paid takes the effect's name, without a colon: @book.after_paid('mail')")

        def register(effect: F) -> F:
            self._refuse_asynchronous(effect)
            if self._effects.get(name, effect) is not effect:
                raise ValueError(f"an effect named {name!r} is registered already")
            self._effects[name] = effect
            return effect

        return register

    def transaction_ids(self, name: Callable[[str, int], str]) -> Callable[[str, int], str]:
        """Registers how payments are named: from the order_ref and the payment's number in it, 1 for the first."""
        self._name_payment = name
        return name

    @property
    def has_on_paid(self) -> bool:
        """Whether anything is delivered at all."""
        return bool(self._hooks[Hook.PAID])

    @property
    def effect_names(self) -> list[str]:
        """The registered effects."""
        return list(self._effects)

    async def run(self, hook: Hook, event: PaymentEvent) -> None:
        """Runs the hooks of one kind; the first that raises ends the transaction around."""
        if hook in (Hook.OVERPAID, Hook.MISMATCH):
            _log.critical(
                "%s %s of order %s: %s", hook.value, event.transaction_id, event.order_ref, event.problem
            )
        for act in self._hooks[hook]:
            await settled(act(event))

    def effect(self, name: str) -> OnEffect | None:
        """What to do for an effect of this name; None when this process knows none."""
        return self._effects.get(name)

    def name_payment(self, order_ref: str, number: int) -> str:
        """The transaction_id of an order's next payment."""
        return self._name_payment(order_ref, number)

    def _registered(self, kind: Hook, hook: F) -> F:
        self._refuse_asynchronous(hook)
        if hook not in self._hooks[kind]:
            self._hooks[kind].append(hook)
        return hook

    def _refuse_asynchronous(self, hook: Callable[..., Any]) -> None:
        if not callable(hook):
            raise TypeError("a hook is a function; after_paid also takes a name: @book.after_paid('mail')")
        if not self._asynchronous and inspect.iscoroutinefunction(hook):
            raise TypeError(
                f"{hook.__name__} is async: a PaymentBook takes plain functions, AsyncPaymentBook takes both"
            )
