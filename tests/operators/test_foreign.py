"""Foreign amounts, texts and addresses: read exactly, or not at all."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauri.operators.foreign import (
    NotWhole,
    decoded,
    identifier,
    quoted,
    unaccented,
    web_address,
    whole_units,
)
from cauri.operators.pawapay import written_amount

PAWAPAY_PATTERN = r"([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ('"1500"', 1500),
        ('"1500.0000"', 1500),
        ("1500", 1500),
        ("1500.00", 1500),
        ("null", None),
        ("", None),
        ('"0"', 0),
    ],
)
def test_an_amount_is_read_exactly(text, amount):
    assert whole_units(msgspec.Raw(text.encode())) == amount


@pytest.mark.parametrize(
    "text",
    ['"1500.50"', "1500.0001", '"-1500"', "-1", "1e3", '"1_500"', '" 1500"', '"１５００"', '""', '"NaN"', "true", "[1500]", "{}",
     '"1500."', '".0"', "9" * 19, '"1500,00"', "1E+999999999"],
)  # fmt: skip
def test_an_amount_that_is_not_whole_is_never_rounded(text):
    with pytest.raises(NotWhole):
        whole_units(msgspec.Raw(text.encode()))


@given(st.integers(min_value=1, max_value=10**18 - 1), st.integers(min_value=0, max_value=4))
def test_an_amount_written_is_the_amount_read_back(amount, zeros):
    import re

    written = written_amount(amount)
    assert re.fullmatch(PAWAPAY_PATTERN, written)
    echoed = written + ("." + "0" * zeros if zeros else "")
    assert whole_units(msgspec.Raw(json.dumps(echoed).encode())) == amount
    assert whole_units(msgspec.Raw(echoed.encode())) == amount


@given(st.integers(min_value=0, max_value=10**12), st.integers(min_value=1, max_value=9999))
def test_a_fraction_is_refused_however_small(whole, ten_thousandths):
    with pytest.raises(NotWhole):
        whole_units(msgspec.Raw(f'"{whole}.{ten_thousandths:04}"'.encode()))


class Shape(msgspec.Struct):
    a: str | int | None = None


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_raise(body):
    found = decoded(body, Shape)
    assert found is None or isinstance(found, Shape)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"b":' + b"[" * 100_000, b'{"a":' + b"9" * 5_000 + b"}", b'{"a":"\xff"}']
)
def test_nesting_digits_and_bytes_without_end_are_nonsense(body):
    assert decoded(body, Shape) is None


@pytest.mark.parametrize(
    ("value", "kept"),
    [("MP150709.1341.A00073", "MP150709.1341.A00073"), (8210407187720, "8210407187720"), (" x ", "x"), ("", None), (None, None),
     ("a\x00b", None), ("a\nb", None), ("x" * 101, None)],
)  # fmt: skip
def test_a_reference_is_kept_only_if_it_can_be_stored_and_shown(value, kept):
    assert identifier(value) == kept


@pytest.mark.parametrize(
    ("text", "usable"),
    [("https://pay.wave.com/c/cos-1?a=1", True), ("http://127.0.0.1:8081/x", True), ("javascript:alert(1)", False), ("", False),
     ("//pay.wave.com", False), ("https://", False), ("https://a b", False), ("https://é.ci", False), ("data:text/html,x", False),
     ("https://[::1", False), ("https://x/" + "y" * 3000, False), ("https://x/\r\nSet-Cookie: a=b", False), (None, False)],
)  # fmt: skip
def test_a_browser_is_only_sent_to_http_addresses(text, usable):
    assert web_address(text) == (text if usable else None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Numéro 22670123456 refusé", "Numéro ••56 refusé"), ("tel 70 12 34 56.", "tel ••56."), ("erreur 602", "erreur 602"),
     ("a\r\n\x00b", "a b"), ("x" * 200, "x" * 120)],
)  # fmt: skip
def test_a_quoted_text_is_one_short_line_without_telephone_numbers(text, shown):
    assert quoted(text) == shown


def test_unaccented_text_is_ascii():
    assert (
        unaccented("Numéro  inexistant — l’opération a été refusée")
        == "Numero inexistant l'operation a ete refusee"
    )
