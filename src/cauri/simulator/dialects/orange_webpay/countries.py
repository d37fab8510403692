"""The segments of WebPay's paths: `dev`, and countries in lower case."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """`national`: digits of a number without its prefix. `decimals` is how many an amount may have."""

    prefix: str
    national: int
    currencies: tuple[str, ...]
    decimals: int = 0


COUNTRIES: Mapping[str, Country] = {
    "ci": Country("225", 10, ("XOF",)),
    "sn": Country("221", 9, ("XOF",)),
    "ml": Country("223", 8, ("XOF",)),
    "bf": Country("226", 8, ("XOF",)),
    "cm": Country("237", 9, ("XAF",)),
    "gn": Country("224", 9, ("GNF",)),
    "cd": Country("243", 9, ("CDF", "USD"), decimals=2),
    "dev": Country("225", 10, ("OUV",)),
}
"""`dev` is Orange's sandbox: its money is OUV, its payers may come from any of the countries."""


def read_phone(text: str, segment: str | None = None) -> str | None:
    """A number as payers type it, in full digits; None when it is none. `segment` None: with its prefix only."""
    digits = re.sub(r"[ .()-]", "", text.strip()).removeprefix("+").removeprefix("00")
    if not digits.isascii() or not digits.isdigit():
        return None
    home = COUNTRIES[segment] if segment is not None else None
    if home is not None and len(digits.removeprefix("0")) == home.national and home.national == 9:
        digits = digits.removeprefix("0")  # Cameroon, DR Congo, Guinea: payers may write a trunk 0
    if home is not None and len(digits) == home.national:
        return home.prefix + digits
    abroad = segment in (None, "dev")
    known = COUNTRIES.values() if abroad else [COUNTRIES[str(segment)]]
    return (
        digits
        if any(digits.startswith(c.prefix) and len(digits) == len(c.prefix) + c.national for c in known)
        else None
    )
