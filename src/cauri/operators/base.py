"""The shape of a connector: start, check, read_callback, each ending in an Outcome.

A connector's file opens with its table of foreign words; its calls come after. A connector never touches the store, never decides what
happens to a payment, and never turns silence into a refusal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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
    the payer to confirm, in seconds: after that the page says that we are still checking. ``low`` and ``high`` are the operator's own
    bounds in whole currency units, None where it publishes none.
    """

    provider: str
    flow: Flow = Flow.PROMPT
    decimals: int = 0
    payer_has_s: int = 300
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """When a connector may give up on an attempt the operator does not know (contract section 7).

    ``not_found_final_after_s``: the operator said "no such reference" this long after an unanswered start: no money can move any
    more, and the attempt fails with ``code``. None: there is no such rule, a person decides. ``askable`` false: the operator has
    nothing to ask, so it is never asked.
    """

    not_found_final_after_s: int | None = None
    code: Code = Code.OPERATOR_UNAVAILABLE
    askable: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """What a connector is told of an attempt. Amount in whole units.

    ``page_url``: where the operator sends the payer back to. ``callback_url``: where it may call us back; a connector may append
    ``/`` and a path of its own, which ``read_callback`` gets back. ``handle``: the operator's own handle that the start gave
    (``Waiting.handle``), None on start and where no answer came. ``code``: the payer's one-time code, only on start.
    ``card_block``: the customer_* fields of the card, where the merchant sent them complete.
    """

    reference: str
    method: Method
    phone: Phone
    amount: int
    currency: str
    sent_at: int
    description: str
    page_url: str
    callback_url: str = ""
    lang: str = "fr"
    code: str | None = None
    handle: str | None = None
    card_block: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback, read: which attempt it speaks of, and what it claims. Only a hint: the operator is asked before anything moves.

    ``proof``: a secret that it carries, to be compared with the attempt's handle (``Connector.proves``).
    """

    reference: str
    outcome: Outcome
    proof: str | None = None


class BadCallback(ValueError):
    """The body is not a callback of this operator."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What an operator says of one of its methods now. ``low`` and ``high``: its bounds in whole currency units, where it tells them."""

    open: bool
    low: int | None = None
    high: int | None = None
    words: str = ""


class Connector(ABC):
    """One operator. ``start_timeout_s``: how long start may take at most, everything included. ``asks_per_s``: how often it may be asked."""

    name: str
    silence: Silence
    start_timeout_s: float
    asks_per_s: float = 50.0

    @property
    @abstractmethod
    def routes(self) -> Mapping[str, Route]:
        """Which methods (contract section 4) this connector can serve, and how."""

    @abstractmethod
    async def start(self, order: Order) -> Outcome:
        """Ask the operator to collect. Never raises for anything the operator or the network does.

        ``Refused(OPERATOR_UNAVAILABLE, unstarted=True)`` only where the request cannot have left (connection refused, DNS) or the
        operator itself says that it began nothing because it is unavailable: only then may another connector be tried.
        """

    @abstractmethod
    async def check(self, order: Order) -> Outcome:
        """Ask the operator what became of the attempt. Never raises for anything the operator or the network does."""

    async def before_callback(self, headers: Mapping[str, str]) -> None:  # noqa: B027
        """Fetches what reading this callback needs and is not here yet, such as the operator's public keys. Never raises."""

    @abstractmethod
    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        """``path``: what stood after the callback's own path, without the first slash. Raises BadCallback."""

    def proves(self, callback: Callback, handle: str | None) -> bool:
        """Whether a callback that carries a proof is about the attempt with this handle. Compares in constant time."""
        return True

    async def cancel(self, order: Order) -> None:  # noqa: B027
        """The customer left or paid otherwise: take the request back where the operator can. What became of it is asked, never assumed."""

    async def after_paid(self, order: Order) -> None:  # noqa: B027
        """The payment is recorded as paid: tell the payer through the operator, where it offers that. Best effort."""

    async def availability(self) -> Mapping[str, Availability] | None:
        """What the operator says of its methods now, by payment_method; None where it says nothing."""
        return None

    async def predict(self, phone: Phone) -> str | None:
        """The operator's own opinion of which payment_method serves a number; None where it has none."""
        return None

    @abstractmethod
    async def close(self) -> None: ...
