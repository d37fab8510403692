"""pawaPay's Merchant API v2: deposits and the toolkit around them (docs.pawapay.io/v2).

Not simulated yet: signatures, payouts, refunds, payment pages, wallet balances.
"""

from cauri.simulator.dialects.pawapay.doors import DIALECT, PawaPay

__all__ = ["DIALECT", "PawaPay"]
