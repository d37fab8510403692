"""Wave Checkout (reference: operators, section 3; mapping: section 8). Nothing here was tried on a live system."""

from cauri.operators.wave.connector import METHODS_BY_COUNTRY, Wave

__all__ = ["METHODS_BY_COUNTRY", "Wave"]
