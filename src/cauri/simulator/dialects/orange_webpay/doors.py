"""WebPay's two calls, and what happens to a payment in its ten minutes."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import Dropped, json_answer, read_json_object, spoiled
from cauri.simulator.callbacks import Call
from cauri.simulator.dialects.code_desk import CodeDesk
from cauri.simulator.dialects.orange_webpay.countries import COUNTRIES, read_phone
from cauri.simulator.dialects.orange_webpay.page import PayPages
from cauri.simulator.dialects.orange_webpay.rules import PaymentRequest, read_amount, read_payment, require
from cauri.simulator.dialects.orange_webpay.tokens import Tokens
from cauri.simulator.dialects.orange_webpay.words import (
    INITIATED,
    REFUSED_AT_ONCE,
    Refused,
    state_of,
    why,
)
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.one_time_codes import OneTimeCodes
from cauri.simulator.stories import PAYS, Story

DIALECT = "orange-webpay"
LIFE_S = 600

_SENDS = {"normal": 1, "before_answer": 1, "twice": 2, "lost": 0}
_API = "/orange/orange-money-webpay/{segment}/v1"

Door = Callable[[Request, str], Awaitable[Response]]


class OrangeWebPay:
    """One client application with a merchant key for each path segment (`dev`, `ci`, `ml` …).

    `public_url` is where payers reach the simulator. `token_life_s`: what `expires_in` says. `public_urls_only`:
    refuse URLs that Orange could not reach, such as localhost. Raises ValueError for an unknown segment.
    """

    def __init__(
        self,
        exchange: Exchange,
        client_id: str,
        client_secret: str,
        merchant_keys: Mapping[str, str],
        public_url: str,
        *,
        token_life_s: int = 3600,
        public_urls_only: bool = False,
    ) -> None:
        if unknown := set(merchant_keys) - set(COUNTRIES):
            raise ValueError(f"merchant_keys: {sorted(unknown)} are none of {', '.join(COUNTRIES)}")
        self._exchange = exchange
        self._merchant_keys = dict(merchant_keys)
        self._public_urls_only = public_urls_only
        self._serial = 0
        self._tokens = Tokens(exchange.agenda.now, client_id, client_secret, token_life_s)
        self._codes = OneTimeCodes(exchange.agenda.now)
        self._desk = CodeDesk("/orange/otp", self._codes, read_phone)
        self._pages = PayPages(exchange, public_url, self._codes)
        exchange.connect(DIALECT, self._on_settled, self._forget)

    def routes(self) -> list[Route]:
        return [
            *self._tokens.routes(),
            Route(f"{_API}/webpayment", self._guarded(self._start), methods=["POST"], name="start"),
            Route(f"{_API}/transactionstatus", self._guarded(self._check), methods=["POST"], name="check"),
            *self._pages.routes(),
            *self._desk.routes(),
        ]

    def _guarded(self, door: Door) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            self._exchange.agenda.run_due()
            segment = request.path_params["segment"]
            try:
                self._tokens.require(request)
                if segment not in self._merchant_keys:
                    raise Refused(404, 60, "Resource not found", f"There is no WebPay for {segment!r}")
                return await door(request, segment)
            except Refused as refused:
                return json_answer(refused.content, refused.status)

        return guarded

    async def _start(self, request: Request, segment: str) -> Response:
        body = await _body_of(request)
        payment = read_payment(body, segment, public_urls_only=self._public_urls_only)
        key = str(body["merchant_key"]).encode()
        if not hmac.compare_digest(key, self._merchant_keys[segment].encode()):
            raise Refused(403, 50, "Access denied", "The merchant_key is not valid")
        if self._exchange.find(DIALECT, payment.order_id) is not None:
            raise Refused(400, 24, "Invalid body field", "The field order_id was used before")
        story = self._exchange.scripts.take(None)
        if story is not None and story.answer == "drop_before":
            return Dropped()
        if story is not None and story.outcome in REFUSED_AT_ONCE:
            status, code, message = REFUSED_AT_ONCE[story.outcome]
            raise Refused(status, code, message, "So it was told beforehand")
        answer = self._open(payment, segment, story)
        failure = json_answer({"code": 1, "message": "Internal error", "description": ""}, 500)
        return await spoiled(story.answer if story else "normal", answer, failure, self._exchange.agenda)

    def _open(self, payment: PaymentRequest, segment: str, story: Story | None) -> Response:
        pay_token, notif_token = secrets.token_hex(32), secrets.token_hex(16)
        collection = Collection(
            dialect=DIALECT,
            reference=payment.order_id,
            phone="",
            amount=str(payment.amount),
            currency=payment.currency,
            story=story or PAYS,
            created_at=self._exchange.agenda.now(),
            operator_id=self._new_txnid(),
            prompt="page",
            extras={
                **payment.urls,
                "segment": segment,
                "lang": payment.lang,
                "shown": payment.reference or payment.order_id,
                "pay_token": pay_token,
                "notif_token": notif_token,
                "told_beforehand": story is not None,
            },
        )
        self._exchange.record(collection)
        url = self._pages.open(collection, pay_token)
        self._exchange.agenda.after(LIFE_S, lambda: self._expire(collection))
        return json_answer(
            {
                "status": 201,
                "message": "OK",
                "pay_token": pay_token,
                "payment_url": url,
                "notif_token": notif_token,
            },
            201,
        )

    async def _check(self, request: Request, segment: str) -> Response:
        """All three must match what was started, or nothing is known of it."""
        body = await _body_of(request)
        require(body, ("order_id", "amount", "pay_token"))
        amount = read_amount(body, COUNTRIES[segment].decimals)
        collection = self._exchange.find(DIALECT, str(body["order_id"]))
        if collection is None or not self._is_of(collection, segment, amount, str(body["pay_token"])):
            raise Refused(404, 60, "Resource not found", "No payment has this order_id, amount and pay_token")
        state = state_of(collection)
        answer = {
            "status": state,
            "order_id": collection.reference,
            "txnid": "" if state == INITIATED else collection.operator_id,
        }
        if word := why(collection):
            answer["message"] = word
        return json_answer(answer, 201)

    def _is_of(self, collection: Collection, segment: str, amount: Decimal, pay_token: str) -> bool:
        return (
            collection.extras["segment"] == segment
            and Decimal(collection.amount) == amount
            and hmac.compare_digest(str(collection.extras["pay_token"]).encode(), pay_token.encode())
        )

    def _expire(self, collection: Collection) -> None:
        """Nobody is told: the payer has left, and a merchant that wants to know asks."""
        if collection.outcome is None:
            collection.extras["expired"] = True
            self._exchange.overrule(collection, "600", "lost")

    def _on_settled(self, collection: Collection, callback: str) -> None:
        state = state_of(collection)
        body = {
            "status": state,
            "notif_token": collection.extras["notif_token"],
            "txnid": collection.operator_id,
        }
        call = Call(
            str(collection.extras["notif_url"]), msgspec.json.encode(body), collection.reference, said=state
        )
        if _SENDS[callback]:
            self._exchange.callbacks.send(call, times=_SENDS[callback])

    def _new_txnid(self) -> str:
        """Like MP150709.1341.A00073: day, minute, a running number."""
        self._serial += 1
        at = datetime.fromtimestamp(self._exchange.agenda.now() / 1000, UTC)
        return f"MP{at:%y%m%d.%H%M}.A{self._serial:05d}"

    def _forget(self) -> None:
        self._pages.forget()
        self._codes.forget()


async def _body_of(request: Request) -> Mapping[str, Any]:
    body = await read_json_object(request)
    if body is None:
        raise Refused(400, 22, "Invalid body", "The body must be a JSON object")
    return body
