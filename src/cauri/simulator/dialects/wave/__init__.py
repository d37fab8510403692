"""Wave's Checkout API (docs.wave.com/checkout, /webhook).

Not simulated: refunds, payouts, balance, aggregated merchants' own doors.
"""

from cauri.simulator.dialects.wave.accounts import WaveAccount, WaveWebhook
from cauri.simulator.dialects.wave.sessions import DIALECT, Wave

__all__ = ["DIALECT", "Wave", "WaveAccount", "WaveWebhook"]
