"""The payment methods the wire knows (contract section 4): where, in which currency, through which channel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

CHANNELS = ("ALL", "MOBILE_MONEY", "WALLET", "CREDIT_CARD")


class Family(StrEnum):
    """What kind of account pays; a channel names one or two families."""

    PHONE = "phone"
    WAVE = "wave"
    CARD = "card"


# MOBILE_MONEY is every method paid by phone number, Wave included; WALLET is Wave (contract section 2).
FAMILIES_OF_CHANNEL: dict[str, frozenset[Family]] = {
    "ALL": frozenset(Family),
    "MOBILE_MONEY": frozenset({Family.PHONE, Family.WAVE}),
    "WALLET": frozenset({Family.WAVE}),
    "CREDIT_CARD": frozenset({Family.CARD}),
}


@dataclass(frozen=True, slots=True)
class Method:
    """One way to pay. ``carriers`` are the names ``phonenumbers`` gives the operator whose customers use it."""

    code: str
    country: str
    currency: str
    name: str
    family: Family = Family.PHONE
    carriers: frozenset[str] = frozenset()


def _phone(code: str, country: str, currency: str, name: str, *carriers: str) -> Method:
    return Method(code, country, currency, name, Family.PHONE, frozenset(carriers))


_ALL = (
    _phone("OM", "CI", "XOF", "Orange Money", "Orange"),
    _phone("MOMO", "CI", "XOF", "MTN MoMo", "MTN"),
    _phone("FLOOZ", "CI", "XOF", "Moov Money", "Moov"),
    Method("WAVECI", "CI", "XOF", "Wave", Family.WAVE),
    Method("VISAM", "CI", "XOF", "Visa, Mastercard", Family.CARD),
    _phone("OMML", "ML", "XOF", "Orange Money", "Orange"),
    _phone("MOOVML", "ML", "XOF", "Moov Money", "Sotelma", "Malitel"),
    _phone("OMSN", "SN", "XOF", "Orange Money", "Orange"),
    _phone("FREESN", "SN", "XOF", "Free Money", "Yas", "Free", "Tigo"),
    Method("WAVESN", "SN", "XOF", "Wave", Family.WAVE),
    _phone("EXPRESSOSN", "SN", "XOF", "E-Money", "Expresso"),
    _phone("TmoneyTG", "TG", "XOF", "TMoney", "Togo Telecom", "Togocel", "Togocom"),
    _phone("FLOOZTG", "TG", "XOF", "Flooz", "Moov"),
    _phone("OMBF", "BF", "XOF", "Orange Money", "Orange"),
    _phone("MOOVBF", "BF", "XOF", "Moov Money", "Moov", "Telmob", "Onatel"),
    _phone("OMCM", "CM", "XAF", "Orange Money", "Orange"),
    _phone("MTNCM", "CM", "XAF", "MTN MoMo", "MTN", "MTN Cameroon"),
    _phone("EXPRESSUNIONCM", "CM", "XAF", "Express Union"),
    Method("VISAMCM", "CM", "XAF", "Visa, Mastercard", Family.CARD),
    _phone("OMGN", "GN", "GNF", "Orange Money", "Orange"),
    _phone("MTNGN", "GN", "GNF", "MTN MoMo", "Areeba", "MTN"),
    _phone("MTNBJ", "BJ", "XOF", "MTN MoMo", "MTN"),
    _phone("MOOVBJ", "BJ", "XOF", "Moov Money", "Moov"),
    _phone("OMCD", "CD", "CDF", "Orange Money", "Orange"),
    _phone("MPESACD", "CD", "CDF", "M-Pesa", "Vodacom"),
    _phone("AIRTELCD", "CD", "CDF", "Airtel Money", "Airtel"),
    _phone("OMCDUSD", "CD", "USD", "Orange Money", "Orange"),
    _phone("MPESACDUSD", "CD", "USD", "M-Pesa", "Vodacom"),
    _phone("AIRTELCDUSD", "CD", "USD", "Airtel Money", "Airtel"),
    Method("VISAMCDUSD", "CD", "USD", "Visa, Mastercard", Family.CARD),
)

METHODS: dict[str, Method] = {method.code: method for method in _ALL}


@cache
def methods_in(country: str, currency: str, channels: tuple[str, ...] = ("ALL",)) -> tuple[Method, ...]:
    """The methods of a country in a currency that these channels let through, in the order of the contract."""
    families = frozenset[Family]().union(*(FAMILIES_OF_CHANNEL[channel] for channel in channels))
    return tuple(
        method
        for method in _ALL
        if method.country == country and method.currency == currency and method.family in families
    )
