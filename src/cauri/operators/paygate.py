"""PayGate Global, Togo: Flooz and T-Money by prompt (reference: operators, section 4d; mapping: section 8).

Nothing here was tried on a live system. The same numbers mean one thing in the answer to a payment and another in the answer to a
question: two tables, never shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec
import structlog

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.operators.alerts import configuration_refused
from cauri.operators.base import BadCallback, Callback, Connector, Order, Route, Silence
from cauri.operators.foreign import (
    RESERVED_WORDS,
    NotWhole,
    decoded,
    identifier,
    our_reference,
    plain,
    quoted,
    whole_units,
)
from cauri.operators.http import Answer, Line, Lost, NotSent, Reply, Request

log = structlog.get_logger("cauri.operators")


class Registered(Enum):
    """What ``status`` says in the answer to /api/v1/pay."""

    YES = "registered"
    BAD_TOKEN = "invalid token"  # noqa: S105
    BAD_PARAMETERS = "invalid parameters"
    DUPLICATE = "duplicate identifier"


class Paid(Enum):
    """What ``status`` says in the answer to a question."""

    YES = "paid"
    UNDER_WAY = "in progress"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


PAY_WORDS: dict[str, Registered] = {
    "0": Registered.YES,
    "2": Registered.BAD_TOKEN,
    "4": Registered.BAD_PARAMETERS,
    "6": Registered.DUPLICATE,
}
STATUS_WORDS: dict[str, Paid] = {
    "0": Paid.YES,
    "2": Paid.UNDER_WAY,
    "4": Paid.EXPIRED,
    "6": Paid.CANCELLED,
}

ROUTES: Mapping[str, Route] = MappingProxyType({"TmoneyTG": Route("TMONEY"), "FLOOZTG": Route("FLOOZ")})

HOST = "https://paygateglobal.com"
PAY, STATUS, STATUS_BY_IDENTIFIER = "/api/v1/pay", "/api/v1/status", "/api/v2/status"
MAX_CALLBACK = 64 * 1024
_MAX_TEXT = 100


class PayAnswer(msgspec.Struct):
    status: str | int
    tx_reference: str | int | None = None


class Transfer(msgspec.Struct):
    """A payment as PayGate tells it. A callback has no status: it comes of successes only."""

    status: str | int | None = None
    tx_reference: str | int | None = None
    identifier: str | int | None = None
    payment_reference: str | int | None = None
    amount: msgspec.Raw = msgspec.Raw()


class PayGate(Connector):
    """Payments through PayGate. ``national_numbers``: sends 8 digits instead of 228 and 8 digits.

    Raises ValueError for an unusable URL or an empty token.
    """

    name = "paygate"
    routes = ROUTES
    # Nothing is documented for an identifier it does not know: nothing but a person may end an unanswered start.
    silence = Silence(None)
    asks_per_s = 10.0  # no limit is published

    def __init__(
        self,
        auth_token: str,
        *,
        base_url: str = HOST,
        national_numbers: bool = False,
        start_timeout_s: float = 30.0,
        check_timeout_s: float = 15.0,
    ) -> None:
        if not auth_token.strip():
            raise ValueError("paygate needs an auth_token")
        self._auth_token = auth_token
        self._national_numbers = national_numbers
        self.start_timeout_s, self._check_timeout_s = start_timeout_s, check_timeout_s
        self._line = Line(self.name, base_url, {})

    async def start(self, order: Order) -> Outcome:
        """POST /api/v1/pay: asks the handset for confirmation."""
        body = payment_of(order, national_number=self._national_numbers)
        match await self._send("start", order, PAY, body, self.start_timeout_s):
            case NotSent(why):
                return Refused(Code.OPERATOR_UNAVAILABLE, why, unstarted=True)
            case Lost(why):
                return Unknown(f"the start got no answer: {why}")
            case Answer() as answer:
                return self._told(read_start(answer), order)

    async def check(self, order: Order) -> Outcome:
        """By PayGate's reference; by our identifier where the start's answer was lost, and then by the reference that this tells.

        The second answer is documented without our identifier, so it alone never makes a payment.
        """
        if order.handle is not None:
            return await self._check_by_reference(order, order.handle)
        reply = await self._send(
            "check", order, STATUS_BY_IDENTIFIER, {"identifier": order.reference}, self._check_timeout_s
        )
        if not isinstance(reply, Answer):
            return Unknown(f"the check got no answer: {reply.why}")
        transfer = _transfer(reply)
        if isinstance(transfer, Unknown):
            return transfer
        reference = identifier(transfer.tx_reference)
        if transfer.identifier is None and reference is not None:
            outcome = await self._check_by_reference(order, reference, found=True)
        else:
            outcome = outcome_of(transfer, order.reference, None)
        return _with_handle(outcome, reference)

    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        """Of a success, unsigned: only a hint. Raises BadCallback."""
        if len(body) > MAX_CALLBACK:
            raise BadCallback(f"larger than {MAX_CALLBACK} bytes")
        transfer = decoded(body, Transfer)
        reference = None if transfer is None else our_reference(transfer.identifier)
        if transfer is None or reference is None:
            raise BadCallback("not a payment with an identifier of ours")
        return Callback(reference, _paid(transfer))

    async def close(self) -> None:
        await self._line.close()

    async def _check_by_reference(self, order: Order, reference: str, *, found: bool = False) -> Outcome:
        """``found``: the reference is no handle from the start, so that the answer itself must name our identifier."""
        reply = await self._send("check", order, STATUS, {"tx_reference": reference}, self._check_timeout_s)
        if not isinstance(reply, Answer):
            return Unknown(f"the check got no answer: {reply.why}")
        transfer = _transfer(reply)
        if isinstance(transfer, Unknown):
            return transfer
        return outcome_of(transfer, order.reference, None if found else reference)

    async def _send(
        self, name: str, order: Order, path: str, fields: Mapping[str, object], timeout_s: float
    ) -> Reply:
        body = msgspec.json.encode({"auth_token": self._auth_token, **fields})
        headers = {"Content-Type": "application/json"}
        return await self._line.send(Request(name, order.reference, "POST", path, timeout_s, headers, body))

    def _told(self, outcome: Outcome, order: Order) -> Outcome:
        if isinstance(outcome, Refused) and outcome.code is Code.SERVICE_UNAVAILABLE:
            configuration_refused(self.name, order.reference, outcome.word)
        elif isinstance(outcome, Refused) and outcome.code is Code.PHONE_NOT_SUPPORTED:
            log.warning("operator_parameters_refused", operator=self.name, reference=order.reference)
        return outcome


def payment_of(order: Order, *, national_number: bool = False) -> dict[str, object]:
    """The body of a payment, without the token. The amount is a JSON integer of whole francs, as integrators send it."""
    return {
        "phone_number": order.phone.national if national_number else order.phone.digits,
        "amount": order.amount,
        "description": plain(order.description, _MAX_TEXT, "Payment" if order.lang == "en" else "Paiement"),
        "identifier": order.reference,
        "network": ROUTES[order.method.code].provider,
    }


def read_start(answer: Answer) -> Outcome:
    """What the answer to a payment says; its HTTP status is not documented, so only a 200 or 400 with a status counts."""
    said = decoded(answer.body, PayAnswer)
    if said is None or answer.status not in (200, 400, 401):
        return _unreadable(answer)
    word = str(said.status)
    match PAY_WORDS.get(word):
        case Registered.YES:
            return Waiting(Code.WAITING_TO_VALIDATE, word=word, handle=identifier(said.tx_reference))
        case Registered.DUPLICATE:
            return Waiting(word=f"{word}: duplicate identifier")
        case Registered.BAD_TOKEN:
            return Refused(Code.SERVICE_UNAVAILABLE, f"{word}: invalid token")
        case Registered.BAD_PARAMETERS:
            # Only the number comes from the payer: everything else of the request was checked or is ours.
            return Refused(Code.PHONE_NOT_SUPPORTED, f"{word}: invalid parameters")
        case None:
            return Unknown(f"unknown status of a payment: {quoted(word, 60)}", alert=True)


def outcome_of(transfer: Transfer, reference: str, handle: str | None) -> Outcome:
    """What the answer to a question says. ``handle``: PayGate's reference where its start gave it, as good as our identifier."""
    if transfer.identifier is not None and our_reference(transfer.identifier) != reference:
        return Unknown("the answer is about another identifier", alert=True)
    named = None if transfer.tx_reference is None else str(transfer.tx_reference)
    if handle is not None and named not in (None, handle):
        return Unknown("the answer is about another tx_reference", alert=True)
    if transfer.identifier is None and (handle is None or named is None):
        return Unknown("the answer names neither our identifier nor our tx_reference", alert=True)
    word = "none" if transfer.status is None else str(transfer.status)
    match STATUS_WORDS.get(word):
        case Paid.YES:
            return _paid(transfer)
        case Paid.UNDER_WAY:
            return Waiting(Code.WAITING_TO_VALIDATE, word=word)
        case Paid.EXPIRED:
            return Refused(Code.PAYMENT_FAILED, f"{word}: expired")
        case Paid.CANCELLED:
            return Refused(Code.CANCELLED, f"{word}: cancelled")
        case None:
            if word in RESERVED_WORDS:
                return Refused(RESERVED_WORDS[word], word)
            return Unknown(f"unknown status of a question: {quoted(word, 60)}", alert=True)


def _paid(transfer: Transfer) -> Outcome:
    """``datetime`` is not read: neither its format nor its zone is documented."""
    operator_id = identifier(transfer.payment_reference) or identifier(transfer.tx_reference)
    if operator_id is None:
        return Unknown("paid, without a reference", alert=True)
    try:
        return Accepted(operator_id, whole_units(transfer.amount))
    except NotWhole:
        return Unknown("paid, with an amount that is not whole", alert=True)


def _with_handle(outcome: Outcome, handle: str | None) -> Outcome:
    if isinstance(outcome, Waiting) and handle is not None:
        return Waiting(outcome.code, word=outcome.word, handle=handle)
    return outcome


def _transfer(answer: Answer) -> Transfer | Unknown:
    transfer = decoded(answer.body, Transfer)
    return _unreadable(answer) if transfer is None or answer.status != 200 else transfer


def _unreadable(answer: Answer) -> Unknown:
    """Passing troubles (5xx, 429) come and go; anything else that is not PayGate's word wants a person."""
    return Unknown(
        f"unreadable answer, HTTP {answer.status}", alert=answer.status < 500 and answer.status != 429
    )
