"""What no rule can decide: the list for people, their decisions, and the alerts that call them."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from cauri.clock import HOUR, MINUTE
from cauri.config import OperatorsSettings, PawaPaySettings
from cauri.domain.codes import Code
from cauri.domain.errors import NothingToClose, PaymentNotFound
from cauri.domain.outcome import Accepted, Refused
from cauri.serving import bound_socket, url_of
from tests.lifecycle.second import second_gateway
from tests.lifecycle.shopping import Purchase, Shop, number_of
from tests.lifecycle.steps import pays, says, says_in_vain, take


async def listed(buyer: Purchase) -> bool:
    """Whether the attempt stands on the reconcile list."""
    found = await buyer.shop.running.store.unended(buyer.shop.clock.now() - HOUR)
    return any(transaction_id == buyer.transaction_id for _, _, transaction_id in found)


async def close(buyer: Purchase, decision: Accepted | Refused) -> None:
    running = buyer.shop.running
    await running.lifecycle.close(
        running.site_id, buyer.transaction_id, decision, who="Awa", why="telephoned Moov"
    )


async def test_an_attempt_without_an_end_is_listed_after_an_hour_and_closed_by_a_person(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623", "FLOOZ", answer="drop_before"), buyer)
    shop.clock.advance(59 * MINUTE)
    assert not await listed(buyer)
    shop.clock.advance(2 * MINUTE)
    assert await listed(buyer)

    await close(buyer, Refused(Code.PAYMENT_FAILED))

    assert not await listed(buyer)
    last = (await buyer.timeline()).history[-1]
    assert (last.event, last.to_code, last.actor, last.note) == ("failed", "600", "Awa", "telephoned Moov")
    await buyer.comes_to("600")
    assert shop.receiver.codes(buyer.path) == ["623", "600"]


async def test_a_persons_acceptance_is_paid_with_who_and_why(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623", "FLOOZ", answer="drop_before"), buyer)
    await close(buyer, Accepted("statement-17"))
    await buyer.comes_to("00")
    assert (await buyer.check())["data"]["operator_id"] == "statement-17"
    last = (await buyer.timeline()).history[-1]
    assert (last.event, last.actor, last.note) == ("paid", "Awa", "telephoned Moov")


async def test_the_operators_word_after_a_persons_decision_is_not_lost(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    shop.clock.advance(31 * MINUTE)
    await close(buyer, Refused(Code.PAYMENT_FAILED))
    await take(says_in_vain("paid", "600"), buyer)
    assert [each.amount for each in (await buyer.timeline()).surpluses] == [1500]


@pytest.mark.parametrize("done", ["nothing", "code asked", "ended"])
async def test_nothing_but_an_attempt_in_flight_can_be_closed(shop: Shop, done: str) -> None:
    buyer = await shop.opens()
    if done == "code asked":
        await take(pays("663", "OMBF"), buyer)
    if done == "ended":
        await take(pays("623"), buyer)
        await take(says("paid", "00"), buyer)
    before = await buyer.code()
    with pytest.raises(NothingToClose):
        await close(buyer, Refused(Code.PAYMENT_FAILED))
    assert await buyer.code() == before


async def test_an_unknown_payment_cannot_be_closed(shop: Shop) -> None:
    with pytest.raises(PaymentNotFound):
        await shop.running.lifecycle.close(
            shop.running.site_id, "no-such-order", Accepted("x"), who="Awa", why="?"
        )


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ({"amount": "500"}, "the operator says 500, we asked 1500"),
        ({"currency": "XAF"}, "the operator says XAF"),
    ],
    ids=["amount", "currency"],
)
async def test_money_that_does_not_match_calls_a_person(
    shop: Shop, story: dict[str, str], words: str
) -> None:
    buyer = await shop.opens()
    with capture_logs() as logs:
        await take(pays("623", outcome="paid", **story), buyer)
        for _ in range(4):
            shop.clock.advance(2_000)
            await shop.turn()
    alerts = [
        line for line in logs if line.get("alert") and line.get("reference") == await buyer.reference(1)
    ]
    assert alerts
    assert words in alerts[0]["why"]
    assert await buyer.code() == "623"


@pytest.mark.parametrize("event", ["surplus", "contradiction"])
async def test_surplus_and_contradiction_call_a_person(shop: Shop, event: str) -> None:
    one_try = Shop(await shop.running.new_site(attempts_max=1), shop.receiver, shop.client)
    buyer = await one_try.opens()
    await take(pays("623"), buyer)
    first, second, shown = ("600", "paid", "600") if event == "surplus" else ("paid", "600", "00")
    await take(says(first, shown), buyer)
    with capture_logs() as logs:
        await take(says_in_vain(second, shown), buyer)
    alerts = [
        line for line in logs if line.get("transaction_id") == buyer.transaction_id and line.get("alert")
    ]
    assert [line["event"] for line in alerts] == [event]


async def test_an_operator_that_cannot_be_reached_fails_the_attempt_with_804(shop: Shop) -> None:
    """Connection refused: nothing can have left, so that this is known and not silence."""
    nobody = bound_socket("127.0.0.1", 0)
    closed = PawaPaySettings(base_url=url_of(nobody), token="unused")
    nobody.close()
    buyer = await Shop(await shop.running.new_site(attempts_max=1), shop.receiver, shop.client).opens()
    async with second_gateway(
        shop.running, loops=False, operators=OperatorsSettings(pawapay=closed)
    ) as cut_off:
        country, phone = number_of("OM")
        form = {"country": country, "number": f"+{phone}", "method": "OM"}
        await shop.client.post(f"{cut_off.url}/payment/{buyer.token}/pay", data=form)
    assert await buyer.code() == "804"
    assert [row.event for row in (await buyer.timeline()).history] == ["opened", "sent", "failed"]
    await buyer.comes_to("804")
    assert shop.receiver.codes(buyer.path)[-1] == "804"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"depositId": "x", "status": "COMPLETED"}', b"\xff\0", b"{" * 5000]
)
async def test_nonsense_at_the_callback_door_changes_nothing(shop: Shop, body: bytes) -> None:
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    answer = await shop.client.post(f"{shop.running.url}/operators/pawapay/callback", content=body)
    assert answer.status_code == 400
    assert (await buyer.payment()).version == 2


async def test_a_callback_is_a_hint_and_never_an_outcome(shop: Shop) -> None:
    """Whoever forges a callback only makes us ask."""
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    forged = {
        "depositId": await buyer.reference(1),
        "status": "COMPLETED",
        "amount": "1500.00",
        "currency": "XOF",
    }
    answer = await shop.client.post(f"{shop.running.url}/operators/pawapay/callback", json=forged)
    assert answer.status_code == 200
    for _ in range(3):
        shop.clock.advance(2_000)
        await shop.turn()
    assert await buyer.code() == "623"


async def test_callbacks_bring_the_question_forward_once_in_five_seconds(shop: Shop) -> None:
    """Two asks may belong to the first hint, where it comes in the very millisecond of its question."""
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    shop.clock.advance(20 * MINUTE)
    await shop.turn()
    before = await asked(buyer)
    for _ in range(28):
        await call_back(buyer)
        await shop.turn()
        shop.clock.advance(170)
    assert 1 <= await asked(buyer) - before <= 2
    for _ in range(5):
        shop.clock.advance(500)
        await shop.turn()
    assert 2 <= await asked(buyer) - before <= 3, "the second hint is kept until five seconds are over"


async def test_an_acceptance_taken_back_is_recorded_once_however_often_it_is_said(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    await take(says("paid", "00"), buyer)
    await take(says("602", "00"), buyer)
    for _ in range(3):
        await call_back(buyer)
        shop.clock.advance(6_000)
        await shop.turn()
    assert await buyer.code() == "00"
    payment = await shop.running.store.payment_by_token(buyer.token)
    assert payment is not None
    events = [row.event for row in (await shop.running.store.timeline(payment)).history]
    assert events == ["opened", "sent", "paid", "contradiction"]


async def test_a_callback_of_a_failed_attempt_makes_us_ask_again(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623"), buyer)
    await take(says("602", "662"), buyer)
    shop.clock.advance(MINUTE)
    await shop.turn()
    before = await asked(buyer)
    await call_back(buyer)
    await shop.turn()
    assert await asked(buyer) == before + 1


async def asked(buyer: Purchase) -> int:
    return (await buyer.timeline()).attempts[0].asks


async def call_back(buyer: Purchase) -> None:
    said = {"depositId": await buyer.reference(1), "status": "COMPLETED"}
    url = f"{buyer.shop.running.url}/operators/pawapay/callback"
    assert (await buyer.shop.client.post(url, json=said)).status_code == 200
