"""Moov's 3pp gateway: push then check, codes by SMS, refusals in its three statuses."""

import asyncio
import uuid
from typing import Any

import pytest
from starlette.routing import Route

from cauri.clock import ManualClock
from cauri.simulator.dialects.moov_3pp import Moov3pp

from .conftest import MOOV, Sim, Start, basic

OTP = {"module": "MERCHOTPPAY"}


async def test_a_push_says_only_that_the_prompt_was_sent(slow_sim: Sim) -> None:
    answer = await slow_sim.push(
        "22670000001", "order-1", remarks="Commande 1", message="Boutique", amount=1500
    )
    assert answer["trans-id"].isdigit()
    assert {**answer, "trans-id": ""} == {
        "request-id": "order-1",
        "trans-id": "",
        "status": "0",
        "message": "PROMPT SENT",
        "extended-data": {},
    }
    assert await slow_sim.debits() == []


async def test_the_check_of_a_paid_push_carries_moovs_reference(sim: Sim) -> None:
    pushed = await sim.push("2250102324373")
    answer = await sim.moov("process-check-mror-transaction", {"request-id": pushed["request-id"]})
    assert (answer["status"], answer["trans-id"]) == ("0", pushed["trans-id"])
    assert answer["extended-data"] == {"data": {"reference-id": pushed["trans-id"]}}
    (debit,) = await sim.debits()
    assert (debit["dialect"], debit["amount"], debit["currency"]) == ("moov-3pp", "1500", "XOF")


async def test_an_unknown_request_id_is_unknown_and_not_failed(sim: Sim) -> None:
    assert await sim.moov_state("never-sent") == ("15", "TRANSACTION NOT FOUND")


async def test_the_same_request_id_again_is_refused_without_a_second_debit(sim: Sim) -> None:
    answers = await asyncio.gather(*(sim.push("22670000001", "order-1") for _ in range(10)))
    said = sorted((answer["status"], answer["message"]) for answer in answers)
    assert said == [("0", "PROMPT SENT")] + [("12", "DUPLICATE REQUEST-ID")] * 9
    assert await sim.moov_state("order-1") == ("0", "SUCCESS")
    assert len(await sim.debits()) == 1


BAD_PUSHES: list[tuple[dict[str, Any], str]] = [
    ({"request-id": None}, "INVALID PARAMETER: request-id"),
    ({"request-id": ""}, "INVALID PARAMETER: request-id"),
    ({"request-id": 12}, "INVALID PARAMETER: request-id"),
    ({"request-id": "a b"}, "INVALID PARAMETER: request-id"),
    ({"request-id": "x" * 101}, "INVALID PARAMETER: request-id"),
    ({"destination": None}, "MISSING PARAMETER: destination"),
    ({"destination": "70000001"}, "INVALID PARAMETER: destination"),
    ({"destination": "+22670000001"}, "INVALID PARAMETER: destination"),
    ({"destination": "22812345678"}, "INVALID PARAMETER: destination"),
    ({"destination": ["22670000001"]}, "INVALID PARAMETER: destination"),
    ({"amount": None}, "MISSING PARAMETER: amount"),
    ({"amount": "0"}, "INVALID PARAMETER: amount"),
    ({"amount": "-100"}, "INVALID PARAMETER: amount"),
    ({"amount": "100.00"}, "INVALID PARAMETER: amount"),
    ({"amount": 100.5}, "INVALID PARAMETER: amount"),
    ({"amount": True}, "INVALID PARAMETER: amount"),
    ({"extended-data": "x"}, "INVALID PARAMETER: extended-data"),
    ({"remarks": 5}, "INVALID PARAMETER: remarks"),
    ({"currency": "XOF"}, "INVALID PARAMETER: currency"),
]


@pytest.mark.parametrize(("change", "message"), BAD_PUSHES)
async def test_a_bad_push_is_refused_by_name(sim: Sim, change: dict[str, Any], message: str) -> None:
    body = {"request-id": "order-1", "destination": "22670000001", "amount": "1500", **change}
    answer = await sim.moov("mror-transaction-ussd", body)
    assert (answer["status"], answer["message"]) == ("12", message)
    assert await sim.moov_state("order-1") == ("15", "TRANSACTION NOT FOUND")
    assert await sim.debits() == []


async def test_an_unknown_operation_is_refused(sim: Sim) -> None:
    for command in ("", "process-refund"):
        assert (await sim.moov(command, {"request-id": "order-1"}))["message"] == "UNKNOWN COMMAND-ID"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe"])
async def test_a_body_that_is_no_json_object_is_refused(sim: Sim, body: bytes) -> None:
    headers = {"command-id": "mror-transaction-ussd", "authorization": basic(*MOOV)}
    async with sim.http.post(
        sim.url + "/moov/3pp/transaction/process", data=body, headers=headers
    ) as response:
        assert response.status == 400
        assert (await response.json())["message"] == "INVALID REQUEST BODY"


@pytest.mark.parametrize(
    "header", [None, "Basic", "Basic !!", "Basic /w==", "Bearer x", basic("cauri", "wrong"),
               basic("other", "a-password"), basic("cauri", "")]
)  # fmt: skip
async def test_the_gateway_wants_its_partners_password(sim: Sim, header: str | None) -> None:
    headers = {"command-id": "mror-transaction-ussd"} | ({"authorization": header} if header else {})
    body = {"request-id": "order-1", "destination": "22670000001", "amount": "1500"}
    async with sim.http.post(
        sim.url + "/moov/3pp/transaction/process", json=body, headers=headers
    ) as response:
        assert response.status == 401
    assert await sim.debits() == []


async def create_otp(sim: Sim, phone: str) -> Any:
    body = {"request-id": "order-1", "destination": phone, "amount": "1500", "extended-data": OTP}
    return await sim.moov("process-create-mror-otp", body)


async def commit(sim: Sim, trans_id: str, otp: Any, request_id: str = "commit-1") -> tuple[str, str]:
    extended = {**OTP, "otp": otp, "trans-id": trans_id, "ext1": "", "ext2": ""}
    answer = await sim.moov("process-commit-otppay", {"request-id": request_id, "extended-data": extended})
    return answer["status"], answer["message"]


@pytest.mark.parametrize(
    ("phone", "otp", "end"),
    [
        ("22670000001", "123456", ("0", "SUCCESS")),
        ("22670000001", "000000", ("12", "INVALID OTP")),
        ("22670000602", "123456", ("12", "INSUFFICIENT BALANCE")),
        ("22670000129", "123456", ("15", "PENDING")),
    ],
)
async def test_a_committed_code_decides(slow_sim: Sim, phone: str, otp: str, end: tuple[str, str]) -> None:
    created = await create_otp(slow_sim, phone)
    assert (created["status"], created["message"]) == ("0", "OTP SENT")
    resent = await slow_sim.moov(
        "process-mror-resend-otp",
        {"request-id": "again-1", "extended-data": {**OTP, "trans-id": created["trans-id"]}},
    )
    assert resent["message"] == "OTP SENT"
    assert await slow_sim.moov_state("order-1") == ("15", "PENDING")
    assert await commit(slow_sim, created["trans-id"], otp) == end
    assert await slow_sim.moov_state("order-1") == end
    assert await slow_sim.moov_state("commit-1") == end
    assert len(await slow_sim.debits()) == (1 if end[0] == "0" else 0)


async def test_a_code_is_committed_once(sim: Sim) -> None:
    created = await create_otp(sim, "22670000001")
    assert await commit(sim, created["trans-id"], "123456") == ("0", "SUCCESS")
    assert await commit(sim, created["trans-id"], "123456") == ("12", "DUPLICATE REQUEST-ID")
    again = await commit(sim, created["trans-id"], "123456", str(uuid.uuid4()))
    assert again == ("12", "INVALID PARAMETER: extended-data.trans-id")
    assert len(await sim.debits()) == 1


@pytest.mark.parametrize("otp", [None, "", "12345", "1234567", "abcdef", 123456])
async def test_a_code_that_is_not_six_digits_is_refused(sim: Sim, otp: Any) -> None:
    created = await create_otp(sim, "22670000001")
    assert await commit(sim, created["trans-id"], otp) == ("12", "INVALID PARAMETER: extended-data.otp")
    assert await sim.moov_state("order-1") == ("15", "PENDING")


async def test_a_push_has_no_code_to_commit(slow_sim: Sim) -> None:
    pushed = await slow_sim.push("22670000001")
    assert (await commit(slow_sim, pushed["trans-id"], "123456"))[0] == "12"
    assert (await commit(slow_sim, "no-such-id", "123456"))[0] == "12"


@pytest.mark.parametrize("phone", ["22370000001", "22365000001", "2250100000001", "22670000001"])
async def test_mali_and_cote_divoire_stand_on_the_same_shape(sim: Sim, phone: str) -> None:
    pushed = await sim.push(phone)
    assert (pushed["status"], pushed["message"]) == ("0", "PROMPT SENT")
    assert await sim.moov_state(pushed["request-id"]) == ("0", "SUCCESS")
    refused = await sim.push(phone[:-3] + "602")
    assert await sim.moov_state(refused["request-id"]) == ("12", "INSUFFICIENT BALANCE")
    (debit,) = await sim.debits()
    assert (debit["phone"], debit["currency"]) == (phone, "XOF")


@pytest.mark.parametrize("phone", ["2237000001", "223700000001", "225010000000", "22800000001"])
async def test_a_number_has_its_countrys_length(sim: Sim, phone: str) -> None:
    assert (await sim.push(phone))["message"] == "INVALID PARAMETER: destination"


async def test_a_check_may_be_made_to_know_the_same_day_only(start: Start) -> None:
    clock = ManualClock(10 * 86_400_000 + 1)
    partners = {"other": "password"}

    def strict(exchange: Any, url: str) -> Any:
        return Renamed(exchange, partners, same_day_check=True)

    class Renamed(Moov3pp):
        def routes(self) -> list[Route]:
            (route,) = super().routes()
            return [Route("/strict/3pp/transaction/process", route.endpoint, methods=["POST"])]

    async with start(clock=clock, dialects=[strict]) as sim:
        pushed = await sim.push("22670000001")
        headers = {"command-id": "process-check-transaction", "authorization": basic(*partners.popitem())}
        for advance_ms, message in ((86_399_998, "SUCCESS"), (1, "TRANSACTION NOT FOUND")):
            clock.advance(advance_ms)
            body = {"request-id": pushed["request-id"]}
            _, answer = await sim.post("/strict/3pp/transaction/process", body, headers)
            assert answer["message"] == message
            assert await sim.moov_state(pushed["request-id"]) == ("0", "SUCCESS")
