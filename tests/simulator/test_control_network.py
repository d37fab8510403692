"""Faults on order, weather by a seed, the operators' clock, the list of what they received."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from cauri.simulator.dialects.orange_burkina import OrangeBurkina
from cauri.simulator.dialects.orange_webpay import OrangeWebPay
from cauri.simulator.faults import Weather
from cauri.simulator.received import without_secrets

from .conftest import MOOV, TOKEN, Sim, Start, a_deposit, basic

PHONE, MOOV_PHONE = "2250700000001", "22670000001"
BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)


@pytest.fixture
async def many(start: Start) -> AsyncIterator[Sim]:
    """With Orange beside the two usual ones."""

    def webpay(exchange: Any, url: str) -> OrangeWebPay:
        return OrangeWebPay(exchange, "client", "secret", {"ci": "key"}, url)

    def burkina(exchange: Any, url: str) -> OrangeBurkina:
        return OrangeBurkina(exchange, "u", "p", "76000001")

    async with start(dialects=[webpay, burkina]) as running:
        yield running


async def order(sim: Sim, fault: str, door: str, **more: Any) -> None:
    status, answer = await sim.post("/_control/faults", {"fault": fault, "door": door} | more)
    assert status == 200, answer


async def faults(sim: Sim) -> list[Any]:
    left: list[Any] = (await sim.get("/_control/faults"))[1]["faults"]
    return left


@pytest.mark.parametrize(("fault", "recorded"), [("drop_before", False), ("drop_after", True)])
async def test_the_next_starts_of_one_operator_are_dropped(sim: Sim, fault: str, recorded: bool) -> None:
    await order(sim, fault, "start", operator="pawapay", times=2)
    assert (await sim.push(MOOV_PHONE))["status"] == "0"
    for _ in range(2):
        body = a_deposit()
        with pytest.raises(BROKEN):
            await sim.pawapay("/deposits", body)
        _, state = await sim.pawapay(f"/deposits/{body['depositId']}")
        assert state["status"] == ("FOUND" if recorded else "NOT_FOUND")
    assert await faults(sim) == []
    assert (await sim.deposit(PHONE, "ORANGE_CIV"))[1]["status"] == "ACCEPTED"


async def test_checks_of_every_operator_are_spoiled_while_starts_are_not(sim: Sim) -> None:
    await order(sim, "500", "check", times=2)
    deposit_id, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    pushed = await sim.push(MOOV_PHONE, "order-1")
    assert pushed["status"] == "0"
    for path, headers in (
        ("/pawapay/v2/deposits/" + deposit_id, {"authorization": f"Bearer {TOKEN}"}),
        (
            "/moov/3pp/transaction/process",
            {"command-id": "process-check-transaction", "authorization": basic(*MOOV)},
        ),
    ):
        method = "GET" if "pawapay" in path else "POST"
        async with sim.http.request(
            method, sim.url + path, json={"request-id": "order-1"}, headers=headers
        ) as answer:
            assert (answer.status, await answer.text()) == (500, "Internal Server Error")
    assert (await sim.deposit_state(deposit_id))["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("fault", "status", "recorded"), [("429", 429, 0), ("503", 503, 0), ("500", 500, 1), ("nonsense", 200, 1)]
)
async def test_a_proxy_in_front_speaks_in_plain_words(
    sim: Sim, fault: str, status: int, recorded: int
) -> None:
    await order(sim, fault, "start")
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with sim.http.post(sim.url + "/pawapay/v2/deposits", json=a_deposit(), headers=headers) as answer:
        assert answer.status == status
        assert "depositId" not in await answer.text()
    assert len(await sim.debits()) == recorded


async def test_a_slow_answer_comes_when_the_clock_says_so(sim: Sim) -> None:
    await order(sim, "slow:90", "start", operator="pawapay")
    asked = asyncio.ensure_future(sim.pawapay("/deposits", a_deposit()))
    assert (await sim.receiver.next())["status"] == "COMPLETED"
    assert not asked.done()
    await sim.post("/_control/clock", {"advance_s": 90})
    assert (await asyncio.wait_for(asked, 5))[1]["status"] == "ACCEPTED"


async def test_a_request_that_arrives_twice_debits_once(sim: Sim) -> None:
    await order(sim, "twice", "start", times=2)
    _, answer = await sim.deposit(PHONE, "ORANGE_CIV")
    assert answer["status"] == "ACCEPTED"
    assert (await sim.push(MOOV_PHONE))["message"] == "PROMPT SENT"
    assert len(await sim.debits()) == 2


async def test_callbacks_are_dropped_repeated_or_late(sim: Sim) -> None:
    await order(sim, "drop_before", "callback", operator="pawapay")
    lost, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    told, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    assert (await sim.receiver.next())["depositId"] == told
    await sim.post("/_control/clock", {"advance_s": 5})
    assert (await sim.receiver.next())["depositId"] == lost
    await order(sim, "twice", "callback")
    twice, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    assert [(await sim.receiver.next())["depositId"] for _ in range(2)] == [twice] * 2
    await order(sim, "drop_after", "callback")
    unheard, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    assert (await sim.receiver.next())["depositId"] == unheard
    while len((await sim.get("/_control/callbacks"))[1]["callbacks"]) < 5:
        await asyncio.sleep(0)
    await sim.post("/_control/clock", {"advance_s": 5})
    assert (await sim.receiver.next())["depositId"] == unheard
    await order(sim, "slow:60", "callback")
    late, _ = await sim.deposit(PHONE, "ORANGE_CIV")
    assert (await sim.deposit_state(late))["status"] == "COMPLETED"
    assert sim.receiver.waiting() == 0
    await sim.post("/_control/clock", {"advance_s": 60})
    assert (await sim.receiver.next())["depositId"] == late


async def test_tokens_and_single_paths_can_be_spoiled_too(many: Sim) -> None:
    await order(many, "503", "token", operator="orange-webpay")
    headers = {"authorization": basic("client", "secret")}
    for status in (503, 200):
        async with many.http.post(
            many.url + "/orange/oauth/v3/token", data={"grant_type": "client_credentials"}, headers=headers
        ) as answer:
            assert answer.status == status
    await order(many, "503", "/pawapay/v2/predict-provider")
    assert (await many.pawapay("/availability"))[0] == 200
    with pytest.raises(aiohttp.ContentTypeError):
        await many.pawapay("/predict-provider", {"phoneNumber": PHONE})


async def test_orders_that_wait_can_be_seen_and_forgotten(sim: Sim) -> None:
    await order(sim, "500", "start", operator="pawapay", times=3)
    await order(sim, "twice", "callback")
    assert await faults(sim) == [
        {"fault": "500", "door": "start", "operator": "pawapay", "times": 3},
        {"fault": "twice", "door": "callback", "operator": None, "times": 1},
    ]
    async with sim.http.delete(sim.url + "/_control/faults") as answer:
        assert await answer.json() == {"faults": []}
    assert await faults(sim) == []
    await order(sim, "500", "start")
    await sim.post("/_control/reset")
    assert (await sim.deposit(PHONE, "ORANGE_CIV"))[1]["status"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"fault": "500"}, "door"),
        ({"fault": "500", "door": "window"}, "door"),
        ({"fault": "500", "door": "/nowhere"}, "door"),
        ({"door": "start"}, "fault"),
        ({"door": "start", "fault": "fire"}, "fault"),
        ({"door": "start", "fault": "slow"}, "fault"),
        ({"door": "start", "fault": 500}, "fault"),
        ({"door": "callback", "fault": "nonsense"}, "fault"),
        ({"door": "start", "fault": "500", "times": 0}, "times"),
        ({"door": "start", "fault": "500", "times": "2"}, "times"),
        ({"door": "start", "fault": "500", "times": True}, "times"),
        ({"door": "start", "fault": "500", "operator": "nobody"}, "operator"),
        ({"door": "start", "fault": "500", "operator": ["pawapay"]}, "operator"),
        ({"door": "start", "fault": "500", "colour": 1}, "colour"),
    ],
)
async def test_an_order_that_means_nothing_is_refused(sim: Sim, body: Any, field: str) -> None:
    status, answer = await sim.post("/_control/faults", body)
    assert (status, answer["error"].split(":")[0]) == (400, field)
    assert await faults(sim) == []


async def weathered(sim: Sim, **weather: Any) -> list[str]:
    """What forty starts in this weather were answered."""
    assert (await sim.post("/_control/weather", weather))[0] == 200
    said = []
    for _ in range(40):
        try:
            said.append(str((await sim.pawapay("/deposits", a_deposit()))[1]["status"]))
        except BROKEN:
            said.append("broken")
        except aiohttp.ContentTypeError as error:
            said.append(str(error.status))
    return said


async def test_the_same_seed_is_the_same_weather(sim: Sim) -> None:
    bad = {"drop": 0.3, "error": 0.2, "nonsense": 0.1}
    first = await weathered(sim, seed=7, **bad)
    again = await weathered(sim, seed=7, **bad)
    other = await weathered(sim, seed=8, **bad)
    assert first == again != other
    assert {"broken", "500", "200", "ACCEPTED"} == set(first)
    assert set(await weathered(sim)) == {"ACCEPTED"}
    assert set(await weathered(sim, seed=7, drop=1, operators=["moov-3pp"])) == {"ACCEPTED"}


async def test_the_weather_hits_callbacks_but_no_pages(many: Sim) -> None:
    await many.post("/_control/weather", {"drop": 1})
    async with many.http.get(many.url + "/orange/otp") as answer:
        assert answer.status == 200
    with pytest.raises(BROKEN):
        await many.pawapay("/availability")
    assert Weather(drop=1).fault("pawapay", "callback", 1) in ("drop_before", "drop_after")
    assert Weather(error=1).fault("pawapay", "callback", 1) is None
    assert (await many.get("/_control/weather"))[1]["drop"] == 1


def test_chances_are_kept_over_many_throws() -> None:
    weather = Weather(seed=1, drop=0.1, twice=0.2, slow=0.3, slow_s=1.5)
    seen = [weather.fault("pawapay", "start", n) for n in range(4000)]
    share = {fault: seen.count(fault) / 4000 for fault in set(seen)}
    expected = {"drop_before": 0.05, "drop_after": 0.05, "twice": 0.2, "slow:1.5": 0.3, None: 0.4}
    assert all(abs(share[fault] - chance) < 0.03 for fault, chance in expected.items())


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"drop": 1.1}, "drop"),
        ({"drop": -0.1}, "drop"),
        ({"drop": "often"}, "drop"),
        ({"drop": True}, "drop"),
        ({"drop": 0.6, "slow": 0.6}, "drop"),
        ({"seed": "x"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"slow_s": -1}, "slow_s"),
        ({"operators": "pawapay"}, "operators"),
        ({"operators": ["nobody"]}, "operators"),
        ({"rain": 1}, "rain"),
    ],
)
async def test_weather_that_means_nothing_is_refused(sim: Sim, body: Any, field: str) -> None:
    status, answer = await sim.post("/_control/weather", body)
    assert (status, answer["error"].split(":")[0]) == (400, field)


async def test_the_operators_clock_moves_forward_alone_and_is_put_back(slow_sim: Sim) -> None:
    now = slow_sim.clock.now()
    deposit_id, _ = await slow_sim.deposit(PHONE, "ORANGE_CIV")
    status, clock = await slow_sim.post("/_control/clock", {"advance_s": 9.999})
    assert (status, clock) == (200, {"now": now + 9_999, "ahead_s": 9.999})
    assert (await slow_sim.deposit_state(deposit_id))["status"] == "PROCESSING"
    await slow_sim.post("/_control/clock", {"advance_s": 0.001})
    assert (await slow_sim.deposit_state(deposit_id))["status"] == "COMPLETED"
    assert slow_sim.clock.now() == now
    assert (await slow_sim.debits())[0]["debited_at"] == now + 10_000
    await slow_sim.post("/_control/reset")
    assert (await slow_sim.get("/_control/clock"))[1] == {"now": now, "ahead_s": 0}


@pytest.mark.parametrize(
    "body", [{}, {"advance_s": -1}, {"advance_s": "5"}, {"advance_s": 1e12}, {"back_s": 5}]
)
async def test_the_clock_takes_seconds_forward_only(sim: Sim, body: Any) -> None:
    status, answer = await sim.post("/_control/clock", body)
    assert status == 400
    assert answer["error"].split(":")[0] in ("advance_s", "back_s")


async def test_what_was_received_is_listed_by_operator_and_door_without_secrets(many: Sim) -> None:
    body = a_deposit()
    await many.pawapay("/deposits", body)
    await many.push(MOOV_PHONE, "order-1")
    await many.moov_state("order-1")
    await order(many, "drop_after", "check")
    with pytest.raises(BROKEN):
        await many.moov_state("order-1")
    xml = "<COMMAND><api_password>hunter2</api_password><amount>1500</amount></COMMAND>"
    url, as_xml = many.url + "/orange-burkina/payment", {"content-type": "text/xml"}
    async with many.http.post(url, data=xml, headers=as_xml) as answer:
        assert answer.status == 200
    async with many.http.post(
        many.url + "/orange/oauth/v3/token", data={"client_secret": "hunter2", "grant_type": "x"}
    ):
        pass
    _, everything = await many.get("/_control/requests")
    text = str(everything)
    for secret in ("hunter2", TOKEN, MOOV[1], PHONE, MOOV_PHONE):
        assert secret not in text
    _, moov = await many.get("/_control/requests?operator=moov-3pp")
    assert [(one["door"], one["status"], one["fault"]) for one in moov["requests"]] == [
        ("start", 200, None), ("check", 200, None), ("check", None, "drop_after"),
    ]  # fmt: skip
    _, starts = await many.get("/_control/requests?operator=pawapay&door=start")
    (one,) = starts["requests"]
    assert (one["method"], one["path"], one["body"]["depositId"], one["body"]["amount"]) == (
        "POST", "/pawapay/v2/deposits", body["depositId"], "1500",
    )  # fmt: skip
    assert one["body"]["payer"] == "•••"
    _, burkina = await many.get("/_control/requests?door=/orange-burkina/payment")
    assert burkina["requests"][0]["body"] == {"api_password": "•••", "amount": "1500"}
    assert (await many.get("/_control/requests?operator=nobody"))[0] == 400
    assert (await many.get("/_control/requests?door=nowhere"))[0] == 400
    await many.post("/_control/reset")
    assert (await many.get("/_control/requests"))[1] == {"requests": []}


@pytest.mark.parametrize(
    "body", [b"\xff\xfe=\x00", b"[" * 70_000, b"=&=&=", b"<a>" * 9_000, b"a=1&" * 60, b"null", b"{"]
)
def test_no_body_breaks_the_list(body: bytes) -> None:
    without_secrets(body)


async def test_the_doors_are_listed_and_an_unknown_one_names_the_others(many: Sim) -> None:
    _, doors = await many.get("/_control/doors")
    assert doors["operators"] == ["pawapay", "moov-3pp", "orange-webpay", "orange-burkina"]
    assert "/orange/oauth/v3/token" in doors["paths"]
    status, answer = await many.post("/_control/restart", {})
    assert status == 404
    assert "POST /_control/reset" in answer["error"]
    assert (await many.get("/_control/reset"))[0] == 404
