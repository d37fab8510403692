"""MTN's MoMo Open API, product Collections (momodeveloper.mtn.com), with the sandbox's provisioning.

Not simulated: Disbursements, Remittances, `basicuserinfo`, the portal, the IP allow-list.
"""

from cauri.simulator.dialects.mtn.accounts import MtnAccount
from cauri.simulator.dialects.mtn.collections import DIALECT, Mtn

__all__ = ["DIALECT", "Mtn", "MtnAccount"]
