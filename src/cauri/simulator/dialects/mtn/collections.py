"""MTN's Collections: requests to pay, their status, and what stands around them."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import Dropped, json_answer, read_json_object, spoiled
from cauri.simulator.callbacks import Call
from cauri.simulator.dialects.mtn.accounts import ENVIRONMENTS, Accounts, MtnAccount, User
from cauri.simulator.dialects.mtn.provisioning import Provisioning, subscription_key
from cauri.simulator.dialects.mtn.rules import (
    PayRequest,
    Refused,
    callback_url_of,
    malformed,
    notification_of,
    read_request,
    reference_id_of,
)
from cauri.simulator.dialects.mtn.views import balance_of, body_of, status_of
from cauri.simulator.dialects.mtn.words import (
    ACCOUNT_HOLDERS,
    INACTIVE_HOLDER,
    REFUSED_AT_ONCE,
    TEST_NUMBERS,
    WORDS,
)
from cauri.simulator.exchange import Collection, Exchange, new_operator_id
from cauri.simulator.stories import NEVER, PAID, Story, story_of

DIALECT = "mtn"
_API = "/mtn/collection/v1_0"

NOTIFIABLE_S = 3600
"""How long after the payment a delivery notification is taken; MTN says only "too late"."""

_SENDS = {"normal": 1, "before_answer": 1, "twice": 2, "lost": 0}

Door = Callable[[Request], Awaitable[Response]]


@dataclass
class _Ledger:
    """What one environment has: its requests to pay, and the moments (ms) of its latest status queries."""

    collections: list[Collection] = field(default_factory=list)
    polls: deque[int] = field(default_factory=deque)


class Mtn:
    """MTN's sandbox and its country instances under one address, `…/mtn`; each account is one subscription."""

    def __init__(self, exchange: Exchange, accounts: Iterable[MtnAccount]) -> None:
        self._exchange = exchange
        self._accounts = Accounts(accounts)
        self._ledgers: dict[str, _Ledger] = {name: _Ledger() for name in ENVIRONMENTS}
        exchange.connect(DIALECT, self._on_settled, self._forget)

    def routes(self) -> list[Route]:
        setup = Provisioning(self._accounts, self._exchange.agenda)
        pay, holder = f"{_API}/requesttopay", f"{_API}/accountholder/msisdn/{{msisdn}}"
        return [
            self._route("POST", "/mtn/v1_0/apiuser", setup.create_user, "toolkit"),
            self._route("GET", "/mtn/v1_0/apiuser/{user_id}", setup.show_user, "toolkit"),
            self._route("POST", "/mtn/v1_0/apiuser/{user_id}/apikey", setup.create_key, "toolkit"),
            self._route("POST", "/mtn/collection/token/", setup.token, "token"),
            self._route("POST", pay, self._start, "start"),
            self._route("GET", pay + "/{reference}", self._status, "check"),
            self._route("POST", pay + "/{reference}/deliverynotification", self._notify, "toolkit"),
            self._route("GET", holder + "/active", self._is_active, "toolkit"),
            self._route("GET", f"{_API}/account/balance", self._balance, "toolkit"),
        ]

    def _route(self, method: str, path: str, door: Door, what_for: str) -> Route:
        async def guarded(request: Request) -> Response:
            self._exchange.agenda.run_due()
            try:
                return await door(request)
            except Refused as refused:
                return refused.answer

        return Route(path, guarded, methods=[method], name=what_for)

    def _caller(self, request: Request) -> tuple[MtnAccount, User]:
        """Subscription key, token and environment must belong together. Raises `Refused` (401, 400, 500)."""
        account = self._accounts.subscription(subscription_key(request), "collection")
        user = self._accounts.bearer(request.headers.get("authorization", ""), self._exchange.agenda.now())
        environment = request.headers.get("x-target-environment")
        if not environment:
            raise malformed("X-Target-Environment is missing")
        if not environment == user.environment.name == account.environment:
            message = "Access to target environment is forbidden."
            raise Refused(500, "NOT_ALLOWED_TARGET_ENVIRONMENT", message)
        return account, user

    async def _start(self, request: Request) -> Response:
        account, user = self._caller(request)
        reference = reference_id_of(request.headers.get("x-reference-id"))
        wanted = await _read_body(request, user)
        callback_url = callback_url_of(
            request.headers.get("x-callback-url"), user.callback_host, account.scheme
        )
        if self._exchange.find(DIALECT, reference) is not None:
            message = "Duplicated reference id. Creation of resource failed."
            raise Refused(409, "RESOURCE_ALREADY_EXIST", message)
        story = self._story_of(wanted, user)
        if story.answer == "drop_before":
            return Dropped()
        if story.outcome in REFUSED_AT_ONCE and not self._is_test_end(wanted, user, story):
            status, message = REFUSED_AT_ONCE[story.outcome]
            raise Refused(status, WORDS[story.outcome], message)
        await self._accept(reference, wanted, user, story, callback_url)
        failure = Refused(500, "INTERNAL_PROCESSING_ERROR", "An internal error occurred while processing.")
        return await spoiled(story.answer, Response(status_code=202), failure.answer, self._exchange.agenda)

    def _story_of(self, wanted: PayRequest, user: User) -> Story:
        if wanted.party_type != "MSISDN":
            return Story(outcome="635")
        story = self._exchange.take_story(wanted.party_id, _test_numbers(user))
        return story if user.environment.numbers.fullmatch(wanted.party_id) else Story(outcome="635")

    def _is_test_end(self, wanted: PayRequest, user: User, story: Story) -> bool:
        known = _test_numbers(user).get(wanted.party_id)
        return known is not None and known.outcome == story.outcome

    async def _accept(
        self, reference: str, wanted: PayRequest, user: User, story: Story, callback_url: str | None
    ) -> None:
        environment = user.environment.name
        collection = Collection(
            dialect=DIALECT,
            reference=reference,
            phone=wanted.party_id,
            amount=wanted.amount,
            currency=wanted.currency,
            story=story,
            created_at=self._exchange.agenda.now(),
            operator_id=new_operator_id(),
            prompt="pin",
            extras={
                "echo": wanted.echo,
                "merchant_reference": wanted.echo["externalId"],
                "callback_url": callback_url,
                "environment": environment,
                "sandbox": environment == "sandbox",
            },
        )
        self._exchange.record(collection)
        self._ledgers[environment].collections.append(collection)
        if story.callback == "before_answer" and story.outcome != NEVER:
            self._exchange.overrule(collection, story.outcome, "lost")
            if (call := self._call(collection)) is not None:
                await self._exchange.callbacks.send_now(call)
        else:
            self._exchange.plan_end(collection)

    def _on_settled(self, collection: Collection, callback: str) -> None:
        """One PUT, never sent again whatever the answer is."""
        if collection.outcome == PAID:
            collection.extras["paid_at"] = self._exchange.agenda.now()
        call = self._call(collection)
        if call is not None and _SENDS[callback]:
            self._exchange.callbacks.send(call, times=_SENDS[callback])

    def _call(self, collection: Collection) -> Call | None:
        url = collection.extras["callback_url"]
        if url is None:
            return None
        now = self._exchange.agenda.now()
        body = msgspec.json.encode(body_of(collection, now))
        headers = {"content-type": "application/json"}
        said = status_of(collection, now)
        return Call(str(url), body, collection.reference, said, verb="PUT", headers=headers)

    def _find(self, request: Request, user: User) -> Collection:
        reference = reference_id_of(request.path_params["reference"], "the reference id in the path")
        collection = self._exchange.find(DIALECT, reference)
        if collection is None or collection.extras["environment"] != user.environment.name:
            raise Refused(404, "RESOURCE_NOT_FOUND", "Requested resource was not found.")
        return collection

    async def _status(self, request: Request) -> Response:
        account, user = self._caller(request)
        self._count_poll(account)
        return json_answer(body_of(self._find(request, user), self._exchange.agenda.now()))

    def _count_poll(self, account: MtnAccount) -> None:
        if account.polls_per_second is None:
            return
        polls, now = self._ledgers[account.environment].polls, self._exchange.agenda.now()
        while polls and polls[0] <= now - 1000:
            polls.popleft()
        if len(polls) >= account.polls_per_second:
            content = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 1 seconds."}
            raise Refused(429, answer=json_answer(content, 429))
        polls.append(now)

    async def _notify(self, request: Request) -> Response:
        _, user = self._caller(request)
        collection = self._find(request, user)
        body = await read_json_object(request) if await request.body() else {}
        if body is None:
            raise malformed("the body must be a JSON object with notificationMessage")
        notification_of(body, request.headers.get("notificationmessage"))
        if collection.outcome != PAID:
            raise Refused(409, "TRANSACTION_NOT_COMPLETED", "The transaction is not completed successfully.")
        if self._exchange.agenda.now() - int(str(collection.extras["paid_at"])) > NOTIFIABLE_S * 1000:
            raise Refused(410, "DELIVERY_NOTIFICATION_TOO_LATE", "The opportunity to send has passed.")
        if collection.extras.get("notified"):
            raise Refused(429, "TOO_MANY_REQUESTS", "The payer was notified of this payment already.")
        collection.extras["notified"] = True
        return Response(status_code=200)

    async def _is_active(self, request: Request) -> Response:
        _, user = self._caller(request)
        msisdn = request.path_params["msisdn"]
        if user.environment.name == "sandbox" and msisdn in ACCOUNT_HOLDERS:
            status, code = ACCOUNT_HOLDERS[msisdn]
            raise Refused(status, code, "Account holder of MTN's test numbers.")
        if not msisdn.isdigit():
            raise malformed("the account holder must be digits without +")
        unknown = story_of(msisdn, _test_numbers(user)).outcome == "635" or msisdn == INACTIVE_HOLDER
        return json_answer({"result": bool(user.environment.numbers.fullmatch(msisdn)) and not unknown})

    async def _balance(self, request: Request) -> Response:
        _, user = self._caller(request)
        environment = user.environment
        held = balance_of(self._ledgers[environment.name].collections, environment.decimals)
        return json_answer({"availableBalance": held, "currency": environment.currency})

    def _forget(self) -> None:
        for ledger in self._ledgers.values():
            ledger.collections.clear()
            ledger.polls.clear()


async def _read_body(request: Request, user: User) -> PayRequest:
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise malformed("Content-Type must be application/json")
    body = await read_json_object(request)
    if body is None:
        raise malformed("the body must be a JSON object")
    environment = user.environment
    currency = body.get("currency")
    if isinstance(currency, str) and currency and currency != environment.currency:
        raise Refused(500, "INVALID_CURRENCY", "Currency not supported.")
    return read_request(body, environment.decimals, empty_texts=environment.name == "sandbox")


def _test_numbers(user: User) -> Mapping[str, Story]:
    return TEST_NUMBERS if user.environment.name == "sandbox" else {}
