"""The calls of MTN MoMo Collections. One instance is one country's contract."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from cauri.clock import Clock
from cauri.domain.codes import Code
from cauri.domain.outcome import UNASKED, Outcome, Refused, Unknown
from cauri.operators.alerts import configuration_refused
from cauri.operators.base import Callback, Connector, Order, Route, Silence
from cauri.operators.foreign import our_reference, plain
from cauri.operators.http import Answer, Line, Lost, NotSent, Reply, Request
from cauri.operators.mtn.markets import HOST, MARKETS, currency_in
from cauri.operators.mtn.reading import read_account, read_callback, read_check, read_start
from cauri.operators.mtn.tokens import NoToken, Tokens

COLLECTION = "/collection/v1_0"
MAX_TEXT = 128  # "160 in older text, 128 in newer"
MAX_DELIVERY_TEXT = 160
_ACCOUNT_CHECK_S = 5.0
_TOKEN_S = 10.0


class Mtn(Connector):
    """Requests to pay in one country: its own keys, its own name (``mtn_ci``), its one method.

    ``environment``: X-Target-Environment, the country's own where empty. ``check_payer``: asks first whether the number has an
    active account. ``notify_payer``: has MTN send the payer a message once the payment is recorded. ``callbacks``: tells MTN where
    to call back. Raises ValueError for a country without MTN, credentials that cannot be right and an unusable URL.
    """

    # "404 for 15 min after the start": then no request to pay can arrive any more.
    silence = Silence(15 * 60, Code.OPERATOR_UNAVAILABLE)
    asks_per_s = 10.0  # "status polling capped at 10 requests/s"

    def __init__(
        self,
        country: str,
        subscription_key: str,
        api_user: str,
        api_key: str,
        *,
        clock: Clock,
        base_url: str = HOST,
        environment: str = "",
        check_payer: bool = True,
        notify_payer: bool = False,
        callbacks: bool = True,
        start_timeout_s: float = 30.0,
        check_timeout_s: float = 10.0,
    ) -> None:
        self.name = f"mtn_{country.lower()}"
        if country not in MARKETS:
            raise ValueError(f"{self.name}: MTN MoMo has no wallet there; it serves {', '.join(MARKETS)}")
        if our_reference(api_user) is None or not api_key:
            raise ValueError(f"{self.name}: api_user must be a UUID, and api_key must be given")
        market = MARKETS[country]
        self._environment = environment or market.environment
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self._environment):
            raise ValueError(
                f"{self.name}: environment must be MTN's name of it, such as {market.environment}"
            )
        self._routes = {market.method: Route(market.environment)}
        self.start_timeout_s, self._check_timeout_s = start_timeout_s, check_timeout_s
        self._check_payer, self._notify_payer, self._callbacks = check_payer, notify_payer, callbacks
        self._line = Line(self.name, base_url, {"Ocp-Apim-Subscription-Key": subscription_key})
        self._tokens = Tokens(self._line, api_user, api_key, clock, min(_TOKEN_S, start_timeout_s))

    @property
    def routes(self) -> Mapping[str, Route]:
        return self._routes

    async def start(self, order: Order) -> Outcome:
        """Asks whether the number has an account (where set so), then POST /collection/v1_0/requesttopay."""
        until = _now() + self.start_timeout_s
        if self._check_payer and (refusal := await self._payer_refused(order, until)):
            return refusal
        match await self._call(self._request_to_pay(order), until):
            case NoToken() as none:
                return self._without_token(none, order)
            case NotSent(why):
                return Refused(Code.OPERATOR_UNAVAILABLE, why, unstarted=True)
            case Lost(why):
                return Unknown(f"the request to pay got no answer: {why}")
            case Answer() as answer:
                return self._told(read_start(answer), order)

    async def check(self, order: Order) -> Outcome:
        """GET /collection/v1_0/requesttopay/{reference}."""
        path = f"{COLLECTION}/requesttopay/{order.reference}"
        request = Request("check", order.reference, "GET", path, self._check_timeout_s)
        match await self._call(request, _now() + self._check_timeout_s):
            case Answer() as answer:
                outcome = read_check(answer, order, self._currency(order))
                return self._told(outcome, order)
            case NoToken(why, misconfigured):
                return Unknown(f"{UNASKED}: {why}", alert=misconfigured)
            case NotSent(why) | Lost(why):
                return Unknown(f"the check got no answer: {why}")

    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        """PUT or POST, unsigned, with the body of a status: only a hint."""
        return read_callback(body, path)

    async def after_paid(self, order: Order) -> None:
        """POST …/deliverynotification; what comes of it is in the log only."""
        if not self._notify_payer:
            return
        text = delivery_text(order)
        request = Request(
            name="delivery_notification",
            reference=order.reference,
            verb="POST",
            path=f"{COLLECTION}/requesttopay/{order.reference}/deliverynotification",
            timeout_s=self._check_timeout_s,
            headers={"Content-Type": "application/json", "notificationMessage": text},
            body=msgspec.json.encode({"notificationMessage": text}),
        )
        await self._call(request, _now() + self._check_timeout_s)

    async def close(self) -> None:
        await self._tokens.close()
        await self._line.close()

    async def _payer_refused(self, order: Order, until: float) -> Refused | None:
        """None where the number has an account, and also where the question itself fails: the payment will tell."""
        path = f"{COLLECTION}/accountholder/msisdn/{order.phone.digits}/active"
        reply = await self._call(
            Request("account_check", order.reference, "GET", path, _ACCOUNT_CHECK_S), until
        )
        return read_account(reply) if isinstance(reply, Answer) else None

    def _request_to_pay(self, order: Order) -> Request:
        headers = {"Content-Type": "application/json", "X-Reference-Id": order.reference}
        if self._callbacks and order.callback_url:
            headers["X-Callback-Url"] = f"{order.callback_url}/{order.reference}"
        return Request(
            name="start",
            reference=order.reference,
            verb="POST",
            path=f"{COLLECTION}/requesttopay",
            timeout_s=self.start_timeout_s,
            headers=headers,
            body=msgspec.json.encode(request_to_pay(order, self._currency(order))),
        )

    async def _call(self, request: Request, until: float) -> Reply | NoToken:
        """A call with our token. One that MTN refuses is renewed, and the call repeated, once: nothing was taken with a 401."""
        token = await self._tokens.get(until - _now())
        if isinstance(token, NoToken):
            return token
        reply = await self._send(request, token, until)
        if not isinstance(reply, Answer) or reply.status != 401:
            return reply
        self._tokens.refused(token)
        token = await self._tokens.get(until - _now())
        return token if isinstance(token, NoToken) else await self._send(request, token, until)

    async def _send(self, request: Request, token: str, until: float) -> Reply:
        left_s = until - _now()
        if left_s <= 0:
            return NotSent("no time left")
        headers = {
            **request.headers,
            "Authorization": f"Bearer {token}",
            "X-Target-Environment": self._environment,
        }
        return await self._line.send(
            replace(request, timeout_s=min(request.timeout_s, left_s), headers=headers)
        )

    def _currency(self, order: Order) -> str:
        return currency_in(self._environment, order.currency)

    def _without_token(self, none: NoToken, order: Order) -> Outcome:
        """No token, so no request to pay: nothing was begun."""
        if none.misconfigured:
            return self._told(Refused(Code.SERVICE_UNAVAILABLE, none.why), order)
        return Refused(Code.OPERATOR_UNAVAILABLE, f"no token: {none.why}", unstarted=True)

    def _told(self, outcome: Outcome, order: Order) -> Outcome:
        if isinstance(outcome, Refused) and outcome.code is Code.SERVICE_UNAVAILABLE:
            configuration_refused(self.name, order.reference, outcome.word)
        return outcome


def request_to_pay(order: Order, currency: str) -> dict[str, object]:
    """The body of a request to pay: amounts are texts, the texts have no apostrophe, no ``&`` and are never empty."""
    text = plain(order.description, MAX_TEXT, "Payment" if order.lang == "en" else "Paiement")
    return {
        "amount": str(order.amount),
        "currency": currency,
        "externalId": order.reference,
        "payer": {"partyIdType": "MSISDN", "partyId": order.phone.digits},
        "payerMessage": text,
        "payeeNote": text,
    }


def delivery_text(order: Order) -> str:
    """What the payer reads once paid: ASCII, since it travels in a header too, and at most 160 characters."""
    amount = f"{order.amount} {order.currency}"
    done, colon = (
        (f"Your payment of {amount} is complete", ": ")
        if order.lang == "en"
        else (f"Votre paiement de {amount} a abouti", " : ")
    )
    what = plain(order.description, MAX_DELIVERY_TEXT, "")
    return (done + colon + what if what else done)[:MAX_DELIVERY_TEXT].strip()


def _now() -> float:
    return asyncio.get_running_loop().time()
