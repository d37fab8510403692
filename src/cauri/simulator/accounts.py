"""The operators' own books: who was debited how much, whatever anybody was told about it."""

from dataclasses import dataclass


@dataclass
class Debit:
    """One sum taken from one payer.

    `amount` is text, in whole units or with decimals; times are ms since the epoch.
    """

    dialect: str
    reference: str
    phone: str
    amount: str
    currency: str
    debited_at: int
    taken_back_at: int | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "dialect": self.dialect,
            "reference": self.reference,
            "phone": self.phone,
            "amount": self.amount,
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

    def take_back(self, dialect: str, reference: str, at: int) -> None:
        """Gives the payer back what still stands for this reference, if anything does."""
        debit = self._standing.pop((dialect, reference), None)
        if debit is not None:
            debit.taken_back_at = at

    def as_json(self) -> list[dict[str, object]]:
        return [debit.as_json() for debit in self._debits]
