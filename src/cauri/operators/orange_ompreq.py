"""Orange Burkina's "online payment", OMPREQ: one XML request with the payer's code, one answer (reference: operators, section 2d).

Synchronous and nothing else: no status to ask, no callback. An answer that is lost stays unknown until a person closes the attempt.
Written from third parties' integrations; nothing here was tried on a live system.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import structlog

from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Outcome, Refused, Unknown
from cauri.operators.base import BadCallback, Callback, Connector, Flow, Order, Route, Silence
from cauri.operators.foreign import RESERVED_WORDS, identifier, quoted
from cauri.operators.http import Answer, Line, Lost, NotSent, Request

log = structlog.get_logger("cauri.operators")

PAID = "200"

# Every other "status" that is known. One that is not here is a no, but of what? A time-out at Orange is also told by a number:
# so it is unknown and a person reads the message.
FAILURE_WORDS: dict[str, Code] = {
    "08": Code.OTP_CODE_ERROR,  # the code was made for another amount
    "OTPINV": Code.OTP_CODE_ERROR,
    "990418": Code.OTP_CODE_ERROR,  # used already
    "990422": Code.PHONE_NOT_FOUND,
    "00066": Code.PHONE_NOT_FOUND,
    # The simulated operators' reserved words, for codes that OMPREQ has no word for.
    **RESERVED_WORDS,
}

# The code is made by dialling *144*4*6*amount#, so a payer who takes five minutes is a payer who makes another.
ROUTES: Mapping[str, Route] = MappingProxyType({"OMBF": Route("orange_ompreq", Flow.CODE, payer_has_s=120)})

_PROVIDER, _PAYID = "101", "12"
# XML both ways: a server that writes nothing else refuses a request that accepts JSON only.
_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "text/xml, application/xml, */*;q=0.1",
}
_FIELDS = ("status", "message", "transID")
_PROLOGUE = re.compile(r"\A\ufeff?\s*<\?xml[^>]*\?>")
# The fragment is put together by hand, so a merchant's "A & B" may stand in a message as it is: it must not hide a status.
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class OrangeOmpreq(Connector):
    """``base_url`` is the whole address that requests are posted to. ``merchant_msisdn``: the merchant's own number, 8 digits.

    ``certificate`` and ``key``: files of the client certificate where the contract wants one. Raises ValueError for an unusable
    address, credentials or certificate.
    """

    name = "orange_ompreq"
    routes = ROUTES
    silence = Silence(None, askable=False)

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        merchant_msisdn: str,
        *,
        certificate: str = "",
        key: str = "",
        start_timeout_s: float = 60.0,
    ) -> None:
        if not (username and password and re.fullmatch(r"[0-9]{8,11}", merchant_msisdn)):
            raise ValueError(
                "orange_ompreq needs a username, a password and a merchant_msisdn of 8 digits, or 11 with 226"
            )
        self.start_timeout_s = start_timeout_s
        self._account = {
            "merchant_msisdn": merchant_msisdn,
            "api_username": username,
            "api_password": password,
        }
        self._line = Line(self.name, base_url, _HEADERS, _tls(certificate, key))

    async def start(self, order: Order) -> Outcome:
        """The payment itself: it is over when the answer has been read."""
        reply = await self._line.send(
            Request(
                "start",
                order.reference,
                "POST",
                "",
                self.start_timeout_s,
                body=command_of(order, self._account),
            )
        )
        match reply:
            case NotSent():
                return Refused(Code.OPERATOR_UNAVAILABLE, reply.why, unstarted=True)
            case Lost():
                return Unknown(f"the payment got no answer: {reply.why}")
            case Answer(status=401 | 403):
                log.error(
                    "operator_configuration_refused",
                    alert=True,
                    operator=self.name,
                    reference=order.reference,
                    word=f"HTTP {reply.status}",
                )
                return Refused(Code.SERVICE_UNAVAILABLE, f"HTTP {reply.status}")
            case Answer():
                return read_answer(reply)

    async def check(self, order: Order) -> Outcome:
        """There is nothing to ask."""
        return Unknown("OMPREQ cannot be asked: look at Orange's statement, then close the attempt")

    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        raise BadCallback("this operator sends no callbacks")

    async def close(self) -> None:
        await self._line.close()


def command_of(order: Order, account: Mapping[str, str]) -> bytes:
    """The COMMAND document. The number is national, 8 digits, as most integrators send it."""
    fields = {
        "TYPE": "OMPREQ",
        "customer_msisdn": order.phone.national,
        **account,
        "amount": str(order.amount),
        "PROVIDER": _PROVIDER,
        "PROVIDER2": _PROVIDER,
        "PAYID": _PAYID,
        "PAYID2": _PAYID,
        "otp": order.code or "",
        "reference_number": order.reference,
        "ext_txn_id": order.reference,
    }
    inner = "".join(f"<{name}>{escape(_NOT_XML.sub('', value))}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<COMMAND>{inner}</COMMAND>'.encode()


def read_answer(answer: Answer) -> Outcome:
    """The fragment ``<status>…</status><message>…</message><transID>…</transID>``. Only HTTP 200 carries one."""
    fields = _fields(answer.body) if answer.status == 200 else None
    if fields is None:
        passing = answer.status >= 500 or answer.status == 429
        return Unknown(f"unreadable answer, HTTP {answer.status}", alert=not passing)
    word = fields.get("status", "")
    if word == PAID:
        operator_id = identifier(fields.get("transID"))
        if operator_id is None:
            return Unknown("status 200 without a transID", alert=True)
        return Accepted(operator_id)
    if word in FAILURE_WORDS:
        return Refused(FAILURE_WORDS[word], word)
    message = quoted(fields.get("message", ""))
    return Unknown(f"unknown status: {quoted(word or 'none', 60)} {message}".rstrip(), alert=True)


def _fields(body: bytes) -> dict[str, str] | None:
    """The known elements, wherever they stand; None for what is no XML or says one of them twice.

    expat is safe here: inside the root that is put around the fragment a document type is a syntax error, so there are no entities
    to expand and no external ones to fetch; the size is capped by the line.
    """
    try:
        text = _BARE_AMPERSAND.sub("&amp;", _PROLOGUE.sub("", _decoded(body)))
        root = ElementTree.fromstring(f"<answer>{text}</answer>")  # noqa: S314
    except (ElementTree.ParseError, ValueError):
        return None
    found: dict[str, str] = {}
    for element in root.iter():
        if element.tag in _FIELDS:
            value = (element.text or "").strip()
            if found.setdefault(element.tag, value) != value or len(element):
                return None
    return found if "status" in found else None


def _decoded(body: bytes) -> str:
    """UTF-8, else Latin-1: an accent of a message must not hide a status."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _tls(certificate: str, key: str) -> ssl.SSLContext | None:
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ValueError("orange_ompreq needs both client_certificate and client_key, or neither")
    context = ssl.create_default_context()
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # never asks at a terminal
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"orange_ompreq cannot use its client certificate: {error}") from None
    return context
