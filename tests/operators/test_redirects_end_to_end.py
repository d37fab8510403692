"""Redirect connectors behind a whole gateway, on both engines: a card without a phone number, a notification that names nobody."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest
from scripted_operator import HANG_UP

from cauri.app import Gateway
from cauri.clock import MINUTE, SECOND, ManualClock
from cauri.config import CardPageSettings, Limits, OperatorsSettings, OrangeWebPaySettings, Settings
from cauri.customer import Ending, pay
from cauri.domain.site import Site, SiteSettings
from cauri.keys import hash_of
from cauri.serving import Server, bound_socket, url_of
from cauri.store.migrate import migrate

pytestmark = pytest.mark.in_turn


NO_LIMITS = Limits(rate_per_key=0, failed_auth_per_address=0, page_posts_per_address=0, attempt_gap_s=0)
CARD_BLOCK = {
    "customer_name": "Traoré",
    "customer_surname": "Awa",
    "customer_id": "7",
    "customer_email": "awa@example.com",
    "customer_address": "Rue 12",
    "customer_city": "Abidjan",
    "customer_country": "CI",
    "customer_state": "CI",
    "customer_zip_code": "00225",
}
PAGE = "https://cards.example/p/cs_1"
SESSIONS, ONE = "/v1/sessions", "/v1/sessions/cs_1"


@dataclass
class Shop:
    """A site of a gateway that has cards and Orange's page, and a visitor of its payment page."""

    gateway: Gateway
    clock: ManualClock
    url: str
    client: httpx.AsyncClient
    token: str = ""

    async def opens(self, **fields: Any) -> httpx.Response:
        body = {"apikey": "k3y", "site_id": "1", "transaction_id": "t1", "amount": 1500, "currency": "XOF", "description": "Pagnes", "return_url": "https://shop.example/r"}  # fmt: skip
        answer = await self.client.post(f"{self.url}/v2/payment", json={**body, **fields})
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["data"]["payment_token"]
        return await self.page()

    async def page(self, step: str = "", **fields: str) -> httpx.Response:
        address = f"{self.url}/payment/{self.token}{'/' + step if step else ''}"
        return await (self.client.post(address, data=fields) if step else self.client.get(address))

    async def check(self) -> dict[str, Any]:
        body = {"apikey": "k3y", "site_id": "1", "transaction_id": "t1"}
        return (await self.client.post(f"{self.url}/v2/payment/check", json=body)).json()

    async def later(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds)
        await self.gateway.poller.tick(self.clock.now())
        await self.gateway.poller.idle()

    async def attempt(self) -> Any:
        payment = await self.gateway.store.payment_by_token(self.token)
        return (await self.gateway.store.attempts(payment))[-1]


@pytest.fixture
def attempt_gap_s():
    return 0


@pytest.fixture
async def shop(engine, new_database, operator_by_path, attempt_gap_s):
    sock, clock = bound_socket("127.0.0.1", 0), ManualClock()
    url = operator_by_path.url
    settings = Settings(
        public_url=url_of(sock),
        database=await new_database(engine),
        secret="0" * 16,
        limits=msgspec.structs.replace(NO_LIMITS, attempt_gap_s=attempt_gap_s),
        operators=OperatorsSettings(
            card_page={country: CardPageSettings(base_url=f"{url}/{country}", key="k") for country in ("CI", "CD")},
            orange_webpay={country: OrangeWebPaySettings(client_id="i", client_secret="s", merchant_key="m", base_url=url) for country in ("CI", "ML")},
        ),
    )  # fmt: skip
    gateway = Gateway(settings, clock)
    await migrate(gateway.store.engine)
    site = Site(site_id="1", name="Chez Awa", settings=SiteSettings(), created_at=clock.now())
    await gateway.store.save_site(site)
    await gateway.store.give_key(hash_of("k3y"), "1", label="test", now=clock.now())
    server = Server(gateway, sock)
    await server.start()
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        yield Shop(gateway, clock, settings.public_url, client)
    await server.stop()
    await gateway.stop()


async def pays_by_card(
    shop: Shop, operator: Any, method: str = "VISAM", country: str = "CI"
) -> httpx.Response:
    """The acquirer cannot know the reference before it is told: so the answer of the start is lost, and the session found."""
    operator.at(SESSIONS, HANG_UP)
    answer = await shop.page("pay", country=country, number="", method=method)
    reference = (await shop.attempt()).reference
    session = {"id": "cs_1", "reference": reference, "status": "open", "page_url": PAGE}
    operator.at(SESSIONS, {"sessions": [session]}, (200, session))
    operator.at(ONE, session)
    await shop.later(40 * SECOND)
    return answer


def session_of(reference: str, **more: Any) -> dict[str, Any]:
    return {"id": "cs_1", "reference": reference, "status": "paid", **more}


async def test_a_card_is_paid_without_typing_a_phone_number(shop, operator_by_path):
    page = await shop.opens(**CARD_BLOCK)
    assert 'data-form="number"' in page.text
    assert 'data-form="card"' in page.text
    assert (await pays_by_card(shop, operator_by_path)).status_code == 303
    shown = (await shop.page()).text
    assert PAGE in shown
    assert "Ouvrir la page de votre banque" in shown
    assert "chez Visa" not in shown
    waiting = await shop.check()
    assert (waiting["code"], waiting["data"]["payment_method"]) == ("664", "VISAM")
    assert (waiting["data"]["phone_number"], waiting["data"]["phone_prefix"]) == (None, None)
    customer = operator_by_path.requests[0].json["customer"]
    assert (customer["name"], customer["surname"], customer["phone_number"]) == ("Traoré", "Awa", "")

    reference = (await shop.attempt()).reference
    operator_by_path.at(ONE, session_of(reference, amount="1500", currency="XOF"))
    await shop.later(2 * MINUTE)
    paid = await shop.check()
    assert (paid["code"], paid["data"]["operator_id"]) == ("00", "cs_1")
    assert (paid["data"]["phone_number"], paid["data"]["phone_prefix"]) == (None, None)
    assert "Paiement réussi" in (await shop.page()).text


async def test_another_amount_is_never_paid(shop, operator_by_path):
    await shop.opens(**CARD_BLOCK)
    await pays_by_card(shop, operator_by_path)
    reference = (await shop.attempt()).reference
    operator_by_path.at(ONE, session_of(reference, amount="15", currency="XOF"))
    await shop.later(2 * MINUTE)
    assert operator_by_path.seen(ONE)
    assert (await shop.check())["code"] == "664"
    assert (await shop.attempt()).word.startswith("mismatch")


async def test_the_number_that_the_merchant_gave_stays_with_the_card(shop, operator_by_path):
    await shop.opens(**CARD_BLOCK, customer_phone_number="+22670123456")
    await pays_by_card(shop, operator_by_path)
    data = (await shop.check())["data"]
    assert (data["payment_method"], data["phone_number"], data["phone_prefix"]) == (
        "VISAM",
        "70123456",
        "226",
    )
    assert operator_by_path.requests[0].json["customer"]["phone_number"] == "22670123456"


@pytest.mark.parametrize(
    ("phone", "form"),
    [
        pytest.param("+2250749012966", 'type="radio" name="method" value="VISAM"', id="beside the operators of its country"),
        pytest.param("+22370123456", 'data-form="card"', id="by a button of its own for another country"),
    ],
)  # fmt: skip
async def test_a_locked_number_does_not_lock_the_card_out(shop, operator_by_path, phone, form):
    page = await shop.opens(**CARD_BLOCK, customer_phone_number=phone, lock_phone_number=True, channels="ALL")
    assert form in page.text
    assert (await pays_by_card(shop, operator_by_path)).status_code == 303
    assert (await shop.check())["data"]["payment_method"] == "VISAM"


async def test_dollars_have_two_decimals(shop, operator_by_path):
    await shop.opens(**CARD_BLOCK, amount=12, currency="USD")
    await pays_by_card(shop, operator_by_path, "VISAMCDUSD", "CD")
    assert operator_by_path.requests[0].json["amount"] == "12.00"
    reference = (await shop.attempt()).reference
    operator_by_path.at(ONE, session_of(reference, amount="12.00", currency="USD"))
    await shop.later(2 * MINUTE)
    assert (await shop.check())["code"] == "00"


async def test_where_only_a_card_can_pay_no_number_is_asked(shop, operator_by_path):
    page = await shop.opens(**CARD_BLOCK, channels="CREDIT_CARD")
    assert 'data-form="number"' not in page.text
    assert "Payer par carte" in page.text
    english = await shop.client.get(f"{shop.url}/payment/{shop.token}?lang=en")
    assert "by card" in english.text


@pytest.mark.parametrize("sent", [{}, {"customer_zip_code": ""}], ids=["no card block", "half a card block"])
async def test_without_the_whole_card_block_there_is_no_card(shop, operator_by_path, sent):
    page = await shop.opens(**({**CARD_BLOCK, **sent} if sent else {}))
    assert 'data-form="card"' not in page.text
    answer = await shop.page("pay", country="CI", number="", method="VISAM")
    assert answer.status_code == 422
    assert 'data-error="method_unavailable"' in answer.text
    assert (await shop.check())["code"] == "662"
    assert not operator_by_path.requests


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"country": "CI", "method": "VISAMCM"}, "method_unavailable", id="the card of another currency"),
        pytest.param({"country": "CI", "method": "OM"}, "phone_unreadable", id="a phone's method without a number"),
        pytest.param({"country": "CI", "method": "visam"}, "phone_unreadable", id="no method of ours"),
        pytest.param({"country": "CI", "method": "VISAM", "number": "12"}, "phone_length", id="a bad number beside it"),
    ],
)  # fmt: skip
async def test_only_the_card_itself_needs_no_number(shop, operator_by_path, fields, reason):
    await shop.opens(**CARD_BLOCK)
    answer = await shop.page("pay", **fields)
    assert answer.status_code == 422
    assert f'data-error="{reason}"' in answer.text
    assert not operator_by_path.requests


async def test_whatever_country_the_form_says_the_card_has_its_own(shop, operator_by_path):
    await shop.opens(**CARD_BLOCK)
    assert (await pays_by_card(shop, operator_by_path, country="SN")).status_code == 303
    assert (await shop.attempt()).phone.country == "CI"


async def test_a_session_that_was_never_opened_closes_as_804(shop, operator_by_path):
    await shop.opens(**CARD_BLOCK)
    operator_by_path.at(SESSIONS, HANG_UP)
    await shop.page("pay", country="CI", number="", method="VISAM")
    operator_by_path.at(SESSIONS, {"sessions": []})
    await shop.later(40 * SECOND)
    assert (await shop.check())["code"] == "664"
    await shop.later(2 * MINUTE)
    assert (await shop.attempt()).code.number == "804"
    page = await shop.page()
    assert 'data-form="card"' in page.text
    assert 'data-failed="804"' in page.text


@pytest.mark.parametrize(
    "locked", [{}, {"customer_phone_number": "+2250749012966", "lock_phone_number": True}]
)
@pytest.mark.parametrize("attempt_gap_s", [5])
async def test_a_card_pressed_again_too_soon_is_told_so(shop, operator_by_path, locked):
    await shop.opens(**CARD_BLOCK, **locked)
    operator_by_path.at(SESSIONS, (503, b""))
    assert (await shop.page("pay", country="CI", number="", method="VISAM")).status_code == 303
    again = await shop.page("pay", country="CI", number="", method="VISAM")
    assert again.status_code == 429
    assert 'data-error="too_soon"' in again.text
    assert 'value="VISAM"' in again.text


async def test_nonsense_to_a_start_closes_as_804_too(shop, operator_by_path):
    await shop.opens(**CARD_BLOCK)
    operator_by_path.at(SESSIONS, (201, b"<html>"))
    await shop.page("pay", country="CI", number="", method="VISAM")
    operator_by_path.at(SESSIONS, {"sessions": []})
    await shop.later(40 * SECOND)
    await shop.later(2 * MINUTE)
    assert (await shop.attempt()).code.number == "804"


async def test_cauri_pay_chooses_the_card(shop, operator_by_path):
    await shop.opens(**CARD_BLOCK)
    operator_by_path.at(SESSIONS, HANG_UP)
    told: list[str] = []
    ended = await pay(
        f"{shop.url}/payment/{shop.token}", "+2250749012966", method="visam", timeout_s=0.5, tell=told.append
    )
    assert ended.ending is Ending.WAITING
    assert "card chosen" in told
    assert (await shop.attempt()).method == "VISAM"


async def test_an_orange_notification_counts_only_with_its_token(shop, operator_by_path):
    operator_by_path.at("/oauth/v3/token", {"access_token": "a", "expires_in": 3600})
    operator_by_path.at(
        "/webpayment",
        (201, {"pay_token": "p", "notif_token": "n", "payment_url": "https://orange.example/p"}),
    )
    await shop.opens()
    await shop.page("pay", country="CI", number="0749012966", method="OM")
    attempt = await shop.attempt()
    notif_url = operator_by_path.seen("/webpayment")[0].json["notif_url"]
    assert notif_url == f"{shop.url}/operators/orange_webpay_ci/callback/{attempt.reference}"
    assert json.loads(attempt.handle) == {"pay_token": "p", "notif_token": "n"}

    order_id = operator_by_path.seen("/webpayment")[0].json["order_id"]
    operator_by_path.at("/transactionstatus", (201, {"status": "PENDING", "order_id": order_id}))
    await shop.later(45 * SECOND)  # the start's lease is over, the usual question asked
    asked = len(operator_by_path.seen("/transactionstatus"))
    operator_by_path.at(
        "/transactionstatus", (201, {"status": "SUCCESS", "order_id": order_id, "txnid": "MP1"})
    )
    notice = {"status": "SUCCESS", "notif_token": "forged", "txnid": "MP1"}
    assert (await shop.client.post(notif_url, json=notice)).status_code == 200
    await shop.later(0)
    assert len(operator_by_path.seen("/transactionstatus")) == asked
    assert (await shop.client.post(notif_url, json={**notice, "notif_token": "n"})).status_code == 200
    await shop.later(0)
    paid = await shop.check()
    assert (paid["code"], paid["data"]["operator_id"]) == ("00", "MP1")
    assert (await shop.client.post(notif_url, json={**notice, "notif_token": "n"})).status_code == 200
    assert (await shop.client.post(notif_url.rpartition("/")[0], json=notice)).status_code == 400
