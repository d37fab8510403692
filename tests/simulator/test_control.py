"""The control plane: stories told beforehand, ends changed afterwards, and its answers to nonsense."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from .conftest import TOKEN, Sim, Start, a_deposit

PHONE = "2250700000001"
BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)


@pytest.mark.parametrize(("answer", "recorded"), [("drop_before", False), ("drop_after", True)])
async def test_a_dropped_pawapay_answer_is_a_broken_connection(sim: Sim, answer: str, recorded: bool) -> None:
    await sim.story(PHONE, answer=answer)
    body = a_deposit()
    with pytest.raises(BROKEN):
        await sim.pawapay("/deposits", body)
    _, state = await sim.pawapay(f"/deposits/{body['depositId']}")
    assert state["status"] == ("FOUND" if recorded else "NOT_FOUND")
    assert len(await sim.debits()) == recorded
    assert (await sim.deposit(PHONE, "ORANGE_CIV"))[1]["status"] == "ACCEPTED"


@pytest.mark.parametrize(("answer", "recorded"), [("drop_before", False), ("drop_after", True)])
async def test_a_dropped_moov_answer_is_a_broken_connection(sim: Sim, answer: str, recorded: bool) -> None:
    await sim.story("22670000001", answer=answer)
    with pytest.raises(BROKEN):
        await sim.push("22670000001", "order-1")
    assert await sim.moov_state("order-1") == (
        ("0", "SUCCESS") if recorded else ("15", "TRANSACTION NOT FOUND")
    )


async def test_a_drop_sends_not_one_byte(sim: Sim) -> None:
    await sim.story(PHONE, answer="drop_after")
    url = urlsplit(sim.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    body = json.dumps(a_deposit()).encode()
    head = f"POST {url.path}/pawapay/v2/deposits HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n"
    head += "content-type: application/json\r\n"
    writer.write(head.encode() + f"content-length: {len(body)}\r\n\r\n".encode() + body)
    try:
        received = await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        received = b""
    assert received == b""
    writer.close()


async def test_a_500_and_nonsense_hide_a_recorded_request(sim: Sim) -> None:
    await sim.story(PHONE, answer="500")
    body = a_deposit()
    status, answer = await sim.pawapay("/deposits", body)
    assert (status, answer["failureReason"]["failureCode"]) == (500, "UNKNOWN_ERROR")
    assert (await sim.deposit_state(body["depositId"]))["status"] == "COMPLETED"

    await sim.story("22670000001", answer="nonsense")
    with pytest.raises(aiohttp.ContentTypeError):
        await sim.push("22670000001", "order-1")
    assert await sim.moov_state("order-1") == ("0", "SUCCESS")


async def test_a_slow_answer_waits_for_the_clock_while_the_request_is_known(sim: Sim) -> None:
    await sim.story(PHONE, answer="slow:90")
    body = a_deposit()
    asked = asyncio.ensure_future(sim.pawapay("/deposits", body))
    assert (await sim.receiver.next())["depositId"] == body["depositId"]
    assert not asked.done()
    sim.clock.advance(90_000)
    assert (await asyncio.wait_for(asked, 5))[1]["status"] == "ACCEPTED"


async def test_a_reset_lets_a_slow_answer_go(sim: Sim) -> None:
    await sim.story(PHONE, answer="slow:90")
    asked = asyncio.ensure_future(sim.pawapay("/deposits", a_deposit()))
    await sim.receiver.next()
    await sim.post("/_control/reset")
    assert (await asyncio.wait_for(asked, 5))[0] == 200


@pytest.mark.parametrize(("outcome", "status"), [("paid", "COMPLETED"), ("602", "FAILED"), (602, "FAILED")])
async def test_a_story_told_beforehand_beats_the_number_and_is_told_once(
    sim: Sim, outcome: Any, status: str
) -> None:
    await sim.story("+2250700000635", outcome=outcome)
    first, _ = await sim.deposit("2250700000635", "ORANGE_CIV")
    second, _ = await sim.deposit("2250700000635", "ORANGE_CIV")
    assert (await sim.deposit_state(first))["status"] == status
    assert (await sim.deposit_state(second))["failureReason"]["failureCode"] == "PAYER_NOT_FOUND"


async def test_a_story_may_have_its_own_delay_or_no_end(slow_sim: Sim) -> None:
    await slow_sim.story(PHONE, delay_s=0)
    at_once, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    await slow_sim.story(PHONE, outcome="never")
    never, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    await slow_sim.story(PHONE, delay_s=0.5)
    soon, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    slow_sim.clock.advance(500)
    ends = [(await slow_sim.deposit_state(one))["status"] for one in (at_once, never, soon)]
    assert ends == ["COMPLETED", "PROCESSING", "COMPLETED"]


async def test_callbacks_can_come_twice(sim: Sim) -> None:
    await sim.story(PHONE, callback="twice")
    deposit_id, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    assert [(await sim.receiver.next())["depositId"] for _ in range(2)] == [deposit_id] * 2


async def test_callbacks_can_come_before_the_answer(slow_sim: Sim) -> None:
    await slow_sim.story(PHONE, callback="before_answer", answer="slow:5")
    asked = asyncio.ensure_future(slow_sim.pawapay("/deposits", a_deposit()))
    assert (await slow_sim.receiver.next())["status"] == "COMPLETED"
    assert not asked.done()
    slow_sim.clock.advance(5_000)
    assert (await asyncio.wait_for(asked, 5))[1]["status"] == "ACCEPTED"
    assert slow_sim.receiver.waiting() == 0


async def test_callbacks_can_be_lost(sim: Sim) -> None:
    await sim.story(PHONE, callback="lost")
    lost, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    told, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    assert (await sim.deposit_state(lost))["status"] == "COMPLETED"
    assert (await sim.receiver.next())["depositId"] == told
    assert sim.receiver.waiting() == 0


async def test_an_operator_can_report_another_amount_and_currency(sim: Sim) -> None:
    await sim.story(PHONE, amount="15", currency="XAF")
    deposit_id, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    told = await sim.receiver.next()
    state = await sim.deposit_state(deposit_id)
    assert (told["amount"], told["currency"], state["amount"], state["currency"]) == (
        "15.0000",
        "XAF",
        "15.00",
        "XAF",
    )
    assert [(d["amount"], d["currency"]) for d in await sim.debits()] == [("15", "XAF")]


async def test_a_late_success_after_a_failure(sim: Sim) -> None:
    deposit_id, _ = await sim.deposit("2250700000602", "ORANGE_CIV")
    assert (await sim.receiver.next())["status"] == "FAILED"
    status, _ = await sim.post(
        "/_control/settle", {"reference": deposit_id, "outcome": "paid", "callback": True}
    )
    assert status == 200
    assert (await sim.receiver.next())["status"] == "COMPLETED"
    assert (await sim.deposit_state(deposit_id))["status"] == "COMPLETED"
    assert len(await sim.debits()) == 1


async def test_an_acceptance_can_be_taken_back_and_given_again(sim: Sim) -> None:
    pushed = await sim.push("22670000001", "order-1")
    assert pushed["status"] == "0"
    for outcome, said in (("600", "TRANSACTION FAILED"), ("paid", "SUCCESS"), ("paid", "SUCCESS")):
        await sim.post("/_control/settle", {"reference": "order-1", "outcome": outcome})
        assert (await sim.moov_state("order-1"))[1] == said
    first, second = await sim.debits()
    assert first["taken_back_at"] is not None
    assert second["taken_back_at"] is None


async def test_an_open_prompt_can_be_settled_and_stays_settled(slow_sim: Sim) -> None:
    deposit_id, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    await slow_sim.post("/_control/settle", {"reference": deposit_id, "outcome": "627"})
    slow_sim.clock.advance(60_000)
    state = await slow_sim.deposit_state(deposit_id)
    assert state["failureReason"]["failureCode"] == "PAYMENT_NOT_APPROVED"
    assert (await slow_sim.get("/_control/callbacks"))[1] == {"callbacks": []}


async def test_the_open_prompts_are_those_in_the_payers_hands(slow_sim: Sim) -> None:
    urls = {"successfulUrl": "http://127.0.0.1:1/ok", "failedUrl": "http://127.0.0.1:1/no"}
    deposit_id, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    await slow_sim.push("22670000001", "order-1")
    await slow_sim.push("22670000635", "order-2")
    wave_id, _ = await slow_sim.deposit("2250700000002", "WAVE_CIV", **urls)
    slow_sim.clock.advance(300)
    prompts = (await slow_sim.get("/_control/prompts"))[1]["prompts"]
    assert [(one["reference"], one["kind"]) for one in prompts] == [
        (deposit_id, "pin"),
        ("order-1", "pin"),
        (wave_id, "page"),
    ]
    assert prompts[2]["url"].startswith(slow_sim.url)
    slow_sim.clock.advance(10_000)
    assert [one["kind"] for one in (await slow_sim.get("/_control/prompts"))[1]["prompts"]] == ["page"]


async def test_a_reset_forgets_everything(slow_sim: Sim) -> None:
    deposit_id, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    await slow_sim.story(PHONE, outcome="602")
    await slow_sim.post("/_control/reset")
    slow_sim.clock.advance(60_000)
    assert (await slow_sim.pawapay(f"/deposits/{deposit_id}"))[1] == {"status": "NOT_FOUND"}
    assert await slow_sim.debits() == []
    again, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    slow_sim.clock.advance(10_000)
    assert (await slow_sim.deposit_state(again))["status"] == "COMPLETED"


BAD_STORIES: list[tuple[Any, str]] = [
    ([], "body"),
    ({}, "phone"),
    ({"phone": 2250700000001}, "phone"),
    ({"phone": "0700000001"}, "phone"),
    ({"phone": "225 07"}, "phone"),
    ({"phone": PHONE, "outcome": "601"}, "outcome"),
    ({"phone": PHONE, "outcome": ["paid"]}, "outcome"),
    ({"phone": PHONE, "outcome": True}, "outcome"),
    ({"phone": PHONE, "delay_s": "1"}, "delay_s"),
    ({"phone": PHONE, "delay_s": -1}, "delay_s"),
    ({"phone": PHONE, "delay_s": 1e300}, "delay_s"),
    ({"phone": PHONE, "delay_s": True}, "delay_s"),
    ({"phone": PHONE, "callback": "thrice"}, "callback"),
    ({"phone": PHONE, "answer": "slow"}, "answer"),
    ({"phone": PHONE, "answer": "slow:-1"}, "answer"),
    ({"phone": PHONE, "answer": 500.5}, "answer"),
    ({"phone": PHONE, "answer": {}}, "answer"),
    ({"phone": PHONE, "amount": "0"}, "amount"),
    ({"phone": PHONE, "amount": 1.5}, "amount"),
    ({"phone": PHONE, "currency": "cfa"}, "currency"),
    ({"phone": PHONE, "colour": "blue"}, "colour"),
]


@pytest.mark.parametrize(("body", "field"), BAD_STORIES)
async def test_a_story_that_means_nothing_is_refused_by_the_name_of_its_field(
    sim: Sim, body: Any, field: str
) -> None:
    status, answer = await sim.post("/_control/story", body)
    assert status == 400
    assert answer["error"].startswith(f"{field}:")
    assert (await sim.deposit(PHONE, "ORANGE_CIV"))[1]["status"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"outcome": "paid"}, 400, "reference"),
        ({"reference": 5, "outcome": "paid"}, 400, "reference"),
        ({"reference": "nobody", "outcome": "paid"}, 404, "reference"),
        ({"reference": "nobody"}, 400, "outcome"),
        ({"reference": "nobody", "outcome": "never"}, 400, "outcome"),
        ({"reference": "nobody", "outcome": "paid", "callback": "yes"}, 400, "callback"),
        ({"reference": "nobody", "outcome": "paid", "amount": "5"}, 400, "amount"),
    ],
)
async def test_a_settlement_that_means_nothing_is_refused(
    sim: Sim, body: Any, status: int, field: str
) -> None:
    got, answer = await sim.post("/_control/settle", body)
    assert got == status
    assert answer["error"].startswith(f"{field}:")


async def test_a_negative_delay_is_refused_at_once(start: Start) -> None:
    with pytest.raises(ValueError, match="operator_delay_s"):
        async with start(operator_delay_s=-1):
            pass


async def test_with_the_machines_clock_a_short_delay_passes_by_itself(start: Start) -> None:
    class MachineClock:
        def now(self) -> int:
            return time.time_ns() // 1_000_000

    async with start(operator_delay_s=0.05, clock=MachineClock()) as sim:
        deposit_id, _ = await sim.deposit(PHONE, "ORANGE_CIV")
        assert (await sim.receiver.next())["depositId"] == deposit_id
