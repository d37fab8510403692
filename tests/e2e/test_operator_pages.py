"""The pages that payers see at a simulated operator: a card with its 3-D Secure step, Orange's number and code."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from cauri.clock import Clock
from cauri.serving import Server, bound_socket, url_of
from cauri.simulator import simulator
from cauri.simulator.dialects.card_page import CardPage
from cauri.simulator.dialects.orange_burkina import OrangeBurkina
from cauri.simulator.dialects.orange_webpay import OrangeWebPay

from .tabs import DESK, PHONE, WAIT_MS, Receiver, Tab, tab_of

pytestmark = pytest.mark.browser

CUSTOMER = {
    "id": "c-1", "name": "Awa", "surname": "Koné", "email": "awa@example.com", "phone_number": "+2250700000001",
    "address": "Rue 1", "city": "Abidjan", "country": "CI", "state": "CI", "zip_code": "00225",
}  # fmt: skip


@asynccontextmanager
async def operators() -> AsyncIterator[str]:
    listener = bound_socket("127.0.0.1", 0)
    url = url_of(listener)
    app = simulator(
        Clock(),
        [
            lambda exchange: CardPage(exchange, "key", url),
            lambda exchange: OrangeWebPay(exchange, "client", "secret", {"ci": "key"}, url),
            lambda exchange: OrangeBurkina(exchange, "u", "p", "76000001"),
        ],
        operator_delay_s=0,
    )
    server = Server(app, listener, lifespan=True)
    await server.start()
    try:
        yield url
    finally:
        await server.stop()


async def card_session(url: str, shop: str) -> str:
    body = {
        "reference": "order-1", "amount": "1500000", "currency": "XOF", "customer": CUSTOMER,
        "description": "Deux pagnes wax et un panier tressé de grande taille",
        "return_url": f"{shop}/thanks", "callback_url": f"{shop}/none",
    }  # fmt: skip
    headers = {"authorization": "Bearer key", "idempotency-key": "order-1"}
    session: dict[str, Any] = await posted(f"{url}/card-page/v1/sessions", headers, json=body)
    return str(session["page_url"])


async def orange_payment(url: str, shop: str) -> str:
    pair = base64.b64encode(b"client:secret").decode()
    grant = {"grant_type": "client_credentials"}
    token = await posted(f"{url}/orange/oauth/v3/token", {"authorization": f"Basic {pair}"}, data=grant)
    body = {
        "merchant_key": "key", "currency": "XOF", "order_id": "order-1", "amount": 1500, "lang": "fr",
        "reference": "Boutique de démonstration", "return_url": f"{shop}/thanks", "cancel_url": f"{shop}/thanks",
        "notif_url": f"{shop}/none",
    }  # fmt: skip
    headers = {"authorization": f"Bearer {token['access_token']}"}
    opened = await posted(f"{url}/orange/orange-money-webpay/ci/v1/webpayment", headers, json=body)
    return str(opened["payment_url"])


async def posted(url: str, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.post(url, headers=headers, **body) as response:
        assert response.ok, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def fits(tab: Tab, name: str, width: int) -> None:
    """No sideways scrolling, nothing too small to touch, nothing that axe finds wrong."""
    await tab.shot(name)
    assert await tab.page.evaluate("document.documentElement.scrollWidth") <= width
    small = "[...document.querySelectorAll('button, input')].filter(e => e.getBoundingClientRect().height < 44).length"
    assert await tab.page.evaluate(small) == 0
    if tab.script:
        results = await Axe().run(tab.page)
        assert [one["id"] for one in results.response["violations"]] == []


@pytest.mark.parametrize(
    ("size", "script", "lang"), [(PHONE, True, "fr"), (DESK, True, "en"), (PHONE, False, "en")]
)
async def test_a_card_is_typed_confirmed_at_the_bank_and_leads_back(
    browser: Browser, receiver: Receiver, size: tuple[int, int], script: bool, lang: str
) -> None:
    async with operators() as url, tab_of(browser, f"card-{lang}-{size[0]}", size, script) as tab:
        await tab.page.goto(f"{await card_session(url, receiver.url)}?lang={lang}")
        await fits(tab, "form", size[0])
        fields = {"number": "4000 0027 6000 3184", "expiry": "12/49", "cvc": "12", "name": "AWA KONE"}
        for name, value in fields.items():
            await tab.page.fill(f"#{name}", value)
        await tab.page.click("button[value=pay]")
        await tab.page.wait_for_selector(".notice", timeout=WAIT_MS)
        await fits(tab, "wrong", size[0])
        for name, value in (fields | {"cvc": "123"}).items():
            await tab.page.fill(f"#{name}", value)
        await tab.page.click("button[value=pay]")
        await tab.page.wait_for_selector("#code", timeout=WAIT_MS)
        await fits(tab, "bank", size[0])
        assert await tab.page.get_attribute("html", "lang") == lang
        await tab.page.fill("#code", "123456")
        await tab.page.click("button[value=confirm]")
        await tab.page.wait_for_selector("#thanks", timeout=WAIT_MS)


@pytest.mark.parametrize(("size", "script"), [(PHONE, True), (DESK, False)])
async def test_orange_takes_the_number_and_the_code_that_its_desk_gave(
    browser: Browser, receiver: Receiver, size: tuple[int, int], script: bool
) -> None:
    async with operators() as url, tab_of(browser, f"orange-{size[0]}", size, script) as tab:
        page_url = await orange_payment(url, receiver.url)
        await tab.page.goto(f"{url}/orange/otp")
        await fits(tab, "desk", size[0])
        await tab.page.fill("#phone", "2250700000001")
        await tab.page.click("button")
        code = await tab.page.inner_text(".code")
        await fits(tab, "code", size[0])
        await tab.page.goto(page_url)
        await fits(tab, "form", size[0])
        for typed, then in (("123456", ".notice"), (code, "#thanks")):
            await tab.page.fill("#phone", "07 00 00 00 01")
            await tab.page.fill("#otp", typed)
            await tab.page.click("button[value=confirm]")
            await tab.page.wait_for_selector(then, timeout=WAIT_MS)
        await tab.page.goto(page_url)
        assert "n’attend plus" in await tab.page.inner_text(".notice")
        await tab.page.goto(f"{url}/orange-burkina/otp")
        await fits(tab, "desk-burkina", size[0])
