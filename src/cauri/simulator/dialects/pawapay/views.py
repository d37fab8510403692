"""How pawaPay describes a deposit: in the answer of a check, and in a callback."""

from datetime import UTC, datetime
from decimal import Decimal

from cauri.simulator.dialects.pawapay.providers import Provider
from cauri.simulator.dialects.pawapay.words import WORDS
from cauri.simulator.exchange import Collection
from cauri.simulator.stories import PAID

_CHECK_DECIMALS = Decimal("0.01")
_CALLBACK_DECIMALS = Decimal("0.0001")


def provider_of(collection: Collection) -> Provider:
    provider = collection.extras["provider"]
    if not isinstance(provider, Provider):
        raise TypeError("a pawaPay deposit is recorded with its provider")
    return provider


def created_text(collection: Collection) -> str:
    return datetime.fromtimestamp(collection.created_at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def status_view(collection: Collection) -> dict[str, object]:
    """`data` of GET /v2/deposits/{id}; the amount has two decimals, as in pawaPay's examples."""
    view = _view(collection, _CHECK_DECIMALS)
    if "clientReferenceId" in collection.extras:
        view["clientReferenceId"] = collection.extras["clientReferenceId"]
    return view


def callback_body(collection: Collection) -> dict[str, object]:
    """The body of a callback: four decimals in the amount, no clientReferenceId."""
    return _view(collection, _CALLBACK_DECIMALS)


def _view(collection: Collection, decimals: Decimal) -> dict[str, object]:
    provider = provider_of(collection)
    account = {"phoneNumber": collection.phone, "provider": provider.code}
    view: dict[str, object] = {
        "depositId": collection.reference,
        "status": _status(collection),
        "amount": str(Decimal(collection.reported_amount).quantize(decimals)),
        "currency": collection.reported_currency,
        "country": provider.country.iso3,
        "payer": {"type": "MMO", "accountDetails": account},
        "created": created_text(collection),
    }
    for name in ("customerMessage", "metadata"):
        if name in collection.extras:
            view[name] = collection.extras[name]
    return view | (_progress(collection) if collection.outcome is None else _end(collection))


def _status(collection: Collection) -> str:
    if collection.outcome is None and collection.extras.get("in_reconciliation"):
        return "IN_RECONCILIATION"
    if collection.outcome is None:
        return "ACCEPTED" if _next_step(collection) == "GET_AUTH_URL" else "PROCESSING"
    return "COMPLETED" if collection.outcome == PAID else "FAILED"


def _next_step(collection: Collection) -> str:
    if collection.prompt == "page":
        return "REDIRECT_TO_AUTH_URL"
    return "GET_AUTH_URL" if collection.extras.get("page") == "soon" else "FINAL_STATUS"


def _progress(collection: Collection) -> dict[str, object]:
    progress: dict[str, object] = {"nextStep": _next_step(collection)}
    if collection.prompt == "page":
        progress["authorizationUrl"] = collection.extras["page"]
    return progress


def _end(collection: Collection) -> dict[str, object]:
    end: dict[str, object] = {"providerTransactionId": collection.operator_id}
    if collection.outcome is not None and collection.outcome != PAID:
        word = WORDS[collection.outcome]
        end["failureReason"] = {"failureCode": word.failure_code, "failureMessage": word.message}
    return end
