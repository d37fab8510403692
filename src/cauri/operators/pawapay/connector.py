"""pawaPay Merchant API v2: deposits, their callbacks, and the toolkit (reference: operators, section 6).

One connector for many operators: push, one-time code (Orange Burkina) and redirect (Wave). Nothing here was tried on a live system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from cauri.clock import SECOND, Clock
from cauri.domain.codes import Code
from cauri.domain.outcome import Outcome, Refused, Unknown
from cauri.domain.phone import Phone
from cauri.operators.alerts import configuration_refused
from cauri.operators.base import Availability, BadCallback, Callback, Connector, Order, Silence
from cauri.operators.http import Answer, Line, Lost, NotSent, Reply, Request
from cauri.operators.pawapay.signatures import Signatures, SignedCallbacks
from cauri.operators.pawapay.toolkit import read_active_conf, read_prediction
from cauri.operators.pawapay.words import (
    CONFIGURATION_WORDS,
    MAX_CALLBACK,
    OUT_OF_BOUNDS,
    ROUTES,
    deposit_of,
    read_callback,
    read_check,
    read_start,
)


class PawaPay(Connector):
    """Deposits through pawaPay. ``base_url`` such as ``https://api.pawapay.io``.

    ``callback_url``: the address entered in pawaPay's dashboard, which signatures cover. ``signed_callbacks``: whether unsigned ones are
    read too; a forged one never is. ``public_keys``: PEM texts; without any they are fetched from pawaPay.
    Raises ValueError for an unusable URL, token or key.
    """

    name = "pawapay"
    routes = ROUTES
    # "NOT_FOUND at least 15 min after an unanswered initiation" (section 6, rule for giving up).
    silence = Silence(15 * 60, Code.OPERATOR_UNAVAILABLE)

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        callback_url: str = "",
        signed_callbacks: SignedCallbacks = "if_present",
        public_keys: Sequence[str] = (),
        clock: Clock | None = None,
        start_timeout_s: float = 20.0,
        check_timeout_s: float = 10.0,
    ) -> None:
        if not token:
            raise ValueError("pawapay needs an API token")
        self.start_timeout_s = start_timeout_s
        self._check_timeout_s = check_timeout_s
        self._clock = clock or Clock()
        self._signatures = Signatures(callback_url, signed_callbacks, public_keys)
        self._known: Mapping[str, Availability] = {}
        self._line = Line(self.name, base_url, {"Authorization": f"Bearer {token}"})

    async def start(self, order: Order) -> Outcome:
        """POST /v2/deposits."""
        reply = await self._line.send(
            Request(
                name="start",
                reference=order.reference,
                verb="POST",
                path="/v2/deposits",
                timeout_s=self.start_timeout_s,
                headers={"Content-Type": "application/json"},
                body=msgspec.json.encode(deposit_of(order)),
            )
        )
        match reply:
            case NotSent():
                return Refused(Code.OPERATOR_UNAVAILABLE, reply.why, unstarted=True)
            case Lost():
                return Unknown(f"the start got no answer: {reply.why}")
            case Answer():
                return _told(self._bounded(read_start(reply, order), order), order)

    async def check(self, order: Order) -> Outcome:
        """GET /v2/deposits/{depositId}."""
        reply = await self._line.send(
            Request(
                name="check",
                reference=order.reference,
                verb="GET",
                path=f"/v2/deposits/{order.reference}",
                timeout_s=self._check_timeout_s,
            )
        )
        match reply:
            case Answer():
                return _told(self._bounded(read_check(reply, order), order), order)
            case _:
                return Unknown(f"the check got no answer: {reply.why}")

    async def before_callback(self, headers: Mapping[str, str]) -> None:
        """GET /v2/public-key/http where a callback names a key that is not here yet."""
        if self._signatures.wants_keys(headers, self._clock.now()):
            reply = await self._ask("GET", "/v2/public-key/http", "public keys")
            if isinstance(reply, Answer):
                self._signatures.learn(reply)

    def read_callback(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Callback:
        """A deposit's callback, final or with the page to go to; signed as the settings want it."""
        if len(body) > MAX_CALLBACK:
            raise BadCallback(f"larger than {MAX_CALLBACK} bytes")
        self._signatures.check(headers, body, path, self._clock.now() // SECOND)
        return read_callback(body)

    async def availability(self) -> Mapping[str, Availability] | None:
        """GET /v2/active-conf: which providers this account has, their bounds, and whether they are open now."""
        reply = await self._ask("GET", "/v2/active-conf?operationType=DEPOSIT", "active-conf")
        found = read_active_conf(reply) if isinstance(reply, Answer) else None
        self._known = found or self._known
        return found

    async def predict(self, phone: Phone) -> str | None:
        """POST /v2/predict-provider."""
        body = msgspec.json.encode({"phoneNumber": phone.digits})
        reply = await self._ask("POST", "/v2/predict-provider", "predict-provider", body)
        return read_prediction(reply) if isinstance(reply, Answer) else None

    async def close(self) -> None:
        await self._line.close()

    async def _ask(self, verb: str, path: str, name: str, body: bytes | None = None) -> Reply:
        """A question that is about no deposit."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        return await self._line.send(Request(name, "", verb, path, self._check_timeout_s, headers, body))

    def _bounded(self, outcome: Outcome, order: Order) -> Outcome:
        """pawaPay says that the amount is out of bounds, its active-conf which bound that is."""
        known = self._known.get(order.method.code)
        if not isinstance(outcome, Refused) or outcome.word != OUT_OF_BOUNDS or known is None:
            return outcome
        low = known.low is not None and order.amount < known.low
        return replace(outcome, code=Code.AMOUNT_TOO_LOW) if low else outcome


def _told(outcome: Outcome, order: Order) -> Outcome:
    """A configuration error ends the attempt with 603, which nobody would look at: so a person is alerted."""
    if (
        isinstance(outcome, Refused)
        and outcome.code is Code.SERVICE_UNAVAILABLE
        and outcome.word in CONFIGURATION_WORDS
    ):
        configuration_refused(PawaPay.name, order.reference, outcome.word)
    return outcome
