"""A customer at the keyboard: plays a payment through the page's own forms, like a browser without script."""

from cauri.customer.play import TEST_CARD, CustomerTrouble, Ended, Ending, pay

__all__ = ["TEST_CARD", "CustomerTrouble", "Ended", "Ending", "pay"]
