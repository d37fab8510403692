"""What happens to a payment: open, attempt, settle, cancel, leave, expire (contract section 7)."""

from cauri.lifecycle.life import Lifecycle, LifecycleSettings
from cauri.lifecycle.view import CountryOffer, MethodOffer, View
from cauri.lifecycle.watch import Watch

__all__ = ["CountryOffer", "Lifecycle", "LifecycleSettings", "MethodOffer", "View", "Watch"]
