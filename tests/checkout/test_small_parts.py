"""Formats, languages, limits, the way back, what was typed: pure functions, as tables."""

import pytest
from starlette.datastructures import Headers, QueryParams

from cauri.checkout.assets import read_assets
from cauri.checkout.formats import clock, money, when
from cauri.checkout.language import language_of
from cauri.checkout.offers import example_number
from cauri.checkout.typed import Typed, typed_of
from cauri.wire.urls import origin_of


@pytest.mark.parametrize(
    ("country", "shown"), [("CI", "01 23 45 67 89"), ("SN", "70 123 45 67"), ("BJ", "01 95 12 34 56")]
)
def test_example_numbers_are_written_as_a_countrys_people_write_them(country: str, shown: str) -> None:
    assert example_number(country) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "lang", "shown"),
    [
        (1500, "XOF", "fr", "1\u202f500\u00a0FCFA"),
        (1500, "XOF", "en", "1,500\u00a0FCFA"),
        (100, "XAF", "fr", "100\u00a0FCFA"),
        (1_500_000, "CDF", "fr", "1\u202f500\u202f000\u00a0FC"),
        (15_000, "GNF", "fr", "15\u202f000\u00a0GNF"),
        (12, "USD", "fr", "12\u00a0$"),
        (1200, "USD", "en", "$1,200"),
    ],
)
def test_amounts_read_as_people_write_them(amount: int, currency: str, lang: str, shown: str) -> None:
    assert money(amount, currency, lang) == shown


@pytest.mark.parametrize(
    ("lang", "shown"), [("fr", "7 avril 2021, 14:07 UTC"), ("en", "7 April 2021, 14:07 UTC")]
)
def test_dates_are_utc_and_say_so(lang: str, shown: str) -> None:
    assert when(1617804444000, lang) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (9, "0:09"), (270, "4:30"), (3600, "60:00")])
def test_durations_are_minutes_and_seconds(seconds: int, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("query", "payment", "accept", "lang"),
    [
        ("", None, "", "fr"),
        ("", None, "en", "en"),
        ("", None, "en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("", None, "de, fr;q=0.4, en;q=0.5", "en"),
        ("", None, "de", "fr"),
        ("", None, "en;q=nonsense, fr;q=0.1", "fr"),
        ("", None, ";;;,,,=", "fr"),
        ("", "fr", "en", "fr"),
        ("", "en", "fr", "en"),
        ("lang=en", "fr", "fr", "en"),
        ("lang=EN", "fr", "fr", "en"),
        ("lang=de", "en", "fr", "en"),
        ("lang=", None, "en", "en"),
    ],
)
def test_the_switch_wins_then_the_payment_then_the_browser(
    query: str, payment: str | None, accept: str, lang: str
) -> None:
    found = language_of(QueryParams(query), Headers({"accept-language": accept}), payment)
    assert found.lang == lang
    assert found.query == ("?lang=en" if query in ("lang=en", "lang=EN") else "")


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://shop.example/return?order=1", "https://shop.example"),
        ("http://127.0.0.1:8082/r", "http://127.0.0.1:8082"),
        ("https://user:pass@shop.example/", "https://shop.example"),
        ("https://café.example/", "https://xn--caf-dma.example"),
        ("https://SHOP.example", "https://shop.example"),
        ("http://[::1]:8082/", "http:"),
        ("javascript:alert(1)", None),
        ("JAVASCRIPT:alert(1)//https://x", None),
        ("data:text/html,x", None),
        ("//shop.example/", None),
        ("/relative", None),
        ("https://", None),
        ("https://a;script-src *", None),
        ("https://a'b/", None),
        ("https://shop.example:99999/", None),
        ("https://shop.example:x/", None),
        ("", None),
    ],
)
def test_only_http_leads_back_and_the_policy_names_its_origin(url: str, source: str | None) -> None:
    assert origin_of(url) == source


@pytest.mark.parametrize(
    ("number", "shown", "readable"),
    [
        ("01 02 03 04 05", "01 02 03 04 05", True),
        ("+225-0102", "+225-0102", True),
        ("01\x0002", "0102", False),
        ("01\ud80002", "0102", False),
        ("9" * 500, "9" * 40, False),
        ("<script>", "<script>", True),
    ],
)
def test_a_number_goes_back_into_its_field_without_what_no_field_can_hold(
    number: str, shown: str, readable: bool
) -> None:
    typed = Typed(number=number)
    assert (typed.shown_number, typed.readable) == (shown, readable)


def test_fields_are_trimmed_and_strange_ones_are_absent() -> None:
    typed = typed_of({"country": " ci ", "number": "\u202f0102\u00a0", "method": "O M'", "edit": "1"})
    assert typed == Typed(country="CI", number="0102", method="", edit=True)


def test_a_static_name_changes_with_its_content() -> None:
    names = {asset.hashed_name for asset in read_assets().values()}
    assert {name.partition(".")[0] for name in names} == {"page", "icon"}
    assert all(len(name.split(".")) == 3 for name in names)
