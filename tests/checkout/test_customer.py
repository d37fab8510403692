"""``cauri pay``'s customer plays payments through the page's own forms."""

import asyncio
from typing import Any

import pytest

from cauri.customer import CustomerTrouble, Ended, Ending, pay
from cauri.customer.page import read_page

from .visitors import Shop, Visitor

# phone, what cauri pay was told, how it ends, words of the page that said so
STORIES: list[tuple[str, dict[str, Any], Ending, str]] = [
    ("+2250102324373", {}, Ending.PAID, "Paiement réussi"),
    ("002250700000073", {}, Ending.PAID, "Paiement réussi"),
    ("0700000073", {}, Ending.PAID, "Paiement réussi"),
    ("+2250749012966", {}, Ending.REFUSED, "L’opérateur a refusé"),
    ("+2250700000602", {}, Ending.REFUSED, "solde"),
    ("+2250700000129", {"timeout_s": 1.0}, Ending.WAITING, "Confirmez"),
    ("+22607345678", {}, Ending.PAID, "Paiement réussi"),
    ("+22607345678", {"otp": "000000"}, Ending.REFUSED, "code"),
    ("+2250700000073", {"method": "WAVECI"}, Ending.PAID, "Paiement réussi"),
    ("+2250102324373", {"method": "om"}, Ending.PAID, "Paiement réussi"),
    ("+2250102324373", {"cancel": True}, Ending.REFUSED, "annulé"),
]


async def plays(shop: Shop, phone: str, options: dict[str, Any]) -> tuple[Visitor, Ended, list[str]]:
    visitor, told = await shop.opens(), []
    return visitor, await pay(visitor.url, phone, tell=told.append, **options), told


async def test_customers_play_to_the_end_all_at_once(shop: Shop) -> None:
    played = await asyncio.gather(*(plays(shop, phone, options) for phone, options, _, _ in STORIES))
    for story, (visitor, ended, told) in zip(STORIES, played, strict=True):
        _, options, ending, words = story
        assert ended.ending is ending, (story, ended)
        assert words in ended.text, (story, ended)
        assert told[0] == "page opened"
        assert (await visitor.state())["status"] == ending.value
        payment = await shop.gateway.store.payment_by_token(visitor.token)
        assert payment.attempts == (0 if options.get("cancel") else 1), story


async def test_a_locked_number_is_paid_with(shop: Shop) -> None:
    visitor = await shop.opens(customer_phone_number="+2250700000073", lock_phone_number=True)
    assert (await pay(visitor.url, "+2250749012966")).ending is Ending.PAID


@pytest.mark.parametrize(
    ("phone", "options", "words"),
    [
        ("", {}, "give one"),
        ("", {"method": "VISAM"}, "whole card block"),
        ("+225010232", {}, "longueur"),
        ("bonjour", {}, "pas un numéro"),
        ("+33612345678", {}, "pays choisi"),
        ("+2250102324373", {"method": "OMSN"}, "does not offer 'OMSN'"),
        ("+2250102324373", {"method": "VISAM"}, "does not take this method"),
        ("+22607345678", {"otp": "12"}, "refuses the code"),
    ],
)
async def test_what_the_page_refuses_is_told_in_its_words(
    shop: Shop, phone: str, options: dict, words: str
) -> None:
    visitor = await shop.opens()
    with pytest.raises(CustomerTrouble, match=words):
        await pay(visitor.url, phone, **options)


async def test_addresses_that_are_no_payment_page(shop: Shop) -> None:
    for url, words in (
        ("http://127.0.0.1:1/payment/x", "cannot connect to 127.0.0.1:1"),
        ("ftp://x/payment", "no http"),
        ("nonsense", "no http"),
        (f"{shop.gateway.url}/payment/{'0' * 34}", "n’existe pas"),
        (f"{shop.gateway.simulator_url}/", "not a payment page"),
    ):
        with pytest.raises(CustomerTrouble, match=words):
            await pay(url, "+2250102324373", timeout_s=5)


def test_a_page_is_read_as_a_browser_reads_it() -> None:
    page = read_page(
        """<main data-page="confirm" data-x><h1>Pay <b>now</b></h1><p data-reason>Because.</p>
        <form action="/pay?lang=en" method=POST data-form=pay><input type=hidden name=country value="CI">
        <select name=s><option value=1 data-prefix=225 disabled>One<option value=2 selected>Two</select>
        <label><input type=radio name=method value=OM disabled checked> Orange</label>
        <label><input type=radio name=method value=MOMO checked> MTN</label>
        <button name=go value=approve>Go</button><button type=button name=no>No</button></form></main>
        <script>var x = "<p data-error>no</p>";</script>"""
    )
    assert (page.name, page.heading, page.reason, page.error) == ("confirm", "Pay now", "Because.", "")
    form = page.forms[0]
    assert (form.action, form.method, form.name) == ("/pay?lang=en", "post", "pay")
    assert form.fields == {"country": "CI", "s": "2", "method": "MOMO"}
    assert [(one.value, one.text, one.disabled) for one in form.choices["method"]] == [
        ("OM", "Orange", True),
        ("MOMO", "MTN", False),
    ]
    assert form.buttons == [("go", "approve")]
    assert form.approves() == {"go": "approve"}


@pytest.mark.parametrize("html", ["", "<", "<main data-page", "</form></main>", "<form><form>", "\x00" * 9])
def test_broken_pages_are_read_without_complaint(html: str) -> None:
    assert read_page(html).name == ""
