"""A hosted card page with a 3-D Secure step.

No acquirer's interface is followed: the doors, states and signatures are specified in docs/sandbox.md.
"""

from cauri.simulator.dialects.card_page.doors import DIALECT, CardPage

__all__ = ["DIALECT", "CardPage"]
