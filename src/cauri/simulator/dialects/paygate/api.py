"""PayGate's API: pay, ask by its reference or by ours, balance; one callback, on success only."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import Dropped, json_answer, read_json_object, spoiled
from cauri.simulator.callbacks import Call
from cauri.simulator.dialects.paygate.page import PayPage
from cauri.simulator.dialects.paygate.rules import (
    NETWORKS,
    PayGateAccount,
    PayRequest,
    Refused,
    account_of,
    read_payment,
    require_account,
)
from cauri.simulator.dialects.paygate.words import (
    BAD_PARAMETERS,
    DUPLICATE,
    IN_PROGRESS,
    PAID_STATUS,
    REFUSED_AT_ONCE,
    REGISTERED,
    WORDS,
)
from cauri.simulator.exchange import Collection, Exchange, new_operator_id
from cauri.simulator.stories import NEVER, PAID, Story

DIALECT = "paygate"

_SENDS = {"normal": 1, "before_answer": 1, "twice": 2, "lost": 0}

Door = Callable[[Request], Awaitable[Response]]


class PayGate:
    """PayGate with its merchants. Identifiers are unique over all of them.

    Raises ValueError for a token that is used twice.
    """

    def __init__(self, exchange: Exchange, accounts: Iterable[PayGateAccount]) -> None:
        self._exchange = exchange
        self._accounts = tuple(accounts)
        if len({account.auth_token for account in self._accounts}) != len(self._accounts):
            raise ValueError("each account needs a token of its own")
        self._by_reference: dict[str, Collection] = {}
        self._page = PayPage(exchange, self._accounts, self)
        exchange.connect(DIALECT, self._on_settled, self._by_reference.clear)

    def routes(self) -> list[Route]:
        return [
            self._route("/paygate/api/v1/pay", self._pay, "start"),
            self._route("/paygate/api/v1/status", self._status_by_reference, "check"),
            self._route("/paygate/api/v2/status", self._status_by_identifier, "check"),
            self._route("/paygate/api/v1/check-balance", self._balance, "toolkit"),
            *self._page.routes(),
        ]

    def _route(self, path: str, door: Door, what_for: str) -> Route:
        async def guarded(request: Request) -> Response:
            self._exchange.agenda.run_due()
            return await door(request)

        return Route(path, guarded, methods=["POST"], name=what_for)

    async def _pay(self, request: Request) -> Response:
        try:
            body = await read_json_object(request)
            if body is None:
                raise Refused(BAD_PARAMETERS)
            account = require_account(self._accounts, body.get("auth_token"))
            wanted = read_payment(body)
            if self.knows(wanted.identifier):
                raise Refused(DUPLICATE)
            story = self._exchange.take_story(wanted.phone, {})
            if story.answer == "drop_before":
                return Dropped()
            if story.outcome in REFUSED_AT_ONCE:
                raise Refused(REFUSED_AT_ONCE[story.outcome])
        except Refused as refused:
            return json_answer({"tx_reference": None, "status": refused.status})
        collection = self.register(account, wanted, story)
        await self._begin(collection)
        answer = json_answer({"tx_reference": collection.operator_id, "status": REGISTERED})
        return await spoiled(story.answer, answer, _failure(500, "Erreur interne."), self._exchange.agenda)

    def knows(self, identifier: str) -> bool:
        return self._exchange.find(DIALECT, identifier) is not None

    def register(self, account: PayGateAccount, wanted: PayRequest, story: Story) -> Collection:
        collection = Collection(
            dialect=DIALECT,
            reference=wanted.identifier,
            phone=wanted.phone,
            amount=str(wanted.amount),
            currency="XOF",
            story=story,
            created_at=self._exchange.agenda.now(),
            operator_id=new_operator_id(),
            prompt="pin",
            extras={
                "payment_reference": new_operator_id(),
                "network": wanted.network,
                "phone_given": wanted.phone_given,
                "account": account,
            },
        )
        self._exchange.record(collection)
        self._by_reference[collection.operator_id] = collection
        return collection

    async def _begin(self, collection: Collection) -> None:
        outcome = collection.story.outcome
        if collection.story.callback != "before_answer" or outcome == NEVER:
            self._exchange.plan_end(collection)
            return
        self._exchange.overrule(collection, outcome, "lost")
        call = self._call(collection)
        if collection.outcome == PAID and call is not None:
            await self._exchange.callbacks.send_now(call)

    def _on_settled(self, collection: Collection, callback: str) -> None:
        """Only success is told, once; whoever missed it has to ask."""
        collection.extras["decided_at"] = self._exchange.agenda.now()
        call = self._call(collection)
        if collection.outcome == PAID and call is not None and _SENDS[callback]:
            self._exchange.callbacks.send(call, times=_SENDS[callback])

    def _call(self, collection: Collection) -> Call | None:
        url = _account(collection).callback_url
        if url is None:
            return None
        body = _facts(collection) | {"phone_number": collection.extras["phone_given"]}
        headers = {"content-type": "application/json"}
        return Call(url, msgspec.json.encode(body), collection.reference, "paid", headers=headers)

    async def _status_by_reference(self, request: Request) -> Response:
        return await self._status(request, "tx_reference", self._by_reference.get)

    async def _status_by_identifier(self, request: Request) -> Response:
        return await self._status(request, "identifier", lambda text: self._exchange.find(DIALECT, text))

    async def _status(
        self, request: Request, name: str, find: Callable[[str], Collection | None]
    ) -> Response:
        body = await read_json_object(request)
        if body is None or set(body) - {"auth_token", name}:
            return _failure(400, "Paramètres invalides.")
        account = account_of(self._accounts, body.get("auth_token"))
        if account is None:
            return _failure(401, "Jeton d’authentification invalide.")
        wanted = body.get(name)
        if isinstance(wanted, bool) or not isinstance(wanted, str | int) or wanted == "":
            return _failure(400, "Paramètres invalides.")
        collection = find(str(wanted))
        if collection is None or _account(collection) is not account:
            return _failure(403, "Transaction non trouvée.")
        return json_answer(_facts(collection) | {"status": _status_of(collection)})

    async def _balance(self, request: Request) -> Response:
        body = await read_json_object(request)
        account = account_of(self._accounts, (body or {}).get("auth_token"))
        if account is None:
            return _failure(401, "Jeton d’authentification invalide.")
        if request.client is None or request.client.host not in account.allowed_ips:
            return _failure(403, "Adresse IP non autorisée.")
        return json_answer({network.lower(): self._held(account, network) for network in NETWORKS})

    def _held(self, account: PayGateAccount, network: str) -> int:
        paid = (c for c in self._by_reference.values() if c.outcome == PAID and _account(c) is account)
        return int(sum(Decimal(c.reported_amount) for c in paid if c.extras["network"] == network))


def _account(collection: Collection) -> PayGateAccount:
    account = collection.extras["account"]
    if not isinstance(account, PayGateAccount):
        raise TypeError("a payment of PayGate is recorded with its merchant")
    return account


def _status_of(collection: Collection) -> int | str:
    if collection.outcome is None:
        return IN_PROGRESS
    return PAID_STATUS if collection.outcome == PAID else WORDS[collection.outcome]


def _facts(collection: Collection) -> dict[str, Any]:
    """`payment_reference` is the network's own, there once the payment is made; times are Togo's, which are UTC."""
    moment = int(str(collection.extras.get("decided_at", collection.created_at)))
    return {
        "tx_reference": collection.operator_id,
        "identifier": collection.reference,
        "payment_reference": collection.extras["payment_reference"] if collection.outcome == PAID else None,
        "payment_method": collection.extras["network"],
        "amount": int(Decimal(collection.reported_amount)),
        "datetime": datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
    }


def _failure(status: int, message: str) -> Response:
    return json_answer({"error_code": status, "error_message": message}, status)
