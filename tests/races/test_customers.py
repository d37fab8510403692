"""Customers in a hurry: two tabs, double clicks, cancelling while paying. One attempt in flight, one payment, one debit."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.lifecycle.shopping import Purchase, Shop, number_of

ROUNDS = 8


async def all_debits(buyer: Purchase) -> list[str]:
    """References under which money moved for this payment, as the operators' books have it."""
    ours = {attempt.reference for attempt in (await buyer.timeline()).attempts}
    return [
        each["reference"]
        for each in (await buyer.shop.control("books"))["debits"]
        if each["reference"] in ours
    ]


async def delivered_once(buyer: Purchase) -> None:
    """The shop was told of the success exactly once, and nothing is left to tell."""
    for _ in range(200):
        state = await buyer.shop.running.store.notification(await buyer.payment())
        if state is not None and state.due_at is None:
            break
        await asyncio.sleep(0.01)
    assert buyer.shop.receiver.codes(buyer.path).count("00") == 1
    assert buyer.shop.receiver.codes(buyer.path)[-1] == "00"


async def test_a_double_click_pays_once(shop: Shop) -> None:
    async def round_of_it() -> None:
        buyer = await shop.opens()
        country, phone = number_of("OM")
        form = {"country": country, "number": f"+{phone}", "method": "OM"}
        answers = await asyncio.gather(*(buyer.post("pay", **form) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {303}
        await buyer.becomes("00")
        assert [attempt.status.value for attempt in (await buyer.timeline()).attempts] == ["paid"]
        assert len(await all_debits(buyer)) == 1
        await delivered_once(buyer)

    await asyncio.gather(*(round_of_it() for _ in range(ROUNDS)))


async def test_two_customers_in_two_tabs_are_one_attempt(shop: Shop) -> None:
    async def round_of_it() -> None:
        buyer = await shop.opens()
        await asyncio.gather(*(buyer.pays(method) for method in ("OM", "MOMO", "OMSN", "OM", "FLOOZ")))
        await buyer.becomes("00")
        assert len((await buyer.timeline()).attempts) == 1
        assert len(await all_debits(buyer)) == 1
        await delivered_once(buyer)

    await asyncio.gather(*(round_of_it() for _ in range(ROUNDS)))


async def test_two_tabs_that_ask_for_codes_leave_one_attempt_open(shop: Shop) -> None:
    buyer = await shop.opens()
    await asyncio.gather(*(buyer.pays("OMBF") for _ in range(4)), buyer.pays("OM", ending="129"))
    attempts = [attempt.status.value for attempt in (await buyer.timeline()).attempts]
    assert attempts.count("asked") + attempts.count("sent") == 1
    assert attempts[-1] in ("asked", "sent")
    assert set(attempts[:-1]) <= {"dropped"}


async def test_a_code_typed_twice_is_sent_once(shop: Shop) -> None:
    async def round_of_it() -> None:
        buyer = await shop.opens()
        await buyer.pays("OMBF")
        await asyncio.gather(*(buyer.post("code", code="123456") for _ in range(6)))
        await buyer.becomes("00")
        assert [row.event for row in (await buyer.timeline()).history] == [
            "opened",
            "code asked",
            "sent",
            "paid",
        ]
        assert len(await all_debits(buyer)) == 1

    await asyncio.gather(*(round_of_it() for _ in range(ROUNDS)))


async def test_a_right_and_a_wrong_code_at_once_are_one_try(shop: Shop) -> None:
    buyer = await shop.opens()
    await buyer.pays("OMBF")
    await asyncio.gather(*(buyer.post("code", code=code) for code in ("000000", "123456") * 3))
    for _ in range(5):
        if (code := await buyer.code()) in ("00", "662"):
            break
        await buyer.shop.client.get(
            f"{shop.running.url}/payment/{buyer.token}/state", params={"seen": 3, "wait": 2}
        )
    timeline = await buyer.timeline()
    assert len(timeline.attempts) == 1
    assert timeline.payment.tries + len(await all_debits(buyer)) == 1
    assert (code == "00") == (timeline.payment.tries == 0)


async def test_cancel_against_pay_ends_in_one_of_the_two(shop: Shop) -> None:
    ends = []
    for number in range(ROUNDS * 2):
        buyer = await shop.opens()
        steps = [buyer.pays("OM", ending="129"), buyer.post("cancel"), buyer.post("leave")]
        await asyncio.gather(*(steps if number % 2 else reversed(steps)))
        ends.append(await buyer.code())
        attempts = [attempt.status.value for attempt in (await buyer.timeline()).attempts]
        assert attempts == (["sent"] if ends[-1] == "623" else [])
    assert set(ends) <= {"623", "627"}


async def test_cancel_against_the_typed_code_never_cancels_what_was_sent(shop: Shop) -> None:
    async def round_of_it() -> None:
        buyer = await shop.opens()
        await buyer.pays("OMBF")
        await asyncio.gather(buyer.post("code", code="123456"), buyer.post("cancel"))
        attempt = (await buyer.timeline()).attempts[0]
        if attempt.status.value == "dropped":
            assert await buyer.code() == "627"
            assert await all_debits(buyer) == []
        else:
            await buyer.becomes("00")
            assert len(await all_debits(buyer)) == 1

    await asyncio.gather(*(round_of_it() for _ in range(ROUNDS)))


async def test_the_sessions_end_against_pay_ends_in_one_of_the_two(timed_shop: Shop) -> None:
    shop = timed_shop
    for _ in range(ROUNDS):
        buyer = await shop.opens()
        gateway, payment = shop.running.sandbox.gateway, await buyer.payment()
        shop.clock.advance(payment.expires_at - shop.clock.now() - 1)

        async def the_end(gateway: object = gateway) -> None:
            shop.clock.advance(1)
            for _ in range(3):
                await shop.running.sandbox.gateway.expiry.tick(shop.clock.now())

        await asyncio.gather(buyer.pays("OM", ending="129"), the_end(), buyer.pays("MOMO", ending="129"))
        await shop.turn()
        attempts = [attempt.status.value for attempt in (await buyer.timeline()).attempts]
        assert (await buyer.code(), attempts) in [("623", ["sent"]), ("627", [])]


@pytest.mark.parametrize("delay_s", [0.0, 0.3], ids=["shop answers at once", "shop takes its time"])
async def test_the_shop_hears_before_the_customer_is_sent_back_and_hears_once(
    shop: Shop, delay_s: float
) -> None:
    """The page of the end waits for the first delivery; the shop's own check, made while it is told, already shows the end."""
    buyer = await shop.opens()
    checked: list[asyncio.Task[str]] = []
    shop.receiver.before_answer[buyer.path] = lambda: checked.append(asyncio.ensure_future(buyer.code()))
    await buyer.pays("OM", ending="130", delay_s=delay_s)
    pages = await asyncio.gather(*(end_page(buyer) for _ in range(4)))
    assert all("00" in heard for heard in pages), "each tab saw the end only after the shop had heard of it"
    await delivered_once(buyer)
    assert (await asyncio.gather(*checked))[-1] == "00"


async def end_page(buyer: Purchase) -> list[str]:
    """Reloads the page as a browser does until it shows the end; what the shop had heard by then."""
    for _ in range(60):
        page: httpx.Response = await buyer.page()
        if 'data-page="paid"' in page.text:
            return buyer.shop.receiver.codes(buyer.path)
        seen = (await buyer.payment()).version
        if not (await buyer.payment()).final:
            await buyer.shop.client.get(
                f"{buyer.shop.running.url}/payment/{buyer.token}/state", params={"seen": seen, "wait": 2}
            )
    raise AssertionError("the page never showed the end")
