"""Cards by redirect to a hosted card page: open a session, send the payer there, ask what became of it.

The API is our own small specification (docs/operators.md, "Hosted card page"), to be adapted to an acquirer's contract: no operator's
document stands behind it. Card numbers never come here.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import msgspec
import structlog

from cauri.clock import SECOND, Clock
from cauri.domain.codes import Code
from cauri.domain.outcome import Outcome, Refused, Unknown, Waiting
from cauri.operators.base import BadCallback, Callback, Connector, Order, Route, Silence
from cauri.operators.card_page.words import (
    MAX_CALLBACK,
    ROUTES_OF_COUNTRY,
    SIGNATURE,
    Session,
    check_signature,
    outcome_of,
    read_check,
    read_found,
    read_start,
    session_of,
)
from cauri.operators.foreign import decoded, is_reference
from cauri.operators.http import Answer, Line, Lost, NotSent, Reply, Request

log = structlog.get_logger("cauri.operators")


class CardPage(Connector):
    """One country's contract with an acquirer. ``base_url`` is what comes before ``/v1``; ``key`` opens sessions and signs callbacks.

    Raises ValueError for a country without a card method, an unusable URL or key.
    """

    # Nobody was shown the page of a session that was not opened.
    silence = Silence(120, Code.OPERATOR_UNAVAILABLE)

    def __init__(
        self,
        country: str,
        base_url: str,
        key: str,
        *,
        clock: Clock | None = None,
        start_timeout_s: float = 20.0,
        check_timeout_s: float = 10.0,
    ) -> None:
        if country not in ROUTES_OF_COUNTRY:
            raise ValueError(f"card_page serves {', '.join(ROUTES_OF_COUNTRY)}, not {country}")
        self.name = f"card_page_{country.lower()}"
        if not key:
            raise ValueError(f"{self.name} needs a key")
        self._country = country
        self._key = key.encode()
        self._clock = clock or Clock()
        self.start_timeout_s = start_timeout_s
        self._check_timeout_s = check_timeout_s
        self._line = Line(self.name, base_url, {"Authorization": f"Bearer {key}"})

    @property
    def routes(self) -> Mapping[str, Route]:
        return ROUTES_OF_COUNTRY[self._country]

    async def start(self, order: Order) -> Outcome:
        """POST /v1/sessions."""
        reply = await self._open("start", order, self.start_timeout_s)
        match reply:
            case NotSent():
                return Refused(Code.OPERATOR_UNAVAILABLE, reply.why, unstarted=True)
            case Lost():
                return Unknown(f"the start got no answer: {reply.why}")
            case Answer():
                return self._told(read_start(reply, order), order)

    async def check(self, order: Order) -> Outcome:
        """GET /v1/sessions/{id}; by our reference where the start's answer was lost."""
        if order.handle is None:
            return await self._find(order)
        reply = await self._get("check", order, f"/{quote(order.handle, safe='')}")
        if not isinstance(reply, Answer):
            return Unknown(f"the check got no answer: {reply.why}")
        return read_check(reply, order)

    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        """Signed, always: ``X-Card-Signature: t=unix,v1=hex`` over ``t`` + ``.`` + body."""
        if len(body) > MAX_CALLBACK:
            raise BadCallback(f"larger than {MAX_CALLBACK} bytes")
        text = next((value for name, value in headers.items() if name.lower() == SIGNATURE), "")
        check_signature(text, body, self._key, self._clock.now() // SECOND)
        session = decoded(body, Session)
        if session is None or session.status is None or session.reference is None:
            raise BadCallback("not a session's callback")
        if not is_reference(session.reference):
            raise BadCallback("the reference is none of ours")
        return Callback(session.reference, outcome_of(session))

    async def cancel(self, order: Order) -> None:
        """POST /v1/sessions/{id}/expire: 409 where it is paid, which the next question finds out."""
        if order.handle is not None:
            path = f"/v1/sessions/{quote(order.handle, safe='')}/expire"
            await self._line.send(Request("cancel", order.reference, "POST", path, self._check_timeout_s))

    async def close(self) -> None:
        await self._line.close()

    async def _find(self, order: Order) -> Outcome:
        """A session that was opened though its answer was lost is fetched again with its Idempotency-Key: that opens no other."""
        reply = await self._get("find", order, f"?reference={quote(order.reference, safe='')}")
        if not isinstance(reply, Answer):
            return Unknown(f"the check got no answer: {reply.why}")
        outcome = read_found(reply, order)
        if not isinstance(outcome, Waiting):
            return outcome
        again = await self._open("reopen", order, self._check_timeout_s)
        return read_start(again, order) if isinstance(again, Answer) and again.status == 200 else outcome

    async def _open(self, name: str, order: Order, timeout_s: float) -> Reply:
        headers = {"Content-Type": "application/json", "Idempotency-Key": order.reference}
        body = msgspec.json.encode(session_of(order))
        return await self._line.send(
            Request(name, order.reference, "POST", "/v1/sessions", timeout_s, headers, body)
        )

    async def _get(self, name: str, order: Order, tail: str) -> Reply:
        path = f"/v1/sessions{tail}"
        return await self._line.send(Request(name, order.reference, "GET", path, self._check_timeout_s))

    def _told(self, outcome: Outcome, order: Order) -> Outcome:
        """What closes by itself, or ends as 603, is still told to whoever runs Cauri."""
        ours = isinstance(outcome, Refused) and outcome.code is Code.SERVICE_UNAVAILABLE
        if ours or isinstance(outcome, Unknown):
            word = outcome.word if isinstance(outcome, Refused) else getattr(outcome, "why", "")
            event = "operator_configuration_refused" if ours else "operator_start_unclear"
            log.error(event, alert=True, operator=self.name, reference=order.reference, word=word)
        return outcome
