"""A customer at the keyboard: plays a payment through the page's own forms, like a browser without script."""

from cauri.customer.play import CustomerTrouble, Ended, Ending, pay

__all__ = ["CustomerTrouble", "Ended", "Ending", "pay"]
