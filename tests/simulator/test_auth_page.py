"""A REDIRECT payment: the authorisation URL, the page, its two buttons."""

from typing import Any

import pytest

from .conftest import Sim

URLS = {"successfulUrl": "http://127.0.0.1:1/ok?order=1", "failedUrl": "http://127.0.0.1:1/failed"}


async def wave(sim: Sim, phone: str = "2250700000001") -> tuple[str, str]:
    """A Wave deposit and its page's URL."""
    deposit_id, answer = await sim.deposit(phone, "WAVE_CIV", **URLS)
    assert (answer["status"], answer["nextStep"]) == ("ACCEPTED", "GET_AUTH_URL")
    return deposit_id, (await sim.deposit_state(deposit_id))["authorizationUrl"]


async def press(sim: Sim, url: str, answer: str) -> tuple[int, str | None]:
    async with sim.http.post(url, data={"answer": answer}, allow_redirects=False) as response:
        return response.status, response.headers.get("location")


async def read(sim: Sim, url: str, lang: str = "fr") -> tuple[int, str]:
    async with sim.http.get(url, headers={"accept-language": lang}) as response:
        return response.status, await response.text()


async def test_the_page_comes_a_moment_later_by_callback_and_by_check(slow_sim: Sim) -> None:
    deposit_id, _ = await slow_sim.deposit("2250700000001", "WAVE_CIV", **URLS)
    before = await slow_sim.deposit_state(deposit_id)
    assert (before["status"], before["nextStep"]) == ("ACCEPTED", "GET_AUTH_URL")
    assert "authorizationUrl" not in before
    slow_sim.clock.advance(300)
    told = await slow_sim.receiver.next()
    assert (told["status"], told["nextStep"]) == ("PROCESSING", "REDIRECT_TO_AUTH_URL")
    after = await slow_sim.deposit_state(deposit_id)
    assert after["authorizationUrl"] == told["authorizationUrl"]
    assert told["authorizationUrl"].startswith(slow_sim.url + "/pawapay/authorise/")


async def test_approving_pays_and_leads_to_the_successful_url(sim: Sim) -> None:
    deposit_id, url = await wave(sim)
    assert await press(sim, url, "approve") == (303, URLS["successfulUrl"])
    assert (await sim.deposit_state(deposit_id))["status"] == "COMPLETED"
    assert [(await sim.receiver.next())["status"] for _ in range(2)] == ["PROCESSING", "COMPLETED"]
    assert len(await sim.debits()) == 1


async def test_refusing_ends_it_and_leads_to_the_failed_url(sim: Sim) -> None:
    deposit_id, url = await wave(sim)
    assert await press(sim, url, "refuse") == (303, URLS["failedUrl"])
    state = await sim.deposit_state(deposit_id)
    assert (state["status"], state["failureReason"]["failureCode"]) == ("FAILED", "PAYMENT_NOT_APPROVED")
    assert await sim.debits() == []


async def test_the_story_of_the_number_begins_when_the_payer_approves(slow_sim: Sim) -> None:
    deposit_id, _ = await slow_sim.deposit("2250700000602", "WAVE_CIV", **URLS)
    slow_sim.clock.advance(3_600_000)
    state = await slow_sim.deposit_state(deposit_id)
    assert state["status"] == "PROCESSING"
    assert await press(slow_sim, state["authorizationUrl"], "approve") == (303, URLS["failedUrl"])
    waiting = await slow_sim.deposit_state(deposit_id)
    assert (waiting["status"], waiting["nextStep"]) == ("PROCESSING", "FINAL_STATUS")
    slow_sim.clock.advance(10_000)
    assert (await slow_sim.deposit_state(deposit_id))["failureReason"][
        "failureCode"
    ] == "INSUFFICIENT_BALANCE"


async def test_a_number_that_never_answers_stays_open_after_the_approval(sim: Sim) -> None:
    deposit_id, url = await wave(sim, "2250700000129")
    assert await press(sim, url, "approve") == (303, URLS["successfulUrl"])
    sim.clock.advance(86_400_000)
    assert (await sim.deposit_state(deposit_id))["status"] == "PROCESSING"


@pytest.mark.parametrize("second", ["approve", "refuse"])
async def test_a_second_press_changes_nothing(sim: Sim, second: str) -> None:
    deposit_id, url = await wave(sim)
    await press(sim, url, "approve")
    assert await press(sim, url, second) == (303, URLS["successfulUrl"])
    assert (await sim.deposit_state(deposit_id))["status"] == "COMPLETED"
    assert len(await sim.debits()) == 1


async def test_a_rejected_story_is_rejected_before_any_page(sim: Sim) -> None:
    _, answer = await sim.deposit("2250700000804", "WAVE_CIV", **URLS)
    assert answer["failureReason"]["failureCode"] == "PROVIDER_TEMPORARILY_UNAVAILABLE"


@pytest.mark.parametrize(
    ("lang", "words"), [("fr", "Approuver"), ("en-GB,en;q=0.8", "Approve"), ("de", "Approuver")]
)
async def test_the_page_speaks_the_payers_language_and_hides_the_number(
    sim: Sim, lang: str, words: str
) -> None:
    _, url = await wave(sim)
    status, html = await read(sim, url, lang)
    assert status == 200
    assert words in html
    assert "1\u202f500\u00a0FCFA" in html
    assert "2250700000001" not in html
    assert "0700000001" not in html
    assert "Approve" in (await read(sim, url + "?lang=en"))[1]


async def test_looking_at_the_page_changes_nothing(sim: Sim) -> None:
    deposit_id, url = await wave(sim)
    for _ in range(3):
        await read(sim, url)
    assert (await sim.deposit_state(deposit_id))["status"] == "PROCESSING"


async def test_a_page_that_was_answered_leads_back(sim: Sim) -> None:
    _, url = await wave(sim)
    await press(sim, url, "refuse")
    status, html = await read(sim, url)
    assert status == 200
    assert "<button" not in html
    assert URLS["failedUrl"] in html


@pytest.mark.parametrize("form", [{}, {"answer": ""}, {"answer": "perhaps"}, {"answer": ["approve!", "x"]}])
async def test_nonsense_on_the_page_is_answered_with_the_page(sim: Sim, form: dict[str, Any]) -> None:
    deposit_id, url = await wave(sim)
    async with sim.http.post(url, data=form, allow_redirects=False) as response:
        assert response.status == 400
        assert "Utilisez les boutons" in await response.text()
    assert (await sim.deposit_state(deposit_id))["status"] == "PROCESSING"


async def test_an_unknown_page_says_what_to_do(sim: Sim) -> None:
    status, html = await read(sim, sim.url + "/pawapay/authorise/0000")
    assert status == 404
    assert "Recommencez" in html
    assert (await press(sim, sim.url + "/pawapay/authorise/0000", "approve"))[0] == 404
