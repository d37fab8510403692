"""The life of a payment, as the doors call it. Every method may raise StoreUnavailable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from cauri.clock import MINUTE, SECOND, Clock, new_id
from cauri.domain import moves
from cauri.domain.codes import Code
from cauri.domain.endpoints import endpoint_of
from cauri.domain.errors import NothingToClose, PayerError, PaymentNotFound
from cauri.domain.money import DEFAULT_BOUNDS
from cauri.domain.outcome import Accepted, Refused
from cauri.domain.payment import Attempt, AttemptStatus, Change, NewPayment, Payment
from cauri.domain.site import Site
from cauri.lifecycle.asking import Asking
from cauri.lifecycle.attempting import (
    Choice,
    checked_code,
    chosen_method,
    chosen_phone,
    new_attempt,
    not_sent,
    sent,
)
from cauri.lifecycle.changing import Changing
from cauri.lifecycle.opening import BoundsTable, checked, new_payment, opened_or_refused
from cauri.lifecycle.view import View, amount_trouble, last_open, offers, view_of
from cauri.lifecycle.watch import Watch
from cauri.operators.base import BadCallback, Callback, Connector
from cauri.operators.registry import Operators
from cauri.store import Store

log = structlog.get_logger("cauri.lifecycle")

START_IS_AWAITED_S = 1.5
UNENDED_AFTER = 60 * MINUTE
_OWN_REFUSALS = {"amount_low": Code.AMOUNT_TOO_LOW, "amount_high": Code.AMOUNT_TOO_HIGH}


@dataclass(frozen=True, slots=True)
class LifecycleSettings:
    """``attempt_gap_s``: one attempt start per payment in so many seconds, 0 for no limit."""

    public_url: str
    bounds: BoundsTable = field(default_factory=lambda: dict(DEFAULT_BOUNDS))
    attempt_gap_s: int = 5


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
        self._changing = Changing(store, self._changed)
        self.asking = Asking(store, operators, self._changing, clock, settings.public_url)
        self._calls: set[asyncio.Task[None]] = set()

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
        return view_of(payment, site, attempt, self.operators, self.settings.bounds, self.clock.now())

    async def start(self, token: str, country: str, number: str | None, method: str | None) -> Payment:
        """Starts an attempt: committed first, then the operator is called in a task that outlives this request.

        ``number`` None: the merchant's, or none for a card; ``method`` None: the number tells. Raises PayerError, PaymentNotFound.
        """
        started: list[Attempt] = []

        async def decide(payment: Payment) -> Change:
            now = self.clock.now()
            open_attempt = await self._may_start(payment, now)
            choice, refusal = await self._choice(payment, country, number, method)
            self._check_repeated(payment, open_attempt, choice, now)
            attempt = new_attempt(payment, choice, now)
            if refusal is not None:
                attempt = not_sent(attempt, refusal, now)
            started[:] = [attempt]
            return moves.started(payment, attempt, open_attempt, now, new_id())

        payment = await self._changed_payment(token, decide)
        if started[0].status is AttemptStatus.SENT:
            await self._call(self.asking.start(payment, started[0]))
        return payment

    async def give_code(self, token: str, code: str) -> Payment:
        """The payer's one-time code: the attempt that waits for it is sent. Raises PayerError, PaymentNotFound."""
        code = checked_code(code)
        given: list[Attempt] = []

        async def decide(payment: Payment) -> Change:
            attempt = await self._open_attempt(payment)
            if payment.final or attempt is None or attempt.status is not AttemptStatus.ASKED:
                raise PayerError("ended" if payment.final else "no_code_expected")
            serving = self.operators.serving(attempt.method)
            if serving is None:
                raise PayerError("method_unavailable")
            now = self.clock.now()
            if now >= payment.expires_at:
                raise PayerError("session_over")
            given[:] = [sent(attempt, *serving, now)]
            return moves.code_given(payment, attempt, given[0], now, new_id())

        payment = await self._changed_payment(token, decide)
        await self._call(self.asking.start(payment, given[0], code))
        return payment

    async def cancel(self, token: str) -> Payment:
        """Ends a payment with nothing in flight; one that has ended stays as it is. Raises PayerError, PaymentNotFound."""

        async def decide(payment: Payment) -> Change | None:
            attempt = await self._open_attempt(payment)
            change = moves.ended_without_payment(payment, attempt, self.clock.now(), new_id(), "cancelled")
            if change is None and not payment.final:
                raise PayerError("in_flight")
            return change

        return await self._changed_payment(token, decide)

    async def leave(self, token: str) -> Payment:
        """Back to the shop: with something in flight it is recorded that the customer left, else the payment ends."""

        async def decide(payment: Payment) -> Change | None:
            attempt, now = await self._open_attempt(payment), self.clock.now()
            ended = moves.ended_without_payment(payment, attempt, now, new_id(), "given up")
            return ended or moves.left(payment, now, new_id())

        return await self._changed_payment(token, decide)

    async def expire(self, payment: Payment) -> None:
        """Ends a payment whose session is over, unless something is in flight."""

        async def decide(newest: Payment) -> Change | None:
            now = self.clock.now()
            if now < newest.expires_at:
                return None
            return moves.ended_without_payment(
                newest, await self._open_attempt(newest), now, new_id(), "expired"
            )

        await self._changing.change(payment.token, decide)

    async def hint(self, token: str) -> None:
        """The payer is back from the operator's page: a reason to ask soon, never an outcome."""
        payment = await self.store.payment_by_token(token)
        attempt = None if payment is None else await self._open_attempt(payment)
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
    ) -> Payment:
        """A person's decision about an attempt that no rule can end. Raises NothingToClose, PaymentNotFound."""
        payment = await self.store.payment_by_transaction(site_id, transaction_id)
        if payment is None:
            raise PaymentNotFound
        attempt = await self._open_attempt(payment)
        if attempt is None or attempt.status is not AttemptStatus.SENT:
            raise NothingToClose(f"{transaction_id} has no attempt in flight")
        settled = await self.asking.settle(attempt, decision, actor=who, note=why)
        if settled is None:
            raise PaymentNotFound
        return settled

    async def stop(self) -> None:
        """Lets the calls that are under way finish: their answers are worth waiting for."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=self.stop_grace_s)

    async def _may_start(self, payment: Payment, now: int) -> Attempt | None:
        """The attempt that a new one would drop. Raises PayerError where none may start now."""
        if payment.final:
            raise PayerError("ended")
        open_attempt = await self._open_attempt(payment)
        if open_attempt is not None and open_attempt.status is AttemptStatus.SENT:
            raise PayerError("in_flight")
        if now >= payment.expires_at:
            raise PayerError("session_over")
        return open_attempt

    def _check_repeated(self, payment: Payment, asked: Attempt | None, choice: Choice, now: int) -> None:
        """A double click finds the attempt that its first click made; another attempt may not follow too soon. Raises PayerError."""
        if asked is not None and (asked.phone, asked.method) == (choice.phone, choice.method.code):
            raise PayerError("in_flight")
        if payment.attempt_at is not None and now - payment.attempt_at < self.settings.attempt_gap_s * SECOND:
            raise PayerError("too_soon")

    async def _choice(
        self, payment: Payment, country: str, number: str | None, method: str | None
    ) -> tuple[Choice, Code | None]:
        """What was chosen, and the code with which a rule of ours refuses it."""
        site = await self.store.site(payment.site_id)
        if site is None:
            raise PaymentNotFound
        phone = chosen_phone(payment, country, number, method)
        offered = offers(payment, site, self.operators, self.settings.bounds)
        chosen = chosen_method(phone, offered, method)
        serving = self.operators.serving(chosen.code)
        if serving is None:
            raise PayerError("method_unavailable")
        trouble = amount_trouble(payment.amount, self.settings.bounds.get((chosen.country, payment.currency)))
        return Choice(phone, chosen, *serving), _OWN_REFUSALS[trouble] if trouble else None

    async def _open_attempt(self, payment: Payment) -> Attempt | None:
        return None if payment.attempts == 0 else last_open(await self.store.attempts(payment))

    async def _changed_payment(self, token: str, decide: Callable[[Payment], Any]) -> Payment:
        payment, _ = await self._changing.change(token, decide)
        if payment is None:
            raise PaymentNotFound
        return payment

    async def _bring_forward(self, reference: str) -> None:
        if await self.store.hint(reference, self.clock.now()):
            self.on_question()

    async def _call(self, call: Coroutine[Any, Any, None]) -> None:
        """Runs a call to its end whatever becomes of the request, which waits only a little: most operators answer at once."""
        task = asyncio.get_running_loop().create_task(_told(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        await asyncio.wait({task}, timeout=START_IS_AWAITED_S)

    def _changed(self, change: Change) -> None:
        self.watch.tell(change.after.token, change.after.version)
        if change.notify:
            self.on_notification(endpoint_of(change.after.site_id, change.after.request.notify_url or ""))


async def _told(call: Coroutine[Any, Any, None]) -> None:
    """A call whose outcome could not be written is asked about again when its lease ends; here it is only told."""
    try:
        await call
    except Exception:
        log.exception("call_not_settled", alert=True)
