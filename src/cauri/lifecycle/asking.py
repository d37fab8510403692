"""Calling operators: the start of an attempt, the later questions, and what follows from the answers.

No call is made inside a database transaction, and every attempt is in the database before its operator hears of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import structlog

from cauri.clock import SECOND, Clock, jittered, new_id
from cauri.domain.methods import METHODS
from cauri.domain.moves import settled, verified
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.domain.payment import Attempt, AttemptStatus, Change, Payment, PaymentRequest
from cauri.domain.schedules import ask_gap
from cauri.lifecycle.changing import Changing
from cauri.lifecycle.view import last_open
from cauri.operators.base import Connector, Order
from cauri.operators.registry import Operators
from cauri.store import AskedAgain, Store

log = structlog.get_logger("cauri.operators")

ASK_LEASE = 90 * SECOND
HINTED_ASK_GAP = SECOND // 5

# Moves that a person should look at, and how the log calls them.
ALERTS = {
    "surplus": "surplus",
    "contradiction": "contradiction",
    "unclear": "operator_answer_unclear",
}


class Asking:
    """``public_url`` is where operators send payers back to."""

    def __init__(
        self, store: Store, operators: Operators, changing: Changing, clock: Clock, public_url: str
    ) -> None:
        self._store = store
        self._operators = operators
        self._changing = changing
        self._clock = clock
        self._public_url = public_url

    async def start(self, payment: Payment, attempt: Attempt, code: str | None = None) -> None:
        """Calls the operator for an attempt that was just committed as sent, under the lease it was born with."""
        connector = self._operators.named(attempt.connector)
        if connector is not None:
            order = self._order(payment, attempt, code)
            await self._hear(payment, attempt, connector, connector.start(order))

    async def ask(self, attempt: Attempt) -> None:
        """Asks the operator what became of an attempt that this process has claimed."""
        payment = await self._store.payment_by_token(attempt.token)
        connector = self._operators.named(attempt.connector)
        if payment is None or connector is None:
            log.error(
                "attempt_without_connector",
                alert=True,
                reference=attempt.reference,
                connector=attempt.connector,
            )
            return
        await self._hear(payment, attempt, connector, connector.check(self._order(payment, attempt)))

    async def _hear(
        self, payment: Payment, attempt: Attempt, connector: Connector, call: Awaitable[Outcome]
    ) -> None:
        asked_at = self._clock.now()
        outcome = verified(attempt, self._given_up(attempt, connector, await _answer(call, connector)))
        await self.settle(attempt, outcome)
        await self._release(attempt, outcome, asked_at)

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
        """The connector's stated rule for giving up: not known to the operator, never answered, and long enough ago."""
        after_s = connector.silence.not_found_final_after_s
        if not isinstance(outcome, Unknown) or not outcome.not_found or after_s is None:
            return outcome
        if attempt.word or attempt.sent_at is None or self._clock.now() - attempt.sent_at < after_s * SECOND:
            return outcome
        return Refused(connector.silence.code, f"not found {after_s} s after an unanswered start")

    async def _release(self, attempt: Attempt, outcome: Outcome, asked_at: int) -> None:
        now = self._clock.now()
        sent_at = attempt.sent_at or now
        await self._store.release_ask(
            AskedAgain(
                attempt=attempt,
                claim=attempt.claimed_by or "",
                asked_at=asked_at,
                next_ask_at=now + jittered(ask_gap(now - sent_at)),
                hinted_ask_at=now + HINTED_ASK_GAP,
                word=_word(outcome) if attempt.status is AttemptStatus.SENT else None,
            )
        )

    def _order(self, payment: Payment, attempt: Attempt, code: str | None = None) -> Order:
        return Order(
            reference=attempt.reference,
            method=METHODS[attempt.method],
            phone=attempt.phone,
            amount=attempt.amount,
            currency=attempt.currency,
            sent_at=attempt.sent_at or attempt.started_at,
            description=payment.request.description,
            page_url=f"{self._public_url}/payment/{payment.token}?back=1",
            callback_url=f"{self._public_url}/operators/{attempt.connector}/callback",
            lang=payment.request.lang or "fr",
            code=code,
            handle=attempt.handle,
            card_block=_card_block(payment.request),
        )


def _card_block(request: PaymentRequest) -> dict[str, str] | None:
    """With the names, which belong to the customer whether a card pays or not."""
    names = {"customer_name": request.customer_name, "customer_surname": request.customer_surname}
    given = {name: value for name, value in names.items() if value}
    return None if request.card_block is None else {**request.card_block, **given}


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
