"""What operators are told after the commit: best effort, and nothing hangs on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

import cauri.connectors
from cauri.clock import ManualClock
from cauri.operators.base import Connector, Order
from cauri.operators.pawapay import PawaPay
from tests.conftest import NewDatabase
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import leaves, pays, says, take
from tests.running import Running, run


class TellingPawaPay(PawaPay):
    """The real connector of an operator that takes requests back and tells payers, which pawaPay does not; it keeps what it was told."""

    told: list[tuple[str, str]]
    breaks = False

    async def cancel(self, order: Order) -> None:
        self.told.append(("cancel", order.reference))
        if self.breaks:
            raise ConnectionError("the operator is gone")

    async def after_paid(self, order: Order) -> None:
        self.told.append(("paid", order.reference))
        if self.breaks:
            raise ConnectionError("the operator is gone")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def telling_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    usual = cauri.connectors.connectors

    def telling(settings: Any, *rest: Any) -> list[Connector]:
        found = usual(settings, *rest)
        for connector in found:
            if isinstance(connector, PawaPay):
                connector.__class__ = TellingPawaPay
                connector.told = []  # type: ignore[attr-defined]
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cauri.connectors, "connectors", telling)
        running = await run(await new_database(engine), clock=ManualClock())
    yield running
    await running.stop()


@pytest.fixture
async def buyer(telling_gateway: Running, shop: Shop) -> Purchase:
    connector_of(telling_gateway).told.clear()
    connector_of(telling_gateway).breaks = False
    return await Shop(await telling_gateway.new_site(), shop.receiver, shop.client).opens()


def connector_of(running: Running) -> TellingPawaPay:
    found = running.sandbox.gateway.operators.named("pawapay")
    assert isinstance(found, TellingPawaPay)
    return found


async def told(buyer: Purchase) -> list[tuple[str, int]]:
    """What the operator was told, by the attempt's number."""
    await buyer.shop.running.lifecycle.afterwards.idle()
    numbers = {each.reference: each.number for each in (await buyer.timeline()).attempts}
    return [(word, numbers[reference]) for word, reference in connector_of(buyer.shop.running).told]


async def test_a_payer_who_has_paid_is_told_once(buyer: Purchase) -> None:
    for step in (pays("623"), says("paid", "00")):
        await take(step, buyer)
    assert await told(buyer) == [("paid", 1)]


async def test_who_leaves_has_the_request_taken_back_and_it_is_still_asked(buyer: Purchase) -> None:
    for step in (pays("623"), leaves("623")):
        await take(step, buyer)
    assert await told(buyer) == [("cancel", 1)]
    await take(says("paid", "00"), buyer)
    assert await told(buyer) == [("cancel", 1), ("paid", 1)]


async def test_a_rival_in_flight_is_taken_back_where_another_attempt_was_paid(buyer: Purchase) -> None:
    for step in (pays("623"), says("600", "662"), pays("623", "MOMO"), says("paid", "00", 1)):
        await take(step, buyer)
    assert sorted(await told(buyer)) == [("cancel", 2), ("paid", 1)]
    assert [each.status.value for each in (await buyer.timeline()).attempts] == ["paid", "sent"]


async def test_nothing_is_taken_back_with_nothing_in_flight(buyer: Purchase) -> None:
    for step in (pays("623"), says("602", "662"), leaves("602")):
        await take(step, buyer)
    assert await told(buyer) == []


async def test_an_operator_that_breaks_meanwhile_changes_nothing(buyer: Purchase) -> None:
    connector_of(buyer.shop.running).breaks = True
    for step in (pays("623"), leaves("623"), says("paid", "00")):
        await take(step, buyer)
    assert await told(buyer) == [("cancel", 1), ("paid", 1)]
