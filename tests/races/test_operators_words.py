"""Operators that speak twice, early, or all at once."""

from __future__ import annotations

import asyncio

import pytest

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused
from tests.lifecycle.shopping import Purchase, Shop
from tests.races.test_customers import all_debits, delivered_once

PAID, FAILED = Accepted("op-1"), Refused(Code.INSUFFICIENT_BALANCE, "no balance")


async def in_flight(shop: Shop) -> Purchase:
    buyer = await shop.opens()
    await buyer.pays("OM", ending="129")
    assert await buyer.code() == "623"
    return buyer


async def told_by_eight(buyer: Purchase, outcomes: list[Outcome]) -> None:
    """Eight tasks settle the same attempt, each with the attempt as it was at first."""
    attempt = (await buyer.timeline()).attempts[0]
    asking = buyer.shop.running.lifecycle.asking
    await asyncio.gather(*(asking.settle(attempt, outcome) for outcome in outcomes))


@pytest.mark.parametrize("words", [[PAID] * 8, [FAILED] * 8, [PAID, FAILED] * 4, [FAILED, PAID] * 4])
async def test_eight_answers_at_once_move_the_payment_once(shop: Shop, words: list[Outcome]) -> None:
    for _ in range(4):
        buyer = await in_flight(shop)
        await told_by_eight(buyer, words)
        timeline = await buyer.timeline()
        events = [row.event for row in timeline.history]
        assert events.count("paid") == (1 if PAID in words else 0)
        assert events.count("failed") <= 1
        assert timeline.payment.tries == events.count("failed")
        assert timeline.payment.code.number == ("00" if PAID in words else "662")
        assert timeline.surpluses == ()
        assert [row.version for row in timeline.history] == list(range(1, len(events) + 1))


async def test_a_duplicate_callback_pays_once(shop: Shop) -> None:
    buyer = await in_flight(shop)
    await buyer.operator_says("paid", callback=False)
    said = {
        "depositId": await buyer.reference(1),
        "status": "COMPLETED",
        "amount": "1500.00",
        "currency": "XOF",
    }
    url = f"{shop.running.url}/operators/pawapay/callback"
    answers = await asyncio.gather(*(shop.client.post(url, json=said) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    await buyer.becomes("00")
    assert [row.event for row in (await buyer.timeline()).history] == ["opened", "sent", "paid"]
    assert len(await all_debits(buyer)) == 1
    await delivered_once(buyer)


@pytest.mark.parametrize("answer", ["normal", "slow:0.4", "drop_after", "500"])
async def test_a_callback_before_the_answer_pays_once(shop: Shop, answer: str) -> None:
    buyer = await shop.opens()
    await buyer.pays("OM", outcome="paid", callback="before_answer", answer=answer)
    await buyer.becomes("00")
    assert [row.event for row in (await buyer.timeline()).history] == ["opened", "sent", "paid"]
    assert len(await all_debits(buyer)) == 1
    await delivered_once(buyer)


async def test_a_cancel_that_comes_with_the_failure_ends_with_its_code_or_waits(shop: Shop) -> None:
    for _ in range(6):
        buyer = await in_flight(shop)
        attempt = (await buyer.timeline()).attempts[0]
        asking = shop.running.lifecycle.asking
        await asyncio.gather(asking.settle(attempt, FAILED), buyer.post("cancel"), buyer.post("leave"))
        assert await buyer.code() == "602"
        events = [row.event for row in (await buyer.timeline()).history]
        assert events in (
            ["opened", "sent", "left", "failed"],
            ["opened", "sent", "failed", "cancelled"],
            ["opened", "sent", "failed", "given up"],
        )


async def test_a_late_success_against_a_cancel_is_paid_or_a_surplus_never_lost(shop: Shop) -> None:
    for _ in range(8):
        buyer = await in_flight(shop)
        attempt = (await buyer.timeline()).attempts[0]
        asking = shop.running.lifecycle.asking
        await asking.settle(attempt, FAILED)
        await asyncio.gather(buyer.post("cancel"), asking.settle(attempt, PAID))
        timeline = await buyer.timeline()
        assert (timeline.payment.code.number, len(timeline.surpluses)) in [("00", 0), ("602", 1)]


async def test_a_late_success_against_a_new_attempt_leaves_at_most_one_paid(shop: Shop) -> None:
    for _ in range(6):
        buyer = await in_flight(shop)
        attempt = (await buyer.timeline()).attempts[0]
        asking = shop.running.lifecycle.asking
        await asking.settle(attempt, FAILED)
        await asyncio.gather(buyer.pays("MOMO", ending="129"), asking.settle(attempt, PAID))
        statuses = [each.status.value for each in (await buyer.timeline()).attempts]
        assert statuses in (["paid"], ["paid", "sent"])
        assert await buyer.code() == "00"
