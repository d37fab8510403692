"""Calling operators: the start of an attempt, the later questions, and what follows from the answers.

No call is made inside a database transaction, and every attempt is in the database before its operator hears of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Collection

import structlog

from cauri.clock import SECOND, Clock, jittered, new_id
from cauri.domain.errors import StoreUnavailable
from cauri.domain.limits import Guard, PromptLimits
from cauri.domain.moves import failed_over, settled, verified
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting, spoken
from cauri.domain.payment import Attempt, AttemptStatus, Change, Payment
from cauri.domain.schedules import ask_gap
from cauri.lifecycle.attempting import successor
from cauri.lifecycle.changing import Changing
from cauri.lifecycle.orders import order_of
from cauri.lifecycle.routing import Routing, Way
from cauri.lifecycle.standing import Standing
from cauri.lifecycle.view import last_open
from cauri.operators.base import Connector, Flow
from cauri.operators.registry import Operators
from cauri.store import AskedAgain, Store

log = structlog.get_logger("cauri.operators")

ASK_LEASE = 90 * SECOND
HINTED_ASK_GAP = SECOND // 5
WRITTEN_AGAIN_AFTER_S = 2

# Moves that a person should look at, and how the log calls them.
ALERTS = {
    "surplus": "surplus",
    "contradiction": "contradiction",
    "unclear": "operator_answer_unclear",
}


class Asking:
    """``public_url`` is where operators send payers back to; ``counts_prompts``: whether limits of prompts look back."""

    def __init__(
        self,
        store: Store,
        operators: Operators,
        routing: Routing,
        standing: Standing,
        changing: Changing,
        clock: Clock,
        public_url: str,
        *,
        counts_prompts: bool = False,
    ) -> None:
        self._store = store
        self._operators = operators
        self._routing = routing
        self._standing = standing
        self._changing = changing
        self._clock = clock
        self._public_url = public_url
        self._counts_prompts = counts_prompts

    async def start(self, payment: Payment, attempt: Attempt, code: str | None = None) -> None:
        """Calls the operator for an attempt that was just committed as sent, under the lease it was born with.

        Where that began nothing, the next connector of the same method takes over, each at most once in a try.
        """
        following: Attempt | None = attempt
        tried: set[str] = set()
        while following is not None and following.status is AttemptStatus.SENT:
            attempt, following = following, None
            connector = self._operators.named(attempt.connector)
            if connector is None:
                return
            tried.add(connector.name)
            self._standing.leaves(connector, attempt.method)
            asked_at = self._clock.now()
            order = order_of(payment, attempt, self._public_url, code)
            outcome = verified(attempt, await _answer(connector.start(order), connector))
            self._standing.heard(connector, attempt.method, outcome)
            try:
                if isinstance(outcome, Refused) and outcome.unstarted:
                    following = await self._fail_over(attempt, outcome, tried, code)
                else:
                    await self.settle(attempt, outcome)
            except StoreUnavailable:
                if connector.silence.askable:
                    raise
                await self._settle_at_last(attempt, outcome)
            await self._release(attempt, connector, outcome, asked_at)

    async def _settle_at_last(self, attempt: Attempt, outcome: Outcome) -> None:
        """What an operator says that cannot be asked again is said once: it is kept until the database takes it.

        It stands in the log meanwhile, for the person who closes the attempt should this process end before.
        """
        log.error("answer_not_written", alert=True, reference=attempt.reference, outcome=repr(outcome))
        while True:
            await asyncio.sleep(WRITTEN_AGAIN_AFTER_S)
            with contextlib.suppress(StoreUnavailable):
                await self.settle(attempt, outcome)
                return

    async def ask(self, attempt: Attempt) -> None:
        """Asks the operator what became of an attempt that this process has claimed."""
        payment = await self._store.payment_by_token(attempt.token)
        connector = self._operators.named(attempt.connector)
        if payment is None or connector is None:
            return
        asked_at = self._clock.now()
        call = connector.check(order_of(payment, attempt, self._public_url))
        outcome = verified(attempt, self._given_up(attempt, connector, await _answer(call, connector)))
        await self.settle(attempt, outcome)
        await self._release(attempt, connector, outcome, asked_at)

    async def _fail_over(
        self, attempt: Attempt, outcome: Refused, tried: Collection[str], code: str | None
    ) -> Attempt | None:
        """Ends an attempt that began nothing and writes its successor in one change; without one it simply failed."""
        written: list[Attempt] = []

        async def decide(payment: Payment) -> Change | None:
            written.clear()
            newest = await self._store.attempt_by_reference(attempt.reference)
            if newest is None:
                return None
            now = self._clock.now()
            way = self._routing.way(attempt.method, attempt.amount, without=tried)
            if way is not None and way.trouble is None:
                following = successor(payment, newest, way, now, code_given=code is not None)
                guard = self._guard_of(attempt, way)
                change = failed_over(payment, newest, outcome, following, now, new_id(), guard)
                if change is not None:
                    written.append(following)
                    return change
            return settled(payment, newest, outcome, now, new_id())

        await self._changing.change(attempt.token, decide)
        if not written:
            return None
        log.warning(
            "failed_over", connector=attempt.connector, to=written[0].connector, reference=attempt.reference
        )
        return written[0]

    def _guard_of(self, attempt: Attempt, way: Way) -> Guard | None:
        """A prompt that takes over from something else is counted like any other, but never refused: its payer has asked once."""
        before = self._routing.route(attempt.connector, attempt.method)
        prompted = before is not None and before.flow is Flow.PROMPT
        if not self._counts_prompts or prompted or way.route.flow is not Flow.PROMPT:
            return None
        return Guard(prompts=PromptLimits())

    async def settle(
        self, attempt: Attempt, outcome: Outcome, *, actor: str = "", note: str = ""
    ) -> Payment | None:
        """Turns an outcome into a move, on the newest state; None where there is no such payment any more."""

        async def decide(payment: Payment) -> Change | None:
            newest = await self._store.attempt_by_reference(attempt.reference)
            if newest is None:
                return None
            rival = await self._rival(payment, newest, outcome)
            return settled(
                payment, newest, outcome, self._clock.now(), new_id(), actor, note, open_attempt=rival
            )

        payment, change = await self._changing.change(attempt.token, decide)
        if change is not None and change.event in ALERTS:
            log.error(
                ALERTS[change.event],
                alert=True,
                reference=attempt.reference,
                transaction_id=change.after.transaction_id,
                why=change.note,
            )
        return payment

    async def _rival(self, payment: Payment, attempt: Attempt, outcome: Outcome) -> Attempt | None:
        """The open attempt beside one that was believed failed and is paid after all."""
        if not isinstance(outcome, Accepted) or attempt.status is not AttemptStatus.FAILED:
            return None
        return last_open(await self._store.attempts(payment))

    def _given_up(self, attempt: Attempt, connector: Connector, outcome: Outcome) -> Outcome:
        """The connector's stated rule for giving up: not known to the operator, never answered readably, and long enough ago."""
        after_s = connector.silence.not_found_final_after_s
        if not isinstance(outcome, Unknown) or not outcome.not_found or after_s is None:
            return outcome
        sent_at = attempt.sent_at
        if spoken(attempt.word) or sent_at is None or self._clock.now() - sent_at < after_s * SECOND:
            return outcome
        return Refused(connector.silence.code, f"not found {after_s} s after an unanswered start")

    async def _release(self, attempt: Attempt, connector: Connector, outcome: Outcome, asked_at: int) -> None:
        now = self._clock.now()
        sent_at = attempt.sent_at or now
        askable = connector.silence.askable
        await self._store.release_ask(
            AskedAgain(
                attempt=attempt,
                claim=attempt.claimed_by or "",
                asked_at=asked_at,
                next_ask_at=now + jittered(ask_gap(now - sent_at)) if askable else None,
                hinted_ask_at=now + HINTED_ASK_GAP,
                word=_word(outcome) if attempt.status is AttemptStatus.SENT else None,
            )
        )


async def _answer(call: Awaitable[Outcome], connector: Connector) -> Outcome:
    """A connector promises an Outcome; where it breaks its promise nothing is known, which is not a failure."""
    try:
        return await call
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("connector_broke", alert=True, connector=connector.name)
        return Unknown("the connector failed")


def _word(outcome: Outcome) -> str | None:
    """What the operator said, None where it said nothing of the attempt: a later "not found" is then plain silence."""
    match outcome:
        case Waiting(word=word) | Refused(word=word):
            return word or "heard"
        case Accepted():
            return "accepted"
        case _:
            return None
