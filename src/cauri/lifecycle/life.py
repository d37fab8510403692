"""The life of a payment, as the doors call it. Every method may raise StoreUnavailable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from cauri.clock import MINUTE, Clock, new_id
from cauri.domain import moves
from cauri.domain.breaker import BreakerRule
from cauri.domain.endpoints import endpoint_of
from cauri.domain.errors import NothingToClose, NothingToRefund, PayerError, PaymentNotFound
from cauri.domain.limits import PROMPTS_WINDOW_MS, PromptLimits
from cauri.domain.money import DEFAULT_BOUNDS
from cauri.domain.outcome import Accepted, Refused
from cauri.domain.payment import Attempt, AttemptStatus, Change, NewPayment, Payment
from cauri.domain.phone import Phone
from cauri.domain.site import Site
from cauri.lifecycle.afterwards import Afterwards
from cauri.lifecycle.asking import Asking
from cauri.lifecycle.changing import Changing
from cauri.lifecycle.opening import BoundsTable, checked, new_payment, opened_or_refused
from cauri.lifecycle.predicting import Predicting
from cauri.lifecycle.routing import Routing
from cauri.lifecycle.standing import Standing
from cauri.lifecycle.starting import Starting, Typed
from cauri.lifecycle.view import View, last_open, view_of
from cauri.lifecycle.watch import Watch
from cauri.operators.base import BadCallback, Callback, Connector
from cauri.operators.registry import Operators
from cauri.store import Store

log = structlog.get_logger("cauri.lifecycle")

UNENDED_AFTER = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class LifecycleSettings:
    """``attempt_gap_s``: one attempt start per payment in so many seconds, 0 for no limit. ``process``: this one's name."""

    public_url: str
    bounds: BoundsTable = field(default_factory=lambda: dict(DEFAULT_BOUNDS))
    attempt_gap_s: int = 5
    prompts: PromptLimits = PromptLimits()  # noqa: RUF009
    breaker: BreakerRule = BreakerRule()  # noqa: RUF009
    process: str = "main"


class Lifecycle:
    def __init__(self, store: Store, operators: Operators, clock: Clock, settings: LifecycleSettings) -> None:
        self.store = store
        self.clock = clock
        self.operators = operators
        self.settings = settings
        self.watch = Watch(store)
        self.stop_grace_s = 10.0  # how long a stop waits for the calls under way
        self.on_notification: Callable[[str], None] = lambda endpoint: None  # wakes this process's notifier
        self.on_question: Callable[[], None] = lambda: None  # wakes this process's poller
        self.standing = Standing(operators, clock, settings.breaker, settings.process)
        self.routing = Routing(operators, self.standing)
        self._predicting = Predicting(operators, clock)
        self.afterwards = Afterwards(store, operators, settings.public_url, self._bring_forward)
        self._changing = Changing(store, self._changed)
        self.asking = Asking(
            store,
            operators,
            self.routing,
            self.standing,
            self._changing,
            clock,
            settings.public_url,
            counts_prompts=settings.prompts.any,
        )
        self._starting = Starting(
            store,
            operators,
            self.routing,
            self._changing,
            self.asking,
            clock,
            bounds=settings.bounds,
            prompts=settings.prompts,
            attempt_gap_s=settings.attempt_gap_s,
        )

    async def open(self, site: Site, asked: NewPayment) -> Payment:
        """Opens a payment, or finds the one that the same Idempotency-Key opened. Raises RequestError (rows 7–12)."""
        wanted = new_payment(site, checked(site, asked, self.settings.bounds, self.operators), self.clock)
        return opened_or_refused(wanted, await self.store.open_payment(wanted))

    async def view(self, token: str) -> View | None:
        """Everything the page may show; None where there is no such payment."""
        payment = await self.store.payment_by_token(token)
        site = None if payment is None else await self.store.site(payment.site_id)
        if payment is None or site is None:
            return None
        attempts = await self.store.attempts(payment)
        attempt = last_open(attempts) or (attempts[-1] if attempts else None)
        return view_of(payment, site, attempt, self.routing, self.settings.bounds, self.clock.now())

    async def predicted(self, phone: Phone, offered: Sequence[str]) -> str | None:
        """The one of these methods that an operator names for the number, within a second; None where nobody knows."""
        return await self._predicting.method(phone, offered)

    async def start(
        self, token: str, country: str, number: str | None, method: str | None, address: str = ""
    ) -> Payment:
        """Starts an attempt: committed first, then the operator is called in a task that outlives this request.

        ``number`` None: the merchant's, or none for a card; ``method`` None: the number tells; ``address``: the payer's, for the limit of prompts.
        Raises PayerError, PaymentNotFound.
        """
        return await self._starting.start(token, Typed(country, number, method, address))

    async def give_code(self, token: str, code: str) -> Payment:
        """The payer's one-time code: the attempt that waits for it is sent. Raises PayerError, PaymentNotFound."""
        return await self._starting.give_code(token, code)

    async def cancel(self, token: str) -> Payment:
        """Ends a payment with nothing in flight; one that has ended stays as it is. Raises PayerError, PaymentNotFound."""

        async def decide(payment: Payment) -> Change | None:
            attempt = await self._changing.open_attempt(payment)
            change = moves.ended_without_payment(payment, attempt, self.clock.now(), new_id(), "cancelled")
            if change is None and not payment.final:
                raise PayerError("in_flight")
            return change

        return await self._changing.changed(token, decide)

    async def leave(self, token: str) -> Payment:
        """Back to the shop: with something in flight it is recorded that the customer left, else the payment ends."""

        async def decide(payment: Payment) -> Change | None:
            attempt, now = await self._changing.open_attempt(payment), self.clock.now()
            ended = moves.ended_without_payment(payment, attempt, now, new_id(), "given up")
            return ended or moves.left(payment, now, new_id())

        return await self._changing.changed(token, decide)

    async def expire(self, payment: Payment) -> None:
        """Ends a payment whose session is over, unless something is in flight."""

        async def decide(newest: Payment) -> Change | None:
            now = self.clock.now()
            if now < newest.expires_at:
                return None
            return moves.ended_without_payment(
                newest, await self._changing.open_attempt(newest), now, new_id(), "expired"
            )

        await self._changing.change(payment.token, decide)

    async def hint(self, token: str) -> None:
        """The payer is back from the operator's page: a reason to ask soon, never an outcome."""
        payment = await self.store.payment_by_token(token)
        attempt = None if payment is None else await self._changing.open_attempt(payment)
        if attempt is not None and attempt.status is AttemptStatus.SENT:
            await self._bring_forward(attempt.reference)

    async def hear(self, connector: str, headers: Mapping[str, str], body: bytes, path: str = "") -> bool:
        """An operator's callback, also only a hint. False: no such connector, or not a callback of its operator."""
        found = self.operators.named(connector)
        if found is None:
            return False
        await found.before_callback(headers)
        try:
            callback = found.read_callback(headers, body, path)
        except BadCallback as error:
            log.warning("bad_callback", connector=connector, why=str(error))
            return False
        if callback.proof is None or await self._proved(found, callback):
            await self._bring_forward(callback.reference)
        return True

    async def _proved(self, connector: Connector, callback: Callback) -> bool:
        attempt = await self.store.attempt_by_reference(callback.reference)
        if attempt is None or attempt.connector != connector.name:
            return False
        if connector.proves(callback, attempt.handle):
            return True
        log.warning("forged_callback", alert=True, connector=connector.name, reference=callback.reference)
        return False

    async def first_delivery(self, token: str, within_s: float = 2.0) -> None:
        """Returns when the newest state was told to the shop or a first try has failed, at the latest after ``within_s``."""
        payment = await self.store.payment_by_token(token)
        if payment is None or payment.request.notify_url is None:
            return
        deadline = asyncio.get_running_loop().time() + within_s
        while asyncio.get_running_loop().time() < deadline:
            state = await self.store.notification(payment)
            if state is None or state.due_at is None or state.tried_version >= state.due_version:
                return
            await asyncio.sleep(0.05)

    async def close(
        self, site_id: str, transaction_id: str, decision: Accepted | Refused, *, who: str, why: str
    ) -> tuple[Payment, Attempt]:
        """A person's decision about an attempt that no rule can end: the payment and the attempt as they then are.

        Raises NothingToClose, PaymentNotFound.
        """
        payment = await self.store.payment_by_transaction(site_id, transaction_id)
        if payment is None:
            raise PaymentNotFound
        attempt = await self._changing.open_attempt(payment)
        if attempt is None or attempt.status is not AttemptStatus.SENT:
            raise NothingToClose(f"{transaction_id} has no attempt in flight")
        settled = await self.asking.settle(attempt, decision, actor=who, note=why)
        closed = await self.store.attempt_by_reference(attempt.reference)
        if settled is None or closed is None:
            raise PaymentNotFound
        if isinstance(decision, Refused) is not (closed.status is AttemptStatus.FAILED):
            raise NothingToClose(f"{transaction_id}: somebody was faster, its attempt is {closed.status}")
        return settled, closed

    async def refund(self, reference: str, *, who: str, why: str) -> Payment:
        """A person says that the surplus of this attempt was given back. Raises NothingToRefund, PaymentNotFound."""
        attempt = await self.store.attempt_by_reference(reference)
        if attempt is None:
            raise NothingToRefund(f"there is no surplus {reference}")

        async def decide(payment: Payment) -> Change:
            held = await self.store.surpluses(payment)
            surplus = next((each for each in held if each.attempt == attempt.number), None)
            if surplus is None:
                raise NothingToRefund(f"attempt {reference} brought no surplus")
            change = moves.refunded(payment, surplus, self.clock.now(), new_id(), who, why)
            if change is None:
                raise NothingToRefund(f"surplus {reference} was given back already, by {surplus.refunded_by}")
            return change

        return await self._changing.changed(attempt.token, decide)

    async def tidy(self, now: int) -> int:
        """What is kept only to count, forgotten when no limit looks back to it; run from time to time."""
        await self.store.prune_prompts(now - 2 * PROMPTS_WINDOW_MS)
        return 0

    async def stop(self) -> None:
        """Lets the calls that are under way finish: their answers are worth waiting for."""
        await self._starting.stop(self.stop_grace_s)
        await self.afterwards.stop()

    async def _bring_forward(self, reference: str) -> None:
        if await self.store.hint(reference, self.clock.now()):
            self.on_question()

    def _changed(self, change: Change) -> None:
        self.watch.tell(change.after.token, change.after.version)
        if change.notify:
            self.on_notification(endpoint_of(change.after.site_id, change.after.request.notify_url or ""))
        self.afterwards.follow(change)
