"""pawaPay's providers in the countries of the 2021 guide, and what its toolkit tells of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

AuthType = Literal["PROVIDER_AUTH", "PREAUTH", "REDIRECT_AUTH"]
STATUSES = ("OPERATIONAL", "DELAYED", "CLOSED")
"""What a provider's availability can be. Only CLOSED changes what is accepted."""


@dataclass(frozen=True)
class Terms:
    """What one provider takes in one currency.

    pawaPay sets the bounds per account; these are the simulator's.
    """

    min_amount: Decimal
    max_amount: Decimal
    decimals: int
    status: str = "OPERATIONAL"


@dataclass(frozen=True)
class Country:
    """`lengths` counts the national numbers' digits.

    `trunk_zero` is True where payers write a leading 0 that is not part of the number.
    """

    iso3: str
    prefix: str
    lengths: tuple[int, ...]
    name_en: str
    name_fr: str
    trunk_zero: bool = False

    def has_number(self, phone: str) -> bool:
        return phone.startswith(self.prefix) and len(phone) - len(self.prefix) in self.lengths


@dataclass(frozen=True)
class Provider:
    """`starts` matches the national numbers that the provider is predicted from; empty: never predicted."""

    code: str
    name: str
    country: Country
    currencies: Mapping[str, Terms]
    starts: str = ""
    auth: AuthType = "PROVIDER_AUTH"


BFA = Country("BFA", "226", (8,), "Burkina Faso", "Burkina Faso")
BEN = Country("BEN", "229", (8, 10), "Benin", "Bénin")
"""Ten digits since 2024; pawaPay's own examples still have eight."""
CIV = Country("CIV", "225", (10,), "Ivory Coast", "Côte d'Ivoire")
CMR = Country("CMR", "237", (9,), "Cameroon", "Cameroun", trunk_zero=True)
COD = Country("COD", "243", (9,), "DR Congo", "RD Congo", trunk_zero=True)
SEN = Country("SEN", "221", (9,), "Senegal", "Sénégal", trunk_zero=True)

_FRANCS = Terms(Decimal(100), Decimal(2_000_000), 0)
_XOF = {"XOF": _FRANCS}
_XAF = {"XAF": _FRANCS}
_CDF = Terms(Decimal(100), Decimal(5_000_000), 2)
_CDF_WHOLE = Terms(Decimal(100), Decimal(5_000_000), 0)
_USD = Terms(Decimal(1), Decimal(3_000), 2)

PROVIDERS: Mapping[str, Provider] = {
    provider.code: provider
    for provider in (
        Provider("MOOV_BFA", "Moov", BFA, _XOF, "0[1-3]|5[0-3]|6[0-3]|7[0-3]"),
        Provider("ORANGE_BFA", "Orange", BFA, _XOF, "0[4-7]|4|5[4-7]|6[4-7]|7[4-7]", "PREAUTH"),
        Provider("MTN_MOMO_BEN", "MTN", BEN, _XOF, "(01)?(4[26]|5[0-4679]|6[12679]|9[0167])"),
        Provider("MOOV_BEN", "Moov", BEN, _XOF, "(01)?(45|5[58]|6[03458]|9[4589])"),
        Provider("MTN_MOMO_CIV", "MTN", CIV, _XOF, "05"),
        Provider("ORANGE_CIV", "Orange", CIV, _XOF, "07"),
        Provider("WAVE_CIV", "Wave", CIV, _XOF, auth="REDIRECT_AUTH"),
        Provider("MTN_MOMO_CMR", "MTN", CMR, _XAF, "65[0-4]|67|68[0-3]"),
        Provider("ORANGE_CMR", "Orange", CMR, _XAF, "64|65[5-9]|68[6-9]|69"),
        Provider("VODACOM_MPESA_COD", "M-Pesa", COD,
                 {"CDF": _CDF_WHOLE, "USD": _USD}, "8[1-36]"),
        Provider("AIRTEL_COD", "Airtel", COD, {"CDF": _CDF, "USD": _USD}, "9[6-9]"),
        Provider("ORANGE_COD", "Orange", COD, {"CDF": _CDF, "USD": _USD}, "8[0459]"),
        Provider("ORANGE_SEN", "Orange", SEN, _XOF, "7[178]"),
        Provider("FREE_SEN", "Free", SEN, _XOF, "76"),
        Provider("WAVE_SEN", "Wave", SEN, _XOF, auth="REDIRECT_AUTH"),
    )
}  # fmt: skip

COUNTRIES: Mapping[str, Country] = {p.country.iso3: p.country for p in PROVIDERS.values()}


class Market:
    """What the providers take at this moment: their own terms, and what was changed of them since."""

    def __init__(self) -> None:
        self._changed: dict[tuple[str, str], Terms] = {}

    def terms(self, provider: Provider, currency: str) -> Terms:
        """Raises KeyError for a currency that the provider does not take."""
        return self._changed.get((provider.code, currency)) or provider.currencies[currency]

    def set(self, provider: Provider, currency: str, terms: Terms) -> None:
        self._changed[provider.code, currency] = terms

    def status(self, provider: Provider) -> str:
        """The worst of its currencies."""
        return max(
            (self.terms(provider, currency).status for currency in provider.currencies), key=STATUSES.index
        )

    def reset(self) -> None:
        self._changed.clear()


def predict(text: str) -> tuple[Provider, str] | None:
    """The most likely provider of a number as somebody typed it, and the number put right, or None."""
    digits = re.sub(r"[^0-9]", "", text).lstrip("0")
    for country in COUNTRIES.values():
        if not digits.startswith(country.prefix):
            continue
        national = digits[len(country.prefix) :]
        phone = country.prefix + (national.lstrip("0") if country.trunk_zero else national)
        return _provider_of(country, phone) if country.has_number(phone) else None
    return None


def _provider_of(country: Country, phone: str) -> tuple[Provider, str] | None:
    national = phone[len(country.prefix) :]
    for provider in PROVIDERS.values():
        if provider.country is country and provider.starts and re.match(provider.starts, national):
            return provider, phone
    return None


def active_configuration(
    countries: Iterable[Country], callback_url: str | None, market: Market, signed_callbacks: bool
) -> dict[str, object]:
    """The answer of GET /v2/active-conf for these countries."""
    return {
        "companyName": "Cauri sandbox",
        "signatureConfiguration": {"signedRequestsOnly": False, "signedCallbacks": signed_callbacks},
        "countries": [_country_json(country, callback_url, market) for country in countries],
    }


def availability(countries: Iterable[Country], market: Market) -> list[dict[str, object]]:
    """The answer of GET /v2/availability."""
    return [
        {
            "country": country.iso3,
            "providers": [
                {
                    "provider": p.code,
                    "operationTypes": [{"operationType": "DEPOSIT", "status": market.status(p)}],
                }
                for p in _providers_in(country)
            ],
        }
        for country in countries
    ]


def _providers_in(country: Country) -> list[Provider]:
    return [p for p in PROVIDERS.values() if p.country is country]


def _country_json(country: Country, callback_url: str | None, market: Market) -> dict[str, object]:
    return {
        "country": country.iso3,
        "displayName": {"en": country.name_en, "fr": country.name_fr},
        "prefix": country.prefix,
        "providers": [_provider_json(p, callback_url, market) for p in _providers_in(country)],
    }


def _provider_json(provider: Provider, callback_url: str | None, market: Market) -> dict[str, object]:
    return {
        "provider": provider.code,
        "displayName": provider.name,
        "nameDisplayedToCustomer": "Cauri sandbox",
        "currencies": [
            {
                "currency": currency,
                "operationTypes": {
                    "DEPOSIT": _deposit_json(provider, market.terms(provider, currency), callback_url)
                },
            }
            for currency in provider.currencies
        ],
    }


def _deposit_json(provider: Provider, terms: Terms, callback_url: str | None) -> dict[str, object]:
    terms_json: dict[str, object] = {
        "authType": provider.auth,
        "minAmount": str(terms.min_amount),
        "maxAmount": str(terms.max_amount),
        "decimalsInAmount": "TWO_PLACES" if terms.decimals else "NONE",
        "status": terms.status,
    }
    if provider.auth == "PROVIDER_AUTH":
        terms_json |= {"pinPrompt": "AUTOMATIC", "pinPromptRevivable": False}
    if callback_url is not None:
        terms_json["callbackUrl"] = callback_url
    return terms_json
