"""The operators' own books: who was debited how much, whatever anybody was told about it."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Debit:
    """One sum taken from one payer.

    `amount` is text, in whole units or with decimals; times are ms since the epoch. `reference` is how the dialect
    knows the request; `merchant_reference` is the merchant's own name for it, most often the same.
    """

    dialect: str
    reference: str
    phone: str
    amount: str
    currency: str
    debited_at: int
    taken_back_at: int | None = None
    operator_id: str = ""
    merchant_reference: str = ""

    def as_json(self) -> dict[str, object]:
        return {
            "dialect": self.dialect,
            "reference": self.reference,
            "merchant_reference": self.merchant_reference,
            "operator_id": self.operator_id,
            "phone": self.phone,
            "amount": plain(Decimal(self.amount)),
            "currency": self.currency,
            "debited_at": self.debited_at,
            "taken_back_at": self.taken_back_at,
        }


class Books:
    """Every debit in order. A reference has at most one debit that still stands."""

    def __init__(self) -> None:
        self._debits: list[Debit] = []
        self._standing: dict[tuple[str, str], Debit] = {}

    def debit(self, debit: Debit) -> None:
        key = (debit.dialect, debit.reference)
        if key in self._standing:
            raise ValueError(f"{debit.reference} is debited already")
        self._debits.append(debit)
        self._standing[key] = debit

    def take_back(self, dialect: str, reference: str, at: int) -> Debit | None:
        """Gives the payer back what still stands for this reference, if anything does."""
        debit = self._standing.pop((dialect, reference), None)
        if debit is not None:
            debit.taken_back_at = at
        return debit

    def debits(self, dialect: str | None = None) -> list[Debit]:
        """In the order in which they were made; of all operators, or of one."""
        return [debit for debit in self._debits if dialect in (None, debit.dialect)]

    def totals(self, dialect: str | None = None) -> list[dict[str, object]]:
        """What each operator has taken and not given back, by currency."""
        sums: dict[tuple[str, str], list[Decimal]] = {}
        for debit in self.debits(dialect):
            if debit.taken_back_at is None:
                sums.setdefault((debit.dialect, debit.currency), []).append(Decimal(debit.amount))
        return [
            {
                "dialect": of,
                "currency": currency,
                "debits": len(amounts),
                "amount": plain(sum(amounts, Decimal(0))),
            }
            for (of, currency), amounts in sorted(sums.items())
        ]


def plain(amount: Decimal) -> str:
    """Whole amounts without decimals, the others with those that they have."""
    return str(int(amount)) if amount == amount.to_integral_value() else str(amount)
