"""A payment page is no tool to pester strangers: prompts to one number are counted, whoever asks, and asked for from one address."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import count

import apsw
import asyncpg
import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace

from cauri.clock import MINUTE, ManualClock
from cauri.config import Settings
from tests.conftest import NewDatabase, StartGateway
from tests.lifecycle.down import closed_port, moov_first
from tests.lifecycle.shopping import Purchase, Shop
from tests.running import Running, run

_used = count(100)


def adjusted(settings: Settings) -> Settings:
    limits = replace(settings.limits, prompts_per_number_and_address=2, prompts_per_number=3)
    return replace(settings, limits=limits, trusted_proxies=("127.0.0.1",))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strict_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    running = await run(await new_database(engine), clock=ManualClock(), adjusted=adjusted)
    yield running
    await running.stop()


@pytest.fixture
async def strict(strict_gateway: Running, shop: Shop) -> Shop:
    return Shop(await strict_gateway.new_site(), shop.receiver, shop.client)


async def asks(
    shop: Shop, address: str, number: str, method: str = "OM", country: str = "CI", **fields: str
) -> tuple[httpx.Response, Purchase]:
    buyer = await shop.opens(**fields)
    answer = await shop.client.post(
        f"{shop.running.url}/payment/{buyer.token}/pay",
        data={"country": country, "number": number, "method": method},
        headers={"X-Forwarded-For": address},
    )
    return answer, buyer


def new_number() -> str:
    return f"+2250700{next(_used)}129"


async def test_at_the_limit_of_an_address_nothing_is_sent_and_the_page_says_when_again(strict: Shop) -> None:
    number = new_number()
    first, _ = await asks(strict, "203.0.113.7", number)
    strict.clock.advance(10 * MINUTE)
    second, _ = await asks(strict, "203.0.113.7", number)
    assert (first.status_code, second.status_code) == (303, 303)
    for lang, words in (
        ("fr", "Trop de demandes de paiement ont été envoyées à ce numéro"),
        ("en", "Too many payment requests were sent to this number"),
    ):
        third, buyer = await asks(strict, "203.0.113.7", number, lang=lang)
        assert third.status_code == 429
        assert third.headers["retry-after"] == str(50 * 60)
        assert words in third.text
        assert "50\u00a0min" in third.text or "50 min" in third.text
        assert await buyer.code() == "662"
        timeline = await buyer.timeline()
        assert (timeline.attempts, timeline.payment.tries, len(timeline.history)) == ((), 0, 1)
    other, _ = await asks(strict, "203.0.113.8", number)
    assert other.status_code == 303


async def test_a_number_has_its_limit_whoever_asks(strict: Shop) -> None:
    number = new_number()
    answers = [(await asks(strict, f"203.0.113.{n}", number))[0].status_code for n in range(1, 6)]
    assert answers == [303, 303, 303, 429, 429]


async def test_an_hour_later_it_may_be_asked_again(strict: Shop) -> None:
    number = new_number()
    for _ in range(2):
        await asks(strict, "203.0.113.7", number)
    strict.clock.advance(60 * MINUTE - 1)
    assert (await asks(strict, "203.0.113.7", number))[0].status_code == 429
    strict.clock.advance(1)
    assert (await asks(strict, "203.0.113.7", number))[0].status_code == 303


async def test_pages_and_codes_ring_nobody_and_do_not_count(strict: Shop) -> None:
    for number, method, country in (("+2250701234129", "WAVECI", "CI"), ("+22607234129", "OMBF", "BF")):
        answers = [
            (await asks(strict, "203.0.113.7", number, method, country))[0].status_code for _ in range(5)
        ]
        assert answers == [303] * 5


async def test_a_refusal_of_our_own_does_not_count(strict: Shop) -> None:
    number = new_number()
    for _ in range(4):
        answer, buyer = await asks(strict, "203.0.113.7", number, amount=1_800_000)  # type: ignore[arg-type]
        assert (answer.status_code, await buyer.code()) == (303, "662")


async def test_a_failover_is_the_same_prompt(
    start_gateway: StartGateway, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closed_port() as url:
        moov_first(monkeypatch, url)
        running = await start_gateway(clock=ManualClock(), adjusted=adjusted)
        shop = Shop(await running.new_site(), shop.receiver, shop.client)
        answers = [
            (await asks(shop, "203.0.113.7", "+22670234129", "MOOVBF", "BF"))[0].status_code for _ in range(3)
        ]
        assert answers == [303, 303, 429]


async def test_a_prompt_that_never_left_does_not_count(
    start_gateway: StartGateway, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator that is down for a minute must not keep its payers waiting for an hour."""
    with closed_port() as url:
        moov_first(monkeypatch, url)
        running = await start_gateway(clock=ManualClock(), adjusted=adjusted)
        shop = Shop(await running.new_site(), shop.receiver, shop.client)
        for _ in range(4):  # nobody but Moov serves it
            answer, buyer = await asks(shop, "203.0.113.7", "+2250102324129", "FLOOZ")
            assert answer.status_code == 303
            assert [each.code.number for each in (await buyer.timeline()).attempts] == ["804"]
        assert await kept(running, "+2250102324129") == []


async def kept(running: Running, number: str) -> list[tuple[str, str]]:
    """Phone and address of the prompts that the database still has of a number."""
    url = running.sandbox.gateway.settings.database
    text = "SELECT phone, address FROM prompt"
    if running.engine == "sqlite":
        with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as file:
            rows = list(file.execute(text))
    else:
        session = await asyncpg.connect(url)
        rows = [tuple(row) for row in await session.fetch(text)]
        await session.close()
    return [row for row in rows if "".join(row[0].split()).endswith(number[-10:])]


async def test_no_address_is_kept_that_could_be_read_back_or_followed(strict: Shop) -> None:
    one, other = new_number(), new_number()
    for number, address in (
        (one, "203.0.113.7"),
        (one, "203.0.113.7"),
        (one, "203.0.113.8"),
        (other, "203.0.113.7"),
    ):
        await asks(strict, address, number)
    first, second, elsewhere = [address for _, address in await kept(strict.running, one)]
    [(_, of_other)] = await kept(strict.running, other)
    marks = {first, second, elsewhere}
    assert len(marks) == 2, "the same asker is known again, another is another"
    assert of_other not in marks, "who asks for another number is nobody known"
    assert all(re.fullmatch("[0-9a-f]{32}", mark) for mark in marks | {of_other})


async def test_what_no_limit_looks_back_to_is_forgotten(strict: Shop) -> None:
    number = new_number()
    await asks(strict, "203.0.113.7", number)
    strict.clock.advance(60 * MINUTE)
    assert await strict.running.lifecycle.tidy(strict.clock.now()) == 0
    assert len(await kept(strict.running, number)) == 1
    strict.clock.advance(60 * MINUTE + 1)
    assert await strict.running.lifecycle.tidy(strict.clock.now()) == 0
    assert await kept(strict.running, number) == []
    assert (await asks(strict, "203.0.113.7", number))[0].status_code == 303
