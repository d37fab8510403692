"""Amounts as people write them: 12 500 FCFA."""

from django import template

register = template.Library()


@register.filter
def francs(amount: int) -> str:
    """`12500` → `12 500 FCFA`, with spaces that do not break."""
    return f"{amount:,}".replace(",", "\u202f") + "\u00a0FCFA"
