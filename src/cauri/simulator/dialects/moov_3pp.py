"""Moov Africa's "3pp" gateway as nine integrators of Burkina Faso describe it.

One endpoint, the operation in the header `command-id`, HTTP Basic, no callback. Moov publishes nothing for Mali
and Côte d'Ivoire; the same shape stands in for both.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from cauri.simulator.answers import Dropped, json_answer, read_json_object, spoiled
from cauri.simulator.exchange import Collection, Exchange, new_operator_id
from cauri.simulator.stories import FAILURE_CODES, NEVER, PAID, WRONG_ONE_TIME_CODE, Story

DIALECT = "moov-3pp"

ACCEPTED, FAILED, UNKNOWN = "0", "12", "15"

# Moov documents no texts. These are the simulator's: one fixed text for each thing that can be said.
PROMPT_SENT = "PROMPT SENT"
OTP_SENT = "OTP SENT"
PAID_TEXT = "SUCCESS"
PENDING = "PENDING"
NOT_FOUND = "TRANSACTION NOT FOUND"
DUPLICATE = "DUPLICATE REQUEST-ID"

_OWN_WORDS: Mapping[str, str] = {
    "600": "TRANSACTION FAILED",
    "602": "INSUFFICIENT BALANCE",
    "604": "INVALID OTP",
    "627": "TRANSACTION CANCELLED BY CUSTOMER",
    "635": "SUBSCRIBER NOT FOUND",
    "804": "SERVICE TEMPORARILY UNAVAILABLE",
}

WORDS: Mapping[str, str] = {code: _OWN_WORDS.get(code, f"CAURI_{code}") for code in FAILURE_CODES}
"""Code of the status table → `message` beside status "12": only this text tells one failure from another."""

REFUSED_AT_ONCE = ("603", "635", "636", "641", "642", "804")
"""Failures that are known before a prompt could be sent: "12" answers the push itself."""

_DESTINATION = re.compile(r"226[0-9]{8}|225[0-9]{10}|223[0-9]{8}")
"""Burkina Faso, Côte d'Ivoire, Mali: whole numbers with their country's prefix."""
_AMOUNT = re.compile(r"[1-9][0-9]{0,11}")
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,100}")
_ONE_TIME_CODE = re.compile(r"[0-9]{6}")
_FIELDS = ("request-id", "destination", "amount", "remarks", "message", "extended-data")
_OTP_MODULE = "MERCHOTPPAY"
_DAY_MS = 86_400_000


class Refused(Exception):
    """A request that the gateway turns down: status "12" with this message; nothing was recorded."""


@dataclass(frozen=True)
class Command:
    """The common body of every operation. `amount` and `destination` are digits, None where absent."""

    request_id: str
    destination: str | None
    amount: str | None
    extended: Mapping[str, Any]


class Moov3pp:
    """One gateway with its partners' accounts (user name → password), for all three countries.

    `same_day_check`: a check finds requests of the same day only, as one integrator says; off by default,
    since it makes what a test sees depend on the hour.
    """

    def __init__(
        self, exchange: Exchange, accounts: Mapping[str, str], *, same_day_check: bool = False
    ) -> None:
        self._same_day_check = same_day_check
        self._exchange = exchange
        self._accounts = dict(accounts)
        self._by_trans_id: dict[str, Collection] = {}
        self._aliases: dict[str, str] = {}
        self._operations: dict[str, Callable[[Command], Awaitable[Response]]] = {
            "mror-transaction-ussd": self._push,
            "process-check-transaction": self._check,
            "process-check-mror-transaction": self._check,
            "process-create-mror-otp": self._create_otp,
            "process-mror-resend-otp": self._resend_otp,
            "process-commit-otppay": self._commit_otp,
        }
        exchange.connect(DIALECT, lambda collection, callback: None, self._forget)

    def routes(self) -> list[Route]:
        return [Route("/moov/3pp/transaction/process", self._process, methods=["POST"])]

    def door_of(self, scope: Scope) -> str:
        """One path for everything: the operation says what it is for."""
        return "check" if "check" in Headers(scope=scope).get("command-id", "") else "start"

    async def _process(self, request: Request) -> Response:
        self._exchange.agenda.run_due()
        if not self._knows(request.headers.get("authorization", "")):
            headers = {"www-authenticate": 'Basic realm="3pp"'}
            return Response("Unauthorized", 401, headers=headers, media_type="text/plain")
        body = await read_json_object(request)
        if body is None:
            return _answer("", "", FAILED, "INVALID REQUEST BODY", status_http=400)
        try:
            operation = self._operations.get(request.headers.get("command-id", ""))
            if operation is None:
                raise Refused("UNKNOWN COMMAND-ID")
            return await operation(_read_command(body))
        except Refused as refused:
            return _answer(body.get("request-id"), "", FAILED, str(refused))

    def _knows(self, header: str) -> bool:
        kind, _, encoded = header.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = self._accounts.get(user)
        return (
            kind.lower() == "basic"
            and known is not None
            and hmac.compare_digest(known.encode(), password.encode())
        )

    async def _push(self, command: Command) -> Response:
        """USSD push: "0" says that the prompt was sent, nothing more."""
        return await self._open(command, "pin", PROMPT_SENT)

    async def _create_otp(self, command: Command) -> Response:
        """A code goes to the payer by SMS; the payment waits for its commit."""
        _require_module(command)
        return await self._open(command, "code", OTP_SENT)

    async def _open(self, command: Command, prompt: Any, text: str) -> Response:
        if command.destination is None or command.amount is None:
            raise Refused(f"MISSING PARAMETER: {'destination' if command.destination is None else 'amount'}")
        if self._find(command.request_id) is not None:
            raise Refused(DUPLICATE)
        story = self._exchange.take_story(command.destination, {})
        if story.answer == "drop_before":
            return Dropped()
        collection = self._record(command.request_id, command.destination, command.amount, story, prompt)
        if story.outcome in REFUSED_AT_ONCE:
            self._exchange.overrule(collection, story.outcome, "lost")
            answer = _told(collection, FAILED, WORDS[story.outcome])
        else:
            if prompt == "pin":
                self._exchange.plan_end(collection)
            answer = _told(collection, ACCEPTED, text)
        failure = Response("Internal Server Error", 500, media_type="text/plain")
        return await spoiled(story.answer, answer, failure, self._exchange.agenda)

    def _record(self, request_id: str, phone: str, amount: str, story: Story, prompt: Any) -> Collection:
        collection = Collection(
            dialect=DIALECT,
            reference=request_id,
            phone=phone,
            amount=amount,
            currency="XOF",
            story=story,
            created_at=self._exchange.agenda.now(),
            operator_id=new_operator_id(),
            prompt=prompt,
            extras={"otp": prompt == "code"},
        )
        self._exchange.record(collection)
        self._by_trans_id[collection.operator_id] = collection
        return collection

    async def _check(self, command: Command) -> Response:
        collection = self._find(command.request_id)
        if collection is None or self._is_forgotten(collection):
            return _answer(command.request_id, "", UNKNOWN, NOT_FOUND)
        return self._state(collection)

    def _is_forgotten(self, collection: Collection) -> bool:
        """Burkina, Côte d'Ivoire and Mali live by UTC: a day is a day of the clock."""
        age_days = self._exchange.agenda.now() // _DAY_MS - collection.created_at // _DAY_MS
        return self._same_day_check and age_days > 0

    def _state(self, collection: Collection) -> Response:
        if collection.outcome is None:
            return _told(collection, UNKNOWN, PENDING)
        if collection.outcome == PAID:
            return _told(collection, ACCEPTED, PAID_TEXT, {"data": {"reference-id": collection.operator_id}})
        return _told(collection, FAILED, WORDS[collection.outcome])

    async def _resend_otp(self, command: Command) -> Response:
        return _told(self._waiting_for_code(command), ACCEPTED, OTP_SENT)

    async def _commit_otp(self, command: Command) -> Response:
        """The typed code decides at once: this is the one operation whose answer is the payment's end."""
        otp = command.extended.get("otp")
        if not isinstance(otp, str) or not _ONE_TIME_CODE.fullmatch(otp):
            raise Refused("INVALID PARAMETER: extended-data.otp")
        if self._find(command.request_id) is not None:
            raise Refused(DUPLICATE)
        collection = self._waiting_for_code(command)
        self._aliases[command.request_id] = collection.reference
        collection.prompt = None
        if otp == WRONG_ONE_TIME_CODE:
            self._exchange.end(collection, "604")
        elif collection.story.outcome != NEVER:
            self._exchange.end(collection, collection.story.outcome)
        return self._state(collection)

    def _waiting_for_code(self, command: Command) -> Collection:
        _require_module(command)
        collection = self._by_trans_id.get(str(command.extended.get("trans-id", "")))
        if collection is None or collection.prompt != "code":
            raise Refused("INVALID PARAMETER: extended-data.trans-id")
        return collection

    def _find(self, request_id: str) -> Collection | None:
        return self._exchange.find(DIALECT, self._aliases.get(request_id, request_id))

    def _forget(self) -> None:
        self._by_trans_id.clear()
        self._aliases.clear()


def _read_command(body: Mapping[str, Any]) -> Command:
    """Raises `Refused` naming the first field that is not as documented."""
    for name in body:
        if name not in _FIELDS:
            raise Refused(f"INVALID PARAMETER: {name}")
    request_id = body.get("request-id")
    if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
        raise Refused("INVALID PARAMETER: request-id")
    for name in ("remarks", "message"):
        if not isinstance(body.get(name) or "", str):
            raise Refused(f"INVALID PARAMETER: {name}")
    extended = body.get("extended-data") or {}
    if not isinstance(extended, dict):
        raise Refused("INVALID PARAMETER: extended-data")
    destination = _digits(body, "destination", _DESTINATION)
    return Command(request_id, destination, _digits(body, "amount", _AMOUNT), extended)


def _digits(body: Mapping[str, Any], name: str, shape: re.Pattern[str]) -> str | None:
    """Integrators send numbers and texts of digits alike; anything else is refused."""
    value = body.get(name)
    if value is None or value == "":
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not shape.fullmatch(text):
        raise Refused(f"INVALID PARAMETER: {name}")
    return text


def _require_module(command: Command) -> None:
    if command.extended.get("module") != _OTP_MODULE:
        raise Refused("INVALID PARAMETER: extended-data.module")


def _told(
    collection: Collection, status: str, message: str, extended: Mapping[str, Any] | None = None
) -> Response:
    return _answer(collection.reference, collection.operator_id, status, message, extended)


def _answer(
    request_id: object,
    trans_id: str,
    status: str,
    message: str,
    extended: Mapping[str, Any] | None = None,
    status_http: int = 200,
) -> Response:
    content = {
        "request-id": request_id,
        "trans-id": trans_id,
        "status": status,
        "message": message,
        "extended-data": extended or {},
    }
    return json_answer(content, status_http)
