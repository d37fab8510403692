"""What a payer's wallet holds and may spend, for the numbers of which the control plane said so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from cauri.simulator.accounts import Debit, plain

Span = Literal["day", "week", "month"]

NO_FUNDS = "602"
TOO_MUCH_AT_ONCE = "642"
CODE_OF_LIMIT: Mapping[str, str] = {
    "day_count": "807",
    "day_amount": "808",
    "month_amount": "809",
    "month_count": "810",
    "week_amount": "811",
    "week_count": "812",
}
"""Limit → the code of the status table that says it was reached. Days, weeks (from Monday) and months are UTC's."""

LIMITS = ("payment_amount", *CODE_OF_LIMIT)


@dataclass
class Wallet:
    """`balance` None: never empty. A limit that is not named does not exist. Amounts in whole units or with decimals."""

    balance: Decimal | None = None
    currency: str | None = None
    limits: dict[str, Decimal] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {
            "balance": None if self.balance is None else plain(self.balance),
            "currency": self.currency,
            "limits": {name: plain(limit) for name, limit in self.limits.items()},
        }


class Wallets:
    """Wallets by number. A number without one pays whatever its story says."""

    def __init__(self) -> None:
        self._wallets: dict[str, Wallet] = {}
        self._spent: dict[str, list[Debit]] = {}

    def give(self, phone: str, wallet: Wallet) -> None:
        self._wallets[phone] = wallet

    def of(self, phone: str) -> Wallet | None:
        return self._wallets.get(phone)

    def refusal(self, phone: str, amount: str, currency: str, at: int) -> str | None:
        """The code with which this debit would be refused; None when nothing stands against it."""
        wallet = self._wallets.get(phone)
        if wallet is None or (wallet.currency is not None and wallet.currency != currency):
            return None
        asked = Decimal(amount)
        if wallet.balance is not None and asked > wallet.balance:
            return NO_FUNDS
        if asked > wallet.limits.get("payment_amount", asked):
            return TOO_MUCH_AT_ONCE
        return next(
            (
                code
                for name, code in CODE_OF_LIMIT.items()
                if name in wallet.limits
                and self._used(phone, currency, name, asked, at) > wallet.limits[name]
            ),
            None,
        )

    def debited(self, debit: Debit) -> None:
        """The wallet pays. Debits of numbers without a wallet count too, should they be given limits later."""
        self._spent.setdefault(debit.phone, []).append(debit)
        self._move(debit, -Decimal(debit.amount))

    def taken_back(self, debit: Debit) -> None:
        self._move(debit, Decimal(debit.amount))

    def reset(self) -> None:
        self._wallets.clear()
        self._spent.clear()

    def _move(self, debit: Debit, amount: Decimal) -> None:
        wallet = self._wallets.get(debit.phone)
        if wallet is not None and wallet.balance is not None and wallet.currency in (None, debit.currency):
            wallet.balance += amount

    def _used(self, phone: str, currency: str, limit: str, asked: Decimal, at: int) -> Decimal:
        span, _, counts = limit.partition("_")
        since = _start_of(span, at)
        standing = [
            debit
            for debit in self._spent.get(phone, ())
            if debit.taken_back_at is None and debit.debited_at >= since and debit.currency == currency
        ]
        if counts == "count":
            return Decimal(len(standing) + 1)
        return sum((Decimal(debit.amount) for debit in standing), asked)


def _start_of(span: str, at: int) -> int:
    day = datetime.fromtimestamp(at / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if span == "week":
        day -= timedelta(days=day.weekday())
    elif span == "month":
        day = day.replace(day=1)
    return int(day.timestamp() * 1000)
