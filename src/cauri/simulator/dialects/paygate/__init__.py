"""PayGate Global of Togo: FLOOZ (Moov) and TMONEY (Togocom, Yas), by API and by hosted page.

Not simulated: disbursements.
"""

from cauri.simulator.dialects.paygate.api import DIALECT, PayGate
from cauri.simulator.dialects.paygate.rules import PayGateAccount

__all__ = ["DIALECT", "PayGate", "PayGateAccount"]
