"""Every connector of the simulated operators, at an address where nobody listens: nothing was begun, so another may be tried."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cauri.app import MEMORY
from cauri.clock import ManualClock
from cauri.config import Settings
from cauri.connectors import connectors
from cauri.domain.codes import Code
from cauri.domain.outcome import Refused, Unknown
from cauri.operators.base import Flow, Order
from cauri.simulated import simulated_settings
from tests.operators.cases import CARD_BLOCK

OrderOf = Callable[..., Order]
# As Orange's start gives it; without one there was no page, and its connector has nothing to ask.
HANDLE = '{"pay_token": "p", "notif_token": "n"}'


def settings_at(url: str) -> Settings:
    return Settings(
        operators=simulated_settings(url),
        secret="nobody-listens-there",
        public_url="http://a.b",
        database=MEMORY,
    )


EVERY_CONNECTOR = [one.name for one in connectors(settings_at("http://127.0.0.1:9"), ManualClock())]


@pytest.mark.parametrize("name", EVERY_CONNECTOR)
async def test_a_start_that_found_nobody_is_unavailable_and_unstarted(
    name: str, refused_port: str, order_of: OrderOf
) -> None:
    """804 for each method that the connector serves, with the mark that lets the next connector take over."""
    found = connectors(settings_at(refused_port), ManualClock())
    connector = next(one for one in found if one.name == name)
    try:
        for method, route in connector.routes.items():
            code = "123456" if route.flow is Flow.CODE else None
            outcome = await connector.start(order_of(method, code=code, card_block=CARD_BLOCK))
            assert isinstance(outcome, Refused), f"{method}: {outcome}"
            assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True), method
    finally:
        for one in found:
            await one.close()


@pytest.mark.parametrize("name", EVERY_CONNECTOR)
async def test_a_question_that_found_nobody_tells_nothing(
    name: str, refused_port: str, order_of: OrderOf
) -> None:
    """Least of all that the operator knows no such payment, which would end it."""
    found = connectors(settings_at(refused_port), ManualClock())
    connector = next(one for one in found if one.name == name)
    try:
        for method in connector.routes:
            outcome = await connector.check(order_of(method, handle=HANDLE))
            assert isinstance(outcome, Unknown), f"{method}: {outcome}"
            assert not outcome.not_found, method
    finally:
        for one in found:
            await one.close()
