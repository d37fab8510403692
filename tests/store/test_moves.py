"""Guarded moves: one rival wins, a repeated move is recognised, and the database itself forbids what must never be."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from cauri.domain.codes import Code
from cauri.domain.errors import StoreRefused
from cauri.domain.payment import AttemptStatus, PaymentStatus
from cauri.store import Store
from tests.store.conftest import OpenStore
from tests.store.records import (
    NOW,
    REQUEST,
    cancelled,
    left,
    new_payment,
    paid,
    refused,
    sent_attempt,
    started,
)


async def test_of_eight_rivals_exactly_one_moves_the_payment(database: str, open_store: OpenStore) -> None:
    stores = [await open_store(database) for _ in range(4)]
    for _ in range(20):
        payment = await stores[0].open_payment(new_payment())
        rivals = [make(payment) for _ in range(4) for make in (started, cancelled)]
        answers = await asyncio.gather(
            *(stores[index % 4].apply(change) for index, change in enumerate(rivals))
        )
        assert answers.count(True) == 1
        timeline = await stores[0].timeline(payment)
        winner = rivals[answers.index(True)]
        assert [row.event for row in timeline.history] == ["opened", winner.event]
        assert len(timeline.attempts) == len(winner.attempts)
        assert await stores[1].payment_by_token(payment.token) == winner.after


async def test_a_repeated_change_stands_once_and_is_answered_true(store: Store) -> None:
    payment = await store.open_payment(new_payment())
    change = started(payment)
    assert [await store.apply(change), await store.apply(change)] == [True, True]
    other = started(payment)
    assert not await store.apply(other)
    timeline = await store.timeline(payment)
    assert len(timeline.attempts) == 1
    assert [row.version for row in timeline.history] == [1, 2]


async def test_a_change_of_a_final_payment_changes_nothing(store: Store) -> None:
    payment = await store.open_payment(new_payment())
    end = cancelled(payment)
    assert await store.apply(end)
    for late in (started(payment), left(payment), cancelled(replace(payment, version=2))):
        assert not await store.apply(late)
    assert await store.payment_by_token(payment.token) == end.after


async def test_the_database_itself_refuses_a_second_attempt_in_flight(store: Store) -> None:
    payment = await store.open_payment(new_payment())
    first = started(payment)
    assert await store.apply(first)
    second = started(first.after, sent_attempt(first.after))
    with pytest.raises(StoreRefused):
        await store.apply(second)
    assert await store.payment_by_token(payment.token) == first.after
    assert len(await store.attempts(payment)) == 1


async def test_the_database_itself_refuses_a_second_paid_attempt(store: Store) -> None:
    payment = await store.open_payment(new_payment())
    one = sent_attempt(payment)
    change = started(payment, one)
    assert await store.apply(change)
    end = paid(change.after, one)
    assert await store.apply(end)
    two = sent_attempt(end.after, status=AttemptStatus.PAID)
    with pytest.raises(StoreRefused):
        await store.apply(replace(started(end.after), attempts=((None, two),)))
    assert len(await store.attempts(payment)) == 1


async def test_the_database_itself_refuses_a_reference_twice(store: Store) -> None:
    payment = await store.open_payment(new_payment())
    attempt = sent_attempt(payment)
    change = started(payment, attempt)
    assert await store.apply(change)
    end = refused(change.after, attempt)
    assert await store.apply(end)
    with pytest.raises(StoreRefused):
        await store.apply(started(end.after, sent_attempt(end.after, reference=attempt.reference)))


async def test_an_attempt_that_is_not_what_its_payment_implies_refuses_the_whole_change(
    store: Store,
) -> None:
    payment = await store.open_payment(new_payment())
    attempt = sent_attempt(payment)
    change = started(payment, attempt)
    assert await store.apply(change)
    wrong = replace(paid(change.after, attempt), attempts=((AttemptStatus.ASKED, attempt),))
    with pytest.raises(StoreRefused, match="status"):
        await store.apply(wrong)
    assert await store.payment_by_token(payment.token) == change.after
    assert len((await store.timeline(payment)).history) == 2


async def test_a_whole_life_is_kept_move_by_move(store: Store) -> None:
    payment = await store.open_payment(new_payment())
    one = sent_attempt(payment)
    first = started(payment, one)
    failed = refused(first.after, one)
    two = sent_attempt(failed.after)
    second = started(failed.after, two)
    end = paid(second.after, two)
    surplus = paid(end.after, replace(one, status=AttemptStatus.FAILED))
    for change in (first, failed, second, end, surplus):
        assert await store.apply(change)
    timeline = await store.timeline(payment)
    assert [(row.event, row.from_code, row.to_code, row.attempt) for row in timeline.history] == [
        ("opened", "", "662", None),
        ("sent", "662", "623", 1),
        ("failed", "623", "662", 1),
        ("sent", "662", "623", 2),
        ("paid", "623", "00", 2),
        ("surplus", "00", "00", 1),
    ]
    assert [attempt.status for attempt in timeline.attempts] == [AttemptStatus.SURPLUS, AttemptStatus.PAID]
    assert [(each.attempt, each.amount) for each in timeline.surpluses] == [(1, payment.amount)]
    stored = await store.payment_by_token(payment.token)
    assert stored is not None
    assert (stored.status, stored.code, stored.paid_at) == (PaymentStatus.PAID, Code.SUCCESS, NOW)
    assert await store.payment_by_transaction(payment.site_id, payment.transaction_id) == stored


@pytest.mark.parametrize("notify_url", ["https://shop.example/notify", None])
async def test_a_change_of_the_code_is_due_to_be_told_where_somebody_listens(
    store: Store, notify_url: str | None
) -> None:
    payment = await store.open_payment(new_payment(request=replace(REQUEST, notify_url=notify_url)))
    assert await store.notification(payment) is None
    quiet = left(payment)
    assert await store.apply(quiet)
    assert await store.notification(payment) is None
    change = started(quiet.after)
    assert await store.apply(change)
    state = await store.notification(payment)
    if notify_url is None:
        assert state is None
    else:
        assert state is not None
        assert (state.due_version, state.told_version, state.due_at) == (change.after.version, 0, NOW)


async def test_versions_are_read_together_and_nonsense_is_left_out(store: Store) -> None:
    payments = [await store.open_payment(new_payment()) for _ in range(3)]
    await store.apply(cancelled(payments[1]))
    tokens = [payment.token for payment in payments]
    assert await store.versions([*tokens, "nonsense", "", "0" * 34]) == dict(
        zip(tokens, (1, 2, 1), strict=True)
    )
    assert await store.versions([]) == {}


@pytest.mark.parametrize("text", ["", "x", "0" * 33, "0" * 35, "G" * 34, "é" * 34, "0" * 34, "٠" * 34])
async def test_a_text_that_is_no_token_of_ours_finds_nothing(store: Store, text: str) -> None:
    assert await store.payment_by_token(text) is None


async def test_only_payments_with_nothing_in_flight_expire(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    idle = await store.open_payment(new_payment(expires_at=NOW + 1))
    flying = await store.open_payment(new_payment(expires_at=NOW + 2))
    ended = await store.open_payment(new_payment(expires_at=NOW + 3))
    await store.open_payment(new_payment(expires_at=NOW + 99))
    await store.apply(flight := started(flying))
    await store.apply(cancelled(ended))
    assert await store.expired(NOW + 50, 10) == [idle]
    attempt = (await store.attempts(flying))[0]
    await store.apply(back := refused(flight.after, attempt))
    assert await store.expired(NOW + 50, 10) == [idle, back.after]
    assert await store.expired(NOW + 50, 1) == [idle]


async def test_attempts_without_an_end_are_listed_for_a_person_oldest_first(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    for at in (NOW + 2, NOW + 1, NOW + 50):
        payment = await store.open_payment(new_payment(f"sent-{at - NOW}"))
        await store.apply(started(payment, sent_attempt(payment, sent_at=at)))
    listed = await store.unended(NOW + 10)
    assert [(attempt.sent_at, site, name) for attempt, site, name in listed] == [
        (NOW + 1, "445160", "sent-1"),
        (NOW + 2, "445160", "sent-2"),
    ]
