"""Payers' phone numbers: reading, guessing the method, masking."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import carrier

from cauri.domain.methods import Family, Method


@dataclass(frozen=True, slots=True)
class Phone:
    """A number as the wire shows it: country (ISO alpha-2), prefix without +, national part with its leading 0.

    ``national`` is empty where a card pays and nobody gave a number (``no_number``): then only the country is known.
    """

    country: str
    prefix: str
    national: str

    @property
    def given(self) -> Phone | None:
        """The number itself, None where nobody gave one."""
        return self if self.national else None

    @property
    def digits(self) -> str:
        """International format without +: what operators take."""
        return self.prefix + self.national

    @property
    def masked(self) -> str:
        """Only the last two digits, for pages and logs."""
        return "•" * (len(self.national) - 2) + self.national[-2:]

    def masked_in(self, text: str) -> str:
        """The text with this number masked, also where it is cut off in the middle of it."""
        if not self.national:
            return text
        text = text.replace(self.national, self.masked)
        for length in range(len(self.national) - 1, 2, -1):
            if text.endswith(self.national[:length]):
                return text[:-length] + "•" * length
        return text


class BadPhone(ValueError):
    """The text is not a phone number of the country; ``reason`` is ``unreadable``, ``length`` or ``country``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_phone(text: str, country: str | None = None) -> Phone:
    """A number in international format, or national where a country is given. Raises BadPhone.

    Only the length and the country are judged: new ranges open faster than any table knows, and the operator has the last word.
    Letters are refused: the library reads them as a telephone's keys, and an O typed for a 0 would ring a stranger's handset.
    """
    if any(character.isalpha() for character in text):
        raise BadPhone("unreadable")
    try:
        number = phonenumbers.parse(_international(text, country), country)
    except phonenumbers.NumberParseException:
        raise BadPhone("unreadable") from None
    if not phonenumbers.is_possible_number(number):
        raise BadPhone("length")
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    if region == phonenumbers.UNKNOWN_REGION or (country is not None and region != country):
        raise BadPhone("country")
    return Phone(region, str(number.country_code), phonenumbers.national_significant_number(number))


def no_number(country: str) -> Phone:
    """The payer of a card, who need not give a number."""
    return Phone(country, str(phonenumbers.country_code_for_region(country)), "")


def _international(text: str, country: str | None) -> str:
    """People write the country's prefix with 00, with nothing, or with +; numbers alone cannot tell a prefix from a number."""
    text = text.strip()
    if text.startswith("00"):
        return "+" + text[2:]
    if country is None and not text.startswith("+"):
        return "+" + text
    return text


def guess_method(phone: Phone, methods: tuple[Method, ...]) -> Method | None:
    """The phone method of the carrier that the number's prefix belongs to; a guess, since numbers are portable."""
    number = phonenumbers.parse(f"+{phone.digits}")
    name = carrier.name_for_number(number, "en")
    if not name:
        return None
    for method in methods:
        if method.family is Family.PHONE and any(name.startswith(own) for own in method.carriers):
            return method
    return None
