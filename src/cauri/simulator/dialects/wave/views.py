"""How Wave describes a session: in every answer, and in its webhooks."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cauri.simulator.dialects.wave.accounts import WaveAccount
from cauri.simulator.dialects.wave.rules import SessionRequest
from cauri.simulator.dialects.wave.words import message_of
from cauri.simulator.exchange import Collection
from cauri.simulator.stories import PAID


@dataclass
class Session:
    """A checkout session: Wave's half beside the exchange's collection. Times are ms since the epoch."""

    collection: Collection
    account: WaveAccount
    wanted: SessionRequest
    launch_url: str
    expires_at: int
    last_error: str | None = None
    completed_at: int | None = None
    paying: bool = False
    presses: int = 0

    @property
    def open(self) -> bool:
        return self.collection.outcome is None

    @property
    def paid(self) -> bool:
        return self.collection.outcome == PAID


def session_view(session: Session) -> dict[str, object]:
    wanted, collection = session.wanted, session.collection
    view: dict[str, object] = {
        "id": collection.reference,
        "amount": collection.reported_amount,
        "checkout_status": "open" if session.open else "complete" if session.paid else "expired",
        "client_reference": wanted.client_reference,
        "currency": collection.reported_currency,
        "error_url": wanted.error_url,
        "last_payment_error": _error_view(session),
        "business_name": session.account.business_name,
        "payment_status": "processing" if session.open else "succeeded" if session.paid else "cancelled",
        "success_url": wanted.success_url,
        "wave_launch_url": session.launch_url,
        "when_created": _moment(collection.created_at),
        "when_expires": _moment(session.expires_at),
    }
    if session.completed_at is not None:
        view["when_completed"] = _moment(session.completed_at)
    if session.paid:
        view["transaction_id"] = collection.operator_id
    if wanted.payer_mobile is not None:
        view["restrict_payer_mobile"] = wanted.payer_mobile
    if wanted.aggregated_merchant_id is not None:
        view["aggregated_merchant_id"] = wanted.aggregated_merchant_id
    return view


def _error_view(session: Session) -> dict[str, str] | None:
    if session.last_error is None or session.paid:
        return None
    return {"code": session.last_error, "message": message_of(session.last_error)}


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
