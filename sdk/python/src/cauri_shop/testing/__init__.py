"""What the pytest plugin is made of: a sandbox in a process of its own, a payer, and a receiver of notifications.

`Sandbox`, `Ended`, `Notifications`, `Received` and `Pay` are the types of the fixtures, for annotations.
"""

from .payer import CannotPay, Ended, Pay
from .receiver import Notifications, Received, Receiver
from .sandbox import Sandbox, SandboxMissing, SandboxTrouble

__all__ = [
    "CannotPay",
    "Ended",
    "Notifications",
    "Pay",
    "Received",
    "Receiver",
    "Sandbox",
    "SandboxMissing",
    "SandboxTrouble",
]
