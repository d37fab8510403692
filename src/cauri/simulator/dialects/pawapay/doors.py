"""pawaPay's endpoints: deposits and toolkit, behind a bearer token."""

import hmac
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import Dropped, json_answer, read_json_object, sent_as_json, spoiled
from cauri.simulator.dialects.pawapay.auth_page import AuthPages
from cauri.simulator.dialects.pawapay.callbacks import DepositCallbacks
from cauri.simulator.dialects.pawapay.levers import Levers
from cauri.simulator.dialects.pawapay.providers import (
    COUNTRIES,
    Country,
    Market,
    active_configuration,
    availability,
    predict,
)
from cauri.simulator.dialects.pawapay.rules import (
    DepositRequest,
    Refused,
    Rejected,
    deposit_id_of,
    read_deposit,
)
from cauri.simulator.dialects.pawapay.signing import Encoding, Manner, Signer
from cauri.simulator.dialects.pawapay.views import callback_body, created_text, status_view
from cauri.simulator.dialects.pawapay.words import TEST_NUMBERS, WORDS
from cauri.simulator.exchange import Collection, Exchange, new_operator_id
from cauri.simulator.stories import NEVER, WRONG_ONE_TIME_CODE, Story

DIALECT = "pawapay"

_AUTH_URL_DELAY_S = 0.3
"""pawaPay has the authorisation URL "usually in less than 5 s"; a sandbox need not be that slow."""

_SENDS = {"normal": 1, "before_answer": 1, "twice": 2, "lost": 0}

Door = Callable[[Request], Awaitable[Response]]


class PawaPay:
    """One pawaPay account: its token, its callback URL, its deposits.

    `signatures`: how the signatures of callbacks are written, `raw` or `der`; `off`: none.
    """

    def __init__(
        self,
        exchange: Exchange,
        token: str,
        public_url: str,
        callback_url: str | None,
        *,
        signatures: Encoding = "raw",
    ) -> None:
        self._exchange = exchange
        self._token = token
        self._manner = Manner(signatures)
        self._signer = Signer(exchange.agenda.now, self._manner)
        self._market = Market()
        self._callbacks = DepositCallbacks(exchange.callbacks, callback_url, self._signer)
        self._pages = AuthPages(exchange, public_url)
        exchange.connect(DIALECT, self._on_settled, self._forget)

    def routes(self) -> list[Route]:
        resend = "/pawapay/v2/deposits/resend-callback/{deposit_id}"
        return [
            Route("/pawapay/v2/deposits", self._guarded(self._start), methods=["POST"], name="start"),
            Route(resend, self._guarded(self._resend), methods=["POST"], name="toolkit"),
            Route(
                "/pawapay/v2/deposits/{deposit_id}", self._guarded(self._check), methods=["GET"], name="check"
            ),
            Route(
                "/pawapay/v2/active-conf", self._guarded(self._active_conf), methods=["GET"], name="toolkit"
            ),
            Route(
                "/pawapay/v2/availability", self._guarded(self._availability), methods=["GET"], name="toolkit"
            ),
            Route(
                "/pawapay/v2/predict-provider", self._guarded(self._predict), methods=["POST"], name="toolkit"
            ),
            Route("/pawapay/v2/public-key/http", self._guarded(self._keys), methods=["GET"], name="toolkit"),
            *self._pages.routes(),
            *Levers(self._exchange, self._market, self._signer, self._find).routes(),
        ]

    def _find(self, deposit_id: str) -> Collection | None:
        return self._exchange.find(DIALECT, deposit_id)

    def _forget(self) -> None:
        self._pages.forget()
        self._market.reset()
        self._signer.manner = self._manner

    def _guarded(self, door: Door) -> Door:
        async def guarded(request: Request) -> Response:
            self._exchange.agenda.run_due()
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not token:
                return _failure(
                    401, "NO_AUTHENTICATION", "The API token is missing from the request headers."
                )
            if not hmac.compare_digest(token.encode(), self._token.encode()):
                return _failure(403, "AUTHENTICATION_ERROR", "The API token is not valid.")
            try:
                return await door(request)
            except Refused as refused:
                return _failure(400, refused.failure_code, refused.message)

        return guarded

    async def _start(self, request: Request) -> Response:
        body = await _body_of(request)
        try:
            deposit = read_deposit(body, self._market)
        except Rejected as rejected:
            return _rejected(body.get("depositId"), rejected.failure_code, rejected.message)
        known = self._exchange.find(DIALECT, deposit.deposit_id)
        if known is not None:
            return _initiated(known, "DUPLICATE_IGNORED")
        story = self._story_of(deposit)
        if story.answer == "drop_before":
            return Dropped()
        answer = await self._accept_or_reject(deposit, story)
        unknown_error = _failure(
            500, "UNKNOWN_ERROR", "An unknown error occurred; check the status of the deposit."
        )
        return await spoiled(story.answer, answer, unknown_error, self._exchange.agenda)

    def _story_of(self, deposit: DepositRequest) -> Story:
        story = self._exchange.take_story(deposit.phone, TEST_NUMBERS)
        wrong_code = deposit.extras.get("preAuthorisationCode") == WRONG_ONE_TIME_CODE
        if deposit.provider.auth == "PREAUTH" and wrong_code and not _is_rejected(story):
            return replace(story, outcome="604")
        return story

    async def _accept_or_reject(self, deposit: DepositRequest, story: Story) -> Response:
        if _is_rejected(story):
            word = WORDS[story.outcome]
            return _rejected(deposit.deposit_id, word.failure_code, word.message)
        collection = Collection(
            dialect=DIALECT,
            reference=deposit.deposit_id,
            phone=deposit.phone,
            amount=deposit.amount,
            currency=deposit.currency,
            story=story,
            created_at=self._exchange.agenda.now(),
            operator_id=new_operator_id(),
            prompt="pin" if deposit.provider.auth == "PROVIDER_AUTH" else None,
            extras={**deposit.extras, "provider": deposit.provider},
        )
        self._exchange.record(collection)
        await self._begin(collection, deposit.provider.auth == "REDIRECT_AUTH")
        return _initiated(
            collection, "ACCEPTED", "GET_AUTH_URL" if "page" in collection.extras else "FINAL_STATUS"
        )

    async def _begin(self, collection: Collection, redirects: bool) -> None:
        early = collection.story.callback == "before_answer"
        if redirects:
            await self._begin_page(collection, early)
        elif early and collection.story.outcome != NEVER:
            self._exchange.overrule(collection, collection.story.outcome, "lost")
            await self._callbacks.send_now(callback_body(collection))
        else:
            self._exchange.plan_end(collection)

    async def _begin_page(self, collection: Collection, early: bool) -> None:
        collection.extras["page"] = "soon"
        delay_s = min(self._exchange.operator_delay_s, _AUTH_URL_DELAY_S)
        if early:
            self._pages.open(collection)
            await self._callbacks.send_now(callback_body(collection))
        elif delay_s <= 0:
            self._open_page(collection)
        else:
            self._exchange.agenda.after(delay_s, lambda: self._open_page(collection))

    def _open_page(self, collection: Collection) -> None:
        if collection.outcome is None:
            self._pages.open(collection)
            self._callbacks.send(callback_body(collection))

    def _on_settled(self, collection: Collection, callback: str) -> None:
        if _SENDS[callback]:
            self._callbacks.send(callback_body(collection), _SENDS[callback])

    async def _check(self, request: Request) -> Response:
        collection = self._exchange.find(DIALECT, deposit_id_of(request.path_params["deposit_id"]))
        if collection is None:
            return json_answer({"status": "NOT_FOUND"})
        return json_answer({"status": "FOUND", "data": status_view(collection)})

    async def _resend(self, request: Request) -> Response:
        deposit_id = deposit_id_of(request.path_params["deposit_id"])
        collection = self._exchange.find(DIALECT, deposit_id)
        if collection is None:
            return _rejected(deposit_id, "NOT_FOUND", "There is no deposit with this depositId.")
        if collection.outcome is None:
            return _rejected(deposit_id, "INVALID_STATE", "The deposit is not in a final status.")
        self._callbacks.send(callback_body(collection))
        return json_answer({"depositId": deposit_id, "status": "ACCEPTED"})

    async def _active_conf(self, request: Request) -> Response:
        countries = _countries_asked(request)
        signed = self._signer.manner.encoding != "off"
        return json_answer(active_configuration(countries, self._callbacks.url, self._market, signed))

    async def _availability(self, request: Request) -> Response:
        return json_answer(availability(_countries_asked(request), self._market))

    async def _keys(self, request: Request) -> Response:
        return json_answer(self._signer.public_keys())

    async def _predict(self, request: Request) -> Response:
        body = await _body_of(request)
        if not isinstance(body.get("phoneNumber"), str):
            raise Refused("MISSING_PARAMETER", "The parameter 'phoneNumber' is mandatory.")
        found = predict(body["phoneNumber"])
        if found is None:
            raise Refused("INVALID_PARAMETER", "The phone number does not match any provider's format.")
        provider, phone = found
        return json_answer(
            {"country": provider.country.iso3, "provider": provider.code, "phoneNumber": phone}
        )


async def _body_of(request: Request) -> dict[str, Any]:
    body = await read_json_object(request) if sent_as_json(request) else None
    if body is None:
        raise Refused("INVALID_INPUT", "We were unable to parse the payload of the request.")
    return body


def _is_rejected(story: Story) -> bool:
    return story.outcome in WORDS and WORDS[story.outcome].at_once


def _countries_asked(request: Request) -> Iterable[Country]:
    operation = request.query_params.get("operationType", "DEPOSIT")
    if operation != "DEPOSIT":
        raise Refused("INVALID_PARAMETER", "The simulator serves the operationType DEPOSIT only.")
    asked = request.query_params.get("country")
    if asked is None:
        return COUNTRIES.values()
    if asked not in COUNTRIES:
        raise Refused(
            "INVALID_PARAMETER", "The parameter 'country' must be the ISO3 code of an active country."
        )
    return [COUNTRIES[asked]]


def _initiated(collection: Collection, status: str, next_step: str | None = None) -> Response:
    answer = {"depositId": collection.reference, "status": status}
    if next_step is not None:
        answer["nextStep"] = next_step
    return json_answer({**answer, "created": created_text(collection)})


def _failure_reason(failure_code: str, message: str) -> dict[str, str]:
    return {"failureCode": failure_code, "failureMessage": message}


def _rejected(deposit_id: object, failure_code: str, message: str) -> Response:
    reason = _failure_reason(failure_code, message)
    return json_answer({"depositId": deposit_id, "status": "REJECTED", "failureReason": reason})


def _failure(status: int, failure_code: str, message: str) -> Response:
    return json_answer({"failureReason": _failure_reason(failure_code, message)}, status)
