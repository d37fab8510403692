"""The calls of Wave Checkout. One instance is one country's wallet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

import msgspec

from cauri.clock import SECOND, Clock
from cauri.domain.codes import Code
from cauri.domain.outcome import Outcome, Refused, Unknown, Waiting
from cauri.operators.alerts import configuration_refused
from cauri.operators.base import Callback, Connector, Flow, Order, Route, Silence
from cauri.operators.http import Answer, Line, Lost, NotSent, Reply, Request
from cauri.operators.wave import webhooks
from cauri.operators.wave.sessions import read_search, read_session, read_start, session_id

HOST = "https://api.wave.com"
SESSIONS = "/v1/checkout/sessions"

# Wave is also in Mali and Burkina Faso, but the wire has no method for it there.
METHODS_BY_COUNTRY: Mapping[str, str] = MappingProxyType({"CI": "WAVECI", "SN": "WAVESN"})


class Wave(Connector):
    """Checkout sessions of one country: its own key, its own name (``wave_sn``), its one method.

    ``webhook_secrets``: those valid now, two during a rotation; without one, webhooks are refused. ``signing_secret``: signs our
    requests, where the key was made so. ``restrict_payer``: only the number given on our page may pay. Raises ValueError for a
    country whose Wave the wire has no method for, a missing key and an unusable URL.
    """

    # A start whose answer was lost showed nobody a page: unless Wave finds its session by our reference, no money can move.
    silence = Silence(60, Code.OPERATOR_UNAVAILABLE)
    asks_per_s = 10.0  # no limit is published

    def __init__(
        self,
        country: str,
        api_key: str,
        *,
        clock: Clock,
        base_url: str = HOST,
        webhook_secrets: tuple[str, ...] = (),
        signing_secret: str = "",
        restrict_payer: bool = False,
        start_timeout_s: float = 20.0,
        check_timeout_s: float = 10.0,
    ) -> None:
        self.name = f"wave_{country.lower()}"
        if country not in METHODS_BY_COUNTRY:
            raise ValueError(
                f"{self.name}: the wire has no Wave method there; it has one in {', '.join(METHODS_BY_COUNTRY)}"
            )
        if not api_key or not all(webhook_secrets):
            raise ValueError(f"{self.name}: api_key and each of webhook_secrets must not be empty")
        self._routes = {METHODS_BY_COUNTRY[country]: Route("WAVE", Flow.PAGE, payer_has_s=30 * 60)}
        self._clock = clock
        self._webhook_secrets, self._signing_secret = webhook_secrets, signing_secret
        self._restrict_payer = restrict_payer
        self.start_timeout_s, self._check_timeout_s = start_timeout_s, check_timeout_s
        self._line = Line(self.name, base_url, {"Authorization": f"Bearer {api_key}"})

    @property
    def routes(self) -> Mapping[str, Route]:
        return self._routes

    async def start(self, order: Order) -> Outcome:
        """POST /v1/checkout/sessions, with our reference as Idempotency-Key and client_reference."""
        reply = await self._send(
            "start",
            order,
            "POST",
            SESSIONS,
            self.start_timeout_s,
            msgspec.json.encode(session_of(order, restrict_payer=self._restrict_payer)),
            {"Idempotency-Key": order.reference},
        )
        match reply:
            case NotSent(why):
                return Refused(Code.OPERATOR_UNAVAILABLE, why, unstarted=True)
            case Lost(why):
                return Unknown(f"the start got no answer: {why}")
            case Answer() as answer:
                return self._told(read_start(answer, order.reference), order)

    async def check(self, order: Order) -> Outcome:
        """GET …/sessions/{id}; by our reference where the start's answer was lost."""
        known = session_id(order.handle)
        path = (
            f"{SESSIONS}/{known}" if known else f"{SESSIONS}/search?client_reference={quote(order.reference)}"
        )
        reply = await self._send("check", order, "GET", path, self._check_timeout_s)
        match reply:
            case Answer() as answer:
                return (read_session if known else read_search)(answer, order.reference)
            case NotSent(why) | Lost(why):
                return Unknown(f"the check got no answer: {why}")

    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        """A webhook in either security mode. Raises BadCallback for one that no secret of ours vouches for."""
        webhooks.checked(headers, body, self._webhook_secrets, self._clock.now())
        return webhooks.read(body)

    async def cancel(self, order: Order) -> None:
        """POST …/sessions/{id}/expire: nobody can pay it any more. 409 (over already) and 404 need nothing more."""
        known = session_id(order.handle)
        if known is None:
            found = await self.check(order)
            known = session_id(found.handle) if isinstance(found, Waiting) else None
        if known is not None:
            await self._send(
                "cancel", order, "POST", f"{SESSIONS}/{known}/expire", self._check_timeout_s, b""
            )

    async def close(self) -> None:
        await self._line.close()

    async def _send(
        self,
        name: str,
        order: Order,
        verb: str,
        path: str,
        timeout_s: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        sent = dict(headers or {})
        if body:
            sent["Content-Type"] = "application/json"
        if self._signing_secret:
            timestamp = str(self._clock.now() // SECOND)
            sent["Wave-Signature"] = (
                f"t={timestamp},v1={webhooks.signature(self._signing_secret, timestamp, body or b'')}"
            )
        return await self._line.send(Request(name, order.reference, verb, path, timeout_s, sent, body))

    def _told(self, outcome: Outcome, order: Order) -> Outcome:
        if isinstance(outcome, Refused) and outcome.code is Code.SERVICE_UNAVAILABLE:
            configuration_refused(self.name, order.reference, outcome.word)
        return outcome


def session_of(order: Order, *, restrict_payer: bool = False) -> dict[str, object]:
    """The body of a new session: the amount is a text without decimals; both URLs lead back to our page, which asks."""
    body: dict[str, object] = {
        "amount": str(order.amount),
        "currency": order.currency,
        "client_reference": order.reference,
        "success_url": order.page_url,
        "error_url": order.page_url,
    }
    return {**body, "restrict_payer_mobile": f"+{order.phone.digits}"} if restrict_payer else body
