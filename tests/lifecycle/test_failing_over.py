"""Failover: only where nothing can have begun, in the same try, in one database transaction."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from itertools import takewhile

import pytest
import pytest_asyncio
from msgspec.structs import replace

from cauri.clock import MINUTE, ManualClock
from cauri.config import Settings
from cauri.domain.outcome import Outcome, Unknown
from cauri.operators.base import Order
from cauri.operators.pawapay import PawaPay
from tests.conftest import NewDatabase
from tests.lifecycle.down import MOOV_THEN_PAWAPAY, closed_port, moov_first
from tests.lifecycle.histories import History
from tests.lifecycle.of_routing import FIRST_IS_DOWN, FIRST_IS_UP
from tests.lifecycle.shopping import Shop, number_of
from tests.lifecycle.steps import after, take
from tests.lifecycle.test_histories import goes
from tests.running import Running, run


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def down_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    with closed_port() as url, pytest.MonkeyPatch.context() as patch:
        moov_first(patch, url)
        running = await run(await new_database(engine), clock=ManualClock(), methods=MOOV_THEN_PAWAPAY)
        yield running
        await running.stop()


@pytest.fixture
async def down_shop(down_gateway: Running, shop: Shop) -> Shop:
    return Shop(await down_gateway.new_site(), shop.receiver, shop.client)


@pytest.mark.parametrize("history", FIRST_IS_DOWN, ids=lambda history: history.name)
async def test_the_next_in_order_takes_over(down_shop: Shop, history: History) -> None:
    told = await goes(down_shop, history)
    assert _left_out_of(told, history.told.split()) <= {"623"}, "a state that lasts no time may go untold"
    assert told[-1] == history.told.split()[-1]


@pytest.mark.parametrize("history", FIRST_IS_UP, ids=lambda history: history.name)
async def test_what_may_have_begun_is_never_begun_elsewhere(shop: Shop, history: History) -> None:
    assert await goes(shop, history) == history.told.split()


def _left_out_of(told: list[str], expected: list[str]) -> set[str]:
    """What was not told of what was expected; fails where something else was told, or in another order."""
    rest = iter(expected)
    left_out: set[str] = set()
    for code in told:
        left_out |= set(takewhile(lambda each, code=code: each != code, rest))
    return left_out | set(rest)


async def test_the_failed_one_and_its_successor_are_one_change(down_shop: Shop) -> None:
    buyer = await down_shop.opens()
    await buyer.pays("MOOVBF", ending="129")
    first, second = (await buyer.timeline()).attempts
    assert (first.connector, second.connector) == ("moov_3pp", "pawapay")
    assert (first.phone, first.method) == (second.phone, second.method)
    assert first.reference != second.reference
    assert (first.code.number, first.next_ask_at, first.ended_at) == ("804", None, second.started_at)
    row = (await buyer.timeline()).history[-1]
    assert (row.event, row.attempt) == ("failed over", 2)
    assert row.note.startswith("moov_3pp: ")
    payment = await buyer.payment()
    assert (payment.attempts, payment.tries) == (2, 0)
    assert len(await down_shop.debits(buyer.phones[0])) == 0


async def test_the_page_leads_to_the_second_ones_page_at_once(down_shop: Shop) -> None:
    buyer = await down_shop.opens()
    answer = await buyer.pays("WAVECI", outcome="never")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("go=1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def broken_gateway(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    def adjusted(settings: Settings) -> Settings:
        return replace(settings, routing=replace(settings.routing, breaker_failures=3, breaker_open_s=30))

    with closed_port() as url, pytest.MonkeyPatch.context() as patch:
        moov_first(patch, url)
        running = await run(
            await new_database(engine), clock=ManualClock(), adjusted=adjusted, methods=MOOV_THEN_PAWAPAY
        )
        yield running
        await running.stop()


async def test_it_opens_greys_the_method_and_lets_one_probe_through(
    broken_gateway: Running, shop: Shop
) -> None:
    shop = Shop(await broken_gateway.new_site(), shop.receiver, shop.client)
    for _ in range(3):
        await (await shop.opens()).pays("MOOVBF", ending="129")
    passed_over = await shop.opens()
    await passed_over.pays("MOOVBF", ending="129")
    assert [each.connector for each in (await passed_over.timeline()).attempts] == ["pawapay"]

    for _ in range(3):  # the same connector's other provider has a breaker of its own
        await (other := await shop.opens()).pays("FLOOZ")
        assert [row.event for row in (await other.timeline()).history] == ["opened", "sent", "failed"]
    nobody = await shop.opens()
    await nobody.pays("FLOOZ")
    timeline = await nobody.timeline()
    assert [row.event for row in timeline.history] == ["opened", "not sent"]
    assert (timeline.attempts[0].code.number, timeline.payment.tries) == ("804", 0)
    assert await nobody.code() == "662"
    await nobody.post("cancel")
    assert await nobody.code() == "804"
    for lang, words, whose in (
        ("fr", "indisponible pour le moment", "Ce numéro correspond à Moov Money"),
        ("en", "not available for the moment", "This number belongs to Moov Money"),
    ):
        page = await (await shop.opens(lang=lang)).post("number", country="CI", number="0102324373")
        assert words in page.text
        assert whose in html.unescape(page.text)

    shop.clock.advance(30_000)
    probes = [await shop.opens() for _ in range(3)]
    for probe in probes:
        await probe.pays("MOOVBF", ending="129")
    tried = [[each.connector for each in (await probe.timeline()).attempts] for probe in probes]
    assert tried == [["moov_3pp", "pawapay"], ["pawapay"], ["pawapay"]]


async def test_a_code_that_comes_when_its_operators_breaker_is_open_goes_nowhere(
    broken_gateway: Running, shop: Shop
) -> None:
    shop = Shop(await broken_gateway.new_site(), shop.receiver, shop.client)
    buyer = await shop.opens()
    await buyer.pays("OMBF")
    asked = (await buyer.timeline()).attempts[-1]  # Moov may have been passed over
    connector = broken_gateway.sandbox.gateway.operators.named(asked.connector)
    assert connector is not None
    for _ in range(3):
        broken_gateway.lifecycle.standing.heard(connector, "OMBF", Unknown("lost"))
    await buyer.post("code", code="123456")
    timeline = await buyer.timeline()
    assert (timeline.history[-1].event, timeline.attempts[-1].reference) == ("not sent", asked.reference)
    assert (timeline.attempts[-1].code.number, timeline.payment.tries) == ("804", 0)
    assert await buyer.code() == "662"
    assert await shop.debits(buyer.phones[0]) == []
    shop.clock.advance(30_000)
    await buyer.pays("OMBF")
    await buyer.post("code", code="123456")
    await buyer.comes_to("00")


async def test_a_country_whose_operators_are_all_out_says_that_it_passes(
    broken_gateway: Running, shop: Shop
) -> None:
    shop = Shop(
        await broken_gateway.new_site(countries=("BF",), currencies=("XOF",)), shop.receiver, shop.client
    )
    standing = broken_gateway.lifecycle.standing
    for connector in broken_gateway.sandbox.gateway.operators.all:
        for method in connector.routes:
            for _ in range(3):
                standing.heard(connector, method, Unknown("lost"))
    buyer = await shop.opens(lang="en")
    page = await buyer.page()
    assert "The operators do not answer at the moment" in page.text
    assert await buyer.code() == "662"


async def test_killed_between_the_commit_and_the_second_call_the_second_is_asked_after_its_lease(
    down_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = await down_shop.opens()

    async def killed(self: PawaPay, order: Order) -> Outcome:
        if order.page_url.startswith(down_shop.running.url):
            raise asyncio.CancelledError
        return Unknown("of another gateway in this process")

    with monkeypatch.context() as patch:
        patch.setattr(PawaPay, "start", killed)
        await buyer.pays("MOOVBF")
    first, second = (await buyer.timeline()).attempts
    assert (first.status.value, second.status.value) == ("failed", "sent")
    assert second.claimed_until > down_shop.clock.now()
    assert second.asks == 0
    down_shop.clock.advance(MINUTE)
    await down_shop.turn()
    assert (await buyer.timeline()).attempts[1].asks == 1
    await take(after(16, "662"), buyer)  # pawaPay never heard of it
    assert await down_shop.debits(buyer.phones[0]) == []
    assert (await buyer.payment()).tries == 1


async def test_a_double_click_and_a_leave_during_a_failover_are_one_debit(down_shop: Shop) -> None:
    async def round_of_it(number: int) -> None:
        buyer = await down_shop.opens()
        country, phone = number_of("MOOVBF")
        form = {"country": country, "number": f"+{phone}", "method": "MOOVBF"}
        clicks = [buyer.post("pay", **form) for _ in range(4)]
        others = [buyer.post(step) for step in ("leave", "cancel")[: number % 3]]
        await asyncio.gather(*clicks, *others)
        for _ in range(4):
            down_shop.clock.advance(2_000)
            await down_shop.turn()
        attempts = (await buyer.timeline()).attempts
        ends = [attempt.status.value for attempt in attempts]
        assert ends in ([], ["failed"], ["failed", "paid"], ["failed", "sent"])
        assert len(await down_shop.debits(phone)) == ends.count("paid")
        if ends == ["failed"]:
            assert await buyer.code() == "804", "who had left is not prompted again"

    await asyncio.gather(*(round_of_it(number) for number in range(9)))
