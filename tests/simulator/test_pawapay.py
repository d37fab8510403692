"""pawaPay's doors: what they refuse, how often they debit, when they call back."""

import asyncio
import json
import uuid
from typing import Any

import pytest

from .conftest import Sim, Start, a_deposit


def but(**changes: Any) -> dict[str, Any]:
    body = a_deposit() | changes
    return {name: value for name, value in body.items() if value is not ...}


def payer(**changes: Any) -> dict[str, Any]:
    account = {"phoneNumber": "2250700000001", "provider": "ORANGE_CIV"} | changes
    return {
        "type": "MMO",
        "accountDetails": {name: value for name, value in account.items() if value is not ...},
    }


REFUSED = [
    (but(depositId=...), "MISSING_PARAMETER", "depositId"),
    (but(depositId=""), "MISSING_PARAMETER", "depositId"),
    (but(depositId="42"), "INVALID_PARAMETER", "depositId"),
    (but(depositId=str(uuid.uuid1())), "INVALID_PARAMETER", "depositId"),
    (but(depositId=uuid.uuid4().hex), "INVALID_PARAMETER", "depositId"),
    (but(depositId=7), "INVALID_PARAMETER", "depositId"),
    (but(amount=...), "MISSING_PARAMETER", "amount"),
    (but(amount=1500), "INVALID_PARAMETER", "amount"),
    (but(amount="01500"), "INVALID_PARAMETER", "amount"),
    (but(amount="1500.00"), "INVALID_PARAMETER", "amount"),
    (but(amount="1 500"), "INVALID_PARAMETER", "amount"),
    (but(amount="-5"), "INVALID_PARAMETER", "amount"),
    (but(amount="1e3"), "INVALID_PARAMETER", "amount"),
    (but(amount="١٥٠٠"), "INVALID_PARAMETER", "amount"),
    (but(currency="cfa"), "INVALID_PARAMETER", "currency"),
    (but(payer=...), "MISSING_PARAMETER", "payer"),
    (but(payer=[]), "INVALID_PARAMETER", "payer"),
    (but(payer={"type": "CARD"}), "INVALID_PARAMETER", "payer.type"),
    (but(payer=payer(phoneNumber=...)), "MISSING_PARAMETER", "payer.accountDetails.phoneNumber"),
    (but(payer=payer(provider=...)), "MISSING_PARAMETER", "payer.accountDetails.provider"),
    (but(payer=payer(name="Awa")), "UNSUPPORTED_PARAMETER", "payer.accountDetails.name"),
    (but(country="CIV"), "UNSUPPORTED_PARAMETER", "country"),
    (but(customerMessage="abc"), "INVALID_PARAMETER", "customerMessage"),
    (but(customerMessage="Commande n°5"), "INVALID_PARAMETER", "customerMessage"),
    (but(metadata={"order": "1"}), "INVALID_PARAMETER", "metadata"),
    (but(metadata=[{"a": 1, "b": 2}]), "INVALID_PARAMETER", "metadata"),
    (but(metadata=[{f"k{n}": n} for n in range(11)]), "INVALID_PARAMETER", "metadata"),
    (but(metadata=[{"order": "1"}, {"order": "2"}]), "DUPLICATE_METADATA_FIELD", "order"),
    (
        but(payer=payer(phoneNumber="22607000001", provider="ORANGE_BFA")),
        "MISSING_PARAMETER",
        "preAuthorisationCode",
    ),
    (but(payer=payer(provider="WAVE_CIV")), "MISSING_PARAMETER", "successfulUrl"),
    (
        but(payer=payer(provider="WAVE_CIV"), successfulUrl="https://shop.example/ok"),
        "MISSING_PARAMETER",
        "failedUrl",
    ),
    (
        but(payer=payer(provider="WAVE_CIV"), successfulUrl="javascript:alert(1)"),
        "INVALID_PARAMETER",
        "successfulUrl",
    ),
]

REJECTED = [
    (but(payer=payer(provider="MOOV_CIV")), "INVALID_PROVIDER"),
    (but(currency="XAF"), "INVALID_CURRENCY"),
    (but(payer=payer(phoneNumber="+2250700000001")), "INVALID_PHONE_NUMBER"),
    (but(payer=payer(phoneNumber="0700000001")), "INVALID_PHONE_NUMBER"),
    (but(payer=payer(phoneNumber="22507000001")), "INVALID_PHONE_NUMBER"),
    (but(payer=payer(phoneNumber="221770000001")), "INVALID_PHONE_NUMBER"),
    (but(amount="1500.5"), "INVALID_AMOUNT"),
    (but(amount="99"), "AMOUNT_OUT_OF_BOUNDS"),
    (but(amount="2000001"), "AMOUNT_OUT_OF_BOUNDS"),
    (but(amount="0"), "AMOUNT_OUT_OF_BOUNDS"),
]

COD_AMOUNTS = [
    ("VODACOM_MPESA_COD", "243810000001", "CDF", "1500.5", "REJECTED"),
    ("VODACOM_MPESA_COD", "243810000001", "USD", "2.25", "ACCEPTED"),
    ("AIRTEL_COD", "243970000001", "CDF", "1500.25", "ACCEPTED"),
    ("ORANGE_COD", "243890000001", "USD", "2.125", "REJECTED"),
]


@pytest.mark.parametrize(("body", "failure_code", "named"), REFUSED)
async def test_a_malformed_deposit_is_refused_by_name(
    sim: Sim, body: dict[str, Any], failure_code: str, named: str
) -> None:
    status, answer = await sim.pawapay("/deposits", body)
    assert status == 400
    assert answer["failureReason"]["failureCode"] == failure_code
    assert f"'{named}'" in answer["failureReason"]["failureMessage"]
    assert await sim.debits() == []


@pytest.mark.parametrize(("body", "failure_code"), REJECTED)
async def test_a_deposit_that_cannot_be_served_is_rejected_with_200(
    sim: Sim, body: dict[str, Any], failure_code: str
) -> None:
    status, answer = await sim.pawapay("/deposits", body)
    assert (status, answer["status"], answer["depositId"]) == (200, "REJECTED", body["depositId"])
    assert answer["failureReason"]["failureCode"] == failure_code
    assert (await sim.pawapay(f"/deposits/{body['depositId']}"))[1] == {"status": "NOT_FOUND"}


@pytest.mark.parametrize(("provider", "phone", "currency", "amount", "status"), COD_AMOUNTS)
async def test_decimals_are_the_providers_own(
    sim: Sim, provider: str, phone: str, currency: str, amount: str, status: str
) -> None:
    _, answer = await sim.deposit(phone, provider, currency=currency, amount=amount)
    assert answer["status"] == status


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b'"\\ud800"', b"[" * 50_000, b"{" + b" " * 70_000]
)
async def test_a_body_that_is_no_json_object_is_invalid_input(sim: Sim, body: bytes) -> None:
    await is_invalid_input(sim, body, "application/json")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_a_deposit_that_is_not_sent_as_json_is_invalid_input(sim: Sim, kind: str) -> None:
    await is_invalid_input(sim, json.dumps(a_deposit()).encode(), kind)
    assert (await sim.get("/_control/books"))[1]["requests"] == []


async def is_invalid_input(sim: Sim, body: bytes, kind: str) -> None:
    headers = {"authorization": "Bearer a-token-of-the-sandbox", "content-type": kind}
    async with sim.http.post(sim.url + "/pawapay/v2/deposits", data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["failureReason"]["failureCode"] == "INVALID_INPUT"


@pytest.mark.parametrize(
    ("header", "status", "failure_code"),
    [
        (None, 401, "NO_AUTHENTICATION"),
        ("Basic YTpi", 401, "NO_AUTHENTICATION"),
        ("Bearer", 401, "NO_AUTHENTICATION"),
        ("Bearer another", 403, "AUTHENTICATION_ERROR"),
    ],
)
async def test_every_door_wants_the_token(
    sim: Sim, header: str | None, status: int, failure_code: str
) -> None:
    headers = {"authorization": header} if header else None
    answers = [
        await sim.post("/pawapay/v2/deposits", a_deposit(), headers),
        await sim.get(f"/pawapay/v2/deposits/{uuid.uuid4()}", headers),
        await sim.post(f"/pawapay/v2/deposits/resend-callback/{uuid.uuid4()}", {}, headers),
        await sim.get("/pawapay/v2/active-conf", headers),
        await sim.get("/pawapay/v2/availability", headers),
        await sim.post("/pawapay/v2/predict-provider", {"phoneNumber": "2250700000001"}, headers),
    ]
    assert {(code, answer["failureReason"]["failureCode"]) for code, answer in answers} == {
        (status, failure_code)
    }


async def test_the_same_deposit_id_again_is_ignored_and_debited_once(sim: Sim) -> None:
    body = a_deposit()
    first, *others = [(await sim.pawapay("/deposits", body))[1] for _ in range(3)]
    assert first["status"] == "ACCEPTED"
    assert [answer["status"] for answer in others] == ["DUPLICATE_IGNORED", "DUPLICATE_IGNORED"]
    assert len(await sim.debits()) == 1


async def test_twenty_copies_of_one_deposit_at_the_same_moment_debit_once(sim: Sim) -> None:
    body = a_deposit()
    answers = await asyncio.gather(*(sim.pawapay("/deposits", body) for _ in range(20)))
    assert sorted(answer["status"] for _, answer in answers) == ["ACCEPTED"] + ["DUPLICATE_IGNORED"] * 19
    assert len(await sim.debits()) == 1


async def test_an_unknown_deposit_is_not_found_with_200(sim: Sim) -> None:
    assert await sim.pawapay(f"/deposits/{uuid.uuid4()}") == (200, {"status": "NOT_FOUND"})
    status, answer = await sim.pawapay("/deposits/not-a-uuid")
    assert (status, answer["failureReason"]["failureCode"]) == (400, "INVALID_PARAMETER")


async def test_the_callback_tells_the_end_with_four_decimals_and_without_the_clients_reference(
    sim: Sim,
) -> None:
    more = {
        "clientReferenceId": "INV-1",
        "customerMessage": "Commande 12",
        "metadata": [{"order": "12", "isPII": True}],
    }
    deposit_id, answer = await sim.deposit("2250700000001", "ORANGE_CIV", **more)
    assert answer["nextStep"] == "FINAL_STATUS"
    told = await sim.receiver.next()
    assert told["depositId"] == deposit_id
    assert (told["status"], told["amount"], told["currency"], told["country"]) == (
        "COMPLETED",
        "1500.0000",
        "XOF",
        "CIV",
    )
    assert told["payer"]["accountDetails"] == {"phoneNumber": "2250700000001", "provider": "ORANGE_CIV"}
    assert told["metadata"] == {"order": "12"}
    assert "clientReferenceId" not in told
    state = await sim.deposit_state(deposit_id)
    assert (state["amount"], state["clientReferenceId"]) == ("1500.00", "INV-1")
    assert state["providerTransactionId"] == told["providerTransactionId"]


async def test_a_failure_is_called_back_with_its_reason(sim: Sim) -> None:
    await sim.deposit("2250700000602", "ORANGE_CIV")
    told = await sim.receiver.next()
    assert (told["status"], told["failureReason"]["failureCode"]) == ("FAILED", "INSUFFICIENT_BALANCE")


async def test_a_callback_is_tried_again_until_it_is_answered_200(sim: Sim) -> None:
    sim.receiver.answers = [500, 204, 302]
    await sim.deposit("2250700000001", "ORANGE_CIV")
    for tries_made, gap_s in enumerate((5, 10, 20), start=1):
        await tries_told(sim, tries_made)
        sim.clock.advance(gap_s * 1000)
    tries = await tries_told(sim, 4)
    assert [one["status"] for one in tries] == [500, 204, 302, 200]
    sim.clock.advance(900_000)
    assert len((await sim.get("/_control/callbacks"))[1]["callbacks"]) == 4


async def test_a_callback_is_given_up_after_fifteen_minutes(sim: Sim) -> None:
    sim.receiver.answers = [500] * 50
    started = sim.clock.now()
    await sim.deposit("2250700000001", "ORANGE_CIV")
    for tries, gap_s in enumerate((5, 10, 20, 40, 60, 120, 240, 405), start=1):
        await tries_told(sim, tries)
        sim.clock.advance(gap_s * 1000)
    last = (await tries_told(sim, 9))[-1]
    assert last["at"] - started == 900_000
    sim.clock.advance(3_600_000)
    assert len(await tries_told(sim, 9)) == 9


async def tries_told(sim: Sim, wanted: int) -> list[dict[str, Any]]:
    """The callbacks made, as soon as there are that many."""
    async with asyncio.timeout(5):
        while True:
            tries: list[dict[str, Any]] = (await sim.get("/_control/callbacks"))[1]["callbacks"]
            if len(tries) >= wanted:
                return tries


async def test_130_pays_but_is_told_only_when_asked_or_resent(sim: Sim) -> None:
    deposit_id, _ = await sim.deposit("2250700000130", "ORANGE_CIV")
    another, _ = await sim.deposit("2250700000001", "ORANGE_CIV")
    assert (await sim.deposit_state(deposit_id))["status"] == "COMPLETED"
    assert (await sim.receiver.next())["depositId"] == another
    _, answer = await sim.pawapay(f"/deposits/resend-callback/{deposit_id}", {})
    assert answer == {"depositId": deposit_id, "status": "ACCEPTED"}
    assert (await sim.receiver.next())["depositId"] == deposit_id
    assert len(await tries_told(sim, 2)) == 2


async def test_only_a_known_and_final_deposit_is_told_again(slow_sim: Sim) -> None:
    deposit_id, _ = await slow_sim.deposit("2250700000001", "ORANGE_CIV")
    for known, failure_code in ((deposit_id, "INVALID_STATE"), (str(uuid.uuid4()), "NOT_FOUND")):
        _, answer = await slow_sim.pawapay(f"/deposits/resend-callback/{known}", {})
        assert (answer["status"], answer["failureReason"]["failureCode"]) == ("REJECTED", failure_code)


async def test_without_a_callback_url_nothing_is_called(start: Start) -> None:
    async with start(pawapay_callback_url=None) as sim:
        deposit_id, _ = await sim.deposit("2250700000001", "ORANGE_CIV")
        assert (await sim.deposit_state(deposit_id))["status"] == "COMPLETED"
        assert (await sim.get("/_control/callbacks"))[1] == {"callbacks": []}


async def test_a_receiver_that_is_down_loses_nothing(start: Start) -> None:
    async with start(pawapay_callback_url="http://127.0.0.1:9/") as sim:
        deposit_id, _ = await sim.deposit("2250700000001", "ORANGE_CIV")
        assert [one["status"] for one in await tries_told(sim, 1)] == [None]
        assert (await sim.deposit_state(deposit_id))["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("code", "phone", "status", "failure_code"),
    [
        ("123456", "22607000001", "COMPLETED", None),
        ("999999", "22607345678", "COMPLETED", None),
        ("000000", "22607000001", "FAILED", "CAURI_604"),
        ("000000", "22607000129", "FAILED", "CAURI_604"),
        ("123456", "22607000602", "FAILED", "INSUFFICIENT_BALANCE"),
        ("123456", "22607345148", "FAILED", "PAYMENT_NOT_APPROVED"),
    ],
)
async def test_orange_burkina_wants_a_right_one_time_code(
    sim: Sim, code: str, phone: str, status: str, failure_code: str | None
) -> None:
    deposit_id, _ = await sim.deposit(phone, "ORANGE_BFA", preAuthorisationCode=code)
    state = await sim.deposit_state(deposit_id)
    assert state["status"] == status
    assert state.get("failureReason", {}).get("failureCode") == failure_code


@pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "١٢٣٤٥٦", 123456])
async def test_a_code_that_is_not_six_digits_is_refused(sim: Sim, code: Any) -> None:
    body = a_deposit("22607000001", "ORANGE_BFA", preAuthorisationCode=code)
    status, answer = await sim.pawapay("/deposits", body)
    assert (status, answer["failureReason"]["failureCode"]) == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize(
    ("typed", "provider", "phone"),
    [
        ("+225 07 00 00 00 01", "ORANGE_CIV", "2250700000001"),
        ("2250500000001", "MTN_MOMO_CIV", "2250500000001"),
        ("00221 77 000 00 01", "ORANGE_SEN", "221770000001"),
        ("237 0 650 00 00 01", "MTN_MOMO_CMR", "237650000001"),
        ("226 07 00 00 01", "ORANGE_BFA", "22607000001"),
        ("229 01 51 00 00 01", "MTN_MOMO_BEN", "2290151000001"),
    ],
)
async def test_the_provider_is_predicted_from_the_number(
    sim: Sim, typed: str, provider: str, phone: str
) -> None:
    status, answer = await sim.pawapay("/predict-provider", {"phoneNumber": typed})
    assert (status, answer["provider"], answer["phoneNumber"]) == (200, provider, phone)


@pytest.mark.parametrize("typed", ["", "abc", "2250102324373", "33612345678", "22507"])
async def test_a_number_of_no_provider_is_not_predicted(sim: Sim, typed: str) -> None:
    status, answer = await sim.pawapay("/predict-provider", {"phoneNumber": typed})
    assert (status, answer["failureReason"]["failureCode"]) == (400, "INVALID_PARAMETER")


async def test_the_toolkit_tells_what_each_provider_takes(sim: Sim) -> None:
    _, conf = await sim.pawapay("/active-conf?country=COD&operationType=DEPOSIT")
    (country,) = conf["countries"]
    terms = {
        (provider["provider"], one["currency"]): one["operationTypes"]["DEPOSIT"]
        for provider in country["providers"]
        for one in provider["currencies"]
    }
    assert terms["VODACOM_MPESA_COD", "CDF"]["decimalsInAmount"] == "NONE"
    assert terms["ORANGE_COD", "CDF"]["decimalsInAmount"] == "TWO_PLACES"
    _, everything = await sim.pawapay("/active-conf")
    auth = {
        provider["provider"]: provider["currencies"][0]["operationTypes"]["DEPOSIT"]["authType"]
        for one in everything["countries"]
        for provider in one["providers"]
    }
    assert (auth["ORANGE_BFA"], auth["WAVE_SEN"], auth["ORANGE_SEN"]) == (
        "PREAUTH",
        "REDIRECT_AUTH",
        "PROVIDER_AUTH",
    )
    _, available = await sim.pawapay("/availability?country=SEN")
    assert {one["provider"] for one in available[0]["providers"]} == {"ORANGE_SEN", "FREE_SEN", "WAVE_SEN"}
    for bad in ("/active-conf?country=FRA", "/availability?operationType=PAYOUT"):
        assert (await sim.pawapay(bad))[0] == 400
