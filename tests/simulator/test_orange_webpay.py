"""Orange WebPay: tokens that expire, a payment in ten minutes, the page with number and code, the notification."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from O_money import Webpay

from cauri.simulator.dialects.orange_webpay import OrangeWebPay
from cauri.simulator.dialects.orange_webpay.words import WORDS
from cauri.simulator.stories import FAILURE_CODES

from .conftest import Sim, Start, basic
from .listener import Listener, listening

CLIENT = ("orange-client", "orange-secret")
KEYS = {"dev": "key-dev", "ci": "key-ci", "gn": "key-gn", "cm": "key-cm", "cd": "key-cd", "ml": "key-ml"}
PAYS = "0700000001"
API = "/orange/orange-money-webpay"
REMOVE = object()


def webpay(exchange: Any, url: str) -> OrangeWebPay:
    return OrangeWebPay(exchange, *CLIENT, KEYS, url)


@dataclass
class Orange:
    sim: Sim
    merchant: Listener
    bearer: str = ""

    async def token(
        self, pair: tuple[str, str] = CLIENT, version: str = "v3", grant: str = "client_credentials"
    ) -> Any:
        url, headers = f"{self.sim.url}/orange/oauth/{version}/token", {"authorization": basic(*pair)}
        async with self.sim.http.post(url, data={"grant_type": grant}, headers=headers) as response:
            return response.status, await response.json()

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.bearer}"}

    def body(self, **more: Any) -> dict[str, Any]:
        body = {
            "merchant_key": "key-ci",
            "currency": "XOF",
            "order_id": "order-1",
            "amount": 1500,
            "return_url": f"{self.merchant.url}/back",
            "cancel_url": f"{self.merchant.url}/cancel",
            "notif_url": f"{self.merchant.url}/notif",
            "lang": "fr",
            "reference": "Boutique",
        } | more
        return {name: value for name, value in body.items() if value is not REMOVE}

    async def start(self, segment: str = "ci", **more: Any) -> tuple[int, Any]:
        return await self.sim.post(f"{API}/{segment}/v1/webpayment", self.body(**more), self.headers())

    async def open(self, segment: str = "ci", **more: Any) -> Any:
        status, answer = await self.start(segment, **more)
        assert status == 201, answer
        return answer

    async def status(self, pay_token: str, segment: str = "ci", **more: Any) -> tuple[int, Any]:
        body = {"order_id": "order-1", "amount": 1500, "pay_token": pay_token} | more
        return await self.sim.post(f"{API}/{segment}/v1/transactionstatus", body, self.headers())

    async def state(self, pay_token: str) -> str:
        status, answer = await self.status(pay_token)
        assert status == 201
        return str(answer["status"])

    async def press(self, url: str, **form: str) -> tuple[int, str | None]:
        async with self.sim.http.post(url, data=form, allow_redirects=False) as response:
            await response.read()
            return response.status, response.headers.get("location")

    async def confirm(self, url: str, phone: str = PAYS, otp: str = "123456") -> tuple[int, str | None]:
        return await self.press(url, phone=phone, otp=otp, answer="confirm")

    async def read(self, url: str) -> tuple[int, str]:
        async with self.sim.http.get(url) as response:
            return response.status, await response.text()

    async def code(self, phone: str) -> str:
        status, answer = await self.sim.post("/orange/otp", {"phone": phone})
        assert status == 201, answer
        return str(answer["otp"])


@pytest.fixture
async def orange(start: Start) -> AsyncIterator[Orange]:
    async with started(start) as running:
        yield running


@pytest.fixture
async def slow_orange(start: Start) -> AsyncIterator[Orange]:
    async with started(start, operator_delay_s=10) as running:
        yield running


def started(start: Start, operator_delay_s: float = 0, make: Any = webpay) -> Any:
    import contextlib

    @contextlib.asynccontextmanager
    async def both() -> AsyncIterator[Orange]:
        async with listening() as merchant, start(operator_delay_s=operator_delay_s, dialects=[make]) as sim:
            running = Orange(sim, merchant)
            running.bearer = (await running.token())[1]["access_token"]
            yield running

    return both()


@pytest.mark.parametrize("version", ["v3", "v2"])
async def test_a_token_lives_as_long_as_it_says(orange: Orange, version: str) -> None:
    status, answer = await orange.token(version=version)
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    orange.bearer = answer["access_token"]
    orange.sim.clock.advance(3_599_999)
    assert (await orange.start())[0] == 201
    orange.sim.clock.advance(1)
    status, refusal = await orange.start(order_id="order-2")
    assert (status, refusal["code"]) == (401, 42)
    orange.bearer = (await orange.token())[1]["access_token"]
    assert (await orange.start(order_id="order-2"))[0] == 201


async def test_a_token_is_for_the_right_pair_and_grant_only(orange: Orange) -> None:
    assert (await orange.token(("orange-client", "wrong")))[1]["error"] == "invalid_client"
    assert (await orange.token(grant="password"))[0] == 400
    for header, code in ((None, 40), ("Basic eA==", 40), ("Bearer nobody", 41)):
        headers = {"authorization": header} if header else {}
        status, refusal = await orange.sim.post(f"{API}/ci/v1/webpayment", orange.body(), headers)
        assert (status, refusal["code"]) == (401, code)


async def test_a_payment_is_initiated_with_201_then_paid_on_the_page_and_notified(
    slow_orange: Orange,
) -> None:
    opened = await slow_orange.open()
    assert (opened["status"], opened["message"]) == (201, "OK")
    assert opened["payment_url"].endswith(opened["pay_token"])
    _, before = await slow_orange.status(opened["pay_token"])
    assert before == {"status": "INITIATED", "order_id": "order-1", "txnid": ""}
    back = await slow_orange.confirm(opened["payment_url"])
    assert back == (303, f"{slow_orange.merchant.url}/back")
    assert await slow_orange.state(opened["pay_token"]) == "PENDING"
    slow_orange.sim.clock.advance(10_000)
    _, after = await slow_orange.status(opened["pay_token"])
    assert (after["status"], after["txnid"][:2], "message" in after) == ("SUCCESS", "MP", False)
    told = await slow_orange.merchant.next()
    assert (told.method, told.url) == ("POST", f"{slow_orange.merchant.url}/notif")
    assert told.json() == {
        "status": "SUCCESS",
        "notif_token": opened["notif_token"],
        "txnid": after["txnid"],
    }
    (debit,) = await slow_orange.sim.debits()
    assert (debit["dialect"], debit["reference"], debit["phone"], debit["amount"], debit["currency"]) == (
        "orange-webpay", "order-1", "2250700000001", "1500", "XOF",
    )  # fmt: skip
    assert debit["operator_id"] == after["txnid"]


BAD: list[tuple[dict[str, Any], int, int, str]] = [
    *[({name: REMOVE}, 400, 23, name) for name in
      ("merchant_key", "currency", "order_id", "amount", "return_url", "cancel_url", "notif_url")],
    ({"order_id": ""}, 400, 23, "order_id"),
    ({"order_id": "x" * 31}, 400, 24, "order_id"),
    ({"order_id": 7}, 400, 24, "order_id"),
    ({"reference": "x" * 31}, 400, 24, "reference"),
    ({"currency": "OUV"}, 400, 24, "currency"),
    ({"currency": "XAF"}, 400, 24, "currency"),
    ({"amount": 0}, 400, 24, "amount"),
    ({"amount": -5}, 400, 24, "amount"),
    ({"amount": "1 500"}, 400, 24, "amount"),
    ({"amount": 1500.5}, 400, 24, "amount"),
    ({"amount": True}, 400, 24, "amount"),
    ({"lang": "de"}, 400, 24, "lang"),
    ({"notif_url": "javascript:alert(1)"}, 400, 24, "notif_url"),
    ({"return_url": "http://[::1"}, 400, 24, "return_url"),
    ({"colour": "blue"}, 400, 22, "colour"),
    ({"merchant_key": "key-gn"}, 403, 50, "merchant_key"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "status", "code", "named"), BAD)
async def test_a_bad_payment_is_refused_in_oranges_words(
    orange: Orange, change: dict[str, Any], status: int, code: int, named: str
) -> None:
    got, refusal = await orange.start(**change)
    assert (got, refusal["code"]) == (status, code)
    assert named in refusal["description"]
    assert set(refusal) == {"code", "message", "description"}
    assert (await orange.sim.get("/_control/books"))[1]["requests"] == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused(orange: Orange, body: bytes) -> None:
    for door in ("webpayment", "transactionstatus"):
        url = f"{orange.sim.url}{API}/ci/v1/{door}"
        async with orange.sim.http.post(url, data=body, headers=orange.headers()) as response:
            assert (response.status, (await response.json())["code"]) == (400, 22)


async def test_an_order_id_is_used_once_and_a_country_must_be_opened(orange: Orange) -> None:
    await orange.open()
    status, refusal = await orange.start()
    assert (status, refusal["code"]) == (400, 24)
    assert (await orange.start("sn", order_id="order-2"))[0] == 404
    assert (await orange.start("CI", order_id="order-2"))[0] == 404


@pytest.mark.parametrize(
    ("segment", "currency", "amount", "typed", "phone"),
    [
        ("dev", "OUV", 1500, "2250700000001", "2250700000001"),
        ("ml", "XOF", 1500, "70 00 00 01", "22370000001"),
        ("gn", "GNF", "150000", "+224 620 00 00 01", "224620000001"),
        ("cm", "XAF", 1500, "690000001", "237690000001"),
        ("cd", "CDF", 1500.25, "0890000001", "243890000001"),
        ("cd", "USD", "12.00", "890000001", "243890000001"),
    ],
)
async def test_each_country_has_its_money_and_its_numbers(
    orange: Orange, segment: str, currency: str, amount: Any, typed: str, phone: str
) -> None:
    opened = await orange.open(segment, merchant_key=KEYS[segment], currency=currency, amount=amount)
    assert (await orange.confirm(opened["payment_url"], typed))[0] == 303
    assert (await orange.status(opened["pay_token"], segment, amount=amount))[1]["status"] == "SUCCESS"
    (debit,) = await orange.sim.debits()
    assert (debit["phone"], debit["currency"]) == (phone, currency)


async def test_dev_knows_no_other_money_than_ouv(orange: Orange) -> None:
    assert (await orange.start("dev", merchant_key="key-dev", currency="XOF"))[1]["code"] == 24


@pytest.mark.parametrize("wrong", [{"order_id": "order-2"}, {"amount": 1501}, {"pay_token": "x"}])
async def test_all_three_must_match_to_know_the_status(orange: Orange, wrong: dict[str, Any]) -> None:
    opened = await orange.open()
    status, refusal = await orange.status(**{"pay_token": opened["pay_token"]} | wrong)
    assert (status, refusal["code"]) == (404, 60)
    assert (await orange.status(opened["pay_token"], "gn"))[0] == 404
    assert (await orange.status(opened["pay_token"], amount="1500"))[0] == 201


@pytest.mark.parametrize("code", FAILURE_CODES)
async def test_a_number_fails_with_the_code_of_its_last_digits(orange: Orange, code: str) -> None:
    opened = await orange.open()
    assert (await orange.confirm(opened["payment_url"], f"0700000{code}"))[0] == 303
    _, answer = await orange.status(opened["pay_token"])
    assert (answer["status"], answer.get("message")) == ("FAILED", WORDS[code])
    assert (await orange.merchant.next()).json()["status"] == "FAILED"
    assert await orange.sim.debits() == []


async def test_cancel_fails_the_payment_and_leads_to_the_cancel_url(orange: Orange) -> None:
    opened = await orange.open()
    assert await orange.press(opened["payment_url"], answer="cancel") == (
        303,
        f"{orange.merchant.url}/cancel",
    )
    _, answer = await orange.status(opened["pay_token"])
    assert (answer["status"], answer["message"]) == ("FAILED", "CAURI_627")
    assert (await orange.confirm(opened["payment_url"]))[1] == f"{orange.merchant.url}/cancel"
    assert await orange.sim.debits() == []


@pytest.mark.parametrize("confirmed", [False, True])
async def test_ten_minutes_end_what_nobody_ended_and_nobody_is_told(orange: Orange, confirmed: bool) -> None:
    opened = await orange.open()
    if confirmed:
        await orange.confirm(opened["payment_url"], "0700000129")
    orange.sim.clock.advance(599_999)
    assert await orange.state(opened["pay_token"]) == ("PENDING" if confirmed else "INITIATED")
    orange.sim.clock.advance(1)
    assert await orange.state(opened["pay_token"]) == "EXPIRED"
    status, _ = await orange.confirm(opened["payment_url"])
    assert status == 410
    assert await orange.state(opened["pay_token"]) == "EXPIRED"
    assert (await orange.sim.get("/_control/callbacks"))[1] == {"callbacks": []}
    assert await orange.sim.debits() == []


async def test_three_wrong_codes_end_a_payment(orange: Orange) -> None:
    opened = await orange.open()
    for _ in range(2):
        status, _ = await orange.confirm(opened["payment_url"], otp="000000")
        assert status == 400
    assert await orange.state(opened["pay_token"]) == "INITIATED"
    assert (await orange.confirm(opened["payment_url"], otp="0000"))[0] == 303
    _, answer = await orange.status(opened["pay_token"])
    assert (answer["status"], answer["message"]) == ("FAILED", "CAURI_604")


async def test_a_number_that_asked_for_a_code_pays_with_that_one_only_and_once(orange: Orange) -> None:
    code = await orange.code("2250700000001")
    first, second = await orange.open(), await orange.open(order_id="order-2")
    assert (await orange.confirm(first["payment_url"], otp="123456"))[0] == 400
    assert (await orange.confirm(first["payment_url"], otp=code))[0] == 303
    assert (await orange.confirm(second["payment_url"], otp=code))[0] == 400
    assert len(await orange.sim.debits()) == 1


async def test_a_code_lives_ten_minutes(orange: Orange) -> None:
    code = await orange.code("2250700000001")
    orange.sim.clock.advance(600_000)
    opened = await orange.open()
    assert (await orange.confirm(opened["payment_url"], otp=code))[0] == 400


@pytest.mark.parametrize("phone", ["", "0700000001", "22812345678", "abc", None])
async def test_the_code_desk_wants_a_whole_number(orange: Orange, phone: Any) -> None:
    status, answer = await orange.sim.post("/orange/otp", {"phone": phone})
    assert status == 400
    assert answer["error"].startswith("phone:")


async def test_the_code_desk_is_a_page_as_well(orange: Orange) -> None:
    status, html = await orange.read(f"{orange.sim.url}/orange/otp?lang=en")
    assert (status, "Get a code" in html) == (200, True)
    async with orange.sim.http.post(
        f"{orange.sim.url}/orange/otp", data={"phone": "+225 07 00 00 00 22"}
    ) as answer:
        assert answer.status == 201
        html = await answer.text()
    assert "•••• 22" in html
    assert "2250700000022" not in html


@pytest.mark.parametrize(
    "form",
    [{}, {"answer": "perhaps"}, {"answer": "confirm"}, {"answer": "confirm", "phone": PAYS, "otp": "12"},
     {"answer": "confirm", "phone": "221770000001", "otp": "123456"},
     {"answer": "confirm", "phone": "٠٧٠٠٠٠٠٠٠١", "otp": "123456"}],
)  # fmt: skip
async def test_nonsense_on_the_page_is_answered_with_the_page(orange: Orange, form: dict[str, str]) -> None:
    opened = await orange.open()
    assert (await orange.press(opened["payment_url"], **form))[0] == 400
    assert await orange.state(opened["pay_token"]) == "INITIATED"


async def test_the_page_speaks_the_language_the_merchant_asked_for_and_looking_changes_nothing(
    orange: Orange,
) -> None:
    french, english = await orange.open(), await orange.open(order_id="order-2", lang="en")
    for _ in range(3):
        status, html = await orange.read(french["payment_url"])
        assert (status, "Confirmer" in html, "1\u202f500\u00a0FCFA" in html, "Boutique" in html) == (
            200,
            True,
            True,
            True,
        )
    assert "Confirm</button>" in (await orange.read(english["payment_url"]))[1]
    assert "Confirmer" in (await orange.read(english["payment_url"] + "?lang=fr"))[1]
    assert await orange.state(french["pay_token"]) == "INITIATED"
    assert (await orange.read(f"{orange.sim.url}/orange/payment/pay_token/0"))[0] == 404
    assert (await orange.confirm(f"{orange.sim.url}/orange/payment/pay_token/0"))[0] == 404


async def test_what_a_payer_types_is_never_written_as_html(orange: Orange) -> None:
    opened = await orange.open(reference="<b>x</b>")
    form = {"phone": '"><script>', "otp": "1", "answer": "confirm"}
    async with orange.sim.http.post(opened["payment_url"], data=form) as response:
        html = await response.text()
    assert "<script>" not in html
    assert "<b>x" not in html


async def test_notifications_can_be_lost_or_come_twice(orange: Orange) -> None:
    for n, (phone, story) in enumerate((("2250700000002", "lost"), ("2250700000003", "twice"))):
        await orange.sim.story(phone, callback=story)
        opened = await orange.open(order_id=f"order-{n}")
        await orange.confirm(opened["payment_url"], phone)
    tokens = [(await orange.merchant.next()).json()["notif_token"] for _ in range(2)]
    assert tokens == [opened["notif_token"]] * 2
    assert orange.merchant.waiting() == 0


@pytest.mark.parametrize(("answer", "recorded"), [("drop_before", False), ("drop_after", True)])
async def test_the_next_start_of_the_operator_can_be_spoiled(
    orange: Orange, answer: str, recorded: bool
) -> None:
    await orange.sim.post("/_control/next", {"operator": "orange-webpay", "outcomes": [{"answer": answer}]})
    with pytest.raises((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)):
        await orange.start()
    assert (await orange.start())[0] == (400 if recorded else 201)


async def test_the_next_outcomes_of_the_operator_can_be_told_before_a_payer_is_known(orange: Orange) -> None:
    outcomes = ["804", "603", {"outcome": "602", "answer": "500"}, "602", "paid"]
    await orange.sim.post("/_control/next", {"operator": "orange-webpay", "outcomes": outcomes})
    assert [(await orange.start(order_id=f"o-{n}"))[0] for n in range(3)] == [503, 403, 500]
    ends = []
    for order in ("o-3", "o-4"):
        opened = await orange.open(order_id=order)
        await orange.confirm(opened["payment_url"], "0700000600")
        ends.append((await orange.status(opened["pay_token"], order_id=order))[1]["status"])
    assert ends == ["FAILED", "SUCCESS"]


async def test_urls_that_orange_cannot_reach_are_refused_where_that_is_switched_on(start: Start) -> None:
    def strict(exchange: Any, url: str) -> OrangeWebPay:
        return OrangeWebPay(exchange, *CLIENT, KEYS, url, public_urls_only=True, token_life_s=7_776_000)

    async with started(start, make=strict) as orange:
        assert (await orange.token())[1]["expires_in"] == 7_776_000
        urls = {name: f"https://shop.sn/{name}" for name in ("return_url", "cancel_url", "notif_url")}
        assert (await orange.start(**urls))[0] == 201
        for bad in (
            "http://localhost/x",
            "http://127.0.0.1:8080/x",
            "http://10.0.0.1/",
            "http://shop/",
            "http://[::1]/",
        ):
            status, refusal = await orange.start(order_id="order-2", **urls | {"notif_url": bad})
            assert (status, refusal["code"]) == (403, 50)


def test_an_unknown_country_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="merchant_keys"):
        OrangeWebPay(None, *CLIENT, {"fr": "x"}, "http://x")  # type: ignore[arg-type]


async def test_late_money_is_a_success_after_all(orange: Orange) -> None:
    opened = await orange.open()
    orange.sim.clock.advance(600_000)
    assert await orange.state(opened["pay_token"]) == "EXPIRED"
    await orange.sim.post("/_control/settle", {"reference": "order-1", "outcome": "paid", "callback": True})
    assert await orange.state(opened["pay_token"]) == "SUCCESS"
    assert (await orange.merchant.next()).json()["status"] == "SUCCESS"


async def test_a_repeated_press_at_the_same_moment_debits_once(orange: Orange) -> None:
    opened = await orange.open()
    await asyncio.gather(*(orange.confirm(opened["payment_url"]) for _ in range(10)))
    assert len(await orange.sim.debits()) == 1


async def test_an_empty_wallet_has_the_last_word(orange: Orange) -> None:
    await orange.sim.post("/_control/wallet", {"phone": "2250700000001", "balance": "1499"})
    opened = await orange.open()
    await orange.confirm(opened["payment_url"])
    _, answer = await orange.status(opened["pay_token"])
    assert (answer["status"], answer["message"]) == ("FAILED", "CAURI_602")


# A client that others wrote: O-money. Its status call gives nothing unless `status` is the number 201.


async def test_a_client_that_others_wrote_opens_a_payment(
    orange: Orange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Webpay, "_CLIENT_ID", basic(*CLIENT).removeprefix("Basic "))
    monkeypatch.setattr(Webpay, "_MERCHANT_KEY", "key-dev")
    for name in ("_RETURN_URL", "_CANCEL_URL", "_NOTIF_URL"):
        monkeypatch.setattr(Webpay, name, f"{orange.merchant.url}/{name}")
    client = Webpay(logging.getLogger("O_money"))
    client.base_url = orange.sim.url + "/orange"
    payment = await asyncio.to_thread(client.init_pay, 1500, "order-1", "Boutique")
    assert (payment.status, payment.message) == (201, "OK")
    assert payment.payment_url.endswith(payment.pay_token)
    await orange.confirm(payment.payment_url)
    assert (await orange.merchant.next()).json()["notif_token"] == payment.notif_token
    assert (await orange.status(payment.pay_token, "dev"))[1]["status"] == "SUCCESS"
    assert await asyncio.to_thread(client.payment_status, "order-1", 1500, payment.pay_token) is None
    _, asked = await orange.sim.get("/_control/requests?operator=orange-webpay&door=check")
    assert [one["status"] for one in asked["requests"]] == [201, 201]
