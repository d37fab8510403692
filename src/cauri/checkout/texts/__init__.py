"""Every text a payer reads, in French and in English: one file a language, the same keys in each."""

from __future__ import annotations

import re

from cauri.checkout.texts import en, fr

LANGUAGES: dict[str, str] = {"fr": "Français", "en": "English"}

# French sets a thin, unbreakable space before ; ? ! and an unbreakable one before : and inside « ».
_THIN = re.compile(r" (?=[;?!])")
_WIDE = re.compile(r" (?=[:»])|(?<=«) ")

# "de" and "que" lose their e before a vowel: d’Orange Money, qu’Airtel Money.
_BEFORE_OPERATOR = re.compile(r"\b(d|qu)e (?=\{operator\})")
_VOWELS = tuple("AEIOUaeiou")


def _typeset(text: str) -> str:
    return _WIDE.sub("\u00a0", _THIN.sub("\u202f", text)).replace("'", "’")


_TEXTS: dict[str, dict[str, str]] = {
    "fr": {key: _typeset(text) for key, text in fr.TEXTS.items()},
    "en": {key: text.replace("'", "’") for key, text in en.TEXTS.items()},
}


class Texts:
    """The texts of one language: ``texts("pay", amount="…")``. Raises KeyError for a text or a value that does not exist."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._texts = _TEXTS[lang]

    def __call__(self, key: str, **values: object) -> str:
        text = self._texts[key]
        if self.lang == "fr" and str(values.get("operator", "")).startswith(_VOWELS):
            text = _BEFORE_OPERATOR.sub(r"\1’", text)
        return text.format_map(values)


TEXTS: dict[str, Texts] = {lang: Texts(lang) for lang in LANGUAGES}
