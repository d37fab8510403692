"""Amounts as the gateway takes them: whole currency units, multiples of 5 except in USD."""

from __future__ import annotations

from decimal import Decimal

from .errors import InvalidField, UnevenAmount


def payable_amount(amount: int | Decimal, currency: str) -> int:
    """The amount as an int, if it can be paid in this currency.

    Whole Decimals are taken, floats are not. Raises UnevenAmount naming the nearest two, InvalidField.
    """
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
        raise InvalidField(
            "amount", f"must be an int or a Decimal of whole units, not {type(amount).__name__}"
        )
    if isinstance(amount, Decimal) and not amount.is_finite():
        raise InvalidField("amount", "must be a number")
    if amount <= 0:
        raise InvalidField("amount", "must be greater than 0")
    step = 1 if currency == "USD" else 5
    below = int(amount // step) * step
    if below != amount:
        nearest = (below, below + step) if below else (step,)
        raise UnevenAmount(
            amount, nearest, "is not a multiple of 5" if step == 5 else "is not a whole number of units"
        )
    return below
