"""The payer's texts: the same in both languages, and one for everything that can happen."""

import re
from string import Formatter

import pytest

from cauri.checkout.desk import _MOVED_ON, FIELD_OF_REASON
from cauri.checkout.rendering import TEMPLATES
from cauri.checkout.texts import LANGUAGES, TEXTS, en, fr
from cauri.domain.codes import FAILURES
from cauri.domain.errors import PayerError
from cauri.domain.money import COUNTRIES

REASONS = re.findall(r"``(\w+)``", (PayerError.__doc__ or "").partition("Reasons:")[2])


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    assert fr.TEXTS.keys() == en.TEXTS.keys()
    for key, text in fr.TEXTS.items():
        assert placeholders(text) == placeholders(en.TEXTS[key]), key


def test_no_text_is_left_untranslated() -> None:
    same = {key for key, text in fr.TEXTS.items() if text == en.TEXTS[key]}
    assert {key for key in same if not key.startswith("country.")} == {"title", "receipt_paid_at"}


def test_every_text_is_used() -> None:
    templates = "".join(path.read_text() for path in TEMPLATES.glob("*.html"))
    code = "".join(path.read_text() for path in TEMPLATES.parent.glob("*.py"))
    named = set(re.findall(r'"([\w.]+)"', templates + code))
    families = ("why.", "do.", "error.", "country.", "trouble.", "unavailable.")
    assert {key for key in fr.TEXTS if not key.startswith(families)} <= named


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.number)
def test_every_refusal_is_explained_in_words(lang: str, code) -> None:
    why, remedy = TEXTS[lang](f"why.{code.number}"), TEXTS[lang](f"do.{code.number}")
    assert why.endswith(".")
    assert remedy.endswith(".")
    for word in (code.number, code.message, "OTP", "timeout"):
        assert word not in why + remedy


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_page_has_a_text_and_a_place(reason: str) -> None:
    for lang in LANGUAGES:
        assert TEXTS[lang](f"error.{reason}", example="01 02 03", minutes=12)
    assert (reason in FIELD_OF_REASON) != (reason in _MOVED_ON)


def test_the_reasons_were_found() -> None:
    assert len(REASONS) >= 12
    assert set(FIELD_OF_REASON) | _MOVED_ON == set(REASONS)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_has_a_name(country: str) -> None:
    for lang in LANGUAGES:
        assert TEXTS[lang](f"country.{country}")


def test_french_sets_unbreakable_spaces_and_curly_apostrophes() -> None:
    texts = TEXTS["fr"]
    assert texts("prompt_nothing", operator="X").startswith("Rien ne s’affiche\u202f?")
    assert "restant\u00a0:" in texts("time_left", clock="1:00")
    for key in fr.TEXTS:
        values = {name: "x" for name in placeholders(fr.TEXTS[key])}
        assert not re.search(r" [;:?!]|'", texts(key, **values)), key


@pytest.mark.parametrize(
    ("operator", "page", "when"),
    [
        ("Orange Money", "la page d’Orange Money", "dès qu’Orange Money confirmera"),
        ("Airtel Money", "la page d’Airtel Money", "dès qu’Airtel Money confirmera"),
        ("Wave", "la page de Wave", "dès que Wave confirmera"),
        ("votre banque", "la page de votre banque", "dès que votre banque confirmera"),
    ],
)
def test_french_elides_before_an_operator_that_begins_with_a_vowel(
    operator: str, page: str, when: str
) -> None:
    texts = TEXTS["fr"]
    for key in ("redirect_go", "redirect_soon", "redirect_link"):
        assert page in texts(key, operator=operator, amount="1 500 FCFA"), key
    assert when in texts("checking_more", operator=operator)


def test_a_text_that_does_not_exist_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        TEXTS["fr"]("no_such_text")
