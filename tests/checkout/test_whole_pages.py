"""What holds for every page: headers, weight, addresses, escaping, language, masking, and that looking changes nothing."""

import re

import pytest

from .visitors import STEPS, Shop, Visitor, page_name, text_of

EVIL = "<script>alert(1)</script>\"'><img src=//evil.example>"
FIRST_VIEW_BYTES_MAX = 13_000  # with the longest description; the promise is 30 kB


async def pages_of(shop: Shop, **fields: object) -> list:
    """One page of every kind that can be reached at once."""
    fresh, flying, coded, ended = [await shop.opens(**fields) for _ in range(4)]
    await flying.pays("CI", "0700000129", "OM")
    await coded.pays("BF", "07345678", "OMBF")
    await ended.post("cancel")
    paid = await shop.opens(**fields)
    await paid.pays("CI", "0700000073", "OM")
    failed = await shop.opens(**fields)
    await failed.pays("CI", "0700000602", "OM")
    return [
        await fresh.get(),
        await fresh.post("number", {"country": "CI", "number": "0102324373"}),
        await fresh.post("number", {"country": "CI", "number": "1"}),
        await flying.get(),
        await coded.get(),
        await ended.get(),
        await paid.settled("paid"),
        await failed.settled("choose"),
        await shop.client.get(f"{shop.gateway.url}/payment/{'0' * 34}"),
    ]


async def test_every_page_carries_the_headers(shop: Shop) -> None:
    for page in await pages_of(shop):
        name, headers = page_name(page), page.headers
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["x-robots-tag"] == "noindex"
        assert headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        returns = 'data-form="return"' in page.text
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "script-src": "'self'",
            "img-src": "'self'",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
            "form-action": "'self' https://shop.example" if returns else "'self'",
        }, name
        assert returns is (name in ("prompt", "refused", "paid")), name


async def test_no_page_runs_or_loads_anything_that_is_not_ours(shop: Shop) -> None:
    for page in await pages_of(shop):
        assert not re.search(r"<style|<script(?! src=)|\son\w+=|\sstyle=|javascript:", page.text)
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', page.text):
            assert address.startswith(("/", "?", "https://shop.example/return")), address
            assert not address.startswith("//")


async def test_merchants_texts_are_escaped_everywhere(shop: Shop) -> None:
    fields = {"description": EVIL[:255], "invoice_data": {EVIL: EVIL}}
    for page in (await pages_of(shop, **fields))[:-1]:
        assert "<script>alert" not in page.text
        assert "<img src=//evil" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


async def test_pages_show_two_digits_of_the_number_and_nothing_of_the_customer(shop: Shop) -> None:
    block = {
        "customer_id": "77",
        "customer_name": "Zongoname",
        "customer_surname": "Awasurname",
        "customer_email": "awa@mail.example",
        "customer_address": "12 Rue Secrète",
        "customer_city": "Bobocity",
        "customer_country": "BF",
        "customer_state": "BF",
        "customer_zip_code": "00226",
        "customer_phone_number": "+2250708091011",
        "metadata": "secretmeta",
    }
    for page in await pages_of(shop, **block):
        for secret in (
            "Zongoname",
            "Awasurname",
            "awa@mail",
            "Secrète",
            "Bobocity",
            "0708091011",
            "secretmeta",
        ):
            assert secret not in page.text
        for number in ("0700000129", "07345678", "0700000602", "0700000073"):
            assert number not in page.text
        assert page_name(page) == "confirm" or "0102324373" not in page.text


async def test_the_first_view_is_light(shop: Shop) -> None:
    visitor = await shop.opens(description="d" * 255, invoice_data={"a": "1", "b": "2", "c": "3"})
    page = await visitor.get()
    links = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
    assert len(links) == 3
    answers = [page, *[await shop.client.get(shop.gateway.url + link) for link in links]]
    weight = sum(len(answer.content) + len(str(answer.headers)) for answer in answers)
    assert weight < FIRST_VIEW_BYTES_MAX
    for answer in answers[1:]:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_stylesheet_of_another_version_is_answered_but_not_kept(shop: Shop) -> None:
    answer = await shop.client.get(f"{shop.gateway.url}/static/page.0123456789.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    ("lang", "query", "accept", "shown"),
    [
        ("fr", "", "en", "fr"),
        ("en", "", "fr", "en"),
        (None, "", "en", "en"),
        (None, "", "de", "fr"),
        ("fr", "?lang=en", "fr", "en"),
        ("en", "?lang=fr", "en", "fr"),
        ("en", "?lang=xx", "fr", "en"),
    ],
)
async def test_the_language_is_the_switchs_then_the_payments_then_the_browsers(
    shop: Shop, lang: str | None, query: str, accept: str, shown: str
) -> None:
    visitor = await shop.opens(**({"lang": lang} if lang else {}))
    page = await shop.client.get(visitor.url + query, headers={"accept-language": accept})
    assert f'<html lang="{shown}">' in page.text
    assert ("Continuer" if shown == "fr" else "Continue") in text_of(page)


async def test_the_chosen_language_goes_along_through_every_form(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.get(params={"lang": "en"})
    while page_name(page) != "paid":
        assert '<html lang="en">' in page.text
        ours = [action for action in re.findall(r'<form method="post" action="(/[^"]*)"', page.text)]
        for action in ours:
            assert action.endswith("?lang=en") or 'data-form="switch"' in page.text
        if page_name(page) == "choose":
            page = await visitor.post(
                "number", {"country": "CI", "number": "0102324373"}, params={"lang": "en"}
            )
        else:
            data = {"country": "CI", "number": "0700000073", "method": "OM"}
            answer = await visitor.post("pay", data, params={"lang": "en"})
            assert answer.headers["location"].endswith("?lang=en")
            await visitor.settled("paid")
            page = await visitor.get(params={"lang": "en"})
    assert "Payment successful" in text_of(page)


async def test_the_switch_on_the_confirm_step_keeps_the_number(shop: Shop) -> None:
    visitor = await shop.opens()
    page = await visitor.post("number", {"country": "CI", "number": "0102324373"})
    form = re.search(r'(?s)action="(/payment/[^"]*\?lang=en)" data-form="switch">(.*?)</form>', page.text)
    assert form
    data = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[2]))
    english = await shop.client.post(shop.gateway.url + form[1], data=data)
    assert page_name(english) == "confirm"
    assert 'value="0102324373"' in english.text
    assert "Pay 1,500 FCFA" in text_of(english)


async def looks(visitor: Visitor) -> None:
    for step in ("", *STEPS, "state", "nothing"):
        for method in ("GET", "HEAD"):
            await visitor.client.request(method, visitor.url + (f"/{step}" if step else "") + "?go=1&lang=en")


async def test_looking_never_changes_anything(shop: Shop) -> None:
    visitors = [await shop.opens() for _ in range(3)]
    await visitors[1].pays("CI", "0700000129", "OM")
    await visitors[2].post("cancel")
    for visitor in visitors:
        before = await shop.gateway.store.payment_by_token(visitor.token)
        await looks(visitor)
        assert await shop.gateway.store.payment_by_token(visitor.token) == before


async def test_head_answers_like_get_without_a_body(shop: Shop) -> None:
    visitor = await shop.opens()
    answer = await shop.client.head(visitor.url)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-security-policy"]
