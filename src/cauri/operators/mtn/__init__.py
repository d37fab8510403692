"""MTN MoMo Open API, Collections (reference: operators, section 1; mapping: section 8). Nothing here was tried on a live system."""

from cauri.operators.mtn.connector import Mtn
from cauri.operators.mtn.markets import MARKETS

__all__ = ["MARKETS", "Mtn"]
