"""Orange Burkina's OMPREQ: one POST of XML, answered at once by a fragment without root."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import aiohttp
import pytest

from cauri.simulator.dialects.orange_burkina import WORDS, OrangeBurkina
from cauri.simulator.stories import FAILURE_CODES

from .conftest import Sim, Start

ACCESS = ("om-user", "om-password", "76000001")
PHONE = "07000001"
REMOVE = object()


def burkina(exchange: Any, url: str) -> OrangeBurkina:
    return OrangeBurkina(exchange, *ACCESS)


@pytest.fixture
async def sim(start: Start) -> AsyncIterator[Sim]:
    async with start(operator_delay_s=10, dialects=[burkina]) as running:
        yield running


def fields(**more: Any) -> dict[str, str]:
    all_fields = {
        "TYPE": "OMPREQ",
        "customer_msisdn": PHONE,
        "merchant_msisdn": "76000001",
        "api_username": "om-user",
        "api_password": "om-password",
        "amount": "1500",
        "PROVIDER": "101",
        "PROVIDER2": "101",
        "PAYID": "12",
        "PAYID2": "12",
        "otp": "123456",
        "reference_number": "Boutique",
        "ext_txn_id": "order-1",
    } | more
    return {name: value for name, value in all_fields.items() if value is not REMOVE}


def command(**more: Any) -> bytes:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields(**more).items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<COMMAND>{inner}</COMMAND>'.encode()


async def send(sim: Sim, body: bytes) -> tuple[int, str, dict[str, str]]:
    url, headers = sim.url + "/orange-burkina/payment", {"content-type": "text/xml"}
    async with sim.http.post(url, data=body, headers=headers) as response:
        text = await response.text()
    answer = {child.tag: child.text or "" for child in ElementTree.fromstring(f"<r>{text}</r>")}
    return response.status, text, answer


async def pay(sim: Sim, **more: Any) -> dict[str, str]:
    status, _, answer = await send(sim, command(**more))
    assert status == 200
    return answer


@pytest.mark.parametrize(
    ("sent", "accepted", "status"),
    [
        ("text/xml; charset=utf-8", "text/xml, application/xml, */*;q=0.1", 200),
        ("application/xml", "*/*", 200),
        ("application/json", "*/*", 415),
        ("", "*/*", 415),
        ("text/xml", "application/json", 406),
    ],
)
async def test_it_reads_and_writes_xml_alone(sim: Sim, sent: str, accepted: str, status: int) -> None:
    headers = {"content-type": sent, "accept": accepted}
    async with sim.http.post(f"{sim.url}/orange-burkina/payment", data=command(), headers=headers) as answer:
        assert answer.status == status
    assert len(await sim.debits()) == (1 if status == 200 else 0)


async def test_a_right_code_pays_at_once_and_the_answer_has_no_root(sim: Sim) -> None:
    status, text, answer = await send(sim, command())
    assert status == 200
    assert text.startswith("<status>200</status><message>")
    assert list(answer) == ["status", "message", "transID"]
    (debit,) = await sim.debits()
    assert (debit["dialect"], debit["reference"], debit["phone"], debit["amount"], debit["currency"]) == (
        "orange-burkina", "order-1", "22607000001", "1500", "XOF",
    )  # fmt: skip
    assert debit["operator_id"] == answer["transID"]


BAD: list[tuple[dict[str, Any], str, str]] = [
    *[
        ({name: REMOVE}, "CAURI_MALFORMED", name)
        for name in fields()
        if name not in ("otp", "customer_msisdn")
    ],
    ({"customer_msisdn": REMOVE}, "CAURI_MALFORMED", "customer_msisdn"),
    ({"TYPE": "OMPQ"}, "CAURI_MALFORMED", "TYPE"),
    ({"PAYID": "13"}, "CAURI_MALFORMED", "PAYID"),
    ({"amount": "0"}, "CAURI_MALFORMED", "amount"),
    ({"amount": "-5"}, "CAURI_MALFORMED", "amount"),
    ({"amount": "1500.00"}, "CAURI_MALFORMED", "amount"),
    ({"amount": "١٥٠٠"}, "CAURI_MALFORMED", "amount"),
    ({"ext_txn_id": "a b"}, "CAURI_MALFORMED", "ext_txn_id"),
    ({"colour": "blue"}, "CAURI_MALFORMED", "colour"),
    ({"api_password": "wrong"}, "CAURI_603", ""),
    ({"api_username": "x"}, "CAURI_603", ""),
    ({"merchant_msisdn": "76000002"}, "CAURI_603", ""),
    ({"customer_msisdn": "70000001"}, "00066", ""),
    ({"customer_msisdn": "2250700000001"}, "00066", ""),
    ({"customer_msisdn": "0700000"}, "00066", ""),
]


@pytest.mark.parametrize(("change", "word", "named"), BAD)
async def test_a_bad_request_is_refused_by_name_and_not_recorded(
    sim: Sim, change: dict[str, Any], word: str, named: str
) -> None:
    answer = await pay(sim, **change)
    assert (answer["status"], answer["transID"]) == (word, "")
    assert answer["message"].startswith(named)
    assert (await sim.get("/_control/books"))[1]["requests"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"<COMMAND>", b"<OTHER/>", b"\xff\xfe", b"<COMMAND>" + b" " * 70_000 + b"</COMMAND>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><COMMAND><TYPE>&a;</TYPE></COMMAND>',
        b'<?xml version="1.0" encoding="nonsense"?><COMMAND/>',
    ],
)  # fmt: skip
async def test_what_is_no_command_is_refused(sim: Sim, body: bytes) -> None:
    status, _, answer = await send(sim, body)
    assert (status, answer["status"]) == (400, "CAURI_MALFORMED")


async def test_a_field_twice_or_nested_is_refused(sim: Sim) -> None:
    twice = command().replace(b"</COMMAND>", b"<amount>5</amount></COMMAND>")
    nested = command(otp=REMOVE).replace(b"</COMMAND>", b"<otp><x/></otp></COMMAND>")
    for body, named in ((twice, "amount"), (nested, "otp")):
        _, _, answer = await send(sim, body)
        assert (answer["status"], answer["message"][: len(named)]) == ("CAURI_MALFORMED", named)


@pytest.mark.parametrize(
    ("otp", "word"),
    [("123456", "200"), ("999999", "200"), ("000000", "OTPINV"), ("12345", "OTPINV"), ("", "OTPINV"),
     ("abcdef", "OTPINV"), ("111111", "990418"), ("222222", "08")],
)  # fmt: skip
async def test_the_code_decides(sim: Sim, otp: str, word: str) -> None:
    assert (await pay(sim, otp=otp))["status"] == word
    assert len(await sim.debits()) == (1 if word == "200" else 0)


async def test_a_code_is_bound_to_number_and_amount_and_used_once(sim: Sim) -> None:
    status, made = await sim.post("/orange-burkina/otp", {"phone": "+226 07 00 00 01", "amount": "1500"})
    assert (status, made["phone"]) == (201, "22607000001")
    tries = [
        ({"otp": made["otp"], "amount": "1600"}, "08"),
        ({"otp": "123456"}, "OTPINV"),
        ({"otp": made["otp"], "customer_msisdn": "22607000001"}, "200"),
        ({"otp": made["otp"]}, "990418"),
    ]
    words = [(await pay(sim, ext_txn_id=f"order-{n}", **more))["status"] for n, (more, _) in enumerate(tries)]
    assert words == [word for _, word in tries]
    for bad, field in (({"phone": "70000001", "amount": "5"}, "phone"), ({"phone": PHONE}, "amount")):
        status, answer = await sim.post("/orange-burkina/otp", bad)
        assert (status, answer["error"].split(":")[0]) == (400, field)


@pytest.mark.parametrize("code", FAILURE_CODES)
async def test_a_number_fails_with_the_word_of_its_last_digits(sim: Sim, code: str) -> None:
    assert (await pay(sim, customer_msisdn=f"07000{code}"))["status"] == WORDS[code]
    assert await sim.debits() == []


async def test_an_ext_txn_id_is_used_once_even_at_the_same_moment(sim: Sim) -> None:
    answers = await asyncio.gather(*(pay(sim) for _ in range(10)))
    assert sorted(answer["status"] for answer in answers) == ["200"] + ["CAURI_DUPLICATE"] * 9
    assert len(await sim.debits()) == 1


async def test_a_lost_answer_leaves_a_debit_that_nobody_can_ask_about(sim: Sim) -> None:
    await sim.story("22607000001", answer="drop_after")
    with pytest.raises((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)):
        await pay(sim)
    assert len(await sim.debits()) == 1
    async with sim.http.get(sim.url + "/orange-burkina/payment") as response:
        assert response.status == 405


async def test_a_number_that_never_answers_keeps_its_request_waiting(sim: Sim) -> None:
    waiting = asyncio.ensure_future(pay(sim, customer_msisdn="07000129"))
    while not (await sim.get("/_control/books"))[1]["requests"]:
        await asyncio.sleep(0)
    assert not waiting.done()
    sim.clock.advance(600_000)
    with pytest.raises((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)):
        await asyncio.wait_for(waiting, 5)
    assert await sim.debits() == []


async def test_an_answer_can_be_slow_before_or_after_the_debit(sim: Sim) -> None:
    for n, (story, debited) in enumerate((({"delay_s": 30}, 0), ({"answer": "slow:30"}, 1))):
        await sim.post("/_control/reset")
        await sim.story("22607000001", **story)
        asked = asyncio.ensure_future(pay(sim, ext_txn_id=f"order-{n}"))
        while not (await sim.get("/_control/books"))[1]["requests"]:
            await asyncio.sleep(0)
        assert len(await sim.debits()) == debited
        sim.clock.advance(30_000)
        assert (await asyncio.wait_for(asked, 5))["status"] == "200"
        assert len(await sim.debits()) == 1


async def test_an_empty_wallet_has_the_last_word(sim: Sim) -> None:
    await sim.post(
        "/_control/wallet", {"phone": "22607000001", "balance": "1499", "limits": {"day_count": 1}}
    )
    assert (await pay(sim))["status"] == "CAURI_602"
    words = [(await pay(sim, ext_txn_id=f"order-{n}", amount="100"))["status"] for n in (2, 3)]
    assert words == ["200", "CAURI_807"]
