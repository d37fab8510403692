"""Which countries and methods the payer can choose from, and the method a number belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers

from cauri.checkout.typed import Typed
from cauri.domain.errors import PayerError
from cauri.domain.methods import METHODS, Family, Method
from cauri.domain.payment import PaymentRequest
from cauri.domain.phone import BadPhone, Phone, guess_method, read_phone
from cauri.lifecycle import CountryOffer, View


@dataclass(frozen=True, slots=True)
class Country:
    """``unavailable`` is the reason, None where it can pay; ``low`` and ``high`` are its bounds in whole currency units."""

    code: str
    prefix: str
    unavailable: str | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Option:
    """One method as a choice. ``unavailable`` is the reason why it cannot be chosen."""

    code: str
    name: str
    unavailable: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """A card method that can be chosen without a number. No two countries share a currency and have one each."""

    method: str
    name: str
    country: str


def card_of(view: View) -> Card | None:
    """The card of this payment, None where it cannot be chosen."""
    for offer in view.countries:
        for one in offer.methods:
            if one.method.family is Family.CARD and one.unavailable is None:
                return Card(one.method.code, one.method.name, offer.country)
    return None


def lacks_card_block(view: View) -> bool:
    """Whether a country is left with nothing where a card could pay, had the shop sent the card block."""
    return any(
        offer.unavailable == "no_method" and any(one.unavailable == "card_block" for one in offer.methods)
        for offer in view.countries
    )


def asks_number(view: View) -> bool:
    """Whether any method can be chosen that a phone pays."""
    return any(
        one.method.family is not Family.CARD and one.unavailable is None
        for offer in view.countries
        for one in offer.methods
    )


def chose_card(typed: Typed) -> bool:
    """Whether what was sent is the card without a number."""
    method = METHODS.get(typed.method)
    return not typed.number and method is not None and method.family is Family.CARD


def countries_of(view: View) -> tuple[Country, ...]:
    return tuple(
        Country(
            offer.country,
            str(phonenumbers.country_code_for_region(offer.country)),
            offer.unavailable,
            offer.bounds.low if offer.bounds else None,
            offer.bounds.high if offer.bounds else None,
        )
        for offer in view.countries
    )


def options_of(view: View, country: str) -> tuple[Option, ...]:
    offer = _offer(view, country)
    if offer is None:
        return ()
    return tuple(Option(one.method.code, one.method.name, one.unavailable) for one in offer.methods)


def given_phone(request: PaymentRequest) -> Phone | None:
    """The number the shop gave, None where it gave none that can be read."""
    if request.customer_phone is None:
        return None
    try:
        return read_phone(request.customer_phone)
    except BadPhone:
        return None


def payer_phone(view: View, typed: Typed, *, bounded: bool = True) -> Phone:
    """The number that pays: the shop's where it is locked or nothing was typed, else the typed one. Raises PayerError.

    ``bounded`` False leaves the country's bounds to the engine, whose refusal the merchant can see (641, 642).
    """
    given = given_phone(view.payment.request)
    if given is not None and (view.payment.request.lock_phone_number or not typed.number):
        phone = given
    elif not typed.readable or not typed.number:
        raise PayerError("phone_unreadable")
    else:
        _check_country(view, typed.country, bounded)
        phone = _read(typed)
    _check_country(view, phone.country, bounded)
    return phone


def found_method(view: View, typed: Typed, country: str) -> Method | None:
    """The method of the number's prefix, where it can be chosen; None also for a number that cannot be read."""
    return _told(view, typed, country, usable=True)


def unusable_method(view: View, typed: Typed, country: str) -> Method | None:
    """The method of the number's prefix, where it cannot be chosen for this payment; None where the prefix tells none."""
    return _told(view, typed, country, usable=False)


def untold_methods(view: View, phone: Phone) -> tuple[str, ...]:
    """The methods that can be chosen for a number whose prefix tells none of them; empty where it tells one."""
    offer = _offer(view, phone.country)
    if offer is None:
        return ()
    methods = tuple(
        one.method
        for one in offer.methods
        if one.unavailable is None and one.method.family is not Family.CARD
    )
    return () if guess_method(phone, methods) else tuple(method.code for method in methods)


def example_number(country: str) -> str:
    """A mobile number of the country as its people write it."""
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        return example_number("CI")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return _in_pairs(written) if country == "CI" else written  # the library writes 01 23 45 6789


def _in_pairs(number: str) -> str:
    return " ".join(re.findall("..", number.replace(" ", "")))


def _told(view: View, typed: Typed, country: str, *, usable: bool) -> Method | None:
    offer = _offer(view, country)
    if offer is None:
        return None
    try:
        phone = payer_phone(view, typed)
    except PayerError:
        return None
    return guess_method(
        phone, tuple(one.method for one in offer.methods if (one.unavailable is None) is usable)
    )


def _read(typed: Typed) -> Phone:
    try:
        return read_phone(typed.number, typed.country)
    except BadPhone as error:
        raise PayerError(f"phone_{error.reason}") from None


def _offer(view: View, country: str) -> CountryOffer | None:
    return next((offer for offer in view.countries if offer.country == country), None)


def _check_country(view: View, country: str, bounded: bool) -> None:
    offer = _offer(view, country)
    if offer is None or offer.unavailable == "no_method" or (bounded and offer.unavailable is not None):
        raise PayerError("country_unavailable")
