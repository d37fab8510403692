"""Leases: a row of work is handed to one claimer at a time, comes back when its lease ends, and is ended only by its holder."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from cauri.clock import SECOND
from cauri.domain.payment import Attempt, DeliveryRow, Payment
from cauri.store import AskedAgain, Delivered, DueNotification, Store
from tests.store.conftest import OpenStore
from tests.store.records import NOW, cancelled, new_payment, paid, sent_attempt, started

LEASE = 30 * SECOND
CLAIMERS = {"postgres": 8, "sqlite": 2}


async def _in_flight(store: Store) -> tuple[Payment, Attempt]:
    payment = await store.open_payment(new_payment())
    change = started(payment, attempt := sent_attempt(payment))
    assert await store.apply(change)
    return change.after, attempt


async def _due(store: Store) -> Payment:
    """A payment whose end is to be told."""
    change = cancelled(await store.open_payment(new_payment()))
    assert await store.apply(change)
    return change.after


def _delivered(payment: Payment, claim: str, *, at: int = NOW, **fields: object) -> Delivered:
    row = {
        "at": at,
        "number": 1,
        "version": payment.version,
        "code": payment.code.number,
        "url": "https://shop.example/notify",
        "status": 200,
        "duration_ms": 12,
        "answer": "OK",
        "error": None,
        "next_try_at": None,
    }
    return Delivered(
        slot=payment.slot,
        token=payment.token,
        site_id=payment.site_id,
        transaction_id=payment.transaction_id,
        claim=claim,
        delivery_id=f"{claim}-{at}",
        delivered=fields.pop("delivered", True) is True,
        row=DeliveryRow(**(row | fields)),  # type: ignore[arg-type]
    )


async def claim_due(store: Store, *, now: int, until: int, claim: str, limit: int) -> list[DueNotification]:
    """What a process does that takes whatever is due."""
    due = await store.notifications.due(now, limit)
    return await store.notifications.claim(due, now=now, until=until, claim=claim)


async def test_many_claimers_never_get_the_same_question(
    empty_database: str, open_store: OpenStore, engine: str
) -> None:
    stores = [await open_store(empty_database) for _ in range(CLAIMERS[engine])]
    flights = await asyncio.gather(*(_in_flight(stores[0]) for _ in range(200)))

    async def claim_all(store: Store, name: str) -> list[str]:
        mine: list[str] = []
        while got := await store.claim_asks(
            connector="moov-3pp", now=NOW, until=NOW + LEASE, claim=name, limit=7
        ):
            assert all(attempt.claimed_by == name for attempt in got)
            mine += [attempt.reference for attempt in got]
        return mine

    claimed = await asyncio.gather(*(claim_all(store, f"c{index}") for index, store in enumerate(stores)))
    counted = Counter(reference for mine in claimed for reference in mine)
    assert counted == Counter(attempt.reference for _, attempt in flights)


async def test_many_claimers_never_get_the_same_notification(
    empty_database: str, open_store: OpenStore, engine: str
) -> None:
    stores = [await open_store(empty_database) for _ in range(CLAIMERS[engine])]
    due = await asyncio.gather(*(_due(stores[0]) for _ in range(200)))

    async def claim_all(store: Store, name: str) -> list[str]:
        mine: list[str] = []
        while due := await store.notifications.due(NOW + 1, 7):
            got = await store.notifications.claim(due, now=NOW + 1, until=NOW + LEASE, claim=name)
            mine += [notification.token for notification in got]
        return mine

    claimed = await asyncio.gather(*(claim_all(store, f"c{index}") for index, store in enumerate(stores)))
    counted = Counter(token for mine in claimed for token in mine)
    assert counted == Counter(payment.token for payment in due)


async def test_a_lease_that_ends_gives_the_work_to_somebody_else(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    flown, attempt = await _in_flight(store)
    ended = await _due(store)
    for claim, now in (("first", NOW + 1), ("second", NOW + 2 + LEASE)):
        until = now + LEASE
        asks = await store.claim_asks(connector="moov-3pp", now=now, until=until, claim=claim, limit=10)
        told = await claim_due(store, now=now, until=until, claim=claim, limit=10)
        assert [each.reference for each in asks] == [attempt.reference]
        assert {each.token for each in told} == {flown.token, ended.token}
        for early in (now, until):
            assert (
                await store.claim_asks(connector="moov-3pp", now=early, until=until, claim="early", limit=10)
                == []
            )
            assert await claim_due(store, now=early, until=until, claim="early", limit=10) == []


async def test_a_question_is_released_by_its_holder_only(empty_database: str, open_store: OpenStore) -> None:
    store = await open_store(empty_database)
    _, attempt = await _in_flight(store)
    await store.claim_asks(connector="moov-3pp", now=NOW, until=NOW + LEASE, claim="first", limit=1)
    (held,) = await store.claim_asks(
        connector="moov-3pp", now=NOW + LEASE + 1, until=NOW + 2 * LEASE, claim="second", limit=1
    )
    end = {
        "attempt": held,
        "asked_at": NOW,
        "next_ask_at": NOW + 99,
        "hinted_ask_at": NOW + 1,
        "word": "PENDING",
    }
    assert not await store.release_ask(AskedAgain(claim="first", **end))
    assert await store.release_ask(AskedAgain(claim="second", **end))
    now = await store.attempt_by_reference(attempt.reference)
    assert now is not None
    assert (now.next_ask_at, now.claimed_by, now.asks, now.word) == (NOW + 99, None, 1, "PENDING")


async def test_a_delivery_with_a_lost_claim_is_kept_but_decides_nothing(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    payment = await _due(store)
    await claim_due(store, now=NOW + 1, until=NOW + LEASE, claim="first", limit=1)
    await claim_due(store, now=NOW + LEASE + 1, until=NOW + 2 * LEASE, claim="second", limit=1)
    assert not await store.record_delivery(_delivered(payment, "first"))
    state = await store.notification(payment)
    assert state is not None
    assert (state.told_version, state.tries) == (0, 0)
    assert await store.record_delivery(_delivered(payment, "second", at=NOW + 5))
    timeline = await store.timeline(payment)
    assert [row.at for row in timeline.deliveries] == [NOW, NOW + 5]
    assert timeline.notification is not None
    assert timeline.notification["told_version"] == payment.version
    assert timeline.notification["due_at"] is None


async def test_a_state_that_came_during_a_delivery_stays_due(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    sent, attempt = await _in_flight(store)
    (due,) = await claim_due(store, now=NOW, until=NOW + LEASE, claim="one", limit=5)
    end = paid(sent, attempt)
    assert await store.apply(end)
    assert (
        await claim_due(store, now=NOW + 2, until=NOW + LEASE, claim="two", limit=5) == []
    )  # one delivery per payment at a time
    assert await store.record_delivery(_delivered(sent, "one"))
    (again,) = await claim_due(store, now=NOW + 2, until=NOW + LEASE, claim="two", limit=5)
    assert (due.token, again.token, again.tries) == (sent.token, sent.token, 0)


@pytest.mark.parametrize("next_try_at", [NOW + 10_000, None])
async def test_a_failed_delivery_is_due_again_or_parked(
    empty_database: str, open_store: OpenStore, next_try_at: int | None
) -> None:
    store = await open_store(empty_database)
    payment = await _due(store)
    await claim_due(store, now=NOW + 1, until=NOW + LEASE, claim="one", limit=1)
    failed = _delivered(payment, "one", at=NOW + 2, status=500, delivered=False, next_try_at=next_try_at)
    assert await store.record_delivery(failed)
    state = await store.notification(payment)
    assert state is not None
    assert (state.due_at, state.tries, state.told_version) == (next_try_at, 1, 0)
    assert (state.parked_at is None) == (next_try_at is not None)


async def test_a_hint_brings_the_question_forward_at_most_once_in_five_seconds(store: Store) -> None:
    payment = await store.open_payment(new_payment())
    attempt = sent_attempt(payment, next_ask_at=NOW + 60 * SECOND)
    await store.apply(started(payment, attempt))

    async def hinted(at: int) -> tuple[bool, int | None]:
        taken = await store.hint(attempt.reference, at)
        found = await store.attempt_by_reference(attempt.reference)
        assert found is not None
        return taken, found.next_ask_at

    assert await hinted(NOW + 1_000) == (True, NOW + 1_000)
    assert await hinted(NOW + 1_500) == (True, NOW + 1_000)  # already due: nothing to bring forward
    for unheard in (NOW + 1_600, NOW + 5_900):
        assert await hinted(unheard) == (False, NOW + 1_000)


async def test_a_second_hint_after_an_answer_waits_out_the_five_seconds(
    empty_database: str, open_store: OpenStore
) -> None:
    store = await open_store(empty_database)
    _, attempt = await _in_flight(store)
    await store.hint(attempt.reference, NOW + 1_000)
    (held,) = await store.claim_asks(
        connector="moov-3pp", now=NOW + 1_000, until=NOW + LEASE, claim="one", limit=1
    )
    later = {"asked_at": NOW + 1_001, "next_ask_at": NOW + 60 * SECOND, "hinted_ask_at": NOW + 1_200}
    assert await store.release_ask(AskedAgain(attempt=held, claim="one", **later))
    assert await store.hint(attempt.reference, NOW + 2_000)
    found = await store.attempt_by_reference(attempt.reference)
    assert found is not None
    assert found.next_ask_at == NOW + 6_000
    assert not await store.hint(attempt.reference, NOW + 3_000)


@pytest.mark.parametrize("text", ["", "nonsense", "zz", "00" * 17, "ffffffff-ffff-4fff-8fff-ffffffffffff"])
async def test_references_that_are_none_of_ours_are_nothing(store: Store, text: str) -> None:
    assert await store.attempt_by_reference(text) is None
    assert await store.hint(text, NOW) is False
