"""The hosted card page: sessions, test cards, the 3-D Secure step, signed callbacks."""

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from cauri.clock import ManualClock
from cauri.simulator.dialects.card_page import CardPage
from cauri.simulator.dialects.card_page.cards import AT_ONCE, CARDS, WORDS, card_number
from cauri.simulator.stories import FAILURE_CODES

from .conftest import Sim, Start
from .listener import Heard, Listener, listening

KEY = "card-key"
START_MS = 1_790_000_000_000
PAYS, ASKS, ANY = "4242 4242 4242 4242", "4000002760003184", "4111111111111111"
CUSTOMER = {
    "id": "c-1", "name": "Awa", "surname": "Koné", "email": "awa@example.com", "phone_number": "+2250700000001",
    "address": "Rue 1", "city": "Abidjan", "country": "CI", "state": "CI", "zip_code": "00225",
}  # fmt: skip


@dataclass
class Shop:
    sim: Sim
    merchant: Listener

    def body(self, reference: str = "order-1", **more: Any) -> dict[str, Any]:
        return {
            "reference": reference,
            "amount": "1500",
            "currency": "XOF",
            "description": "Deux pagnes",
            "return_url": f"{self.merchant.url}/back?order=1",
            "callback_url": f"{self.merchant.url}/callback",
            "customer": CUSTOMER,
        } | more

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {KEY}"} | headers
        url = f"{self.sim.url}/card-page/v1/sessions{path}"
        async with self.sim.http.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def start(self, reference: str = "order-1", **more: Any) -> tuple[int, Any]:
        body = self.body(reference, **more)
        return await self.call("POST", "", body, **{"idempotency-key": str(body["reference"])})

    async def open(self, reference: str = "order-1", **more: Any) -> Any:
        status, session = await self.start(reference, **more)
        assert status == 201, session
        return session

    async def state(self, session: Any) -> tuple[str, str | None]:
        status, answer = await self.call("GET", f"/{session['id']}")
        assert status == 200
        return answer["status"], answer["failure"]

    async def press(self, url: str, **form: str) -> tuple[int, str | None]:
        async with self.sim.http.post(url, data=form, allow_redirects=False) as response:
            await response.read()
            return response.status, response.headers.get("location")

    async def card(self, session: Any, number: str = PAYS, **more: str) -> tuple[int, str | None]:
        form = {"number": number, "expiry": "12/99", "cvc": "123", "name": "AWA KONE", "answer": "pay"} | more
        return await self.press(session["page_url"], **form)

    async def code(
        self, session: Any, code: str = "123456", answer: str = "confirm"
    ) -> tuple[int, str | None]:
        return await self.press(session["page_url"] + "/3ds", code=code, answer=answer)

    async def read(self, url: str) -> tuple[int, str]:
        async with self.sim.http.get(url) as response:
            return response.status, await response.text()

    @property
    def back(self) -> tuple[int, str]:
        return 303, f"{self.merchant.url}/back?order=1"


def card_page(exchange: Any, url: str) -> CardPage:
    return CardPage(exchange, KEY, url)


@contextlib.asynccontextmanager
async def started(start: Start, make: Any = card_page, **more: Any) -> AsyncIterator[Shop]:
    more.setdefault("clock", ManualClock(START_MS))
    async with listening() as merchant, start(dialects=[make], **more) as sim:
        yield Shop(sim, merchant)


@pytest.fixture
async def shop(start: Start) -> AsyncIterator[Shop]:
    async with started(start) as running:
        yield running


@pytest.fixture
async def slow_shop(start: Start) -> AsyncIterator[Shop]:
    async with started(start, operator_delay_s=10) as running:
        yield running


def verify(heard: Heard, key: str = KEY) -> None:
    parts = dict(part.split("=") for part in heard.headers["x-card-signature"].split(","))
    proof = hmac.new(key.encode(), parts["t"].encode() + b"." + heard.body, hashlib.sha256).hexdigest()
    assert parts["v1"] == proof


async def test_a_session_is_opened_paid_and_told(slow_shop: Shop) -> None:
    session = await slow_shop.open()
    assert {**session, "id": "", "page_url": ""} == {
        "id": "", "reference": "order-1", "status": "open", "page_url": "", "expires_at": "2026-09-21T14:43:20Z",
    }  # fmt: skip
    assert await slow_shop.card(session) == slow_shop.back
    assert await slow_shop.state(session) == ("processing", None)
    slow_shop.sim.clock.advance(10_000)
    _, answer = await slow_shop.call("GET", f"/{session['id']}")
    assert answer == {
        "id": session["id"], "reference": "order-1", "amount": "1500", "currency": "XOF", "status": "paid",
        "failure": None, "authorisation": "000001", "paid_at": "2026-09-21T14:13:30Z",
    }  # fmt: skip
    assert await slow_shop.call("GET", "?reference=order-1") == (200, {"sessions": [answer]})
    told = await slow_shop.merchant.next()
    assert (told.method, told.url) == ("POST", f"{slow_shop.merchant.url}/callback")
    assert told.json() == {"id": session["id"], "reference": "order-1", "status": "paid"}
    verify(told)
    (debit,) = await slow_shop.sim.debits()
    assert (debit["dialect"], debit["reference"], debit["operator_id"], debit["amount"]) == (
        "card-page", "order-1", session["id"], "1500",
    )  # fmt: skip


ENDS = {card: (entry.failure or WORDS.get(entry.outcome)) for card, entry in CARDS.items()}


@pytest.mark.parametrize(("number", "failure"), ENDS.items())
async def test_each_test_card_does_what_its_line_says(shop: Shop, number: str, failure: str | None) -> None:
    session = await shop.open()
    where = await shop.card(session, number)
    if CARDS[number].challenge:
        assert where == (303, session["page_url"] + "/3ds")
        assert await shop.state(session) == ("processing", None)
        where = await shop.code(session)
    assert where == shop.back
    end = "processing" if CARDS[number].outcome == "never" else "failed" if failure else "paid"
    assert await shop.state(session) == (end, failure)
    assert len(await shop.sim.debits()) == (end == "paid")
    assert card_number(number) == number


async def test_any_other_card_is_challenged_and_pays(shop: Shop) -> None:
    session = await shop.open()
    assert (await shop.card(session, ANY))[1] == session["page_url"] + "/3ds"
    assert await shop.card(session, ANY) == (303, session["page_url"] + "/3ds")
    assert (await shop.code(session)) == shop.back
    assert await shop.state(session) == ("paid", None)
    assert await shop.code(session) == shop.back
    assert len(await shop.sim.debits()) == 1


async def test_a_refused_challenge_and_three_wrong_codes_fail(shop: Shop) -> None:
    refused, wrong = await shop.open("order-1"), await shop.open("order-2")
    await shop.card(refused, ASKS)
    assert await shop.code(refused, answer="refuse") == shop.back
    await shop.card(wrong, ASKS)
    assert [(await shop.code(wrong, code))[0] for code in ("000000", "12", "000000")] == [400, 400, 303]
    assert [await shop.state(one) for one in (refused, wrong)] == [("failed", "3ds_failed")] * 2
    assert await shop.sim.debits() == []


async def test_cancel_fails_and_leads_back(shop: Shop) -> None:
    session = await shop.open()
    assert await shop.press(session["page_url"], answer="cancel") == shop.back
    assert await shop.state(session) == ("failed", "cancelled")
    assert (await shop.merchant.next()).json()["status"] == "failed"
    assert await shop.card(session) == shop.back
    assert await shop.state(session) == ("failed", "cancelled")


@pytest.mark.parametrize(
    "form",
    [
        {"answer": "perhaps"}, {"answer": ""}, {"number": ""}, {"number": "4242424242424241"}, {"number": "42"},
        {"number": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"}, {"expiry": "08/26"}, {"expiry": "13/30"}, {"expiry": "soon"}, {"cvc": "12"},
        {"cvc": "abcd"}, {"name": "  "},
    ],
)  # fmt: skip
async def test_nonsense_on_the_form_is_answered_with_the_form(shop: Shop, form: dict[str, str]) -> None:
    session = await shop.open()
    assert (await shop.card(session, **form))[0] == 400
    assert await shop.state(session) == ("open", None)
    assert (await shop.card(session, expiry="09 / 2026"))[0] == 303


async def test_the_challenge_cannot_be_reached_without_a_card(shop: Shop) -> None:
    session = await shop.open()
    assert await shop.code(session) == (303, session["page_url"])
    assert await shop.state(session) == ("open", None)
    await shop.card(session, ASKS)
    assert (await shop.code(session, answer="perhaps"))[0] == 400


BAD: list[tuple[dict[str, Any], str]] = [
    ({"reference": ""}, "reference"),
    ({"reference": "a b"}, "reference"),
    ({"reference": 5}, "reference"),
    ({"amount": 1500}, "amount"),
    ({"amount": "0"}, "amount"),
    ({"amount": "-5"}, "amount"),
    ({"amount": "1500.00"}, "amount"),
    ({"amount": "01500"}, "amount"),
    ({"amount": "0.00", "currency": "USD"}, "amount"),
    ({"amount": "12.005", "currency": "USD"}, "amount"),
    ({"currency": "EUR"}, "currency"),
    ({"currency": ["XOF"]}, "currency"),
    ({"description": ""}, "description"),
    ({"return_url": "javascript:alert(1)"}, "return_url"),
    ({"callback_url": None}, "callback_url"),
    ({"customer": None}, "customer"),
    ({"colour": "blue"}, "colour"),
    *[
        ({"customer": {**CUSTOMER, name: ""}}, f"customer.{name}")
        for name in CUSTOMER
        if name not in ("name", "surname", "phone_number")
    ],
    ({"customer": {**CUSTOMER, "country": "ci"}}, "customer.country"),
    ({"customer": {**CUSTOMER, "email": "awa"}}, "customer.email"),
    ({"customer": {**CUSTOMER, "phone_number": "0700000001"}}, "customer.phone_number"),
    ({"customer": {**CUSTOMER, "age": "5"}}, "customer.age"),
]


@pytest.mark.parametrize(("change", "named"), BAD)
async def test_a_bad_session_is_refused_by_name(shop: Shop, change: dict[str, Any], named: str) -> None:
    body = shop.body(**change)
    status, answer = await shop.call("POST", "", body, **{"idempotency-key": "order-1"})
    assert (status, answer["error"]["code"]) == (422, "invalid_request")
    assert answer["error"]["message"].startswith(f"{named}:")


async def test_the_other_errors(shop: Shop) -> None:
    session = await shop.open()
    assert (await shop.call("POST", "", shop.body()))[1]["error"]["code"] == "missing_idempotency_key"
    assert (await shop.call("POST", "", shop.body("order-2"), **{"idempotency-key": "x"}))[0] == 422
    assert (await shop.call("POST", "", [], **{"idempotency-key": "x"}))[1]["error"]["code"] == "invalid_json"
    assert (await shop.call("GET", ""))[0] == 400
    assert await shop.call("GET", "?reference=nobody") == (200, {"sessions": []})
    assert (await shop.call("GET", "/cs_nobody"))[0] == 404
    assert (await shop.call("POST", "/cs_nobody/expire"))[0] == 404
    for header in ("Bearer wrong", "Basic eA==", ""):
        for method, path in (
            ("POST", ""),
            ("GET", f"/{session['id']}"),
            ("POST", f"/{session['id']}/expire"),
        ):
            status, answer = await shop.call(method, path, {}, authorization=header)
            assert (status, answer["error"]["code"]) == (401, "unauthorised")


async def test_the_same_key_again_is_the_same_session(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.start() for _ in range(10)))
    assert sorted(status for status, _ in answers) == [200] * 9 + [201]
    assert len({answer["id"] for _, answer in answers}) == 1
    status, refusal = await shop.start(amount="1600")
    assert (status, refusal["error"]["code"]) == (409, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("amount", "currency"), [("12.00", "USD"), ("0.50", "USD"), ("1500", "CDF"), ("150000", "GNF")]
)
async def test_amounts_are_text_in_the_currencys_own_unit(shop: Shop, amount: str, currency: str) -> None:
    session = await shop.open(amount=amount, currency=currency)
    await shop.card(session)
    _, answer = await shop.call("GET", f"/{session['id']}")
    assert (answer["amount"], answer["currency"]) == (amount, currency)
    assert (await shop.sim.debits())[0]["amount"] == {"12.00": "12"}.get(amount, amount)


@pytest.mark.parametrize("card", [None, ASKS, "4000000000000119"])
async def test_a_session_lives_half_an_hour(shop: Shop, card: str | None) -> None:
    session = await shop.open()
    if card:
        await shop.card(session, card)
    shop.sim.clock.advance(1_799_999)
    assert (await shop.state(session))[0] == ("processing" if card else "open")
    shop.sim.clock.advance(1)
    assert await shop.state(session) == ("expired", None)
    assert (await shop.merchant.next()).json()["status"] == "expired"
    assert await shop.card(session) == shop.back
    assert await shop.sim.debits() == []


async def test_expire_forbids_a_later_payment_and_comes_too_late_for_a_paid_one(slow_shop: Shop) -> None:
    for n, card in enumerate((None, PAYS, ASKS)):
        session = await slow_shop.open(f"order-{n}")
        if card:
            await slow_shop.card(session, card)
        status, answer = await slow_shop.call("POST", f"/{session['id']}/expire")
        assert (status, answer["status"]) == (200, "expired")
        assert (await slow_shop.call("POST", f"/{session['id']}/expire"))[0] == 200
    slow_shop.sim.clock.advance(60_000)
    assert await slow_shop.sim.debits() == []
    paid = await slow_shop.open("order-9")
    await slow_shop.card(paid)
    slow_shop.sim.clock.advance(10_000)
    status, answer = await slow_shop.call("POST", f"/{paid['id']}/expire")
    assert (status, answer["error"]["code"]) == (409, "already_paid")


@pytest.mark.parametrize("code", FAILURE_CODES)
async def test_every_outcome_can_be_told_beforehand_of_the_customers_number(shop: Shop, code: str) -> None:
    await shop.sim.story("2250700000001", outcome=code)
    status, session = await shop.start()
    if code in AT_ONCE:
        assert (status, session["error"]["code"]) == (AT_ONCE[code][0], AT_ONCE[code][1])
    else:
        await shop.card(session)
        assert await shop.state(session) == ("failed", WORDS[code])
    assert await shop.sim.debits() == []


@pytest.mark.parametrize(("answer", "recorded"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_lost_start_is_found_by_its_reference(shop: Shop, answer: str, recorded: int) -> None:
    await shop.sim.story("2250700000001", answer=answer)
    with pytest.raises((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)):
        await shop.start()
    _, found = await shop.call("GET", "?reference=order-1")
    assert len(found["sessions"]) == recorded
    assert (await shop.start())[0] == (200 if recorded else 201)


async def test_an_empty_wallet_and_a_settlement_have_the_last_word(shop: Shop) -> None:
    await shop.sim.post("/_control/wallet", {"phone": "2250700000001", "balance": "1499"})
    poor, stolen = await shop.open("order-1"), await shop.open("order-2")
    await shop.card(poor)
    await shop.card(stolen, "4000000000009979")
    assert [await shop.state(one) for one in (poor, stolen)] == [
        ("failed", "insufficient_funds"),
        ("failed", "stolen_card"),
    ]
    await shop.sim.post("/_control/settle", {"reference": "order-2", "outcome": "808"})
    assert await shop.state(stolen) == ("failed", "limit_exceeded")
    await shop.sim.post("/_control/settle", {"reference": "order-2", "outcome": "paid", "callback": True})
    assert await shop.state(stolen) == ("paid", None)


async def test_callbacks_are_tried_again_and_signed_anew(start: Start) -> None:
    def other_key(exchange: Any, url: str) -> CardPage:
        return CardPage(exchange, KEY, url, callback_key="another")

    async with started(start, other_key) as shop:
        shop.merchant.answers = [500]
        await shop.sim.story("2250700000001", callback="twice")
        await shop.card(await shop.open())
        first, second = await shop.merchant.next(), await shop.merchant.next()
        while len((await shop.sim.get("/_control/callbacks"))[1]["callbacks"]) < 2:
            await asyncio.sleep(0)
        await shop.sim.post("/_control/clock", {"advance_s": 10})
        third = await shop.merchant.next()
        for heard in (first, second, third):
            verify(heard, "another")
        assert first.body == second.body == third.body
        assert third.headers["x-card-signature"] != first.headers["x-card-signature"]


async def test_the_pages_speak_french_and_english_and_hide_the_card(shop: Shop) -> None:
    session = await shop.open(description="<script>alert(1)</script>")
    french, english = await shop.read(session["page_url"]), await shop.read(session["page_url"] + "?lang=en")
    assert (french[0], "Payer par carte" in french[1], "Pay by card" in english[1]) == (200, True, True)
    assert "1\u202f500\u00a0FCFA" in french[1]
    assert "<script>" not in french[1]
    form = {"number": ASKS, "expiry": "12/99", "cvc": "123", "name": "AWA", "answer": "pay"}
    assert (await shop.press(session["page_url"] + "?lang=en", **form))[1] == session[
        "page_url"
    ] + "/3ds?lang=en"
    status, html = await shop.read(session["page_url"] + "/3ds")
    assert (status, "•••• 3184" in html, ASKS in html) == (200, True, False)
    assert (await shop.read(session["page_url"]))[1] == html
    await shop.code(session)
    assert "Retour au marchand" in (await shop.read(session["page_url"] + "/3ds"))[1]
    for path in ("/card-page/pay/0", "/card-page/pay/0/3ds"):
        assert (await shop.read(shop.sim.url + path))[0] == 404
        assert (await shop.press(shop.sim.url + path, answer="pay"))[0] == 404
