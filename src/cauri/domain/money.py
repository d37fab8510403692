"""Amounts, currencies and bounds. Amounts are integers of whole currency units, as on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CURRENCIES = ("XOF", "XAF", "CDF", "GNF", "USD")

COUNTRIES_OF_CURRENCY: dict[str, tuple[str, ...]] = {
    "XOF": ("CI", "SN", "ML", "BF", "TG", "BJ"),
    "XAF": ("CM",),
    "CDF": ("CD",),
    "GNF": ("GN",),
    "USD": ("CD",),
}

COUNTRIES = ("CI", "SN", "ML", "BF", "TG", "BJ", "CM", "CD", "GN")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smallest and largest amount, both allowed, in whole currency units."""

    low: int
    high: int


# Contract section 2, "Amount bounds (settings)".
DEFAULT_BOUNDS: dict[tuple[str, str], Bounds] = {
    ("CI", "XOF"): Bounds(100, 1_500_000),
    ("ML", "XOF"): Bounds(100, 1_500_000),
    ("BF", "XOF"): Bounds(100, 1_500_000),
    ("BJ", "XOF"): Bounds(100, 1_500_000),
    ("SN", "XOF"): Bounds(100, 2_000_000),
    ("TG", "XOF"): Bounds(150, 1_500_000),
    ("CM", "XAF"): Bounds(100, 1_500_000),
    ("GN", "GNF"): Bounds(1_000, 15_000_000),
    ("CD", "CDF"): Bounds(100, 2_000_000),
    ("CD", "USD"): Bounds(1, 3_000),
}


def step_of(currency: str) -> int:
    """Amounts are multiples of this: 5, the smallest common coin; 1 for USD (contract section 2)."""
    return 1 if currency == "USD" else 5


def widest_bounds(
    bounds: Mapping[tuple[str, str], Bounds], countries: tuple[str, ...], currency: str
) -> Bounds | None:
    """The bounds that initialisation applies: the widest of these countries in this currency, None without one."""
    own = [found for country in countries if (found := bounds.get((country, currency)))]
    return Bounds(min(one.low for one in own), max(one.high for one in own)) if own else None
