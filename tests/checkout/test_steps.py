"""The payer's steps over HTTP: number, operator, pay, code, operator's page, ends, cancel, leave."""

import asyncio
import re

import httpx
import pytest

from cauri.checkout.texts import TEXTS
from cauri.domain.codes import FAILURES

from .visitors import Shop, Visitor, page_name, text_of

PAYER = "0700000073"


def checked_method(answer: httpx.Response) -> str | None:
    found = re.search(r'name="method" value="(\w+)" required checked', answer.text)
    return found[1] if found else None


async def test_the_first_page_shows_what_is_paid_and_asks_for_a_number(shop: Shop) -> None:
    visitor = await shop.opens(invoice_data={"Livraison": "Cocody"})
    page = await visitor.get()
    assert (page.status_code, page_name(page)) == (200, "choose")
    words = text_of(page)
    for shown in ("1 500 FCFA", "Commande 1042", "Livraison", "Cocody", "Côte d'Ivoire (+225)", "Continuer"):
        assert shown in words


@pytest.mark.parametrize(
    ("lang", "reason", "amount"),
    [("fr", "La carte demande vos coordonnées", "montant"), ("en", "A card needs your details", "amount")],
)
async def test_a_card_alone_without_what_it_needs_says_so(
    shop: Shop, lang: str, reason: str, amount: str
) -> None:
    visitor = await shop.opens(channels="CREDIT_CARD", lang=lang)
    words = text_of(await visitor.get())
    assert reason in words
    assert amount not in words


async def test_the_operator_is_found_and_can_be_corrected(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.post("number", {"country": "CI", "number": "0102324373"})
    assert (page.status_code, page_name(page), checked_method(page)) == (200, "confirm", "FLOOZ")
    assert "Payer 1 500 FCFA" in text_of(page)
    for method in ("OM", "MOMO", "FLOOZ", "WAVECI"):
        assert f'value="{method}"' in page.text


async def test_a_whole_payment_by_prompt(shop: Shop) -> None:
    visitor = await shop.opens(invoice_data={"Table": "7"})
    page = await visitor.pays("CI", "0102324373", "FLOOZ")
    assert page_name(page) in ("prompt", "paid")
    page = await visitor.settled("paid")
    words = text_of(page)
    for shown in (
        "Paiement réussi",
        visitor.transaction_id,
        "Moov Money",
        "1 500 FCFA",
        "73",
        "UTC",
        "Table",
    ):
        assert shown in words
    assert "0102324373" not in page.text
    assert (await visitor.state())["status"] == "paid"


async def test_the_waiting_page_says_what_to_do_and_refreshes_without_script(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.pays("CI", "0700000129", "OM")
    assert page_name(page) == "prompt"
    words = text_of(page)
    for shown in ("Orange Money", "••••••••29", "Temps restant", "Retour à la boutique"):
        assert shown in words
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.text
    assert "0700000129" not in page.text


async def test_a_double_click_makes_one_attempt_and_shows_the_waiting_page_twice(shop: Shop) -> None:
    visitor = await shop.opens()
    data = {"country": "CI", "number": "0700000129", "method": "OM"}
    answers = await asyncio.gather(*(visitor.post("pay", data) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {303}
    payment = await shop.gateway.store.payment_by_token(visitor.token)
    assert payment.attempts == 1
    assert page_name(await visitor.get()) == "prompt"


async def test_every_refusal_is_explained_and_another_number_can_be_tried(shop: Shop) -> None:
    async def fails(number: str) -> tuple[Visitor, httpx.Response]:
        visitor = await shop.opens()
        await visitor.pays("CI", f"0700000{number}", "OM")
        return visitor, await visitor.settled("choose")

    pages = await asyncio.gather(*(fails(code.number) for code in FAILURES))
    for code, (visitor, page) in zip(FAILURES, pages, strict=True):
        words = text_of(page)
        assert f'data-failed="{code.number}"' in page.text
        assert TEXTS["fr"](f"why.{code.number}").replace("’", "'").replace("\u00a0", " ") in words
        assert "Essayer un autre numéro" in words
        assert code.message not in page.text
        assert (await visitor.state())["status"] == "waiting"


async def test_after_a_failed_try_another_number_pays(shop: Shop) -> None:
    visitor = await shop.opens()
    await visitor.pays("CI", "0700000602", "OM")
    await visitor.settled("choose")
    await visitor.pays("CI", PAYER, "OM")
    assert page_name(await visitor.settled("paid", "choose")) == "paid"


async def test_giving_up_after_a_failed_try_ends_with_its_reason(shop: Shop) -> None:
    visitor = await shop.opens()
    await visitor.pays("CI", "0700000602", "OM")
    assert "Abandonner" in text_of(await visitor.settled("choose"))
    assert (await visitor.post("cancel")).status_code == 303
    page = await visitor.get()
    assert page_name(page) == "refused"
    assert "solde du compte ne suffit pas" in text_of(page)
    assert 'data-form="number"' not in page.text


async def test_cancel_ends_the_payment_and_offers_the_way_back(shop: Shop) -> None:
    visitor = await shop.opens()
    answer = await visitor.post("cancel")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/payment/{visitor.token}")
    page = await visitor.get()
    assert page_name(page) == "refused"
    assert "Paiement annulé" in text_of(page)
    assert 'action="https://shop.example/return?order=1042"' in page.text
    assert f'name="transaction_id" value="{visitor.transaction_id}"' in page.text
    assert f'name="token" value="{visitor.token}"' in page.text
    assert (await visitor.post("cancel")).status_code == 303


async def test_cancel_with_something_in_flight_shows_the_waiting_page(shop: Shop) -> None:
    visitor = await shop.opens()
    await visitor.pays("CI", "0700000129", "OM")
    assert (await visitor.post("cancel")).status_code == 303
    assert page_name(await visitor.get()) == "prompt"


async def test_leaving_records_it_and_sends_the_same_form_to_the_shop(shop: Shop) -> None:
    visitor = await shop.opens()
    await visitor.pays("CI", "0700000129", "OM")
    fields = {"transaction_id": visitor.transaction_id, "token": visitor.token}
    answer = await visitor.post("leave", fields)
    assert answer.status_code == 307
    assert answer.headers["location"] == "https://shop.example/return?order=1042"
    payment = await shop.gateway.store.payment_by_token(visitor.token)
    assert payment.left_at is not None
    assert not payment.final
    for other in ({}, {**fields, "token": "x"}, {**fields, "more": "1"}):
        assert (await visitor.post("leave", other)).status_code == 303


async def test_a_one_time_code_right_and_wrong(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.pays("BF", "07345678", "OMBF")
    assert page_name(page) == "code"
    assert "*144*4*6*1500#" in text_of(page)
    page = await visitor.post("code", {"code": "12ab"})
    assert (page.status_code, page_name(page)) == (422, "code")
    assert 'data-error="code_format"' in page.text
    assert 'aria-invalid="true"' in page.text
    assert (await visitor.post("code", {"code": "123456"})).status_code == 303
    assert page_name(await visitor.settled("paid")) == "paid"
    assert (await visitor.post("code", {"code": "123456"})).status_code == 303


async def test_a_wrong_code_fails_the_try(shop: Shop) -> None:
    visitor = await shop.opens()
    await visitor.pays("BF", "07345678", "OMBF")
    await visitor.post("code", {"code": "000000"})
    page = await visitor.settled("choose")
    assert 'data-failed="604"' in page.text


async def test_another_number_takes_the_place_of_a_code_not_given(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.pays("BF", "07345678", "OMBF")
    assert 'data-form="number"' in page.text
    page = await visitor.post("number", {"country": "CI", "number": "0102324373"})
    assert page_name(page) == "confirm"
    await visitor.pays("CI", PAYER, "OM")
    await visitor.settled("paid")


async def test_a_redirect_operator_is_reached_by_our_own_page(shop: Shop) -> None:
    visitor = await shop.opens()
    answer = await visitor.post("pay", {"country": "CI", "number": "0700000073", "method": "WAVECI"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/payment/{visitor.token}?go=1")
    version = 0
    for _ in range(20):
        page = await visitor.get(params={"go": "1"})
        if "refresh" in page.headers:
            break
        assert 'content="2"' in page.text
        version = (await visitor.state(seen=version, wait=5))["version"]
    assert page_name(page) == "redirect"
    delay, _, operator_url = page.headers["refresh"].partition("; url=")
    assert delay == "1"
    assert operator_url.startswith(shop.gateway.simulator_url)
    assert f'href="{operator_url}"' in page.text
    assert "refresh" not in (await visitor.get()).headers  # coming back does not send away again
    approval = await shop.client.post(operator_url, data={"answer": "approve"})
    assert approval.headers["location"].startswith(visitor.url)
    await shop.client.get(approval.headers["location"])
    assert page_name(await visitor.settled("paid")) == "paid"


async def test_a_number_changed_beside_the_pay_button_is_looked_at_again(shop: Shop) -> None:
    visitor = await shop.opens()
    data = {"country": "CI", "number": "0749012966", "confirmed": "0102324373", "method": "FLOOZ"}
    page = await visitor.post("pay", data)
    assert (page.status_code, page_name(page), checked_method(page)) == (200, "confirm", "OM")
    assert "Le numéro a changé" in text_of(page)
    assert (await shop.gateway.store.payment_by_token(visitor.token)).attempts == 0


async def test_going_back_to_change_keeps_what_was_typed(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.post("number", {"country": "SN", "number": "77 123 45 67", "edit": "1"})
    assert (page.status_code, page_name(page)) == (200, "choose")
    assert 'value="77 123 45 67"' in page.text
    assert re.search(r'value="SN"[^>]* selected', page.text)


async def test_a_given_number_is_masked_and_used_when_nothing_is_typed(shop: Shop) -> None:
    visitor = await shop.opens(customer_phone_number="+2250700000073")
    page = await visitor.get()
    assert page_name(page) == "choose"
    assert "••••••••73" in text_of(page)
    assert PAYER not in page.text
    page = await visitor.post("number", {"country": "SN", "number": ""})
    assert (page_name(page), checked_method(page)) == ("confirm", "OM")
    assert PAYER not in page.text
    await visitor.pays("CI", "", "OM")
    await visitor.settled("paid")


async def test_a_locked_number_cannot_be_changed(shop: Shop) -> None:
    visitor = await shop.opens(customer_phone_number="+2250700000073", lock_phone_number=True)
    page = await visitor.get()
    assert (page_name(page), checked_method(page)) == ("confirm", "OM")
    assert 'type="tel"' not in page.text
    await visitor.pays("CI", "0749012966", "OM")
    payment = await shop.gateway.store.payment_by_token(visitor.token)
    assert payment.phone.national == PAYER
    await visitor.settled("paid")
