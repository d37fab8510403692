"""Random lives of a payment: whatever happens in whatever order, the promises of contract section 7 hold."""

from __future__ import annotations

import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from cauri.clock import MINUTE, SECOND
from cauri.domain import moves
from cauri.domain.codes import FAILURES, Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.domain.payment import (
    ATTEMPT_MOVES,
    PAYMENT_MOVES,
    Attempt,
    AttemptStatus,
    Change,
    Payment,
    PaymentRequest,
    PaymentStatus,
    Surplus,
)
from cauri.domain.phone import Phone

ASKED, SENT, PAID, FAILED = AttemptStatus.ASKED, AttemptStatus.SENT, AttemptStatus.PAID, AttemptStatus.FAILED
WAITING_CODES = (Code.WAITING_TO_VALIDATE, Code.WAITING_OTP, Code.WAITING_AT_OPERATOR)
START = 1_600_000_000_000

outcomes = st.one_of(
    st.builds(
        Accepted, st.just("op"), st.sampled_from([None, 1500, 1501]), st.sampled_from([None, "XOF", "XAF"])
    ),
    st.builds(Refused, st.sampled_from(FAILURES)),
    st.builds(
        Waiting, st.sampled_from([None, *WAITING_CODES]), st.sampled_from([None, "https://operator.example/"])
    ),
    st.builds(Unknown, st.just("silence"), st.booleans()),
)


class LifeOfAPayment(RuleBasedStateMachine):
    """Applies Changes as the store does: under their guards, all or nothing."""

    @initialize(attempts_max=st.integers(1, 4), told=st.booleans())
    def opened(self, attempts_max: int, told: bool) -> None:
        request = PaymentRequest(
            description="d",
            return_url="https://shop.example/",
            notify_url="https://shop.example/notify" if told else None,
            attempts_max=attempts_max,
        )
        self.now = START
        self.payment = Payment(
            slot=0,
            site_id="1",
            transaction_id="t",
            token="00" + "0" * 32,
            amount=1500,
            currency="XOF",
            created_at=START,
            expires_at=START + 30 * MINUTE,
            request=request,
        )
        self.attempts: dict[int, Attempt] = {}
        self.surpluses: list[Surplus] = []
        self.received = 0  # how often an operator gave us money that was asked for
        self.ids = itertools.count()

    @property
    def open_attempt(self) -> Attempt | None:
        found = [each for each in self.attempts.values() if each.status in (SENT, ASKED)]
        return max(found, key=lambda each: (each.status is SENT, each.number), default=None)

    def may_start(self) -> bool:
        held = self.open_attempt
        return (
            not self.payment.final
            and (held is None or held.status is ASKED)
            and self.now < self.payment.expires_at
        )

    @precondition(lambda self: self.may_start())
    @rule(
        status=st.sampled_from([ASKED, SENT, FAILED]),
        code=st.sampled_from(FAILURES),
        shown=st.sampled_from(WAITING_CODES),
    )
    def starts(self, status: AttemptStatus, code: Code, shown: Code) -> None:
        attempt = Attempt(
            slot=0,
            token=self.payment.token,
            number=self.payment.attempts + 1,
            reference=str(next(self.ids)),
            connector="c",
            method="OM",
            phone=Phone("CI", "225", "0700000001"),
            amount=1500,
            currency="XOF",
            status=status,
            code={ASKED: Code.WAITING_OTP, SENT: shown, FAILED: code}[status],
            started_at=self.now,
            sent_at=self.now if status is SENT else None,
        )
        before = self.payment
        self.apply(moves.started(self.payment, attempt, self.open_attempt, self.now, self.id()))
        assert self.payment.tries == before.tries, "a start, and a refusal of our own, cost no try"

    @rule(status=st.sampled_from([ASKED, SENT]), shown=st.sampled_from(WAITING_CODES), begun=st.booleans())
    def fails_over(self, status: AttemptStatus, shown: Code, begun: bool) -> None:
        """The start of what is in flight, or of what no longer is, comes back as having begun nothing."""
        if not self.attempts:
            return
        attempt = self.open_attempt or self.attempts[max(self.attempts)]
        following = replace(
            attempt,
            number=self.payment.attempts + 1,
            reference=str(next(self.ids)),
            connector="d",
            status=status,
            code=Code.WAITING_OTP if status is ASKED else shown,
            started_at=self.now,
            sent_at=self.now if status is SENT else None,
            ended_at=None,
        )
        outcome = Refused(Code.OPERATOR_UNAVAILABLE, "refused connection", unstarted=not begun)
        before = self.payment
        change = moves.failed_over(before, attempt, outcome, following, self.now, self.id())
        gone = before.final or before.left_at is not None or self.now >= before.expires_at
        assert (change is not None) == (attempt.status is SENT and not begun and not gone)
        self.apply(change)
        assert self.payment.tries == before.tries, "another connector in the same try"

    @precondition(lambda self: self.may_start() and self.open_attempt is not None)
    @rule(shown=st.sampled_from(WAITING_CODES), refused=st.sampled_from([None, *FAILURES]))
    def types_the_code(self, shown: Code, refused: Code | None) -> None:
        asked = self.open_attempt
        assert asked is not None
        given = replace(asked, status=SENT, code=shown, sent_at=self.now)
        if refused is not None:
            given = replace(asked, status=FAILED, code=refused, ended_at=self.now)
        before = self.payment
        self.apply(moves.code_given(before, asked, given, self.now, self.id()))
        assert self.payment.tries == before.tries, "a code, and a refusal of our own, cost no try"

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), said=outcomes)
    def operator_says(self, data: st.DataObject, said: Outcome) -> None:
        """Of any attempt that it was ever told of, at any time."""
        known = [each for each in self.attempts.values() if each.sent_at is not None]
        if not known:
            return
        attempt = data.draw(st.sampled_from(known))
        outcome = moves.verified(attempt, said)
        change = moves.settled(
            self.payment, attempt, outcome, self.now, self.id(), open_attempt=self.open_attempt
        )
        if isinstance(outcome, Unknown) and change is not None:
            assert (change.event, outcome.alert) == ("unclear", True), "unknown is never failed"
            assert (change.after.code, change.after.status) == (self.payment.code, self.payment.status)
            assert change.attempts[-1][1].status is attempt.status
        if isinstance(outcome, Accepted) and attempt.status in (SENT, FAILED):
            self.received += 1
            assert change is not None, "money is never lost"
        before = self.payment
        self.apply(change)
        if change is not None and change.event == "failed" and not before.final:
            assert self.payment.tries == before.tries + 1
            last = self.payment.tries == before.request.attempts_max
            assert self.payment.final == (last or self.now >= before.expires_at or before.left_at is not None)

    @rule(event=st.sampled_from(["cancelled", "given up", "expired"]))
    def ends(self, event: str) -> None:
        in_flight = any(each.status is SENT for each in self.attempts.values())
        change = moves.ended_without_payment(self.payment, self.open_attempt, self.now, self.id(), event)
        assert (change is None) == (self.payment.final or in_flight)
        self.apply(change)

    @rule()
    def leaves(self) -> None:
        self.apply(moves.left(self.payment, self.now, self.id()))

    @rule(minutes=st.integers(0, 12))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE + SECOND

    def id(self) -> str:
        return str(next(self.ids))

    def apply(self, change: Change | None) -> None:
        if change is None:
            return
        before, after = change.before, change.after
        assert before == self.payment
        assert after.version == before.version + 1
        assert after.status is before.status or after.status in PAYMENT_MOVES[before.status]
        if before.final:
            kept = ("status", "code", "ended_at", "paid_at", "operator_id", "method", "phone", "tries")
            assert all(getattr(before, name) == getattr(after, name) for name in kept), "final is final"
        told = before.request.notify_url is not None
        assert change.notify == (told and (before.code, before.status) != (after.code, after.status))
        for status, attempt in change.attempts:
            held = self.attempts.get(attempt.number)
            assert (None if held is None else held.status) is status
            assert held is None or attempt.status in ATTEMPT_MOVES[held.status]
            self.attempts[attempt.number] = attempt
        if change.surplus is not None:
            self.surpluses.append(change.surplus)
        self.payment = after

    def having(self, *statuses: AttemptStatus) -> list[Attempt]:
        return [each for each in self.attempts.values() if each.status in statuses]

    @invariant()
    def at_most_one_of_each(self) -> None:
        assert len(self.having(SENT)) <= 1
        assert len(self.having(ASKED)) <= 1
        assert len(self.having(PAID)) == (1 if self.payment.status is PaymentStatus.PAID else 0)
        if not self.payment.final:
            assert len(self.having(SENT, ASKED)) <= 1

    @invariant()
    def every_acceptance_is_paid_or_a_surplus(self) -> None:
        assert len(self.having(PAID, AttemptStatus.SURPLUS)) == self.received
        assert len(self.surpluses) == len(self.having(AttemptStatus.SURPLUS))

    @invariant()
    def tries_are_kept(self) -> None:
        assert self.payment.tries <= self.payment.request.attempts_max
        if self.payment.tries == self.payment.request.attempts_max:
            assert self.payment.final

    @invariant()
    def the_code_says_what_is_under_way(self) -> None:
        payment, held = self.payment, self.open_attempt
        if payment.status is PaymentStatus.WAITING:
            assert payment.code is (Code.WAITING_PAYMENT if held is None else held.code)
        elif payment.status is PaymentStatus.PAID:
            assert payment.code is Code.SUCCESS
        else:
            assert payment.code is (payment.failed_code or Code.CANCELLED)
        assert payment.code.final == payment.final == (payment.ended_at is not None)

    @invariant()
    def nothing_asked_outlives_the_payment(self) -> None:
        if self.payment.final:
            assert not self.having(ASKED)
        if self.payment.status is PaymentStatus.REFUSED:
            assert not self.having(SENT)

    @invariant()
    def an_ended_attempt_is_not_asked_about(self) -> None:
        for attempt in self.having(PAID, FAILED, AttemptStatus.DROPPED, AttemptStatus.SURPLUS):
            assert attempt.next_ask_at is None


TestLifeOfAPayment = LifeOfAPayment.TestCase
TestLifeOfAPayment.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, derandomize=True, database=None
)
