"""Limits of one number at one site (807–812), through the page: what counts, what does not, and when it counts again."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from msgspec.structs import replace

from cauri.checkout.texts import TEXTS
from cauri.clock import DAY, ManualClock
from tests.conftest import NewDatabase, StartGateway
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import after, says, take
from tests.running import Running, run

OpenShop = Callable[..., Awaitable[Shop]]

# A Wednesday, the 25th, at noon.
NOON = 1_795_608_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def noon_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    running = await run(await new_database(engine), clock=ManualClock(NOON))
    yield running
    await running.stop()


@pytest.fixture
async def limited(noon_gateway: Running, shop: Shop) -> OpenShop:
    """Shops of a gateway whose clock began at that noon; the keywords are a site's limits."""

    async def open_shop(**limits: int) -> Shop:
        return Shop(await noon_gateway.new_site(**limits), shop.receiver, shop.client)

    return open_shop


PHONE = "+2250700123129"  # this number's prompts are never answered


async def pays(shop: Shop, amount: int = 1500, number: str = PHONE, method: str = "OM") -> Purchase:
    buyer = await shop.opens(amount=amount)
    await buyer.post("pay", country="CI", number=number, method=method)
    return buyer


async def refused_with(buyer: Purchase) -> str | None:
    """The code of a refusal of our own, which costs no try and sends nothing; None where the attempt was sent."""
    timeline = await buyer.timeline()
    (attempt,) = timeline.attempts
    if attempt.status.value == "sent":
        return None
    assert (attempt.status.value, attempt.sent_at, timeline.payment.tries) == ("failed", None, 0)
    assert [row.event for row in timeline.history] == ["opened", "not sent"]
    assert await buyer.code() == "662"
    return attempt.code.number


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"daily_number_max": 2}, "807"),
        ({"daily_amount_max": 3_500}, "808"),
        ({"monthly_amount_max": 3_500}, "809"),
        ({"monthly_number_max": 2}, "810"),
        ({"weekly_amount_max": 3_500}, "811"),
        ({"weekly_number_max": 2}, "812"),
    ],
)
async def test_the_third_payment_passes_the_limit(
    limited: OpenShop, limits: dict[str, int], code: str
) -> None:
    shop = await limited(**limits)
    assert [await refused_with(await pays(shop)) for _ in range(3)] == [None, None, code]


async def test_an_amount_up_to_the_limit_still_goes(limited: OpenShop) -> None:
    shop = await limited(daily_amount_max=3_000)
    assert [await refused_with(await pays(shop)) for _ in range(2)] == [None, None]
    assert await refused_with(await pays(shop, amount=100)) == "808"


async def test_the_shop_is_told_and_the_page_says_it_in_words(limited: OpenShop) -> None:
    shop = await limited(daily_number_max=1)
    await pays(shop)
    second = await pays(shop)
    assert TEXTS["fr"]("why.807") in html.unescape((await second.page()).text)
    await second.post("cancel")
    assert await second.code() == "807"
    await second.is_told()
    assert shop.receiver.codes(second.path) == ["807"]


async def test_what_failed_or_was_dropped_does_not_count(limited: OpenShop) -> None:
    shop = await limited(daily_number_max=1)
    first = await pays(shop)
    await take(says("602", "662"), first)
    asking = await shop.opens()
    await asking.post("pay", country="BF", number="+22607123123", method="OMBF")
    await asking.post("cancel")
    assert await refused_with(await pays(shop)) is None


async def test_who_waits_for_a_code_counts(limited: OpenShop) -> None:
    shop = await limited(daily_number_max=1)
    for expected in ("663", "662"):
        buyer = await shop.opens()
        await buyer.post("pay", country="BF", number="+22607123123", method="OMBF")
        assert await buyer.code() == expected


async def test_what_was_paid_counts_and_the_same_payment_does_not_count_itself(limited: OpenShop) -> None:
    shop = await limited(daily_number_max=1)
    first = await pays(shop)
    await take(says("600", "662"), first)
    await first.post("pay", country="CI", number=PHONE, method="OM")
    await take(says("paid", "00", 2), first)
    assert await refused_with(await pays(shop)) == "807"


async def test_other_numbers_and_other_sites_have_their_own_count(limited: OpenShop) -> None:
    shop, other = await limited(daily_number_max=1), await limited(daily_number_max=1)
    assert await refused_with(await pays(shop)) is None
    assert await refused_with(await pays(shop, number="+2250700124129")) is None
    assert await refused_with(await pays(other)) is None
    assert await refused_with(await pays(shop)) == "807"


async def test_amounts_count_in_their_own_currency(limited: OpenShop) -> None:
    shop = await limited(daily_amount_max=2_000)
    for currency in ("CDF", "USD"):
        buyer = await shop.opens(amount=1_500, currency=currency)
        method = "AIRTELCD" if currency == "CDF" else "AIRTELCDUSD"
        await buyer.post("pay", country="CD", number="+243970123129", method=method)
        assert await refused_with(buyer) is None


@pytest.mark.parametrize(
    ("limits", "days", "counts_again"),
    [
        ({"daily_number_max": 1}, 0.49, False),
        ({"daily_number_max": 1}, 0.5, True),
        ({"weekly_number_max": 1}, 4.49, False),
        ({"weekly_number_max": 1}, 4.5, True),
        ({"monthly_number_max": 1}, 5.49, False),
        ({"monthly_number_max": 1}, 5.5, True),
    ],
)
async def test_the_count_begins_anew_with_the_calendar(
    start_gateway: StartGateway, shop: Shop, limits: dict[str, int], days: float, counts_again: bool
) -> None:
    running = await start_gateway(clock=ManualClock(NOON))
    shop = Shop(await running.new_site(**limits), shop.receiver, shop.client)
    first = await pays(shop)
    await take(says("paid", "00"), first)
    shop.clock.advance(round(days * DAY))
    assert (await refused_with(await pays(shop)) is None) is counts_again


async def test_a_limit_that_is_set_later_counts_what_came_before(limited: OpenShop) -> None:
    shop = await limited()
    await pays(shop)
    site = await shop.running.store.site(shop.running.site_id)
    assert site is not None
    await shop.running.store.save_site(replace(site, settings=replace(site.settings, daily_number_max=1)))
    assert await refused_with(await pays(shop)) == "807"


async def test_an_own_refusal_takes_no_place(limited: OpenShop) -> None:
    shop = await limited(daily_amount_max=2_000)
    assert await refused_with(await pays(shop, amount=2_500)) == "808"
    buyer = await pays(shop, amount=2_000)
    assert await refused_with(buyer) is None
    await take(after(31, "623"), buyer)
