"""Which language a page speaks: the switch (``?lang=``), else the payment's, else what the browser prefers, else French."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers, QueryParams

from cauri.checkout.texts import LANGUAGES


@dataclass(frozen=True, slots=True)
class Language:
    """``lang`` is a key of LANGUAGES; ``query`` carries a chosen language on to the next page (``?lang=en``, or empty)."""

    lang: str
    query: str = ""

    @property
    def other(self) -> str:
        return "en" if self.lang == "fr" else "fr"


def language_of(query: QueryParams, headers: Headers, payment_lang: str | None = None) -> Language:
    chosen = query.get("lang", "").lower()
    if chosen in LANGUAGES:
        return Language(chosen, f"?lang={chosen}")
    if payment_lang in LANGUAGES:
        return Language(payment_lang)
    return Language(_preferred(headers.get("accept-language", "")))


def _preferred(accept: str) -> str:
    """The language with the highest weight that we speak; the first of equals; French where nothing fits."""
    best, best_weight = "fr", 0.0
    for part in accept[:200].split(","):
        name, _, parameters = part.partition(";")
        weight = _weight(parameters)
        lang = name.strip().lower().partition("-")[0]
        if lang in LANGUAGES and weight > best_weight:
            best, best_weight = lang, weight
    return best


def _weight(parameters: str) -> float:
    key, _, value = parameters.strip().partition("=")
    if key.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
