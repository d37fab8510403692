"""A number whose prefix tells no operator: another operator's opinion is preselected, the payer decides, and nobody waits for it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cauri.clock import ManualClock
from cauri.domain.phone import read_phone
from tests.conftest import NewDatabase
from tests.running import Running, run

from .visitors import Shop, page_name

# Orange Burkina has this range since its prefix table was made; pawaPay knows.
UNTOLD = "40{:06d}"
_used = iter(range(100, 1_000))


def untold() -> str:
    """A number that nobody has asked about yet."""
    return UNTOLD.format(next(_used))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def still_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    running = await run(await new_database(engine), clock=ManualClock())
    yield running
    await running.stop()


@pytest.fixture
async def shop(still_gateway: Running) -> AsyncIterator[Shop]:
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        await client.post(f"{still_gateway.simulator_url}/_control/reset")
        yield Shop(await still_gateway.new_site(), client)


def preselected(answer: httpx.Response) -> str | None:
    assert page_name(answer) == "confirm", answer.text
    found = re.search(r'name="method" value="(\w+)" required checked', answer.text)
    return found[1] if found else None


async def questions(shop: Shop) -> list[dict[str, Any]]:
    """What operators were asked about numbers since the last reset."""
    answer = await shop.client.get(f"{shop.gateway.simulator_url}/_control/requests")
    return [each for each in answer.json()["requests"] if each["path"].endswith("/predict-provider")]


async def spoil(shop: Shop, fault: str) -> None:
    answer = await shop.client.post(
        f"{shop.gateway.simulator_url}/_control/faults",
        json={"operator": "pawapay", "door": "toolkit", "fault": fault},
    )
    assert answer.status_code == 200, answer.text


async def test_what_the_operator_says_is_preselected(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.post("number", {"country": "BF", "number": untold()})
    assert preselected(page) == "OMBF"
    assert len(await questions(shop)) == 1


@pytest.mark.parametrize(("country", "number"), [("CI", "0102324373"), ("BF", "70123456")])
async def test_nobody_is_asked_where_the_prefix_tells(shop: Shop, country: str, number: str) -> None:
    visitor = await shop.opens()
    assert preselected(await visitor.post("number", {"country": country, "number": number}))
    assert await questions(shop) == []


async def test_a_page_that_is_opened_again_asks_nobody_again(shop: Shop) -> None:
    """Whoever holds the payment's URL can open it as often as he likes."""
    phone = {"customer_phone_number": f"+226{untold()}", "lock_phone_number": True}
    visitor = await shop.opens(**phone)
    assert [preselected(await visitor.get()) for _ in range(3)] == ["OMBF"] * 3
    assert len(await questions(shop)) == 1


async def test_the_pay_button_without_an_operator_leads_to_the_choice_with_it_preselected(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.post("pay", {"country": "BF", "number": untold(), "method": ""})
    assert (page.status_code, preselected(page)) == (422, "OMBF")
    payment = await shop.gateway.store.payment_by_token(visitor.token)
    assert payment.attempts == 0, "nothing is started on an opinion alone"


async def test_a_number_that_was_changed_is_asked_about(shop: Shop) -> None:
    visitor = await shop.opens()
    form = {"country": "BF", "number": untold(), "confirmed": "70123456", "method": "MOOVBF"}
    assert preselected(await visitor.post("pay", form)) == "OMBF"


async def test_what_is_not_offered_is_not_preselected(shop: Shop) -> None:
    """A provider that takes no payments now."""
    visitor = await shop.opens()
    answer = await shop.client.post(
        f"{shop.gateway.simulator_url}/_control/pawapay/provider",
        json={"provider": "ORANGE_BFA", "status": "CLOSED"},
    )
    assert answer.status_code == 200, answer.text
    standing = shop.gateway.lifecycle.standing
    await standing.ask_operators(0)
    page = await visitor.post("number", {"country": "BF", "number": untold()})
    assert preselected(page) is None
    await shop.client.post(f"{shop.gateway.simulator_url}/_control/reset")
    await standing.ask_operators(0)


@pytest.mark.parametrize(
    ("lang", "words"),
    [("fr", "Ce numéro correspond à Free Money"), ("en", "This number belongs to Free Money")],
)
async def test_an_operator_that_takes_no_payments_now_is_named_not_called_unknown(
    shop: Shop, lang: str, words: str
) -> None:
    visitor = await shop.opens(lang=lang)
    await shop.client.post(
        f"{shop.gateway.simulator_url}/_control/pawapay/provider",
        json={"provider": "FREE_SEN", "status": "CLOSED"},
    )
    standing = shop.gateway.lifecycle.standing
    await standing.ask_operators(0)
    page = await visitor.post("number", {"country": "SN", "number": "760000001"})
    assert preselected(page) is None
    assert words in page.text
    await shop.client.post(f"{shop.gateway.simulator_url}/_control/reset")
    await standing.ask_operators(0)


@pytest.mark.parametrize("fault", ["slow:5", "500", "nonsense", "drop_before", "drop_after"])
async def test_silence_and_nonsense_leave_the_choice_to_the_payer(shop: Shop, fault: str) -> None:
    """A slow answer would have named one, had anybody waited for it."""
    visitor = await shop.opens()
    await spoil(shop, fault)
    page = await visitor.post("number", {"country": "BF", "number": untold()})
    assert (page.status_code, preselected(page)) == (200, None)
    assert "OMBF" in page.text


async def test_a_number_that_no_operator_knows_is_left_to_the_payer(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.post("number", {"country": "CI", "number": f"09{next(_used):08d}"})
    assert (page.status_code, preselected(page)) == (200, None)
    assert len(await questions(shop)) == 1


async def test_a_provider_is_understood_in_the_currency_of_the_payment(still_gateway: Running) -> None:
    """pawaPay names the provider, which has a method for each of its currencies."""
    number = read_phone("+243840000123")
    for offered, method in (
        (("AIRTELCDUSD", "OMCDUSD"), "OMCDUSD"),
        (("OMCD", "AIRTELCD"), "OMCD"),
        (("AIRTELCD",), None),
    ):
        assert await still_gateway.lifecycle.predicted(number, offered) == method
