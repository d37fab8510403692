"""Every page as a picture and before axe: both languages, both sizes. The views are made by hand, the pages are the real ones."""

import dataclasses
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from msgspec.structs import replace
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.checkout.assets import Assets, read_assets
from cauri.checkout.language import Language
from cauri.checkout.pages import Page, Problem, choose_page, confirm_page, page_of
from cauri.checkout.rendering import Renderer, Trouble
from cauri.checkout.typed import Typed
from cauri.domain.codes import Code
from cauri.domain.payment import AttemptStatus, PaymentStatus
from cauri.operators.base import Flow

from ..checkout.test_pages import ATTEMPT, NOW, OVER, PAYMENT, REQUEST, attempt, ended, view
from .tabs import DESK, PHONE, SCREENSHOTS, served, tab_of

pytestmark = pytest.mark.browser

LINES = (("Livraison", "Cocody, Abidjan"), ("Articles", "2 pagnes wax, 1 panier"))
RICH = replace(PAYMENT, request=replace(REQUEST, invoice_data=LINES))
GIVEN = replace(PAYMENT, request=replace(REQUEST, customer_phone="2250749012966"))
LOCKED = replace(PAYMENT, request=replace(REQUEST, customer_phone="2250749012966", lock_phone_number=True))
TYPED = Typed(country="CI", number="0102324373")
WAVE = attempt(
    AttemptStatus.SENT, Code.WAITING_AT_OPERATOR, method="WAVECI", page_url="https://operator.example/x"
)
CODE = attempt(AttemptStatus.ASKED, Code.WAITING_OTP, method="OMBF")
PAID = ended(
    PaymentStatus.PAID,
    Code.SUCCESS,
    operator_id="8210407187720",
    paid_at=NOW - 9,
    phone=ATTEMPT.phone,
    method="OM",
    request=RICH.request,
)
FAILED = attempt(AttemptStatus.FAILED, Code.INSUFFICIENT_BALANCE)

NOTHING = dataclasses.replace(
    view(), countries=tuple(dataclasses.replace(one, unavailable="no_method") for one in view().countries)
)

PAGES: dict[str, Page | Trouble] = {
    "choose": choose_page(view(RICH)),
    "choose-error": choose_page(view(), Typed("CI", "12"), Problem(field="number", reason="phone_length")),
    "choose-given": choose_page(view(GIVEN)),
    "choose-nothing": choose_page(NOTHING),
    "retry": page_of(view(attempt=FAILED)),
    "confirm": confirm_page(view(RICH), TYPED),
    "confirm-error": confirm_page(view(), TYPED, Problem(field="method", reason="method_unavailable")),
    "confirm-too-soon": confirm_page(view(), TYPED, Problem(field="", reason="too_soon")),
    "confirm-changed": confirm_page(view(), TYPED, changed=True),
    "confirm-locked": page_of(view(LOCKED)),
    "prompt": page_of(view(attempt=ATTEMPT, flow=Flow.PROMPT)),
    "code": page_of(view(attempt=CODE, flow=Flow.CODE)),
    "code-error": page_of(view(attempt=CODE, flow=Flow.CODE), Problem(field="code", reason="code_format")),
    "code-sent": page_of(view(attempt=replace(CODE, status=AttemptStatus.SENT), flow=Flow.CODE)),
    "redirect": page_of(view(attempt=WAVE, flow=Flow.PAGE)),
    "redirect-soon": page_of(view(attempt=replace(WAVE, page_url=None), flow=Flow.PAGE)),
    "checking": page_of(view(attempt=ATTEMPT, flow=Flow.PROMPT, left=0)),
    "paid": page_of(view(PAID, attempt(AttemptStatus.PAID, Code.SUCCESS))),
    "refused": page_of(view(ended(PaymentStatus.REFUSED, Code.INSUFFICIENT_BALANCE), FAILED)),
    "cancelled": page_of(view(ended(PaymentStatus.REFUSED, Code.CANCELLED))),
    "expired": page_of(view(OVER)),
    "unknown": Trouble("unknown", 404),
    "too-many": Trouble("too_many", 429, reload="/payment/x"),
    "store": Trouble("store", 503, reload="/payment/x"),
}


def showcase() -> Starlette:
    assets = Assets(read_assets())
    renderer = Renderer("", assets.urls)

    async def show(request: Request) -> Response:
        page, language = PAGES[request.path_params["name"]], Language(request.path_params["lang"])
        return (
            renderer.trouble(page, language) if isinstance(page, Trouble) else renderer.page(page, language)
        )

    return Starlette(routes=[Route("/show/{name}/{lang}", show), Route("/static/{name}", assets.show)])


async def findings(tab: Any) -> list[str]:
    results = await Axe().run(tab.page)
    return [
        f"{one['id']}: {one['nodes'][0]['html']}"
        for one in results.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("lang", "size", "scheme", "axe"),
    [
        ("fr", PHONE, "light", True),
        ("fr", PHONE, "dark", True),
        ("en", DESK, "light", True),
        ("en", PHONE, "light", False),
        ("fr", DESK, "light", False),
    ],
)
async def test_every_page_fits_and_axe_finds_nothing_serious(
    browser: Browser, lang: str, size: tuple[int, int], scheme: str, axe: bool
) -> None:
    troubles: dict[str, list[str]] = {}
    async with served(showcase()) as url, tab_of(browser, "pages", size, True) as tab:
        await tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        SCREENSHOTS.mkdir(exist_ok=True)
        for name in PAGES:
            await tab.page.goto(f"{url}/show/{name}/{lang}")
            found = await findings(tab) if axe else []
            width = await tab.page.evaluate("document.documentElement.scrollWidth")
            if width > size[0]:
                found.append(f"{width} px wide")
            small = await tab.page.evaluate(
                "[...document.querySelectorAll('button, select, input:not([type=hidden]):not([type=radio]), a, label.choice')]"
                ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
            )
            found += [f"smaller than 44 px: {one}" for one in small]
            if found:
                troubles[name] = found
            path = SCREENSHOTS / f"page-{name}-{lang}-{size[0]}-{scheme}.png"
            await tab.page.screenshot(path=str(path), full_page=True)
    assert troubles == {}
