"""Cards, by redirect to a hosted card page: words, connector."""

from cauri.operators.card_page.connector import CardPage
from cauri.operators.card_page.words import ROUTES_OF_COUNTRY

__all__ = ["ROUTES_OF_COUNTRY", "CardPage"]
