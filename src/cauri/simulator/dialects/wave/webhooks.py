"""Wave's webhooks: the event to every registered URL, for about three days until it is answered 2xx."""

import secrets

import msgspec

from cauri.simulator.agenda import Agenda
from cauri.simulator.callbacks import Call, Callbacks
from cauri.simulator.dialects.wave.accounts import WaveWebhook, signature_header
from cauri.simulator.dialects.wave.views import Session, session_view

GAPS_S = (60, 300, 1800, 7200, 21600, 43200, 86400, 86400)
"""Seconds between one try and the next: Wave publishes "about three days", not the steps."""

COMPLETED = "checkout.session.completed"
PAYMENT_FAILED = "checkout.session.payment_failed"


class Webhooks:
    def __init__(self, callbacks: Callbacks, agenda: Agenda) -> None:
        self._callbacks = callbacks
        self._agenda = agenda

    def send(self, session: Session, event: str, times: int = 1) -> None:
        """Delivers in the background. A duplicate and a retry carry the event's own id again."""
        for call in self._calls(session, event):
            self._callbacks.send(call, GAPS_S, times)

    async def send_now(self, session: Session, event: str) -> None:
        """The first try at each URL is over when this returns."""
        for call in self._calls(session, event):
            await self._callbacks.send_now(call, GAPS_S)

    def _calls(self, session: Session, event: str) -> list[Call]:
        content = {"id": f"EV_{secrets.token_urlsafe(9)}", "type": event, "data": session_view(session)}
        body = msgspec.json.encode(content)
        return [self._call(webhook, session, event, body) for webhook in session.account.webhooks]

    def _call(self, webhook: WaveWebhook, session: Session, event: str, body: bytes) -> Call:
        return Call(
            webhook.url,
            body,
            reference=session.collection.reference,
            said=event,
            headers={"content-type": "application/json"},
            sign=lambda call: self._proof(webhook, call),
        )

    def _proof(self, webhook: WaveWebhook, call: Call) -> dict[str, str]:
        if webhook.shared_secret is not None:
            return {"authorization": f"Bearer {webhook.shared_secret}"}
        signature = signature_header(webhook.signing_secrets, call.body, self._agenda.now())
        return {"wave-signature": signature}
