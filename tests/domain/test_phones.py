"""Numbers as payers write them, in every country of the contract."""

from __future__ import annotations

import pytest

from cauri.domain.methods import methods_in
from cauri.domain.money import COUNTRIES, COUNTRIES_OF_CURRENCY
from cauri.domain.phone import BadPhone, Phone, guess_method, read_phone

# country, as typed, prefix, national, the method that the number tells
NUMBERS = [
    ("CI", "0700000001", "225", "0700000001", "OM"),
    ("CI", "0500000001", "225", "0500000001", "MOMO"),
    ("CI", "0102324373", "225", "0102324373", "FLOOZ"),
    ("SN", "770000001", "221", "770000001", "OMSN"),
    ("SN", "760000001", "221", "760000001", "FREESN"),
    ("SN", "700000001", "221", "700000001", "EXPRESSOSN"),
    ("ML", "70000001", "223", "70000001", "OMML"),
    ("ML", "60000001", "223", "60000001", "MOOVML"),
    ("BF", "07000001", "226", "07000001", "OMBF"),
    ("BF", "70000001", "226", "70000001", "MOOVBF"),
    ("TG", "90000001", "228", "90000001", "TmoneyTG"),
    ("TG", "99000001", "228", "99000001", "FLOOZTG"),
    ("BJ", "0161000001", "229", "0161000001", "MTNBJ"),
    ("BJ", "0160000001", "229", "0160000001", "MOOVBJ"),
    ("CM", "690000001", "237", "690000001", "OMCM"),
    ("CM", "650000001", "237", "650000001", "MTNCM"),
    ("CD", "0810000001", "243", "810000001", "MPESACD"),
    ("CD", "0970000001", "243", "970000001", "AIRTELCD"),
    ("CD", "0890000001", "243", "890000001", "OMCD"),
    ("GN", "620000001", "224", "620000001", "OMGN"),
    ("GN", "660000001", "224", "660000001", "MTNGN"),
]
CURRENCY = {
    country: currency
    for currency in ("USD", "GNF", "CDF", "XAF", "XOF")
    for country in COUNTRIES_OF_CURRENCY[currency]
}
CURRENCY["CD"] = "CDF"


def test_every_country_has_its_numbers() -> None:
    assert {row[0] for row in NUMBERS} == set(COUNTRIES)


@pytest.mark.parametrize(("country", "typed", "prefix", "national", "method"), NUMBERS)
def test_a_number_is_read_however_it_is_written(
    country: str, typed: str, prefix: str, national: str, method: str
) -> None:
    expected = Phone(country, prefix, national)
    spaced = " ".join(typed[start : start + 2] for start in range(0, len(typed), 2))
    for text in (
        typed,
        spaced,
        f"+{prefix}{national}",
        f"+{prefix} {national}",
        f"00{prefix}{national}",
        f" {typed}\t",
    ):
        assert read_phone(text, country) == expected, text
    assert read_phone(f"{prefix}{national}") == expected, "international without + where no country is given"
    assert expected.digits == prefix + national


@pytest.mark.parametrize(("country", "typed", "prefix", "national", "method"), NUMBERS)
def test_the_number_tells_the_method(
    country: str, typed: str, prefix: str, national: str, method: str
) -> None:
    guess = guess_method(read_phone(typed, country), methods_in(country, CURRENCY[country]))
    assert guess is not None
    assert guess.code == method


@pytest.mark.parametrize(
    ("country", "typed", "reason"),
    [
        ("CI", "", "unreadable"),
        ("CI", "   ", "unreadable"),
        ("CI", "bonjour", "unreadable"),
        ("CI", "+", "unreadable"),
        ("CI", "++++", "unreadable"),
        ("CI", "1", "unreadable"),
        ("CI", "0", "unreadable"),
        ("CI", "+999 1234567", "unreadable"),
        ("CI", "0" * 300, "unreadable"),
        ("BF", "7000OOO1", "unreadable"),  # read as a telephone's keys, this is the handset 70006661
        ("TG", "+22890OOO001", "unreadable"),
        ("BF", "70000001;ext=22", "unreadable"),
        ("CI", "07000", "length"),
        ("CI", "070000000", "length"),
        ("CI", "07000000011", "length"),
        ("CI", "+221770000001", "country"),
        ("CI", "00221770000001", "country"),
        ("SN", "+2250700000001", "country"),
        ("CI", "+33612345678", "country"),
        ("CI", "٠٧", "length"),
    ],
)
def test_what_is_no_number_of_the_country_is_refused_with_the_reason(
    country: str, typed: str, reason: str
) -> None:
    with pytest.raises(BadPhone) as refused:
        read_phone(typed, country)
    assert refused.value.reason == reason


@pytest.mark.parametrize("text", ["", "x", "225", "0700000001x", "\0", "\ud800", "+" * 200, "1e9", "٢٢٥"])
def test_without_a_country_nonsense_is_refused(text: str) -> None:
    with pytest.raises(BadPhone):
        read_phone(text)


@pytest.mark.parametrize("national", ["0700000001", "70000001"])
def test_a_masked_number_shows_its_last_two_digits(national: str) -> None:
    masked = Phone("CI", "225", national).masked
    assert masked.endswith(national[-2:])
    assert not any(char.isdigit() for char in masked[:-2])
    assert len(masked) == len(national)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("n=0700000012&x", "n=••••••••12&x"),
        ("n=2250700000012", "n=225••••••••12"),
        ("cut off: n=070000001", "cut off: n=•••••••••"),
        ("cut off: n=0700", "cut off: n=••••"),
        ("ends with 07", "ends with 07"),
        ("0700000012 and 07000", "••••••••12 and •••••"),
        ("", ""),
    ],
)
def test_a_number_is_masked_in_a_text_also_where_it_is_cut_off(text: str, shown: str) -> None:
    assert Phone("CI", "225", "0700000012").masked_in(text) == shown
    assert Phone("CI", "225", "").masked_in(text) == text


def test_of_a_number_that_repeats_itself_all_that_is_there_is_masked() -> None:
    assert Phone("CI", "225", "0700700700").masked_in("n=0700700") == "n=•••••••"


def test_a_number_of_no_known_carrier_tells_nothing() -> None:
    assert guess_method(Phone("CI", "225", "2700000001"), methods_in("CI", "XOF")) is None


def test_a_carrier_that_is_not_offered_tells_nothing() -> None:
    without_orange = tuple(method for method in methods_in("CI", "XOF") if method.code != "OM")
    assert guess_method(read_phone("0700000001", "CI"), without_orange) is None
