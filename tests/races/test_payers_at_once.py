"""Payments of one number at once: a limit of so many lets exactly so many pass, in one process and in two."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from cauri.config import Settings
from tests.conftest import StartGateway
from tests.lifecycle.second import second_gateway
from tests.lifecycle.shopping import Shop

AT_ONCE = 16


@asynccontextmanager
async def gateways(shop: Shop, engine: str):
    """The addresses to pay at: SQLite has one serving process."""
    if engine == "sqlite":
        yield [shop.running.url]
    else:
        async with second_gateway(shop.running) as other:
            yield [shop.running.url, other.url]


async def pay_all(shop: Shop, urls: list[str], numbers: list[str], amount: int = 1500) -> list[str]:
    """One payment for each number, all pay buttons at once; the codes that check shows."""
    buyers = [await shop.opens(amount=amount) for _ in numbers]
    forms = [{"country": "CI", "number": number, "method": "OM"} for number in numbers]
    await asyncio.gather(
        *(
            shop.client.post(f"{urls[index % len(urls)]}/payment/{buyer.token}/pay", data=form)
            for index, (buyer, form) in enumerate(zip(buyers, forms, strict=True))
        )
    )
    return [await buyer.code() for buyer in buyers]


@pytest.mark.parametrize(
    ("limits", "pass_"),
    [
        ({"daily_number_max": 1}, 1),
        ({"weekly_number_max": 3}, 3),
        ({"monthly_amount_max": 7_500}, 5),
        ({"daily_amount_max": 1_499}, 0),
    ],
)
async def test_so_many_pass_and_no_more(shop: Shop, engine: str, limits: dict[str, int], pass_: int) -> None:
    for round_number in range(3):
        limited = Shop(await shop.running.new_site(**limits), shop.receiver, shop.client)
        async with gateways(limited, engine) as urls:
            codes = await pay_all(limited, urls, [f"+22507001{round_number}0129"] * AT_ONCE)
        assert sorted(codes) == ["623"] * pass_ + ["662"] * (AT_ONCE - pass_)


async def test_many_numbers_at_once_do_not_get_in_each_others_way(shop: Shop, engine: str) -> None:
    limited = Shop(await shop.running.new_site(daily_number_max=1), shop.receiver, shop.client)
    numbers = [f"+22507002{index % 8:02d}129" for index in range(AT_ONCE * 2)]
    async with gateways(limited, engine) as urls:
        codes = await pay_all(limited, urls, numbers)
    assert codes.count("623") == 8
    assert codes.count("662") == AT_ONCE * 2 - 8


async def test_prompts_at_once_are_as_many_as_allowed(
    start_gateway: StartGateway, shop: Shop, engine: str
) -> None:
    def adjusted(settings: Settings) -> Settings:
        return replace(settings, limits=replace(settings.limits, prompts_per_number=4))

    running = await start_gateway(adjusted=adjusted)
    strict = Shop(await running.new_site(), shop.receiver, shop.client)
    async with gateways(strict, engine) as urls:
        codes = await pay_all(strict, urls, ["+2250700300129"] * AT_ONCE)
    assert sorted(codes) == ["623"] * 4 + ["662"] * (AT_ONCE - 4)
