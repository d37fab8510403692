"""The ``[statements.…]`` tables: how an operator's statement is written, for ``cauri reconcile import``."""

from __future__ import annotations

import codecs
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from cauri.config.values import Text
from cauri.domain.money import CURRENCIES


class StatementSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``reference``, ``operator_id``, ``amount``, ``currency``, ``status``, ``date`` and ``time`` are the names of columns.

    One of ``reference`` (ours) and ``operator_id`` (theirs) at least. ``currency_is``: of rows that name none; without
    ``status`` every row is a payment. ``time`` where it has a column of its own: read after the date and a blank. ``date_format`` as Python's strptime takes it; dates are of ``timezone``.
    """

    amount: Text
    date: Text
    time: Text | None = None
    reference: Text | None = None
    operator_id: Text | None = None
    currency: Text | None = None
    currency_is: Text | None = None
    status: Text | None = None
    paid: tuple[str, ...] = ()
    date_format: Text = "%Y-%m-%d %H:%M:%S"
    timezone: Text = "UTC"
    delimiter: Text = ","
    encoding: Text = "utf-8"
    decimal_sign: Literal[".", ","] = "."

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a statement must have."""
        named = (
            self.reference,
            self.operator_id,
            self.amount,
            self.currency,
            self.status,
            self.date,
            self.time,
        )
        return tuple(name for name in named if name is not None)

    def faults(self) -> list[str]:
        """What is well formed and still cannot be read with, each beginning with the setting's name."""
        faults = []
        if self.reference is None and self.operator_id is None:
            faults.append(
                "reference: name the column of our reference, or operator_id the one of the operator's own"
            )
        if self.currency is None and self.currency_is is None:
            faults.append('currency: name its column, or say currency_is = "XOF" where there is none')
        if self.currency_is is not None and self.currency_is not in CURRENCIES:
            faults.append(f"currency_is: {self.currency_is!r} is none of {', '.join(CURRENCIES)}")
        if (self.status is None) != (not self.paid):
            faults.append("paid: status and the words that mean paid in it go together")
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"':
            faults.append("delimiter: one character, such as ; or \\t")
        if self.delimiter == self.decimal_sign:
            faults.append("decimal_sign: cannot be the delimiter, too")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            faults.append(f"encoding: {self.encoding!r} is unknown; utf-8, cp1252 and utf-16 are usual")
        try:
            ZoneInfo(self.timezone)
        except (ValueError, OSError, LookupError):
            faults.append(
                f"timezone: {self.timezone!r} is unknown; write UTC, Africa/Abidjan, Africa/Kinshasa …"
            )
        return faults
