"""The shape of a connector: start, check, read_callback, each ending in an Outcome.

A connector's file opens with its table of foreign words; its calls come after. A connector never touches the store, never decides what
happens to a payment, and never turns silence into a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cauri.domain.codes import Code
from cauri.domain.methods import Method
from cauri.domain.outcome import Outcome
from cauri.domain.phone import Phone


class Flow(StrEnum):
    """What the payer does after giving a number."""

    PROMPT = "prompt"  # confirm on the handset: 623
    CODE = "code"  # type a one-time code on our page: 663
    PAGE = "page"  # go to the operator's page: 664

    @property
    def waiting_code(self) -> Code:
        """What a sent attempt shows until the operator says otherwise (contract section 7)."""
        return _WAITING_CODES[self]


_WAITING_CODES = {
    Flow.PROMPT: Code.WAITING_TO_VALIDATE,
    Flow.CODE: Code.WAITING_OTP,
    Flow.PAGE: Code.WAITING_AT_OPERATOR,
}


@dataclass(frozen=True, slots=True)
class Route:
    """How a connector serves one method.

    ``provider`` is the operator's own name for it; ``decimals`` how it writes amounts; ``payer_has_s`` how long the operator leaves
    the payer to confirm, in seconds: after that the page says that we are still checking.
    """

    provider: str
    flow: Flow = Flow.PROMPT
    decimals: int = 0
    payer_has_s: int = 300


@dataclass(frozen=True, slots=True)
class Silence:
    """When a connector may give up on an attempt the operator does not know (contract section 7).

    ``not_found_final_after_s``: the operator said "no such reference" this long after an unanswered start: no money can move any
    more, and the attempt fails with ``code``. None: there is no such rule, a person decides.
    """

    not_found_final_after_s: int | None = None
    code: Code = Code.OPERATOR_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Order:
    """What a connector is told of an attempt. ``code``: the payer's one-time code, only on start. Amount in whole units."""

    reference: str
    method: Method
    phone: Phone
    amount: int
    currency: str
    sent_at: int
    description: str
    page_url: str
    lang: str = "fr"
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback, read: which attempt it speaks of, and what it claims. Only a hint: the operator is asked before anything moves."""

    reference: str
    outcome: Outcome


class BadCallback(ValueError):
    """The body is not a callback of this operator."""


class Connector(Protocol):
    """One operator. ``start_timeout_s``: how long start may take at most, everything included."""

    @property
    def name(self) -> str: ...

    @property
    def routes(self) -> Mapping[str, Route]:
        """Which methods (contract section 4) this connector can serve, and how."""

    @property
    def silence(self) -> Silence: ...

    @property
    def start_timeout_s(self) -> float: ...

    async def start(self, order: Order) -> Outcome:
        """Ask the operator to collect. Never raises for anything the operator or the network does.

        ``Refused(OPERATOR_UNAVAILABLE)`` only where the request cannot have left (connection refused, DNS).
        """

    async def check(self, order: Order) -> Outcome:
        """Ask the operator what became of the attempt. Never raises for anything the operator or the network does."""

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """Raises BadCallback."""

    async def close(self) -> None: ...
