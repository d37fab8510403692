"""The decisions, pure: whatever comes in whatever order, paid stays paid and nothing but the right money delivers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from cauri_shop import Payment, PaymentStatus, State
from cauri_shop.book.decide import Hook, decide, decide_silence, decide_unknown
from cauri_shop.book.rows import OrderRow
from cauri_shop.codes import STATUS_CODES, state_of

BEGUN = datetime(2026, 11, 23, tzinfo=timezone.utc)
ORDER = OrderRow("o1", 1500, "XOF")
OPENED = Payment(
    "CMD-1", "o1", 1, "445160", 1500, "XOF", State.WAITING, "k", BEGUN, BEGUN, BEGUN, payment_url="u"
)

answers = st.builds(
    lambda code, amount, currency: PaymentStatus(state_of(code), code, "", "", amount=amount, currency=currency),
    st.sampled_from([*STATUS_CODES, "999", ""]), st.sampled_from([1500, 1500, 1505, None]), st.sampled_from(["XOF", "XOF", "XAF", None]),
)  # fmt: skip
steps = st.lists(st.one_of(answers, st.sampled_from(["silence", "unknown"])), max_size=12)


@given(steps, st.booleans())
def test_whatever_is_said_in_whatever_order(said, paid_by_another):
    order = replace(ORDER, fulfilled_by="CMD-0") if paid_by_another else ORDER
    payment, now, ran = OPENED, BEGUN, []
    for word in said:
        now += timedelta(minutes=7)
        if isinstance(word, str):
            move = (decide_unknown if word == "unknown" else decide_silence)(payment, now)
        else:
            move = decide(order, payment, word, site_id="445160", now=now)
        right = not isinstance(word, str) and word.code == "00" and word.matches(amount=1500, currency="XOF")
        assert move.hook is not Hook.PAID or (right and order.fulfilled_by is None)
        assert not payment.paid or move.payment.paid, "paid is absorbing"
        assert move.payment.open or move.payment.next_ask_at is None
        assert not move.payment.open or move.payment.next_ask_at > now
        if isinstance(word, str):
            assert move.hook is None
            assert move.payment.state is payment.state or move.payment.state is State.CLOSED
        ran += [move.hook] if move.hook else []
        if move.hook is Hook.PAID:
            order = replace(order, fulfilled_by="CMD-1")
        payment = move.payment
    assert ran.count(Hook.PAID) + ran.count(Hook.OVERPAID) <= 1
    assert Hook.REFUSED not in ran or not paid_by_another


def test_a_payment_of_another_site_is_a_mismatch():
    paid = PaymentStatus(state_of("00"), "00", "", "", amount=1500, currency="XOF")
    move = decide(ORDER, OPENED, paid, site_id="999", now=BEGUN)
    assert (move.hook, move.payment.state) == (Hook.MISMATCH, State.MISMATCH)
    assert "445160" in move.payment.problem


def test_an_unknown_payment_closes_an_hour_after_its_last_start():
    for minutes, state in ((59, State.WAITING), (60, State.CLOSED)):
        assert decide_unknown(OPENED, BEGUN + timedelta(minutes=minutes)).payment.state is state
