"""Moov's "3pp" gateway: push to the handset, then check (reference: operators, section 4a; mapping: section 8).

Known from Burkina Faso, from third parties. Côte d'Ivoire's FLOOZ and Mali's MOOVML are an assumption: the same shape, since nothing
is public. Nothing here was tried on a live system.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

import msgspec

from cauri.domain.codes import Code
from cauri.domain.methods import METHODS
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown, Waiting
from cauri.operators.alerts import configuration_refused
from cauri.operators.base import BadCallback, Callback, Connector, Order, Route, Silence
from cauri.operators.foreign import (
    RESERVED_WORDS,
    NotWhole,
    decoded,
    identifier,
    quoted,
    unaccented,
    whole_units,
)
from cauri.operators.http import Answer, Line, Lost, NotSent, Request

# "status", the only word that is not free text. On a push SUCCESS means that the prompt was sent.
SUCCESS, FAILED, UNKNOWN = "0", "12", "15"


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a message means when ``pattern`` is found in it, accents and case removed."""

    pattern: re.Pattern[str]
    code: Code


def _phrase(code: Code, *patterns: str) -> Phrase:
    return Phrase(re.compile("|".join(patterns)), code)


_NUMBER = r"\b(?:numero|number|msisdn|compte|account|abonne|subscriber|client|customer|destinataire|wallet)\b"

# The first that is found counts. No list of Moov's messages is public: these are the phrases of the field, in both languages.
PHRASES: tuple[Phrase, ...] = (
    _phrase(
        Code.INSUFFICIENT_BALANCE,
        r"(?<!droits )\binsuff(?!\w* (?:privilege|permission|right|droit))",
        r"\b(?:solde|provision|balance|funds?)\b.{0,20}\b(?:faible|low|not enough|pas suffisant)",
        r"\bnot enough (?:funds|money|balance|credit)",
    ),
    _phrase(
        Code.DAILY_MAX_AMOUNT,  # approximation: section 8, principle 3
        r"\bplafond",
        r"\blimite?\b.{0,30}\b(?:atteint|depass|exceed|reach)",
        r"\b(?:exceed|reach|depass|attein)\w*.{0,30}\blimite?\b",
    ),
    _phrase(
        Code.AMOUNT_TOO_LOW,
        r"\b(?:montant|amount)\b.{0,20}\b(?:trop (?:faible|petit|bas)|too (?:low|small)|inferieur|below|less than)",
    ),
    _phrase(
        Code.AMOUNT_TOO_HIGH,
        r"\b(?:montant|amount)\b.{0,20}\b(?:trop (?:eleve|grand|haut)|too (?:high|large|big)|superieur|above|more than)",
    ),
    _phrase(
        Code.PHONE_NOT_FOUND,
        _NUMBER
        + r".{0,40}\b(?:introuvable|inconnu|inexistant|not found|unknown|n'existe pas|does not exist)",
        _NUMBER + r".{0,40}\b(?:not registered|unregistered|non enregistre|pas enregistre|non inscrit)",
        r"\b(?:unknown|inconnu|no such|unregistered)\b.{0,15}" + _NUMBER,
    ),
    _phrase(
        Code.PHONE_NOT_SUPPORTED,
        r"\b(?:numero|number|msisdn)\b.{0,30}\b(?:invalid|incorrect|errone|non supporte|not supported|pas valide|non valide)",
        r"\b(?:invalid|incorrect|wrong)\b.{0,15}\b(?:number|msisdn)\b",
    ),
    _phrase(
        Code.PAYMENT_FAILED, r"\btime[sd]?[ -]?out", r"\bdelai"
    ),  # before the codes: "delay for the code is over"
    _phrase(
        Code.OTP_CODE_ERROR,
        r"\b(?:code|otp|pin)\b(?! (?:marchand|merchant)).{0,20}\b(?:incorrect|invalid|errone|faux|wrong|mauvais|expire)",
        r"\b(?:incorrect|invalid|wrong|mauvais|bad|expired)\b.{0,10}\b(?:code|otp|pin)\b",
    ),
    _phrase(Code.CANCELLED, r"\bannul", r"\bcancel", r"\brefus"),
    _phrase(
        Code.OPERATOR_UNAVAILABLE,
        r"\b(?:service|systeme|system|plateforme|platform)\b.{0,30}\b(?:indisponible|unavailable|maintenance|busy)",
    ),
    _phrase(Code.PAYMENT_FAILED, r"\bexpir"),
)

_REQUEST = r"\b(?:transactions?|request|requete|request-id|reference)\b"

# A check that did not find our request says nothing of the money: it is silence, not a refusal. A payer's number between the two
# words makes it a refusal of that number.
NO_SUCH_REQUEST = re.compile(
    _REQUEST
    + rf"(?:(?!{_NUMBER}).){{0,40}}\b(?:introuvable|inconnue?|inexistante?|not found|unknown|n'existe pas|does not exist)"
    rf"|\b(?:unknown|no such|aucune)\b.{{0,10}}{_REQUEST}"
)
DUPLICATE_REQUEST = re.compile(
    r"\bduplicat"
    rf"|{_REQUEST}.{{0,30}}\b(?:deja (?:exist|utilis|trait|enregistr|soumis)|already (?:been|exist|used|processed|submitted|received))"
    r"|\b(?:existe deja|already exist)"
)
PENDING = re.compile(r"\bpending\b|\ben attente\b|\ben cours\b|\bin progress\b")

ROUTES: Mapping[str, Route] = MappingProxyType(
    {"FLOOZ": Route("MOOV_CIV"), "MOOVML": Route("MOOV_MLI"), "MOOVBF": Route("MOOV_BFA")}
)

PATH = "/3pp/transaction/process"
PUSH, CHECK = "mror-transaction-ussd", "process-check-transaction"
_MAX_TEXT = 100


class Said(msgspec.Struct, rename="kebab"):
    """The common answer. Gateways of this family write empty objects as ``[]``, so ``extended-data`` is read apart."""

    status: str | int
    request_id: str | int | None = None
    trans_id: str | int | None = None
    message: str | None = None
    amount: msgspec.Raw = msgspec.Raw()
    extended_data: msgspec.Raw = msgspec.Raw()


class ExtendedData(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


class CheckedData(msgspec.Struct, rename="kebab"):
    reference_id: str | int | None = None
    amount: msgspec.Raw = msgspec.Raw()


class Moov3pp(Connector):
    """Moov Money through the 3pp gateway. ``base_url`` is what comes before ``/3pp/transaction/process``.

    ``country``: whose contract this is (``moov_3pp_bf``); None for a gateway that serves them all. ``hash_header``: older versions
    want ``hash`` = sha256(username + body). Raises ValueError for a country without such a contract, an unusable URL or credentials.
    """

    # Its check covers the same day only and has no word for "never heard of": nothing but a person may end an unanswered push.
    silence = Silence(None)

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        *,
        country: str | None = None,
        hash_header: bool = False,
        start_timeout_s: float = 30.0,
        check_timeout_s: float = 15.0,
    ) -> None:
        self.name = "moov_3pp" if country is None else f"moov_3pp_{country.lower()}"
        self._routes = {
            method: route for method, route in ROUTES.items() if country in (None, METHODS[method].country)
        }
        if not self._routes:
            raise ValueError(f"{self.name}: it serves {', '.join(METHODS[each].country for each in ROUTES)}")
        self.start_timeout_s = start_timeout_s
        self._check_timeout_s = check_timeout_s
        self._hash_prefix = username.encode() if hash_header else None
        if not username or ":" in username or not password:
            raise ValueError(f"{self.name} needs a username, without a colon, and a password")
        credentials = b64encode(f"{username}:{password}".encode()).decode("ascii")
        self._line = Line(self.name, base_url, {"Authorization": f"Basic {credentials}"})

    @property
    def routes(self) -> Mapping[str, Route]:
        return self._routes

    async def start(self, order: Order) -> Outcome:
        """The push: asks the handset for confirmation."""
        reply = await self._send("start", PUSH, order, push_of(order), self.start_timeout_s)
        match reply:
            case NotSent():
                return Refused(Code.OPERATOR_UNAVAILABLE, reply.why, unstarted=True)
            case Lost():
                return Unknown(f"the push got no answer: {reply.why}")
            case Answer(status=401):
                configuration_refused(self.name, order.reference, "HTTP 401")
                return Refused(Code.SERVICE_UNAVAILABLE, "HTTP 401")
            case Answer():
                return read_push(reply, order)

    async def check(self, order: Order) -> Outcome:
        """The check, by the original request-id."""
        reply = await self._send(
            "check", CHECK, order, {"request-id": order.reference}, self._check_timeout_s
        )
        match reply:
            case Answer():
                return read_check(reply, order)
            case _:
                return Unknown(f"the check got no answer: {reply.why}")

    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        raise BadCallback("this operator sends no callbacks")

    async def close(self) -> None:
        await self._line.close()

    async def _send(
        self, name: str, command: str, order: Order, fields: Mapping[str, object], timeout_s: float
    ) -> Answer | NotSent | Lost:
        body = msgspec.json.encode(fields)
        headers = {"Content-Type": "application/json", "command-id": command}
        if self._hash_prefix is not None:
            headers["hash"] = sha256(self._hash_prefix + body).hexdigest()
        return await self._line.send(Request(name, order.reference, "POST", PATH, timeout_s, headers, body))


def push_of(order: Order) -> dict[str, object]:
    """The body of a push. The amount is a JSON integer of whole francs, as integrators send it."""
    text = unaccented(order.description)[:_MAX_TEXT] or ("Payment" if order.lang == "en" else "Paiement")
    return {
        "request-id": order.reference,
        "destination": order.phone.digits,
        "amount": order.amount,
        "remarks": text,
        "message": text,
        "extended-data": {},
    }


def read_push(answer: Answer, order: Order) -> Outcome:
    """What the answer to a push says: SUCCESS is only that the handset was asked."""
    said = _said(answer, order)
    if isinstance(said, Unknown):
        return said
    match str(said.status):
        case "0":
            return Waiting(Code.WAITING_TO_VALIDATE, word=SUCCESS)
        case "12" if DUPLICATE_REQUEST.search(_folded(said)):
            return Waiting(word="12: duplicate request-id")
        case "12":
            return refusal(said.message)
        case "15":
            return Unknown("the gateway does not know what became of the push")
        case other:
            return Unknown(f"unknown status: {quoted(other, 60)}", alert=True)


def read_check(answer: Answer, order: Order) -> Outcome:
    """What the answer to a check says of the money."""
    said = _said(answer, order)
    if isinstance(said, Unknown):
        return said
    match str(said.status):
        case "0" if PENDING.search(
            _folded(said)
        ):  # the status that the push has, too, for a prompt that was sent
            return Unknown("paid, but its text says pending", alert=True)
        case "0":
            return _paid(said)
        case "12":
            return _failed(said)
        case "15" if PENDING.search(_folded(said)):
            return Waiting(Code.WAITING_TO_VALIDATE, word=UNKNOWN)
        case "15":
            return Unknown("the gateway does not know what became of the payment")
        case other:
            return Unknown(f"unknown status: {quoted(other, 60)}", alert=True)


def refusal(message: str | None) -> Refused:
    """What a "12" means. The operator did say failed: a text that nobody listed is 600, and kept.

    Of a listed text only the words that decided are kept, since whole messages can hold names.
    """
    text = (message or "").strip()
    if text in RESERVED_WORDS:
        return Refused(RESERVED_WORDS[text], text)
    folded = unaccented(text).lower()
    for phrase in PHRASES:
        found = phrase.pattern.search(folded)
        if found is not None:
            return Refused(phrase.code, f"{FAILED}: {_deciding_words(folded, found)}")
    return Refused(Code.PAYMENT_FAILED, f"{FAILED}: {quoted(text)}")


def _deciding_words(text: str, found: re.Match[str]) -> str:
    """The first and the last word of what was found, whole: ``client … inconnu``."""
    words = (text[found.start() : found.end()] + text[found.end() :].partition(" ")[0]).split()
    return quoted(" … ".join((words[0], words[-1])) if len(words) > 2 else " ".join(words))


def _said(answer: Answer, order: Order) -> Said | Unknown:
    said = decoded(answer.body, Said)
    if said is None or answer.status != 200:
        return Unknown(
            f"unreadable answer, HTTP {answer.status}", alert=answer.status < 500 and answer.status != 429
        )
    if said.request_id is not None and str(said.request_id) != order.reference:
        return Unknown("the answer is about another request-id", alert=True)
    return said


def _paid(said: Said) -> Outcome:
    if said.request_id is None:
        return Unknown("paid, without a request-id", alert=True)
    data = _checked_data(said)
    try:
        top, inner = whole_units(said.amount), whole_units(data.amount)
    except NotWhole:
        return Unknown("paid, with an amount that is not whole", alert=True)
    if top is not None and inner is not None and top != inner:
        return Unknown("paid, with two different amounts", alert=True)
    operator_id = identifier(data.reference_id) or identifier(said.trans_id)
    if operator_id is None:
        return Unknown("paid, without a reference", alert=True)
    return Accepted(operator_id, top if inner is None else inner)


def _failed(said: Said) -> Outcome:
    folded = _folded(said)
    if NO_SUCH_REQUEST.search(folded):
        return Unknown("the operator knows no such request-id", not_found=True)
    if PENDING.search(folded):
        return Unknown("failed, but its text says pending", alert=True)
    return refusal(said.message)


def _checked_data(said: Said) -> CheckedData:
    extended = decoded(said.extended_data, ExtendedData) or ExtendedData()
    return decoded(extended.data, CheckedData) or CheckedData()


def _folded(said: Said) -> str:
    return unaccented(said.message or "").lower()
