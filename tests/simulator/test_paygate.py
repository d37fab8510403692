"""PayGate: its numbers on /pay and on /status, its one callback, its page, its balance."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from cauri.simulator.dialects.paygate import PayGate, PayGateAccount
from cauri.simulator.dialects.paygate.words import WORDS
from cauri.simulator.stories import FAILURE_CODES

from .conftest import Sim, Start

TOKEN, OTHER_TOKEN = "d137-a-token", "93a9-another"
PAYER = "22890000001"


@pytest.fixture
def dialects(merchant: tuple[str, Any]) -> list[Any]:
    def make(exchange: Any, url: str) -> PayGate:
        hook = merchant[0] + "/" + url.rsplit("/", 1)[1]
        merchants = [PayGateAccount(TOKEN, hook, ("127.0.0.1",)), PayGateAccount(OTHER_TOKEN)]
        return PayGate(exchange, merchants)

    return [make]


@pytest.fixture
async def paygate(start: Start, dialects: list[Any]) -> AsyncIterator[Sim]:
    async with start(dialects=dialects) as sim:
        yield sim


@pytest.fixture
async def slow(start: Start, dialects: list[Any]) -> AsyncIterator[Sim]:
    async with start(10, dialects=dialects) as sim:
        yield sim


async def pay(sim: Sim, phone: str = PAYER, identifier: str = "order-1", **change: Any) -> Any:
    body = {
        "auth_token": TOKEN,
        "phone_number": phone,
        "amount": 1500,
        "description": "Commande 1",
        "identifier": identifier,
        "network": "TMONEY",
        **change,
    }
    status, answer = await sim.post(
        "/paygate/api/v1/pay", {name: value for name, value in body.items() if value is not ...}
    )
    assert status == 200
    assert set(answer) == {"tx_reference", "status"}
    return answer


async def ask(sim: Sim, version: int = 2, **body: Any) -> tuple[int, Any]:
    return await sim.post(f"/paygate/api/v{version}/status", {"auth_token": TOKEN, **body})


async def state(sim: Sim, identifier: str = "order-1") -> Any:
    status, answer = await ask(sim, identifier=identifier)
    assert status == 200, answer
    return answer


async def test_a_payment_is_registered_in_progress_and_paid(slow: Sim) -> None:
    answer = await pay(slow)
    assert (answer["status"], answer["tx_reference"].isdigit()) == (0, True)
    before = await state(slow)
    assert (before["status"], before["payment_reference"]) == (2, None)
    assert await slow.debits() == []
    slow.clock.advance(10_000)
    paid = await state(slow)
    assert paid == {
        "tx_reference": answer["tx_reference"],
        "identifier": "order-1",
        "payment_reference": paid["payment_reference"],
        "payment_method": "TMONEY",
        "amount": 1500,
        "datetime": datetime.fromtimestamp(slow.clock.now() / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "status": 0,
    }
    assert paid["payment_reference"].isdigit()
    assert await ask(slow, 1, tx_reference=answer["tx_reference"]) == (200, paid)
    assert await ask(slow, 1, tx_reference=int(answer["tx_reference"])) == (200, paid)
    (debit,) = await slow.debits()
    assert (debit["dialect"], debit["reference"], debit["phone"]) == ("paygate", "order-1", PAYER)
    assert (debit["amount"], debit["currency"]) == ("1500", "XOF")


async def test_a_used_identifier_is_6_and_debits_nobody_twice(paygate: Sim) -> None:
    answers = await asyncio.gather(*(pay(paygate) for _ in range(8)))
    assert sorted(answer["status"] for answer in answers) == [0] + [6] * 7
    assert (await pay(paygate, "22890000602"))["status"] == 6
    assert (await state(paygate))["status"] == 0
    assert len(await paygate.debits()) == 1


BAD_PAYMENTS: list[tuple[dict[str, Any], int]] = [
    ({"auth_token": "wrong"}, 2),
    ({"auth_token": ...}, 2),
    ({"auth_token": None}, 2),
    ({"auth_token": 7}, 2),
    ({"phone_number": ...}, 4),
    ({"phone_number": 22890000001}, 4),
    ({"phone_number": "2250700000001"}, 4),
    ({"phone_number": "9000001"}, 4),
    ({"phone_number": "22822000001"}, 4),
    ({"amount": 0}, 4),
    ({"amount": -5}, 4),
    ({"amount": 15.5}, 4),
    ({"amount": "1500.00"}, 4),
    ({"amount": "0150"}, 4),
    ({"amount": True}, 4),
    ({"amount": ...}, 4),
    ({"identifier": ...}, 4),
    ({"identifier": ""}, 4),
    ({"identifier": 5}, 4),
    ({"identifier": "x" * 256}, 4),
    ({"network": ...}, 4),
    ({"network": "MOOV"}, 4),
    ({"network": "flooz"}, 4),
    ({"description": 5}, 4),
    ({"callback": "https://x.tg"}, 4),
]


@pytest.mark.parametrize(("change", "number"), BAD_PAYMENTS)
async def test_a_bad_payment_gets_its_number(paygate: Sim, change: dict[str, Any], number: int) -> None:
    assert await pay(paygate, **change) == {"tx_reference": None, "status": number}
    assert (await ask(paygate, identifier="order-1"))[0] == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 5000, b"x" * 70_000])
async def test_a_body_that_is_no_json_object_is_bad_parameters(paygate: Sim, body: bytes) -> None:
    async with paygate.http.post(paygate.url + "/paygate/api/v1/pay", data=body) as response:
        assert (response.status, (await response.json())["status"]) == (200, 4)
    for path in ("v1/status", "v2/status"):
        async with paygate.http.post(paygate.url + f"/paygate/api/{path}", data=body) as response:
            assert (response.status, (await response.json())["error_code"]) == (400, 400)


@pytest.mark.parametrize("phone", ["90000001", "22890000001", "+22890000001", "22879000001"])
async def test_numbers_are_local_or_have_togos_prefix(paygate: Sim, phone: str) -> None:
    assert (await pay(paygate, phone, amount="1500", description=""))["status"] == 0
    (debit,) = await paygate.debits()
    assert debit["phone"] == "228" + phone[-8:]


@pytest.mark.parametrize("code", FAILURE_CODES)
async def test_a_number_ends_in_the_code_of_its_last_digits(paygate: Sim, code: str) -> None:
    answer = await pay(paygate, f"22890000{code}")
    if code == "603":
        assert answer == {"tx_reference": None, "status": 2}
    else:
        assert answer["status"] == 0
        failed = await state(paygate)
        assert (failed["status"], failed["payment_reference"]) == (WORDS[code], None)
    assert await paygate.debits() == []
    assert (await paygate.get("/_control/callbacks"))[1] == {"callbacks": []}


def test_each_failure_has_a_word_and_no_two_share_one() -> None:
    assert set(WORDS) == set(FAILURE_CODES)
    assert len(set(WORDS.values())) == len(WORDS)
    assert {code: word for code, word in WORDS.items() if isinstance(word, int)} == {
        "600": 4,
        "603": 2,
        "627": 6,
    }


async def test_129_stays_in_progress(paygate: Sim) -> None:
    await pay(paygate, "22890000129")
    paygate.clock.advance(48 * 3_600_000)
    assert (await state(paygate))["status"] == 2


async def test_a_status_query_says_what_is_wrong_with_it(paygate: Sim) -> None:
    answer = await pay(paygate)
    unknown = (403, {"error_code": 403, "error_message": "Transaction non trouvée."})
    assert await ask(paygate, identifier="order-2") == unknown
    assert await ask(paygate, 1, tx_reference="8210407187720") == unknown
    assert await ask(paygate, identifier="order-1", auth_token=OTHER_TOKEN) == unknown
    for token in ("wrong", None, 5):
        assert (await ask(paygate, identifier="order-1", auth_token=token))[0] == 401
    for body in ({}, {"identifier": ""}, {"identifier": True}, {"identifier": ["order-1"]}):
        assert (await ask(paygate, **body))[0] == 400
    assert (await ask(paygate, 2, tx_reference=answer["tx_reference"]))[0] == 400
    assert (await ask(paygate, 1, identifier="order-1"))[0] == 400


# The callback


async def test_success_is_called_back_once_and_unsigned(paygate: Sim) -> None:
    paygate.receiver.answers = [500]
    await pay(paygate, "90000001")
    told = await paygate.receiver.next()
    paid = await state(paygate)
    del paid["status"]
    assert told == paid | {"phone_number": "90000001"}
    paygate.clock.advance(86_400_000)
    assert len((await paygate.get("/_control/callbacks"))[1]["callbacks"]) == 1
    ((verb, headers, _),) = paygate.receiver.requests
    assert (verb, headers["content-type"]) == ("POST", "application/json")
    assert not [name for name in headers if "sign" in name or name == "authorization"]


async def test_callbacks_are_doubled_lost_and_early_by_the_story(paygate: Sim) -> None:
    await paygate.story(PAYER, callback="twice")
    await pay(paygate)
    assert [(await paygate.receiver.next())["identifier"] for _ in range(2)] == ["order-1"] * 2
    await pay(paygate, "22890000130", "order-2")
    await paygate.story(PAYER, callback="before_answer", delay_s=60)
    await pay(paygate, identifier="order-3")
    assert paygate.receiver.waiting() == 1
    await paygate.story(PAYER, callback="before_answer", outcome="602")
    await pay(paygate, identifier="order-4")
    await pay(paygate, identifier="order-5", auth_token=OTHER_TOKEN)
    assert paygate.receiver.waiting() == 1
    assert len(await paygate.debits()) == 4


async def test_the_control_plane_settles_late_and_takes_back(paygate: Sim) -> None:
    await pay(paygate, "22890000627")
    await paygate.post("/_control/settle", {"reference": "order-1", "outcome": "paid", "callback": True})
    assert (await paygate.receiver.next())["identifier"] == "order-1"
    assert (await state(paygate))["status"] == 0
    await paygate.post("/_control/settle", {"reference": "order-1", "outcome": "600", "callback": True})
    assert (await state(paygate))["status"] == 4
    (debit,) = await paygate.debits()
    assert debit["taken_back_at"] is not None


async def test_what_paygate_claims_is_in_the_status_and_the_books(paygate: Sim) -> None:
    await paygate.story(PAYER, amount="1400")
    await pay(paygate)
    (debit,) = await paygate.debits()
    assert ((await state(paygate))["amount"], debit["amount"]) == (1400, "1400")


async def test_every_fault_on_paying(paygate: Sim) -> None:
    async def fault(answer: str) -> str:
        await paygate.story(PAYER, answer=answer)
        try:
            return str((await pay(paygate, identifier=answer))["status"])
        except (aiohttp.ClientError, ValueError, AssertionError):
            return ""

    names = ("drop_before", "drop_after", "500", "nonsense")
    assert [await fault(name) for name in names] == [""] * 4
    assert [(await ask(paygate, identifier=name))[0] for name in names] == [403, 200, 200, 200]
    assert len(await paygate.debits()) == 3


# The balance


async def test_the_balance_needs_an_allowed_address_and_is_kept_by_network(paygate: Sim) -> None:
    await pay(paygate)
    await pay(paygate, identifier="order-2", network="FLOOZ", amount=200)
    await pay(paygate, "22890000602", "order-3")
    door = "/paygate/api/v1/check-balance"
    assert await paygate.post(door, {"auth_token": TOKEN}) == (200, {"flooz": 200, "tmoney": 1500})
    assert (await paygate.post(door, {"auth_token": OTHER_TOKEN}))[0] == 403
    assert (await paygate.post(door, {}))[0] == 401
    await paygate.post("/_control/reset", {})
    assert (await paygate.post(door, {"auth_token": TOKEN}))[1] == {"flooz": 0, "tmoney": 0}


def test_a_token_is_one_merchants() -> None:
    with pytest.raises(ValueError, match="token of its own"):
        PayGate(None, [PayGateAccount("t"), PayGateAccount("t")])  # type: ignore[arg-type]


# The page

QUERY = {"token": TOKEN, "amount": "1500", "identifier": "order-1", "description": "Commande <1>",
         "url": "https://shop.example.tg/back", "phone": "90000001", "network": "TMONEY"}  # fmt: skip


async def page(sim: Sim, form: Any = None, **change: Any) -> tuple[int, str, str | None]:
    query = {name: value for name, value in (QUERY | change).items() if value is not None}
    async with sim.http.request(
        "GET" if form is None else "POST",
        sim.url + "/paygate/v1/page",
        params=query,
        data=form,
        allow_redirects=False,
    ) as response:
        return response.status, await response.text(), response.headers.get("location")


async def test_the_page_shows_the_payment_and_starts_it(slow: Sim) -> None:
    status, html, _ = await page(slow)
    assert status == 200
    assert "1\u202f500\u00a0FCFA" in html
    assert "Commande &lt;1&gt;" in html
    assert re.search(r'name="phone"[^>]*value="90000001"', html)
    assert "<option selected>TMONEY" in html
    assert (await ask(slow, identifier="order-1"))[0] == 403
    form = {"answer": "approve", "phone": "90 00 00 01", "network": "TMONEY"}
    status, _, back = await page(slow, form)
    assert (status, back) == (303, QUERY["url"])
    assert (await state(slow))["status"] == 2
    slow.clock.advance(10_000)
    assert (await state(slow))["status"] == 0
    assert (await slow.receiver.next())["identifier"] == "order-1"


async def test_a_page_that_was_used_pays_no_second_time(paygate: Sim) -> None:
    form = {"answer": "approve", "phone": "90000001", "network": "FLOOZ"}
    status, html, back = await page(paygate, form, url=None)
    assert (status, back) == (200, None)
    assert "Confirmez sur votre téléphone" in html
    for again in (None, form, {"answer": "cancel"}):
        status, html, _ = await page(paygate, again)
        assert status == 409
        assert "déjà" in html
    assert (await pay(paygate))["status"] == 6
    assert len(await paygate.debits()) == 1


async def test_a_payer_cancels_on_the_page(paygate: Sim) -> None:
    assert (await page(paygate, {"answer": "cancel"}))[0] == 303
    assert (await state(paygate))["status"] == 6


@pytest.mark.parametrize(
    ("change", "status"),
    [({"token": None}, 403), ({"token": "x"}, 403), ({"amount": "0"}, 400), ({"amount": None}, 400),
     ({"identifier": None}, 400), ({"url": "javascript:alert(1)"}, 400), ({"url": "//x"}, 400), ({"url": "http://[x"}, 400),
     ({"phone": "12"}, 400), ({"network": "MTN"}, 400), ({"x": "1"}, 400), ({"description": "x" * 5000}, 400)],
)  # fmt: skip
async def test_a_bad_link_leads_to_no_payment(paygate: Sim, change: dict[str, Any], status: int) -> None:
    form = {"answer": "approve", "phone": "90000001", "network": "FLOOZ"}
    for sent in (None, form):
        answered, html, _ = await page(paygate, sent, **change)
        assert (answered, "Recommencez" in html, "<form" in html) == (status, True, False)
    assert await paygate.debits() == []


@pytest.mark.parametrize(
    "form", [{}, {"answer": "x"}, {"answer": "approve"}, {"answer": "approve", "phone": "12", "network": "FLOOZ"},
             {"answer": "approve", "phone": "90000001", "network": "MTN"}]
)  # fmt: skip
async def test_nonsense_on_the_page_is_answered_with_the_page(paygate: Sim, form: dict[str, str]) -> None:
    status, html, _ = await page(paygate, form)
    assert status == 400
    assert 'role="alert"' in html
    assert (await ask(paygate, identifier="order-1"))[0] == 403


async def test_the_page_speaks_english_too(paygate: Sim) -> None:
    assert "Pay by mobile money" in (await page(paygate, lang="en"))[1]
