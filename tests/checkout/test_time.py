"""What the page shows as time goes by: the operator's time over, the session over, an end reopened later."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from cauri.clock import MINUTE, ManualClock

from .visitors import Shop, page_name, text_of


@pytest.fixture
async def slow_shop(
    start_gateway: Callable[..., Awaitable[Any]],
) -> AsyncIterator[tuple[Shop, ManualClock]]:
    """A shop on a gateway whose clock stands still until it is told to move."""
    clock = ManualClock()
    running = await start_gateway(clock=clock)
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        yield Shop(running, client), clock


async def test_pages_grow_old(slow_shop: tuple[Shop, ManualClock]) -> None:
    shop, clock = slow_shop
    silent, idle, given_up, ended = [await shop.opens() for _ in range(4)]
    await silent.pays("CI", "0700000129", "OM")
    await ended.post("cancel")
    assert "data-fresh" in (await ended.get()).text
    assert page_name(await silent.get()) == "prompt"

    clock.advance(MINUTE)
    page = await ended.get()
    assert page_name(page) == "refused"
    assert "data-fresh" not in page.text
    assert "data-soon" not in page.text
    assert 'data-form="return"' in page.text

    clock.advance(28 * MINUTE)
    page = await silent.get()
    assert page_name(page) == "checking"
    assert "Ne payez pas une deuxième fois" in text_of(page)
    assert f'action="/payment/{silent.token}/leave"' in page.text

    clock.advance(2 * MINUTE)
    assert page_name(await silent.get()) == "checking"
    for step, data in (("number", {}), ("pay", {"country": "CI", "number": "0700000073"}), ("code", {})):
        answer = await idle.post(step, data)
        assert answer.status_code == 303, step
    page = await idle.get()
    assert (page.status_code, page_name(page)) == (200, "expired")
    assert "recommencez la commande" in text_of(page)
    fields = {"transaction_id": given_up.transaction_id, "token": given_up.token}
    answer = await given_up.post("leave", fields)
    assert (answer.status_code, answer.headers["location"]) == (307, "https://shop.example/return?order=1042")
    assert (await given_up.state())["status"] == "refused"
    assert page_name(await given_up.get()) == "expired"


async def test_the_shop_hears_of_the_end_before_its_customer_does(shop: Shop) -> None:
    visitor = await shop.opens(notify_url=f"{shop.gateway.simulator_url}/nobody-listens-here")
    await visitor.post("cancel")
    await visitor.get()
    payment = await shop.gateway.store.payment_by_token(visitor.token)
    told = await shop.gateway.store.notification(payment)
    assert told.tried_version == payment.version
