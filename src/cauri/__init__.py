"""Cauri: mobile-money payments over CinetPay's Checkout API v2, as a sandbox and as a gateway."""

__version__ = "0.1.0"
