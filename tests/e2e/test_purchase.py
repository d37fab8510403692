"""The whole purchase in Chromium: script on and off, both languages, both sizes."""

import asyncio
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from ..checkout.visitors import Shop, Visitor
from .tabs import DESK, PHONE, WAIT_MS, Receiver, Tab, tab_of

pytestmark = pytest.mark.browser

PAYER, SILENT, POOR = "0700000073", "0700000129", "0700000602"


async def opened(shop: Shop, receiver: Receiver, **fields: object) -> Visitor:
    return await shop.opens(return_url=f"{receiver.url}/return?order=7", **fields)


async def is_accessible(tab: Tab) -> None:
    results = await Axe().run(tab.page)
    serious = [
        one["id"] for one in results.response["violations"] if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], results.generate_report()


async def gives_number(tab: Tab, number: str, country: str = "CI") -> None:
    await tab.page.select_option("#country", country)
    await tab.page.fill("#number", number)
    await tab.press("number")
    await tab.on("confirm")


async def came_back(tab: Tab, receiver: Receiver, visitor: Visitor) -> None:
    await tab.page.wait_for_selector("#thanks", timeout=WAIT_MS)
    assert receiver.received == [
        {"transaction_id": visitor.transaction_id, "token": visitor.token, "order": "7"}
    ]


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_purchase(
    browser: Browser, shop: Shop, receiver: Receiver, script: bool, lang: str, size: tuple[int, int]
) -> None:
    visitor = await opened(shop, receiver, lang=lang, invoice_data={"Livraison": "Cocody"})
    name = f"purchase-{lang}-{size[0]}-{'script' if script else 'plain'}"
    async with tab_of(browser, name, size, script) as tab:
        await tab.page.goto(visitor.url)
        await tab.on("choose")
        assert await tab.page.get_attribute("html", "lang") == lang
        await tab.shot("choose")
        await gives_number(tab, PAYER)
        assert await tab.page.is_checked("input[value=OM]")
        await tab.shot("confirm")
        await tab.press("pay")
        await tab.on("paid")
        await tab.shot("paid")
        assert visitor.transaction_id in await tab.page.inner_text("[data-receipt]")
        await tab.press("return")
        await came_back(tab, receiver, visitor)
        assert tab.hosts == {urlsplit(visitor.url).netloc, urlsplit(receiver.url).netloc}


async def test_the_script_goes_back_to_the_shop_by_itself_and_only_once(
    browser: Browser, shop: Shop, receiver: Receiver
) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, "automatic", PHONE, True) as tab:
        await tab.page.goto(visitor.url)
        await gives_number(tab, PAYER)
        await tab.press("pay")
        await tab.on("paid")
        assert await tab.page.is_visible("[data-soon]")
        await tab.shot("soon")
        await came_back(tab, receiver, visitor)
        await tab.page.goto(visitor.url)
        await tab.on("paid")
        assert not await tab.page.is_visible("[data-soon]")
        other = await tab.page.context.new_page()
        await other.goto(visitor.url)
        assert not await other.is_visible("[data-soon]")
        assert len(receiver.received) == 1


async def test_without_script_the_waiting_page_refreshes_itself(
    browser: Browser, shop: Shop, receiver: Receiver
) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, "refresh", PHONE, False) as tab:
        await tab.page.goto(visitor.url)
        await gives_number(tab, PAYER)
        await tab.press("pay")
        await tab.page.wait_for_selector("main[data-page=paid]", timeout=WAIT_MS)


async def test_whoever_wants_to_keep_the_receipt_can_stay(
    browser: Browser, shop: Shop, receiver: Receiver
) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, "stay", PHONE, True) as tab:
        await tab.page.clock.install()
        await tab.page.goto(visitor.url)
        await tab.press("cancel")
        await tab.on("refused")
        await tab.page.click("[data-soon] button")
        await tab.page.clock.fast_forward(60_000)
        assert not await tab.page.is_visible("[data-soon]")
        assert receiver.received == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
async def test_the_operators_page_and_back(
    browser: Browser, shop: Shop, receiver: Receiver, script: bool
) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, f"redirect-{'script' if script else 'plain'}", PHONE, script) as tab:
        await tab.page.goto(visitor.url)
        await gives_number(tab, PAYER)
        await tab.page.check("input[value=WAVECI]")
        await tab.press("pay")
        await tab.page.wait_for_url(f"{shop.gateway.simulator_url}/**", timeout=WAIT_MS)
        await tab.shot("operator")
        await tab.page.click("button[value=approve]")
        await tab.page.wait_for_url(f"{visitor.url}**", timeout=WAIT_MS)
        await tab.on("paid")
        await tab.press("return")
        await came_back(tab, receiver, visitor)


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
async def test_one_press_leaves_for_the_shop_while_waiting(
    browser: Browser, shop: Shop, receiver: Receiver, script: bool
) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, f"leave-{'script' if script else 'plain'}", PHONE, script) as tab:
        await tab.page.goto(visitor.url)
        await gives_number(tab, SILENT)
        await tab.press("pay")
        await tab.on("prompt")
        await tab.shot("prompt")
        await tab.press("return")
        await came_back(tab, receiver, visitor)
        assert (await shop.gateway.store.payment_by_token(visitor.token)).left_at is not None


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
async def test_a_failed_try_then_another_number(
    browser: Browser, shop: Shop, receiver: Receiver, script: bool
) -> None:
    visitor = await opened(shop, receiver, lang="en")
    async with tab_of(browser, f"retry-{'script' if script else 'plain'}", PHONE, script) as tab:
        await tab.page.goto(visitor.url)
        await gives_number(tab, POOR)
        await tab.press("pay")
        await tab.sees("[data-failed='602']")
        await tab.shot("failed")
        await gives_number(tab, PAYER)
        await tab.press("pay")
        await tab.on("paid")


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
async def test_a_one_time_code(browser: Browser, shop: Shop, receiver: Receiver, script: bool) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, f"code-{'script' if script else 'plain'}", PHONE, script) as tab:
        await tab.page.goto(visitor.url)
        await gives_number(tab, "07345678", "BF")
        await tab.press("pay")
        await tab.on("code")
        await tab.page.fill("#code", "123456")
        await tab.press("code")
        await tab.on("paid")


async def test_a_wrong_number_is_said_beside_its_field_which_has_the_focus(
    browser: Browser, shop: Shop, receiver: Receiver
) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, "error", PHONE, True) as tab:
        await tab.page.goto(visitor.url)
        await tab.page.fill("#number", "0102")
        await tab.press("number")
        await tab.page.wait_for_selector("#number-error")
        assert await tab.page.evaluate("document.activeElement.id") == "number"
        assert await tab.page.input_value("#number") == "0102"
        await is_accessible(tab)
        await tab.page.click(".switch")
        await tab.page.wait_for_selector("html[lang=en]")


async def test_a_double_click_on_pay_makes_one_attempt(
    browser: Browser, shop: Shop, receiver: Receiver
) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, "double", PHONE, True) as tab:
        await tab.page.goto(visitor.url)
        await gives_number(tab, SILENT)
        await tab.page.dblclick("form[data-form=pay] button", no_wait_after=True)
        await tab.on("prompt")
        assert (await shop.gateway.store.payment_by_token(visitor.token)).attempts == 1


async def test_a_second_tab_follows_the_first(browser: Browser, shop: Shop, receiver: Receiver) -> None:
    visitor = await opened(shop, receiver)
    async with tab_of(browser, "tabs", PHONE, True) as tab:
        await tab.page.goto(visitor.url)
        await gives_number(tab, "07345678", "BF")
        await tab.press("pay")
        await tab.on("code")
        other = await tab.page.context.new_page()
        await other.goto(visitor.url)
        await other.wait_for_selector("main[data-page=code]")
        await asyncio.gather(
            tab.page.fill("#code", "123456"),
            other.fill("#code", "123456"),
        )
        await tab.press("code")
        await other.click("form[data-form=code] button.main")
        await tab.on("paid")
        await other.wait_for_selector("main[data-page=paid]", timeout=WAIT_MS)
