"""The statement that an operator prints of its books: a CSV with columns of its own, right or wrong on purpose."""

import csv
import io
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from cauri.simulator.accounts import Debit, plain

WRONGS = ("missing", "extra", "amount")
"""`missing`: a debit is left out. `extra`: a line of which nobody has asked. `amount`: a line says 5 too much."""


class Impossible(Exception):
    """A statement cannot be wrong in this way: the message says why."""


@dataclass(frozen=True)
class Layout:
    """How one operator prints: the column heads in order, and what stands below each."""

    columns: Mapping[str, Callable[[Debit], str]]
    delimiter: str = ","


def _moment(pattern: str) -> Callable[[Debit], str]:
    return lambda debit: datetime.fromtimestamp(debit.debited_at / 1000, UTC).strftime(pattern)


def _status(paid: str, given_back: str) -> Callable[[Debit], str]:
    return lambda debit: paid if debit.taken_back_at is None else given_back


def _amount(debit: Debit) -> str:
    return plain(Decimal(debit.amount))


def _two_decimals(debit: Debit) -> str:
    return f"{Decimal(debit.amount):.2f}"


_ISO = _moment("%Y-%m-%dT%H:%M:%SZ")

PLAIN = Layout(
    {
        "date": _ISO,
        "reference": lambda debit: debit.merchant_reference,
        "operator_reference": lambda debit: debit.operator_id,
        "payer": lambda debit: debit.phone,
        "amount": _amount,
        "currency": lambda debit: debit.currency,
        "status": _status("PAID", "REVERSED"),
    }
)
"""For an operator without a layout of its own."""

LAYOUTS: Mapping[str, Layout] = {
    "pawapay": Layout(
        {
            "depositId": lambda debit: debit.merchant_reference,
            "status": _status("COMPLETED", "REVERSED"),
            "amount": _two_decimals,
            "currency": lambda debit: debit.currency,
            "phoneNumber": lambda debit: debit.phone,
            "providerTransactionId": lambda debit: debit.operator_id,
            "completed": _ISO,
        }
    ),
    "moov-3pp": Layout(
        {
            "Date": _moment("%d/%m/%Y"),
            "Heure": _moment("%H:%M:%S"),
            "Trans ID": lambda debit: debit.operator_id,
            "Request ID": lambda debit: debit.merchant_reference,
            "Client": lambda debit: debit.phone,
            "Montant": _amount,
            "Statut": _status("SUCCES", "ANNULE"),
        },
        delimiter=";",
    ),
    "orange-webpay": Layout(
        {
            "Date": _moment("%d/%m/%Y %H:%M"),
            "TxnId": lambda debit: debit.operator_id,
            "Order ID": lambda debit: debit.merchant_reference,
            "MSISDN": lambda debit: debit.phone,
            "Montant": _amount,
            "Devise": lambda debit: debit.currency,
            "Statut": _status("SUCCESS", "REVERSED"),
        }
    ),
    "orange-burkina": Layout(
        {
            "DATE": _moment("%Y%m%d%H%M%S"),
            "TRANSID": lambda debit: debit.operator_id,
            "EXT_TXN_ID": lambda debit: debit.merchant_reference,
            "MSISDN": lambda debit: debit.phone.removeprefix("226"),
            "MONTANT": _amount,
            "STATUT": _status("200", "REVERSED"),
        },
        delimiter=";",
    ),
    "card-page": Layout(
        {
            "paid_at": _ISO,
            "session": lambda debit: debit.operator_id,
            "reference": lambda debit: debit.merchant_reference,
            "gross": _two_decimals,
            "currency": lambda debit: debit.currency,
            "type": _status("sale", "refund"),
        }
    ),
    "mtn": Layout(
        {
            "Id": lambda debit: debit.operator_id,
            "External id": lambda debit: debit.merchant_reference,
            "Date": _moment("%Y-%m-%d %H:%M:%S"),
            "Status": _status("Successful", "Reversed"),
            "From": lambda debit: f"FRI:{debit.phone}/MSISDN",
            "Amount": _amount,
            "Currency": lambda debit: debit.currency,
        }
    ),
    "wave": Layout(
        {
            "Timestamp": _ISO,
            "Transaction ID": lambda debit: debit.operator_id,
            "Client reference": lambda debit: debit.merchant_reference,
            "Amount": _amount,
            "Currency": lambda debit: debit.currency,
            "Counterparty mobile": lambda debit: f"+{debit.phone}",
            "Reversed": _status("no", "yes"),
        }
    ),
    "paygate": Layout(
        {
            "datetime": _moment("%Y-%m-%d %H:%M:%S"),
            "tx_reference": lambda debit: debit.operator_id,
            "identifier": lambda debit: debit.merchant_reference,
            "phone_number": lambda debit: debit.phone.removeprefix("228"),
            "amount": _amount,
            "status": _status("0", "6"),
        },
        delimiter=";",
    ),
}
"""Dialect → how it prints."""


def statement(operator: str, debits: Sequence[Debit], wrong: Sequence[str]) -> str:
    """The CSV of these debits, in order; `wrong` names what is not right with it (`WRONGS`).

    Raises Impossible where there is no debit to leave out or to change.
    """
    layout = LAYOUTS.get(operator, PLAIN)
    lines = list(debits)
    for way in wrong:
        lines = _MADE_WRONG[way](operator, lines)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator="\r\n")
    writer.writerow(layout.columns)
    writer.writerows([show(debit) for show in layout.columns.values()] for debit in lines)
    return text.getvalue()


def _without_one(operator: str, debits: list[Debit]) -> list[Debit]:
    at = _middle(debits)
    return debits[:at] + debits[at + 1 :]


def _with_one_more(operator: str, debits: list[Debit]) -> list[Debit]:
    model = debits[-1] if debits else Debit(operator, "", "2250700000001", "1500", "XOF", 0)
    nobody = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{operator}:{len(debits)}"))
    return [*debits, replace(model, merchant_reference=nobody, operator_id=nobody[:8], taken_back_at=None)]


def _with_another_amount(operator: str, debits: list[Debit]) -> list[Debit]:
    at = _middle(debits)
    debits[at] = replace(debits[at], amount=str(Decimal(debits[at].amount) + 5))
    return debits


def _middle(debits: list[Debit]) -> int:
    if not debits:
        raise Impossible("there is no debit in this period that could be wrong; pay something first")
    return len(debits) // 2


_MADE_WRONG: Mapping[str, Callable[[str, list[Debit]], list[Debit]]] = {
    "missing": _without_one,
    "extra": _with_one_more,
    "amount": _with_another_amount,
}
