"""Every edge of the life of a payment (contract section 7), as a table of histories."""

from __future__ import annotations

import pytest

from tests.lifecycle.histories import History
from tests.lifecycle.of_customers import OF_CUSTOMERS
from tests.lifecycle.of_operators import OF_OPERATORS
from tests.lifecycle.shopping import Shop
from tests.lifecycle.steps import take

HISTORIES = [*OF_CUSTOMERS, *OF_OPERATORS]


def test_every_history_has_a_name_of_its_own() -> None:
    assert len({history.name for history in HISTORIES}) == len(HISTORIES)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
async def test_a_payment_goes_this_way(shop: Shop, history: History) -> None:
    told = await goes(shop, history)
    assert told == history.told.split()


async def goes(shop: Shop, history: History) -> list[str]:
    """Takes the steps, and checks everything but what the shop was told, which it gives back."""
    site = await shop.running.new_site(attempts_max=history.attempts_max)
    buyer = await Shop(site, shop.receiver, shop.client).opens(amount=history.amount)
    for step in history.steps:
        await take(step, buyer)

    timeline = await buyer.timeline()
    assert [row.event for row in timeline.history] == ["opened", *filter(None, history.events.split(","))]
    assert [row.version for row in timeline.history] == list(range(1, len(timeline.history) + 1))
    assert [attempt.status.value for attempt in timeline.attempts] == history.attempts.split()
    assert timeline.payment.tries == history.tries
    assert len(timeline.surpluses) == history.surpluses
    return shop.receiver.codes(buyer.path)
