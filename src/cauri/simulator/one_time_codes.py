"""One-time codes that payers make on their handset and type elsewhere: Orange's `#144*82#` and `*144*4*6*amount#`."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Verdict = Literal["right", "wrong", "used", "other_amount"]

LIFE_S = 600
SHAPE = re.compile(r"[0-9]{4,6}")

WRONG, USED, OTHER_AMOUNT = "000000", "111111", "222222"
"""Codes that are always so, whoever types them; any other is right for a number that has not asked for one."""
_ALWAYS: dict[str, Verdict] = {WRONG: "wrong", "0000": "wrong", USED: "used", OTHER_AMOUNT: "other_amount"}


@dataclass
class Issued:
    """A code for one number; `amount` None: for any. `until` in ms since 1970."""

    phone: str
    otp: str
    amount: Decimal | None
    until: int
    used: bool = False


class OneTimeCodes:
    """`now` in ms. The same questions in the same order give the same codes."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._issued: dict[tuple[str, str], Issued] = {}
        self._asked: Counter[str] = Counter()

    def issue(self, phone: str, amount: Decimal | None = None) -> Issued:
        """A new code; from now on only issued codes are right for this number, until they are used or over."""
        code = self._new_code(phone)
        issued = Issued(phone, code, amount, self._now() + LIFE_S * 1000)
        self._issued[phone, code] = issued
        return issued

    def judge(self, phone: str, code: str, amount: Decimal) -> Verdict:
        """Whether this number may pay this amount with this code; changes nothing."""
        issued = self._issued.get((phone, code))
        if issued is not None:
            return self._judge_issued(issued, amount)
        if code in _ALWAYS:
            return _ALWAYS[code]
        waits = any(one.phone == phone and self._lives(one) for one in self._issued.values())
        return "wrong" if waits else "right"

    def use(self, phone: str, code: str) -> None:
        if (phone, code) in self._issued:
            self._issued[phone, code].used = True

    def forget(self) -> None:
        self._issued.clear()
        self._asked.clear()

    def _judge_issued(self, issued: Issued, amount: Decimal) -> Verdict:
        if issued.used:
            return "used"
        if not self._lives(issued):
            return "wrong"
        return "right" if issued.amount in (None, amount) else "other_amount"

    def _lives(self, issued: Issued) -> bool:
        return not issued.used and self._now() < issued.until

    def _new_code(self, phone: str) -> str:
        while True:
            self._asked[phone] += 1
            seed = f"{phone}:{self._asked[phone]}".encode()
            code = f"{int.from_bytes(hashlib.sha256(seed).digest()[:8]) % 1_000_000:06d}"
            if code not in _ALWAYS and (phone, code) not in self._issued:
                return code
