"""What errors say: both languages, every rule, every error; and which language is chosen."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

import pytest

from cauri.domain.errors import (
    AmountTooHigh,
    AmountTooLow,
    CauriError,
    CurrencyNotEnabled,
    Fault,
    FaultyFields,
    LockedPhoneElsewhere,
    RequestError,
    StoreUnavailable,
    TooManyRequests,
)
from cauri.wire.texts import ENGLISH, ERRORS, FRENCH, MAYBE_RECORDED, RULES, describe, language_of

VALUES = {
    "step": "5",
    "lower": "100",
    "higher": "105",
    "currency": "XOF",
    "currencies": "XOF",
    "length": "300",
    "longest": "255",
    "channels": "ALL",
    "most": "3",
    "count": "4",
    "line": "3",
    "column": "7",
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_says_the_same_in_both_languages_and_names_its_field(rule: str) -> None:
    french, english = RULES[rule]
    assert placeholders(french) == placeholders(english)
    assert ("{field}" in english) != (rule.startswith("body_") or rule == "one_of_names")
    error = FaultyFields(Fault("amount", rule, tuple(VALUES.items())))
    for text in (describe(error, FRENCH), describe(error, ENGLISH)):
        assert ": " in text, "says what is wrong, then what to do"
        assert "{f" not in text


def every_error() -> Iterator[CauriError]:
    for kind in (*RequestError.__subclasses__(), StoreUnavailable):
        if kind is FaultyFields:
            yield FaultyFields(Fault("amount", "integer"), Fault("return_url", "url"))
        elif kind is TooManyRequests:
            yield TooManyRequests(7)
        elif kind is CurrencyNotEnabled:
            yield CurrencyNotEnabled("EUR", ("XOF", "XAF"))
        elif kind in (AmountTooLow, AmountTooHigh):
            yield kind(100, "XOF")
        elif kind is LockedPhoneElsewhere:
            yield LockedPhoneElsewhere("ML", 1500, "XOF")
        elif kind is StoreUnavailable:
            yield StoreUnavailable("gone")
        else:
            yield kind()


def test_every_error_has_its_texts() -> None:
    assert set(ERRORS) == {type(error) for error in every_error()}


@pytest.mark.parametrize("error", list(every_error()), ids=lambda error: type(error).__name__)
def test_each_error_is_described_in_both_languages(error: CauriError) -> None:
    french, english = describe(error, FRENCH), describe(error, ENGLISH)
    assert french != english
    for text in (french, english):
        assert text.endswith(".")
        assert not re.search(r"[{}]", text)


def test_the_facts_are_in_the_text() -> None:
    assert "EUR" in describe(CurrencyNotEnabled("EUR", ("XOF", "XAF")), ENGLISH)
    assert "XOF, XAF" in describe(CurrencyNotEnabled("EUR", ("XOF", "XAF")), FRENCH)
    assert "100 XOF" in describe(AmountTooLow(100, "XOF"), FRENCH)
    assert "7 s" in describe(TooManyRequests(7), ENGLISH)
    faulty = describe(FaultyFields(Fault("amount", "integer"), Fault("return_url", "url")), ENGLISH)
    assert "amount" in faulty
    assert "return_url" in faulty


def test_what_the_merchant_wrote_is_quoted_only_so_far() -> None:
    assert len(describe(CurrencyNotEnabled("X" * 60_000, ("XOF",)), ENGLISH)) < 200


def test_a_write_of_unknown_fate_says_so() -> None:
    lost = StoreUnavailable("lost in commit", maybe_recorded=True)
    assert (describe(lost, FRENCH), describe(lost, ENGLISH)) == MAYBE_RECORDED


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("", FRENCH),
        ("fr", FRENCH),
        ("en", ENGLISH),
        ("EN-us", ENGLISH),
        ("fr,en;q=0.9", FRENCH),
        ("en;q=0.9, fr;q=0.8", ENGLISH),
        ("de, en;q=0.5", ENGLISH),
        ("en;q=0", FRENCH),
        ("en;q=0.5, fr;q=0.5", FRENCH),
        ("fr;q=0.1,en;q=0.2", ENGLISH),
        ("*", FRENCH),
        ("de", FRENCH),
        ("en;q=nonsense", FRENCH),
        ("en;q=nan", FRENCH),
        ("en;q=2", FRENCH),
        (",;,;q=1,,", FRENCH),
        ("english", FRENCH),
    ],
)
def test_english_where_it_is_preferred_else_french(accept_language: str, language: int) -> None:
    assert language_of(accept_language) == language
