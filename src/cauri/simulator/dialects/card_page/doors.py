"""The card page's sessions: open, ask, list, expire; signed callbacks at their end."""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import Dropped, json_answer, read_json_object, spoiled
from cauri.simulator.callbacks import Call
from cauri.simulator.dialects.card_page.cards import AT_ONCE, WORDS
from cauri.simulator.dialects.card_page.pages import CardPages
from cauri.simulator.dialects.card_page.rules import Refused, SessionRequest, read_session
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.stories import PAID, PAYS, Story

DIALECT = "card-page"
LIFE_S = 1800
GAPS_S = (10, 60, 300)
"""Seconds between one try of a callback and the next, until it is answered 2xx."""

_SENDS = {"normal": 1, "before_answer": 1, "twice": 2, "lost": 0}

Door = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class _Opened:
    asked: SessionRequest
    collection: Collection


class CardPage:
    """One merchant's access. `key`: the bearer key; `callback_key` signs callbacks, the same key where none is given."""

    def __init__(
        self, exchange: Exchange, key: str, public_url: str, callback_key: str | None = None
    ) -> None:
        self._exchange = exchange
        self._key = key
        self._callback_key = (callback_key or key).encode()
        self._by_key: dict[str, _Opened] = {}
        self._by_id: dict[str, Collection] = {}
        self._serial = 0
        self._pages = CardPages(exchange, public_url)
        exchange.connect(DIALECT, self._on_settled, self._forget)

    def routes(self) -> list[Route]:
        one = "/card-page/v1/sessions/{session_id}"
        return [
            Route("/card-page/v1/sessions", self._guarded(self._start), methods=["POST"], name="start"),
            Route("/card-page/v1/sessions", self._guarded(self._search), methods=["GET"], name="check"),
            Route(one, self._guarded(self._check), methods=["GET"], name="check"),
            Route(one + "/expire", self._guarded(self._expire), methods=["POST"], name="toolkit"),
            *self._pages.routes(),
        ]

    def _guarded(self, door: Door) -> Door:
        async def guarded(request: Request) -> Response:
            self._exchange.agenda.run_due()
            kind, _, key = request.headers.get("authorization", "").partition(" ")
            try:
                if kind.lower() != "bearer" or not hmac.compare_digest(key.encode(), self._key.encode()):
                    raise Refused(401, "unauthorised", "Authorization: a bearer token with your key.")
                return await door(request)
            except Refused as refused:
                return json_answer(refused.content, refused.status)

        return guarded

    async def _start(self, request: Request) -> Response:
        idempotency_key = request.headers.get("idempotency-key", "")
        if not idempotency_key:
            raise Refused(400, "missing_idempotency_key", "Idempotency-Key: the session's reference.")
        body = await read_json_object(request)
        if body is None:
            raise Refused(400, "invalid_json", "The body must be one JSON object.")
        asked = read_session(body)
        if asked.reference != idempotency_key:
            raise Refused(422, "invalid_request", "Idempotency-Key: must be the session's reference.")
        known = self._by_key.get(idempotency_key)
        if known is not None and known.asked != asked:
            raise Refused(409, "idempotency_mismatch", "This Idempotency-Key was used for another session.")
        if known is not None:
            return json_answer(_opened_json(known.collection))
        return await self._open(asked)

    async def _open(self, asked: SessionRequest) -> Response:
        story = self._exchange.scripts.take(asked.phone)
        answer = "normal" if story is None else story.answer
        if answer == "drop_before":
            return Dropped()
        if story is not None and story.outcome in AT_ONCE:
            raise Refused(*AT_ONCE[story.outcome])
        collection = self._record(asked, story)
        failure = Refused(500, "internal_error", "An unknown error; ask for the session by its reference.")
        return await spoiled(
            answer,
            json_answer(_opened_json(collection), 201),
            json_answer(failure.content, 500),
            self._exchange.agenda,
        )

    def _record(self, asked: SessionRequest, story: Story | None) -> Collection:
        self._serial += 1
        now = self._exchange.agenda.now()
        collection = Collection(
            dialect=DIALECT,
            reference=asked.reference,
            phone=asked.phone,
            amount=asked.amount,
            currency=asked.currency,
            story=story or PAYS,
            created_at=now,
            operator_id=f"cs_{secrets.token_hex(12)}",
            prompt="page",
            extras={
                "description": asked.description,
                "return_url": asked.return_url,
                "callback_url": asked.callback_url,
                "expires_at": now + LIFE_S * 1000,
                "authorisation": f"{self._serial:06d}",
                "told_beforehand": story is not None,
            },
        )
        self._exchange.record(collection)
        self._by_key[asked.reference] = _Opened(asked, collection)
        self._by_id[collection.operator_id] = collection
        self._pages.open(collection)
        self._exchange.agenda.after(LIFE_S, lambda: self._end_unpaid(collection))
        return collection

    async def _check(self, request: Request) -> Response:
        return json_answer(_session_json(self._session(request)))

    async def _search(self, request: Request) -> Response:
        reference = request.query_params.get("reference")
        if not reference:
            raise Refused(400, "missing_reference", "reference: the session's reference, in the query.")
        known = self._by_key.get(reference)
        return json_answer({"sessions": [_session_json(known.collection)] if known else []})

    async def _expire(self, request: Request) -> Response:
        """No later payment is possible; a session that has ended unpaid stays as it ended."""
        collection = self._session(request)
        if collection.outcome == PAID:
            raise Refused(409, "already_paid", "The session is paid and cannot be expired.")
        self._end_unpaid(collection)
        return json_answer(_session_json(collection))

    def _session(self, request: Request) -> Collection:
        collection = self._by_id.get(request.path_params["session_id"])
        if collection is None:
            raise Refused(404, "not_found", "There is no session with this id.")
        return collection

    def _end_unpaid(self, collection: Collection) -> None:
        if collection.outcome is None:
            collection.extras["expired"] = True
            self._exchange.end(collection, "600")

    def _on_settled(self, collection: Collection, callback: str) -> None:
        if collection.outcome == PAID:
            collection.extras["paid_at"] = self._exchange.agenda.now()
        status = _status(collection)
        body = {"id": collection.operator_id, "reference": collection.reference, "status": status}
        call = Call(
            str(collection.extras["callback_url"]),
            msgspec.json.encode(body),
            collection.reference,
            said=status,
            sign=self._signature,
        )
        if _SENDS[callback]:
            self._exchange.callbacks.send(call, GAPS_S, _SENDS[callback])

    def _signature(self, call: Call) -> Mapping[str, str]:
        at_s = self._exchange.agenda.now() // 1000
        proof = hmac.new(self._callback_key, f"{at_s}.".encode() + call.body, hashlib.sha256).hexdigest()
        return {"X-Card-Signature": f"t={at_s},v1={proof}"}

    def _forget(self) -> None:
        self._by_key.clear()
        self._by_id.clear()
        self._pages.forget()


def _status(collection: Collection) -> str:
    if collection.outcome == PAID:
        return "paid"
    if collection.outcome is not None:
        return "expired" if collection.extras.get("expired") else "failed"
    return "processing" if collection.extras.get("submitted") else "open"


def _failure(collection: Collection) -> str | None:
    if _status(collection) != "failed":
        return None
    own = collection.extras.get("failure") if collection.outcome == collection.story.outcome else None
    return str(own or WORDS[str(collection.outcome)])


def _opened_json(collection: Collection) -> dict[str, object]:
    return {
        "id": collection.operator_id,
        "reference": collection.reference,
        "status": _status(collection),
        "page_url": collection.extras["page"],
        "expires_at": _moment(collection.extras["expires_at"]),
    }


def _session_json(collection: Collection) -> dict[str, object]:
    paid = collection.outcome == PAID
    return {
        "id": collection.operator_id,
        "reference": collection.reference,
        "amount": collection.reported_amount,
        "currency": collection.reported_currency,
        "status": _status(collection),
        "failure": _failure(collection),
        "authorisation": collection.extras["authorisation"] if paid else None,
        "paid_at": _moment(collection.extras["paid_at"]) if paid else None,
    }


def _moment(at: object) -> str:
    return datetime.fromtimestamp(int(str(at)) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
