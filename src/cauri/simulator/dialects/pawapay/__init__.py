"""pawaPay's Merchant API v2: deposits and the toolkit around them (docs.pawapay.io/v2).

Not simulated: payouts, refunds, payment pages, wallet balances, requests that the merchant signs.
"""

from cauri.simulator.dialects.pawapay.doors import DIALECT, PawaPay

__all__ = ["DIALECT", "PawaPay"]
