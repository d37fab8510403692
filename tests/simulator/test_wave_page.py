"""Wave's launch page: pay, fail in each way, walk away; by whoever the session lets pay."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from cauri.simulator.dialects.wave.page_texts import ERRORS, TEXTS
from cauri.simulator.dialects.wave.words import MESSAGES

from .conftest import Sim, Start
from .test_wave import PAYER, created, dialects, get, press

ERROR_URL, SUCCESS_URL = "https://shop.example.ci/error", "https://shop.example.ci/ok"


@pytest.fixture
async def wave(start: Start, merchant: tuple[str, Any]) -> AsyncIterator[Sim]:
    async with start(dialects=dialects(merchant[0])) as sim:
        yield sim


@pytest.fixture
async def slow(start: Start, merchant: tuple[str, Any]) -> AsyncIterator[Sim]:
    async with start(10, dialects=dialects(merchant[0])) as sim:
        yield sim


async def read(sim: Sim, url: str, lang: str = "fr") -> tuple[int, str]:
    async with sim.http.get(url, headers={"accept-language": lang}) as response:
        return response.status, await response.text()


async def send(sim: Sim, url: str, form: Any) -> tuple[int, str]:
    async with sim.http.post(url, data=form, allow_redirects=False) as response:
        return response.status, await response.text()


@pytest.mark.parametrize("error", MESSAGES)
async def test_the_payer_fails_in_each_of_waves_ways_and_may_still_pay(wave: Sim, error: str) -> None:
    session = await created(wave)
    assert await press(wave, session, "fail", error=error) == ERROR_URL
    told = await wave.receiver.next()
    assert (told["type"], told["data"]) == (
        "checkout.session.payment_failed",
        await get(wave, session["id"]),
    )
    assert told["data"]["last_payment_error"] == {"code": error, "message": MESSAGES[error]}
    assert (told["data"]["checkout_status"], told["data"]["payment_status"]) == ("open", "processing")
    _, html = await read(wave, session["wave_launch_url"])
    assert ERRORS["fr"][error] in html
    assert await press(wave, session) == SUCCESS_URL
    assert len(await wave.debits()) == 1


async def test_walking_away_leaves_the_session_open(wave: Sim) -> None:
    session = await created(wave)
    assert await press(wave, session, "abandon") == ERROR_URL
    assert await get(wave, session["id"]) == session
    assert await press(wave, session) == SUCCESS_URL


async def test_a_payment_under_way_is_shown_and_not_made_twice(slow: Sim) -> None:
    session = await created(slow)
    prompts = (await slow.get("/_control/prompts"))[1]["prompts"]
    assert [(one["kind"], one["url"], one["phone"]) for one in prompts] == [
        ("page", session["wave_launch_url"], PAYER)
    ]
    await press(slow, session)
    assert (await slow.get("/_control/prompts"))[1]["prompts"] == []
    _, html = await read(slow, session["wave_launch_url"])
    assert TEXTS["fr"]["paying"] in html
    assert "<form" not in html
    for again in ("approve", "abandon"):
        assert await press(slow, session, again) == SUCCESS_URL
    assert await press(slow, session, "fail", error="payment-failure") == SUCCESS_URL
    assert await slow.debits() == []
    slow.clock.advance(10_000)
    _, html = await read(slow, session["wave_launch_url"])
    assert TEXTS["fr"]["paid"] in html
    assert SUCCESS_URL in html
    assert await press(slow, session) == SUCCESS_URL
    assert len(await slow.debits()) == 1


async def test_another_number_than_the_sessions_is_a_mismatch(wave: Sim) -> None:
    session = await created(wave)
    assert await press(wave, session, phone="+221 77 000 00 01") == ERROR_URL
    error = (await get(wave, session["id"]))["last_payment_error"]
    assert error["code"] == "payer-mobile-mismatch"
    assert await press(wave, session, phone="+225 07 00 00 00 01") == SUCCESS_URL


async def test_an_unrestricted_session_is_paid_by_the_number_typed(wave: Sim) -> None:
    session = await created(wave, restrict_payer_mobile=...)
    assert "restrict_payer_mobile" not in session
    _, html = await read(wave, session["wave_launch_url"])
    assert 'value="+2250700000001"' in html
    assert await press(wave, session, phone="+221 77 000 06 02") == ERROR_URL
    assert (await get(wave, session["id"]))["last_payment_error"]["code"] == "insufficient-funds"
    await wave.story("221770000003", amount="1400")
    assert await press(wave, session, phone="221770000003") == SUCCESS_URL
    (debit,) = await wave.debits()
    assert (debit["phone"], debit["amount"]) == ("221770000003", "1400")


@pytest.mark.parametrize(
    "form",
    [{}, {"answer": ""}, {"answer": "perhaps"}, {"answer": "fail"}, {"answer": "fail", "error": "x"},
     {"answer": "approve", "phone": "x"}, {"answer": "approve", "phone": "9" * 400},
     {"answer": "approve", "phone": "0700000001"}, {"answer": "approve", "phone": "٢٢٥٠٧٠٠٠٠٠٠٠١"}],
)  # fmt: skip
async def test_nonsense_on_the_page_is_answered_with_the_page(wave: Sim, form: dict[str, str]) -> None:
    session = await created(wave)
    status, html = await send(wave, session["wave_launch_url"], form)
    assert status == 400
    expected = "bad_number" if form.get("answer") == "approve" else "unread"
    assert TEXTS["fr"][expected] in html
    assert await get(wave, session["id"]) == session


async def test_an_unrestricted_session_wants_a_number(wave: Sim) -> None:
    session = await created(wave, restrict_payer_mobile=...)
    status, html = await send(wave, session["wave_launch_url"], {"answer": "approve"})
    assert (status, TEXTS["fr"]["bad_number"] in html) == (400, True)


async def test_an_upload_is_no_answer(wave: Sim) -> None:
    session = await created(wave, restrict_payer_mobile=...)
    form = aiohttp.FormData({"answer": "approve"})
    form.add_field("phone", b"+" + PAYER.encode(), filename="number.txt")
    status, _ = await send(wave, session["wave_launch_url"], form)
    assert status == 400


async def test_the_page_is_french_or_english_and_hides_the_number(wave: Sim) -> None:
    session = await created(wave)
    for lang, words in (("fr", "Payer avec Wave"), ("en-GB,en;q=0.8", "Pay with Wave"), ("de", "Abandonner")):
        status, html = await read(wave, session["wave_launch_url"], lang)
        assert status == 200
        assert words in html
        assert "1\u202f500\u00a0FCFA" in html
        assert PAYER not in html
        assert "•••• 01" in html
    assert "Walk away" in (await read(wave, session["wave_launch_url"] + "?lang=en"))[1]
    assert set(ERRORS["fr"]) == set(ERRORS["en"]) == set(MESSAGES)
    assert set(TEXTS["fr"]) == set(TEXTS["en"])


async def test_what_a_merchant_writes_stays_text(wave: Sim) -> None:
    session = await created(wave, error_url='https://x.ci/"><script>alert(1)</script>')
    wave.clock.advance(1_800_000)
    status, html = await read(wave, session["wave_launch_url"])
    assert status == 200
    assert "<script" not in html
    assert TEXTS["fr"]["over"] in html


async def test_an_unknown_page_says_what_to_do(wave: Sim) -> None:
    url = wave.url + "/wave/c/cos-0"
    for status, html in (await read(wave, url), await send(wave, url, {"answer": "approve"})):
        assert status == 404
        assert "Recommencez" in html
