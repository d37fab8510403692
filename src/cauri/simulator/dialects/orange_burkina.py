"""Orange Burkina's "online payment" (OMPREQ) as six integrators describe it: one POST of XML, answered at once.

The payer brings a code that is bound to the amount. There is no status and no callback: an answer that is lost is
lost. Test network and production differ by address only.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import BODY_MAX, Dropped, silence, spoiled
from cauri.simulator.dialects.code_desk import CodeDesk
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.one_time_codes import OneTimeCodes, Verdict
from cauri.simulator.stories import FAILURE_CODES, NEVER, PAID, Story

DIALECT = "orange-burkina"

PAID_STATUS = "200"
OTHER_AMOUNT, BAD_CODE, CODE_USED = "08", "OTPINV", "990418"
NO_ACCOUNT, NO_ACCOUNT_NUMBER = "990422", "00066"
MALFORMED, DUPLICATE = "CAURI_MALFORMED", "CAURI_DUPLICATE"
"""Reserved words of the simulator: no integrator says how Orange answers these."""

_OWN_WORDS: Mapping[str, str] = {"604": BAD_CODE, "635": NO_ACCOUNT}
WORDS: Mapping[str, str] = {code: _OWN_WORDS.get(code, f"CAURI_{code}") for code in FAILURE_CODES}
"""Code of the status table → `status`."""

_MESSAGES: Mapping[str, str] = {
    PAID_STATUS: "Votre paiement a ete effectue avec succes",
    OTHER_AMOUNT: "Le montant saisi est different du montant du code",
    BAD_CODE: "Le code OTP est invalide",
    CODE_USED: "Le code OTP a deja ete utilise",
    NO_ACCOUNT: "Le numero n'a pas de compte Orange Money",
    NO_ACCOUNT_NUMBER: "Le numero n'est pas un numero Orange Money",
    DUPLICATE: "ext_txn_id deja utilise",
    "CAURI_603": "Identifiants du marchand refuses",
}
_BY_VERDICT: Mapping[Verdict, str] = {"wrong": BAD_CODE, "used": CODE_USED, "other_amount": OTHER_AMOUNT}

SILENCE_S = 600
"""How long a payment that never ends keeps its request waiting."""

_CONSTANTS = {"TYPE": "OMPREQ", "PROVIDER": "101", "PROVIDER2": "101", "PAYID": "12", "PAYID2": "12"}
_SHAPES = {
    "customer_msisdn": r"\S{1,30}",
    "merchant_msisdn": r"[0-9]{8,11}",
    "api_username": r".{1,100}",
    "api_password": r".{1,100}",
    "amount": r"[1-9][0-9]{0,8}",
    "otp": r".{0,20}",
    "reference_number": r".{1,100}",
    "ext_txn_id": r"[\x21-\x7e]{1,100}",
}
_CUSTOMER = re.compile(r"(?:226)?(0[4-7][0-9]{6}|4[0-9]{7}|[567][4-7][0-9]{6})")
_CODE = re.compile(r"[0-9]{6}")
_XML_TYPES = ("text/xml", "application/xml")


class Refused(Exception):
    """An answer that is no payment; nothing was recorded."""

    def __init__(self, status: str, message: str = "", http: int = 200) -> None:
        super().__init__(message or _MESSAGES[status])
        self.status = status
        self.http = http


@dataclass(frozen=True)
class Command:
    phone: str
    amount: str
    otp: str
    ext_txn_id: str


class OrangeBurkina:
    """One merchant's access: user name, password, and the merchant's own number (8 digits, or with 226)."""

    def __init__(self, exchange: Exchange, username: str, password: str, merchant_msisdn: str) -> None:
        self._exchange = exchange
        self._access = (username, password, _national(merchant_msisdn))
        self._serial = 0
        self._codes = OneTimeCodes(exchange.agenda.now)
        self._desk = CodeDesk("/orange-burkina/otp", self._codes, _read_customer, wants_amount=True)
        exchange.connect(DIALECT, lambda collection, callback: None, self._codes.forget)

    def routes(self) -> list[Route]:
        return [
            Route("/orange-burkina/payment", self._pay, methods=["POST"], name="start"),
            *self._desk.routes(),
        ]

    async def _pay(self, request: Request) -> Response:
        self._exchange.agenda.run_due()
        if (misfit := _misfit(request)) is not None:
            return Response("", misfit)
        try:
            command = self._read(await request.body())
            return await self._collect(request, command)
        except Refused as refused:
            return _fragment(refused.status, str(refused), "", refused.http)

    def _read(self, body: bytes) -> Command:
        """Raises Refused naming the first field that is not as described."""
        fields = _read_xml(body)
        for name, value in _CONSTANTS.items():
            if fields.get(name) != value:
                raise Refused(MALFORMED, f"{name}: must be {value}")
        for name, shape in _SHAPES.items():
            if not re.fullmatch(shape, fields.get(name, "")):
                raise Refused(MALFORMED, f"{name}: missing or not of the form {shape}")
        given = (fields["api_username"], fields["api_password"], _national(fields["merchant_msisdn"]))
        if not all(
            hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(given, self._access, strict=True)
        ):
            raise Refused("CAURI_603")
        phone = _read_customer(fields["customer_msisdn"])
        if phone is None:
            raise Refused(NO_ACCOUNT_NUMBER)
        if self._exchange.find(DIALECT, fields["ext_txn_id"]) is not None:
            raise Refused(DUPLICATE)
        return Command(phone, fields["amount"], fields["otp"], fields["ext_txn_id"])

    async def _collect(self, request: Request, command: Command) -> Response:
        story = self._exchange.take_story(command.phone, {})
        if story.answer == "drop_before":
            return Dropped()
        collection = self._record(command, story)
        wrong = self._judge_code(command)
        if wrong is None and story.outcome == NEVER:
            return await silence(request, self._exchange.agenda, SILENCE_S)
        if wrong is None and story.delay_s:
            await self._exchange.agenda.sleep(story.delay_s)
        if wrong is not None:
            collection.extras["word"] = wrong
            self._exchange.end(collection, "604")
        else:
            self._exchange.end(collection, story.outcome)
        failure = Response("Internal Server Error", 500, media_type="text/plain")
        return await spoiled(story.answer, _told(collection), failure, self._exchange.agenda)

    def _judge_code(self, command: Command) -> str | None:
        """The word for a code that is not right; a right one is used up."""
        if not _CODE.fullmatch(command.otp):
            return BAD_CODE
        verdict = self._codes.judge(command.phone, command.otp, Decimal(command.amount))
        if verdict == "right":
            self._codes.use(command.phone, command.otp)
        return _BY_VERDICT.get(verdict)

    def _record(self, command: Command, story: Story) -> Collection:
        self._serial += 1
        at = datetime.fromtimestamp(self._exchange.agenda.now() / 1000, UTC)
        collection = Collection(
            dialect=DIALECT,
            reference=command.ext_txn_id,
            phone=command.phone,
            amount=command.amount,
            currency="XOF",
            story=story,
            created_at=self._exchange.agenda.now(),
            operator_id=f"OM{at:%y%m%d.%H%M}.B{self._serial:05d}",
            prompt=None,
        )
        self._exchange.record(collection)
        return collection


def _misfit(request: Request) -> int | None:
    """The HTTP status with which a server of XML alone turns away what is not sent as XML, or may not be answered in it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _XML_TYPES:
        return 415
    accepted = {part.partition(";")[0].strip().lower() for part in _accept_of(request).split(",")}
    return None if accepted & {*_XML_TYPES, "text/*", "application/*", "*/*"} else 406


def _accept_of(request: Request) -> str:
    return request.headers.get("accept", "").strip() or "*/*"


def _read_xml(body: bytes) -> dict[str, str]:
    """The fields below COMMAND. Raises Refused for anything that is not flat, small and plain XML."""
    unread = Refused(MALFORMED, "body: one COMMAND element with its fields, as XML", http=400)
    if len(body) > BODY_MAX or b"<!" in body:
        raise unread
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - without <! there are no entities to expand
    except (ElementTree.ParseError, ValueError, LookupError):
        raise unread from None
    if root.tag != "COMMAND":
        raise unread
    fields: dict[str, str] = {}
    for child in root:
        if child.tag not in _CONSTANTS and child.tag not in _SHAPES:
            raise Refused(MALFORMED, f"{child.tag}: unknown field")
        if child.tag in fields or len(child):
            raise Refused(MALFORMED, f"{child.tag}: once, as text")
        fields[child.tag] = (child.text or "").strip()
    return fields


def _read_customer(text: str) -> str | None:
    """An Orange number of Burkina, 8 digits or with 226, in full; None when it is none."""
    found = _CUSTOMER.fullmatch(re.sub(r"\s", "", text).removeprefix("+"))
    return "226" + found.group(1) if found else None


def _national(msisdn: str) -> str:
    return msisdn[3:] if len(msisdn) == 11 and msisdn.startswith("226") else msisdn


def _told(collection: Collection) -> Response:
    if collection.outcome == PAID:
        return _fragment(PAID_STATUS, _MESSAGES[PAID_STATUS], collection.operator_id)
    word = str(collection.extras.get("word") or WORDS[str(collection.outcome)])
    return _fragment(word, _MESSAGES.get(word, "Echec du paiement"), "")


def _fragment(status: str, message: str, trans_id: str, http: int = 200) -> Response:
    """Three elements side by side: Orange sends no root."""
    text = (
        f"<status>{escape(status)}</status><message>{escape(message)}</message><transID>{trans_id}</transID>"
    )
    return Response(text, http, media_type="text/xml")
