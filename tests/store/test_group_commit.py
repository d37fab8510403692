"""Rows written together: answered after their commit, refused alone, never lost for a neighbour's fault."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from cauri.domain.errors import StoreRefused, StoreUnavailable
from cauri.domain.payment import Payment
from cauri.store import Store
from cauri.store.group_commit import BATCH_ROWS_MAX, WAITING_ROWS_MAX, Group
from tests.store.conftest import OpenStore
from tests.store.records import REQUEST, cancelled, new_payment, sent_attempt, started

POISONS: dict[str, dict[str, Any]] = {
    "an amount that a CHECK forbids": {"amount": 0},
    "an amount that no column can hold": {"amount": 2**70},
    "a lone surrogate": {"transaction_id": "T\ud800"},
    "a lone surrogate inside": {"request": replace(REQUEST, description="\udfff")},
    "a NUL": {"transaction_id": "T\0"},
}


async def test_whoever_is_answered_finds_the_row_through_another_connection(
    database: str, store: Store, open_store: OpenStore
) -> None:
    other = await open_store(database)

    async def open_and_look(payment: Payment) -> Payment | None:
        await store.open_payment(payment)
        return await other.payment_by_token(payment.token)

    payments = [new_payment() for _ in range(200)]
    assert await asyncio.gather(*map(open_and_look, payments)) == payments


@pytest.mark.parametrize("poison", POISONS)
async def test_one_poisoned_row_among_64_is_refused_alone(store: Store, engine: str, poison: str) -> None:
    if engine == "sqlite" and poison == "a NUL":
        pytest.skip("SQLite keeps U+0000; the doors refuse it before")
    good = [new_payment() for _ in range(63)]
    rows = [*good[:40], new_payment(**POISONS[poison]), *good[40:]]
    answers = await asyncio.gather(*map(store.open_payment, rows), return_exceptions=True)
    assert isinstance(answers.pop(40), StoreRefused)
    assert answers == good
    assert [await store.payment_by_token(payment.token) for payment in good] == good


async def test_a_poisoned_change_leaves_the_others_and_its_own_payment_as_they_were(store: Store) -> None:
    payments = [await store.open_payment(new_payment()) for _ in range(8)]
    changes = [started(payment, sent_attempt(payment)) for payment in payments]
    changes[3] = started(payments[3], sent_attempt(payments[3], connector=None))
    answers = await asyncio.gather(*map(store.apply, changes), return_exceptions=True)
    assert isinstance(answers.pop(3), StoreRefused)
    assert answers == [True] * 7
    assert await store.payment_by_token(payments[3].token) == payments[3]
    assert [row.event for row in (await store.timeline(payments[3])).history] == ["opened"]


async def test_the_same_name_twice_in_one_batch_is_one_payment(store: Store) -> None:
    first, second = new_payment("twice"), new_payment("twice")
    held = await asyncio.gather(store.open_payment(first), store.open_payment(second))
    assert len({payment.token for payment in held}) == 1
    assert held[0].token in (first.token, second.token)


async def test_an_older_payment_of_the_same_name_is_given_back_whole(store: Store) -> None:
    older = await store.open_payment(new_payment("older", idempotency_key="k", body_hash="h"))
    await store.apply(cancelled(older))
    newest = await store.payment_by_token(older.token)
    assert await store.open_payment(new_payment("older", amount=5)) == newest


async def test_changes_of_one_payment_never_share_a_batch(store: Store) -> None:
    payment = await store.open_payment(new_payment())
    rivals = [cancelled(payment) for _ in range(20)]
    answers = await asyncio.gather(*map(store.apply, rivals))
    assert answers.count(True) == 1


class _Gate:
    """A writer that waits to be let through, and remembers its batches."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.batches: list[list[int]] = []

    async def write(self, rows: list[int]) -> list[int]:
        self.batches.append(rows)
        await self.open.wait()
        return rows


async def test_calls_that_arrive_during_a_batch_make_the_next_one() -> None:
    gate = _Gate()
    group = Group[int, int](gate.write)
    calls = [asyncio.create_task(group.submit(number)) for number in range(3)]
    while not gate.batches:
        await asyncio.sleep(0)
    calls += [asyncio.create_task(group.submit(number)) for number in range(3, 3 + BATCH_ROWS_MAX + 1)]
    await asyncio.sleep(0)
    assert not any(call.done() for call in calls)
    gate.open.set()
    assert await asyncio.gather(*calls) == list(range(3 + BATCH_ROWS_MAX + 1))
    assert [len(batch) for batch in gate.batches] == [3, BATCH_ROWS_MAX, 1]


async def test_rows_of_one_key_wait_for_each_other_in_their_order() -> None:
    gate = _Gate()
    group = Group[int, int](gate.write, lanes=2, key=lambda number: number % 3)
    calls = [asyncio.create_task(group.submit(number)) for number in (0, 3, 1, 6, 4)]
    while not gate.batches:
        await asyncio.sleep(0)
    assert gate.batches == [[0, 1]]
    gate.open.set()
    await asyncio.gather(*calls)
    assert gate.batches == [[0, 1], [3, 4], [6]]


async def test_a_caller_who_leaves_takes_nothing_from_the_others() -> None:
    gate = _Gate()
    group = Group[int, int](gate.write)
    calls = [asyncio.create_task(group.submit(number)) for number in range(3)]
    while not gate.batches:
        await asyncio.sleep(0)
    calls[1].cancel()
    gate.open.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert (answers[0], answers[2]) == (0, 2)
    assert isinstance(answers[1], asyncio.CancelledError)


async def test_too_many_waiting_rows_are_turned_away_at_once() -> None:
    gate = _Gate()
    group = Group[int, int](gate.write)
    first = asyncio.create_task(group.submit(-1))
    while not gate.batches:
        await asyncio.sleep(0)
    calls = [asyncio.create_task(group.submit(number)) for number in range(WAITING_ROWS_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="overloaded") as refusal:
        await group.submit(0)
    assert not refusal.value.maybe_recorded
    gate.open.set()
    assert await first == -1
    assert await asyncio.gather(*calls) == list(range(WAITING_ROWS_MAX))


async def test_a_writer_that_breaks_tells_every_caller_and_the_group_goes_on() -> None:
    broken = [True]

    async def write(rows: list[int]) -> list[int]:
        if broken.pop() if broken else False:
            raise ZeroDivisionError
        return rows

    group = Group[int, int](write)
    answers = await asyncio.gather(*(group.submit(number) for number in range(5)), return_exceptions=True)
    assert all(isinstance(answer, ZeroDivisionError) for answer in answers)
    assert await group.submit(7) == 7


async def test_two_crossing_batches_of_new_payments_agree_on_every_name(
    database: str, open_store: OpenStore
) -> None:
    names = [new_payment().transaction_id for _ in range(64)]
    one, two = await open_store(database), await open_store(database)
    for stored in await asyncio.gather(
        *(store.open_payment(new_payment(name)) for name in names for store in (one,)),
        *(two.open_payment(new_payment(name)) for name in reversed(names)),
    ):
        assert stored.transaction_id in names
    first = await asyncio.gather(*(one.payment_by_transaction("445160", name) for name in names))
    second = await asyncio.gather(*(two.payment_by_transaction("445160", name) for name in names))
    assert first == second


async def test_two_crossing_batches_of_changes_never_end_in_an_error(
    database: str, open_store: OpenStore
) -> None:
    one, two = await open_store(database), await open_store(database)
    for _ in range(10):
        payments = await asyncio.gather(*(one.open_payment(new_payment()) for _ in range(32)))
        answers = await asyncio.gather(
            *(one.apply(cancelled(payment)) for payment in payments),
            *(two.apply(cancelled(payment)) for payment in reversed(payments)),
        )
        assert [mine + theirs for mine, theirs in zip(answers[:32], reversed(answers[32:]), strict=True)] == [
            1
        ] * 32


async def test_a_closed_store_is_unavailable(database: str, open_store: OpenStore) -> None:
    store = await open_store(database)
    assert await store.ready()
    for _ in range(2):
        await store.close()
    for call in (store.open_payment(new_payment()), store.ready()):
        with pytest.raises(StoreUnavailable, match="closed"):
            await call
