"""Wave's checkout sessions: created, asked for, expired, paid on the launch page."""

import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import Dropped, json_answer, read_json_object, spoiled
from cauri.simulator.dialects.wave.accounts import Accounts, WaveAccount
from cauri.simulator.dialects.wave.launch_page import LaunchPages
from cauri.simulator.dialects.wave.rules import DECIMALS, Refused, SessionRequest, invalid, read_session
from cauri.simulator.dialects.wave.views import Session, session_view
from cauri.simulator.dialects.wave.webhooks import COMPLETED, PAYMENT_FAILED, Webhooks
from cauri.simulator.dialects.wave.words import CANCELLED, REFUSED_AT_ONCE, WORDS
from cauri.simulator.exchange import Collection, Exchange
from cauri.simulator.stories import NEVER, PAID, PAYS, Story

DIALECT = "wave"

SESSION_S = 1800
"""A session's life: most of Wave's examples show half an hour. `when_expires` is what counts."""

_EXPIRED = "600"
_SENDS = {"normal": 1, "before_answer": 1, "twice": 2, "lost": 0}
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

Door = Callable[[Request, WaveAccount], Awaitable[Response]]


@dataclass
class _Book:
    """What is remembered of all sessions. `by_idempotency_key`: (API key, header) → the body and its session."""

    sessions: dict[str, Session] = field(default_factory=dict)
    by_idempotency_key: dict[tuple[str, str], tuple[bytes, Session]] = field(default_factory=dict)


class Wave:
    """Wave with its business wallets. `plain_http` also takes success and error URLs without TLS, which Wave
    does not: for a gateway on this machine. `session_s` is how long a session stays open.

    Raises ValueError for a currency that Wave's wallets do not have, or an API key twice.
    """

    def __init__(
        self,
        exchange: Exchange,
        accounts: Iterable[WaveAccount],
        public_url: str,
        *,
        plain_http: bool = False,
        session_s: float = SESSION_S,
    ) -> None:
        known = tuple(accounts)
        for account in known:
            if account.currency not in DECIMALS:
                raise ValueError(f"currency must be one of {', '.join(DECIMALS)}, not {account.currency!r}")
        self._exchange = exchange
        self._accounts = Accounts(known)
        self._launch_root = public_url.rstrip("/") + "/wave/c/"
        self._plain_http = plain_http
        self._session_s = session_s
        self._webhooks = Webhooks(exchange.callbacks, exchange.agenda)
        self._book = _Book()
        self._pages = LaunchPages(exchange.agenda, self._book.sessions, self)
        exchange.connect(DIALECT, self._on_settled, self._forget)

    def routes(self) -> list[Route]:
        sessions = "/wave/v1/checkout/sessions"
        return [
            self._route("POST", sessions, self._create, "start"),
            self._route("GET", sessions, self._by_transaction, "check"),
            self._route("GET", sessions + "/search", self._search, "check"),
            self._route("GET", sessions + "/{session_id}", self._get, "check"),
            self._route("POST", sessions + "/{session_id}/expire", self._expire, "toolkit"),
            *self._pages.routes(),
        ]

    def _route(self, method: str, path: str, door: Door, what_for: str) -> Route:
        async def guarded(request: Request) -> Response:
            self._exchange.agenda.run_due()
            try:
                account = await self._accounts.caller(request, self._exchange.agenda.now())
                return await door(request, account)
            except Refused as refused:
                return refused.answer

        return Route(path, guarded, methods=[method], name=what_for)

    async def _create(self, request: Request, account: WaveAccount) -> Response:
        body = await read_json_object(request)
        if body is None:
            raise invalid("body", "must be a JSON object", status=400)
        wanted = read_session(body, account.currency, plain_http=self._plain_http)
        key, raw = (account.api_key, request.headers.get("idempotency-key", "")), await request.body()
        if key[1] and key in self._book.by_idempotency_key:
            return _replayed(raw, *self._book.by_idempotency_key[key])
        story = self._exchange.take_story((wanted.payer_mobile or "").removeprefix("+"), {})
        if story.answer == "drop_before":
            return Dropped()
        if story.outcome in REFUSED_AT_ONCE:
            status, message = REFUSED_AT_ONCE[story.outcome]
            raise Refused(status, WORDS[story.outcome], message)
        session = self._open(account, wanted, story)
        if key[1]:
            self._book.by_idempotency_key[key] = (raw, session)
        failure = Refused(500, "internal-server-error", "Something went wrong on our side.").answer
        return await spoiled(story.answer, json_answer(session_view(session)), failure, self._exchange.agenda)

    def _open(self, account: WaveAccount, wanted: SessionRequest, story: Story) -> Session:
        now = self._exchange.agenda.now()
        session_id = "cos-" + secrets.token_hex(8)
        collection = Collection(
            dialect=DIALECT,
            reference=session_id,
            phone=(wanted.payer_mobile or "").removeprefix("+"),
            amount=wanted.amount,
            currency=wanted.currency,
            story=story,
            created_at=now,
            operator_id="T_" + "".join(secrets.choice(_LETTERS) for _ in range(10)),
            prompt="page",
            extras={"page": self._launch_root + session_id, "merchant_reference": wanted.client_reference},
        )
        expires_at = now + round(self._session_s * 1000)
        session = Session(collection, account, wanted, self._launch_root + session_id, expires_at)
        self._exchange.record(collection)
        self._book.sessions[session_id] = session
        self._exchange.agenda.after(self._session_s, lambda: self._close(session, _EXPIRED))
        return session

    async def _get(self, request: Request, account: WaveAccount) -> Response:
        return json_answer(session_view(self._session_of(request, account)))

    async def _by_transaction(self, request: Request, account: WaveAccount) -> Response:
        wanted = _query(request, "transaction_id")
        for session in self._sessions_of(account):
            if session.paid and session.collection.operator_id == wanted:
                return json_answer(session_view(session))
        raise _not_found()

    async def _search(self, request: Request, account: WaveAccount) -> Response:
        wanted = _query(request, "client_reference")
        found = [s for s in self._sessions_of(account) if s.wanted.client_reference == wanted]
        return json_answer({"result": [session_view(session) for session in found]})

    async def _expire(self, request: Request, account: WaveAccount) -> Response:
        session = self._session_of(request, account)
        if not session.open:
            raise Refused(409, "checkout-session-not-open", "The session is complete or expired already.")
        self._close(session, _EXPIRED)
        return Response(status_code=200)

    def _sessions_of(self, account: WaveAccount) -> list[Session]:
        return [session for session in self._book.sessions.values() if session.account is account]

    def _session_of(self, request: Request, account: WaveAccount) -> Session:
        session = self._book.sessions.get(request.path_params["session_id"])
        if session is None or session.account is not account:
            raise _not_found()
        return session

    def _close(self, session: Session, outcome: str) -> None:
        """Over without a payment. No event of Wave's tells of it."""
        if session.open:
            session.paying = False
            self._exchange.overrule(session.collection, outcome, "lost")

    async def pay(self, session: Session, phone: str) -> None:
        """The payer presses Pay on the launch page.

        The story that the session was created with holds for the first press; later presses, and payers
        that nothing was known of, get the story of their number.
        """
        collection = session.collection
        if session.presses or (collection.story is PAYS and not collection.phone):
            collection.story = self._exchange.take_story(phone, {})
        collection.phone, collection.prompt = phone, None
        session.paying = True
        session.presses += 1
        story, press = collection.story, session.presses
        delay_s = self._exchange.operator_delay_s if story.delay_s is None else story.delay_s
        if story.callback == "before_answer" and story.outcome != NEVER:
            self._decide(session, press, "lost")
            if session.paid or session.open:
                await self._webhooks.send_now(session, COMPLETED if session.paid else PAYMENT_FAILED)
        elif story.outcome != NEVER and delay_s <= 0:
            self._decide(session, press, story.callback)
        elif story.outcome != NEVER:
            self._exchange.agenda.after(delay_s, lambda: self._decide(session, press, story.callback))

    def _decide(self, session: Session, press: int, callback: str) -> None:
        """The try that began with this press ends, unless something else has ended it."""
        outcome = session.collection.story.outcome
        if not session.paying or press != session.presses:
            return
        if outcome == PAID:
            self._exchange.overrule(session.collection, PAID, callback)
        elif outcome == CANCELLED:
            self._close(session, CANCELLED)
        else:
            self.fail(session, WORDS[outcome], callback)

    def fail(self, session: Session, code: str, callback: str = "normal") -> None:
        """An attempt fails with this `last_payment_error`; the session stays open and payable."""
        session.last_error = code
        session.paying = False
        session.collection.outcome = None
        session.collection.prompt = "page"
        if _SENDS[callback]:
            self._webhooks.send(session, PAYMENT_FAILED, _SENDS[callback])

    def _on_settled(self, collection: Collection, callback: str) -> None:
        """Decided: paid, over, or overruled from outside. A refusal while a payment is under way ends that try only."""
        session = self._book.sessions[collection.reference]
        if session.paying and not session.paid:
            self.fail(session, WORDS[str(collection.outcome)], callback)
            return
        session.paying = False
        session.completed_at = self._exchange.agenda.now()
        if _SENDS[callback]:
            event = COMPLETED if session.paid else PAYMENT_FAILED
            session.last_error = None if session.paid else WORDS[str(collection.outcome)]
            self._webhooks.send(session, event, _SENDS[callback])

    def _forget(self) -> None:
        self._book.sessions.clear()
        self._book.by_idempotency_key.clear()


def _replayed(raw: bytes, before: bytes, session: Session) -> Response:
    if raw != before:
        message = "The Idempotency-Key was used before with another body."
        raise Refused(409, "idempotency-mismatch", message)
    return json_answer(session_view(session))


def _query(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise invalid(name, "field required")
    return value


def _not_found() -> Refused:
    return Refused(404, "checkout-session-not-found", "Checkout session not found.")
