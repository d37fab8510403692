"""Amounts as people write them."""

from __future__ import annotations


def francs(amount: int) -> str:
    """`12500` → `12 500 FCFA`, with spaces that do not break."""
    return f"{amount:,}".replace(",", "\u202f") + "\u00a0FCFA"
