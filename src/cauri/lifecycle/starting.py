"""The pay button and the code's button: from what the payer typed to an attempt that is committed and then sent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from cauri.clock import SECOND, Clock, new_id
from cauri.domain import moves
from cauri.domain.codes import Code
from cauri.domain.errors import PayerError, PaymentNotFound
from cauri.domain.limits import Guard, LimitReached, PromptLimits, PromptsReached
from cauri.domain.payment import Attempt, AttemptStatus, Change, Payment
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
from cauri.lifecycle.changing import Changing, GuardRefused
from cauri.lifecycle.opening import BoundsTable
from cauri.lifecycle.routing import CODE_OF_TROUBLE, Routing
from cauri.lifecycle.view import amount_trouble, offers
from cauri.operators.base import Flow
from cauri.operators.registry import Operators
from cauri.store import Store

log = structlog.get_logger("cauri.lifecycle")

START_IS_AWAITED_S = 1.5


@dataclass(frozen=True, slots=True)
class Typed:
    """What the payer gave: ``number`` None for the merchant's, or none for a card, ``method`` None where the number tells. ``address``: where from."""

    country: str
    number: str | None
    method: str | None
    address: str = ""


class Starting:
    """``attempt_gap_s``: one attempt start per payment in so many seconds, 0 for no limit."""

    def __init__(
        self,
        store: Store,
        operators: Operators,
        routing: Routing,
        changing: Changing,
        asking: Asking,
        clock: Clock,
        *,
        bounds: BoundsTable,
        prompts: PromptLimits,
        attempt_gap_s: int,
    ) -> None:
        self._store = store
        self._operators = operators
        self._routing = routing
        self._changing = changing
        self._asking = asking
        self._clock = clock
        self._bounds = bounds
        self._prompts = prompts
        self._attempt_gap_s = attempt_gap_s
        self._calls: set[asyncio.Task[None]] = set()

    async def start(self, token: str, typed: Typed) -> Payment:
        """Commits an attempt, then calls its operator in a task that outlives this request. Raises PayerError, PaymentNotFound."""
        started: list[Attempt] = []
        limit: Code | None = None

        async def decide(payment: Payment) -> Change:
            now = self._clock.now()
            open_attempt = await self._may_start(payment, now)
            site = await self._site(payment)
            choice, refusal = self._choice(payment, site, typed)
            self._check_repeated(payment, open_attempt, choice, now)
            attempt = new_attempt(payment, choice, now)
            if (refusal := refusal or limit) is not None:
                attempt = not_sent(attempt, refusal, now)
            started[:] = [attempt]
            guard = self._guard(site, attempt, choice, typed.address)
            return moves.started(payment, attempt, open_attempt, now, new_id(), guard)

        try:
            payment = await self._changing.changed(token, decide)
        except GuardRefused as refused:
            limit = _code_of(refused)
            payment = await self._changing.changed(token, decide)
        if started[0].status is not AttemptStatus.SENT:
            return payment
        await self._call(self._asking.start(payment, started[0]))
        return await self._store.payment_by_token(token) or payment

    async def give_code(self, token: str, code: str) -> Payment:
        """The payer's one-time code: the attempt that waits for it is sent. Raises PayerError, PaymentNotFound."""
        code = checked_code(code)
        given: list[Attempt] = []

        async def decide(payment: Payment) -> Change:
            attempt = await self._changing.open_attempt(payment)
            if payment.final or attempt is None or attempt.status is not AttemptStatus.ASKED:
                raise PayerError("ended" if payment.final else "no_code_expected")
            connector = self._operators.named(attempt.connector)
            route = self._operators.route(attempt.connector, attempt.method)
            if connector is None or route is None:
                raise PayerError("method_unavailable")
            now = self._clock.now()
            if now >= payment.expires_at:
                raise PayerError("session_over")
            trouble = self._routing.trouble(connector, route, attempt.method, attempt.amount)
            given[:] = [
                sent(attempt, connector, route, now)
                if trouble is None
                else not_sent(attempt, CODE_OF_TROUBLE[trouble], now)
            ]
            return moves.code_given(payment, attempt, given[0], now, new_id())

        payment = await self._changing.changed(token, decide)
        if given[0].status is AttemptStatus.SENT:
            await self._call(self._asking.start(payment, given[0], code))
        return payment

    async def stop(self, within_s: float) -> None:
        """Lets the calls that are under way finish: their answers are worth waiting for."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=within_s)

    async def _may_start(self, payment: Payment, now: int) -> Attempt | None:
        """The attempt that a new one would drop. Raises PayerError where none may start now."""
        if payment.final:
            raise PayerError("ended")
        open_attempt = await self._changing.open_attempt(payment)
        if open_attempt is not None and open_attempt.status is AttemptStatus.SENT:
            raise PayerError("in_flight")
        if now >= payment.expires_at:
            raise PayerError("session_over")
        return open_attempt

    def _check_repeated(self, payment: Payment, asked: Attempt | None, choice: Choice, now: int) -> None:
        """A double click finds the attempt that its first click made; another attempt may not follow too soon. Raises PayerError."""
        if asked is not None and (asked.phone, asked.method) == (choice.phone, choice.method.code):
            raise PayerError("in_flight")
        if payment.attempt_at is not None and now - payment.attempt_at < self._attempt_gap_s * SECOND:
            raise PayerError("too_soon")

    def _choice(self, payment: Payment, site: Site, typed: Typed) -> tuple[Choice, Code | None]:
        """What was chosen, and the code with which a rule of ours refuses it."""
        phone = chosen_phone(payment, typed.country, typed.number, typed.method)
        offered = offers(payment, site, self._routing, self._bounds)
        chosen = chosen_method(phone, offered, typed.method)
        way = self._routing.way(chosen.code, payment.amount)
        if way is None:
            raise PayerError("method_unavailable")
        own = self._bounds.get((chosen.country, payment.currency))
        trouble = amount_trouble(payment.amount, own) or way.trouble
        return Choice(phone, chosen, way), CODE_OF_TROUBLE[trouble] if trouble else None

    def _guard(self, site: Site, attempt: Attempt, choice: Choice, address: str) -> Guard | None:
        """What is counted before the attempt is written. Only a prompt makes a stranger's handset ring, so only prompts are."""
        if (
            attempt.status is AttemptStatus.FAILED or not attempt.phone.national
        ):  # a card has no number to count
            return None
        rings = self._prompts.any and choice.way.route.flow is Flow.PROMPT
        limits, prompts = site.settings.payer_limits, self._prompts if rings else None
        if limits is None and prompts is None:
            return None
        mark = self._store.mark("prompt", attempt.phone.digits, address)
        return Guard(limits=limits, prompts=prompts, address=mark)

    async def _site(self, payment: Payment) -> Site:
        site = await self._store.site(payment.site_id)
        if site is None:
            raise PaymentNotFound
        return site

    async def _call(self, call: Coroutine[Any, Any, None]) -> None:
        """Runs a call to its end whatever becomes of the request, which waits only a little: most operators answer at once."""
        task = asyncio.get_running_loop().create_task(_told(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        await asyncio.wait({task}, timeout=START_IS_AWAITED_S)


def _code_of(refused: GuardRefused) -> Code:
    """The code of a limit. Raises PayerError where it is of prompts: nothing is recorded of those."""
    match refused.reached:
        case LimitReached(code=code):
            return code
        case PromptsReached(again_at=again_at):
            raise PayerError("too_many_prompts", again_at)


async def _told(call: Coroutine[Any, Any, None]) -> None:
    """A call whose outcome could not be written is asked about again when its lease ends; here it is only told."""
    try:
        await call
    except Exception:
        log.exception("call_not_settled", alert=True)
