"""Orange WebPay's calls: token, webpayment, transactionstatus, and the notification that names nobody.

Written from third parties' integrations; nothing here was tried on a live system.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import msgspec
import structlog

from cauri.clock import SECOND, Clock
from cauri.domain.codes import Code
from cauri.domain.outcome import UNASKED, Outcome, Refused, Unknown
from cauri.operators.base import BadCallback, Callback, Connector, Order, Route, Silence
from cauri.operators.foreign import decoded, is_reference
from cauri.operators.http import Answer, Line, Lost, NotSent, Reply, Request
from cauri.operators.orange_webpay.token import NoToken, Token, Tokens
from cauri.operators.orange_webpay.words import (
    ROUTES_OF_COUNTRY,
    UNSUBMITTED_FINAL_AFTER_S,
    Checked,
    Notice,
    carries,
    outcome_of,
    payment_of,
    question_of,
    read_check,
    read_handle,
    read_start,
)

log = structlog.get_logger("cauri.operators")

MAX_CALLBACK = 64 * 1024
_SEGMENT = re.compile(r"[a-z]{2,10}")


class OrangeWebPay(Connector):
    """One country's contract. ``base_url`` such as ``https://api.orange.com``, what comes before ``/oauth`` and ``/orange-money-webpay``.

    ``segment``: the path's country, ``ci`` … by default; ``dev`` is Orange's own sandbox, whose currency is OUV. ``failed``: what a
    FAILED is told as. ``start_timeout_s`` covers two tokens and two requests, since a token that was refused is renewed once.
    Raises ValueError for a country without WebPay, an unusable URL or credentials.
    """

    # Nobody was shown a page, so no money can move: the wait is only for a lease to end and an answer to be late.
    silence = Silence(120, Code.OPERATOR_UNAVAILABLE)

    def __init__(
        self,
        country: str,
        base_url: str,
        client_id: str,
        client_secret: str,
        merchant_key: str,
        *,
        segment: str = "",
        failed: Code = Code.PAYMENT_FAILED,
        clock: Clock | None = None,
        start_timeout_s: float = 30.0,
        check_timeout_s: float = 15.0,
    ) -> None:
        if country not in ROUTES_OF_COUNTRY:
            raise ValueError(f"orange_webpay serves {', '.join(ROUTES_OF_COUNTRY)}, not {country}")
        self.name = f"orange_webpay_{country.lower()}"
        self._segment = segment or country.lower()
        if not merchant_key or _SEGMENT.fullmatch(self._segment) is None:
            raise ValueError(f"{self.name} needs a merchant_key, and a segment such as ci or dev")
        self._country = country
        self._merchant_key = merchant_key
        self._failed = failed
        self._clock = clock or Clock()
        self.start_timeout_s = start_timeout_s
        self._check_timeout_s = check_timeout_s
        self._line = Line(self.name, base_url, {"Content-Type": "application/json"})
        self._tokens = Tokens(self._line, client_id, client_secret, self._clock, start_timeout_s / 5)

    @property
    def routes(self) -> Mapping[str, Route]:
        return ROUTES_OF_COUNTRY[self._country]

    async def start(self, order: Order) -> Outcome:
        """POST …/webpayment, answered 201 with the page to go to."""
        body = payment_of(order, self._merchant_key, self._segment)
        reply = await self._call("start", "webpayment", order, body, self.start_timeout_s)
        match reply:
            case NoToken(ours=True) | Answer(status=401 | 403):
                return self._told(
                    order, Refused(Code.SERVICE_UNAVAILABLE, _word(reply)), "operator_configuration_refused"
                )
            case NoToken() | NotSent():
                return Refused(Code.OPERATOR_UNAVAILABLE, reply.why, unstarted=True)
            case Lost():
                return Unknown(f"the start got no answer: {reply.why}")
            case Answer():
                return self._unclear(order, read_start(reply))

    async def check(self, order: Order) -> Outcome:
        """POST …/transactionstatus. Without a pay_token there is nothing to ask with, and nobody who could pay."""
        handle = read_handle(order.handle)
        if handle is None:
            return Unknown("the start gave no page", not_found=True)
        reply = await self._call(
            "check", "transactionstatus", order, question_of(order, handle), self._check_timeout_s
        )
        if not isinstance(reply, Answer):
            if isinstance(reply, NoToken) and reply.ours:
                return Unknown(f"{UNASKED}: {reply.why}", alert=True)
            return Unknown(f"the check got no answer: {reply.why}")
        late = self._clock.now() >= order.sent_at + UNSUBMITTED_FINAL_AFTER_S * SECOND
        return read_check(reply, order, late, self._failed)

    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        """``path`` is the reference that we put at the end of notif_url; the notif_token proves who speaks."""
        if len(body) > MAX_CALLBACK:
            raise BadCallback(f"larger than {MAX_CALLBACK} bytes")
        notice = decoded(body, Notice)
        if notice is None or not notice.notif_token:
            raise BadCallback("not a notification of a web payment")
        if not is_reference(path):
            raise BadCallback("the path ends in no reference of ours")
        said = Checked(notice.status, path, notice.txnid)
        return Callback(path, outcome_of(said, late=False, failed=self._failed), notice.notif_token)

    def proves(self, callback: Callback, handle: str | None) -> bool:
        return callback.proof is not None and carries(callback.proof, handle)

    async def close(self) -> None:
        await self._tokens.close()
        await self._line.close()

    async def _call(
        self, name: str, door: str, order: Order, fields: Mapping[str, object], timeout_s: float
    ) -> Reply | NoToken:
        """One request with a token; where that is answered with 401, once more with a new one. 401 means that nothing was done."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        refused: Token | None = None
        while True:
            token = await self._tokens.get(refused)
            if isinstance(token, NoToken):
                return token
            request = Request(
                name,
                order.reference,
                "POST",
                f"/orange-money-webpay/{self._segment}/v1/{door}",
                max(0.1, min(timeout_s * 2 / 5, deadline - loop.time())),
                {"Authorization": token.header},
                msgspec.json.encode(fields),
            )
            reply = await self._line.send(request)
            if refused is not None or not isinstance(reply, Answer) or reply.status != 401:
                return reply
            refused = token

    def _unclear(self, order: Order, outcome: Outcome) -> Outcome:
        """An answer to a start that nobody listed closes by itself; whoever runs Cauri still hears of it."""
        if isinstance(outcome, Unknown):
            return self._told(order, outcome, "operator_start_unclear")
        if isinstance(outcome, Refused) and outcome.code is Code.SERVICE_UNAVAILABLE:
            return self._told(order, outcome, "operator_configuration_refused")
        return outcome

    def _told(self, order: Order, outcome: Refused | Unknown, event: str) -> Outcome:
        word = outcome.word if isinstance(outcome, Refused) else outcome.why
        log.error(event, alert=True, operator=self.name, reference=order.reference, word=word)
        return outcome


def _word(reply: Answer | NoToken) -> str:
    return reply.why if isinstance(reply, NoToken) else f"HTTP {reply.status}"
