"""What PayGate takes, on its API and in the query of its page."""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cauri.simulator.dialects.paygate.words import BAD_PARAMETERS, BAD_TOKEN

NETWORKS = ("FLOOZ", "TMONEY")
TEXT_MAX = 255

_PHONE = re.compile(r"(?:[+]?228)?([79][0-9]{7})")
_AMOUNT = re.compile(r"[1-9][0-9]{0,11}")
_FIELDS = ("auth_token", "phone_number", "amount", "description", "identifier", "network")


@dataclass(frozen=True)
class PayGateAccount:
    """One merchant: its token, the callback URL of its dashboard, and the addresses that may ask the balance."""

    auth_token: str
    callback_url: str | None = None
    allowed_ips: tuple[str, ...] = ()


class Refused(Exception):
    """/pay says no: one of its numbers beside HTTP 200."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(frozen=True)
class PayRequest:
    """A payment that is well formed. `phone` has its country's prefix, `phone_given` is as it was written."""

    phone: str
    phone_given: str
    amount: int
    identifier: str
    network: str


def account_of(accounts: Iterable[PayGateAccount], token: object) -> PayGateAccount | None:
    if not isinstance(token, str):
        return None
    found = (one for one in accounts if hmac.compare_digest(one.auth_token.encode(), token.encode()))
    return next(found, None)


def read_payment(body: Mapping[str, Any]) -> PayRequest:
    """Raises `Refused` (4) for a field that is missing, unknown or wrong; PayGate does not say which."""
    if any(name not in _FIELDS for name in body):
        raise Refused(BAD_PARAMETERS)
    phone = phone_of(body.get("phone_number"))
    amount = amount_of(body.get("amount"))
    identifier, network = body.get("identifier"), body.get("network")
    description = body.get("description")
    if phone is None or amount is None or network not in NETWORKS or not _is_text(identifier):
        raise Refused(BAD_PARAMETERS)
    if description not in (None, "") and not _is_text(description):
        raise Refused(BAD_PARAMETERS)
    return PayRequest(phone, str(body["phone_number"]), amount, str(identifier), str(network))


def require_account(accounts: Iterable[PayGateAccount], token: object) -> PayGateAccount:
    """Raises `Refused` (2)."""
    account = account_of(accounts, token)
    if account is None:
        raise Refused(BAD_TOKEN)
    return account


def phone_of(value: object) -> str | None:
    """A Togolese mobile number, local or with 228, as 228…; None for anything else."""
    found = _PHONE.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else "228" + found[1]


def amount_of(value: object) -> int | None:
    """Whole francs, as a number or as digits; None for anything else."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return int(text) if isinstance(text, str) and _AMOUNT.fullmatch(text) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= TEXT_MAX and value.isprintable()
