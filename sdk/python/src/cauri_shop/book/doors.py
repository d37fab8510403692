"""What a shop's HTTP doors do, without HTTP: every framework's views stand on these."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ..errors import BadSignature, CauriError, NotificationRefused
from ..return_page import read_return
from .asking import ask
from .colours import entered, settled
from .parts import Parts
from .rows import Payment

_log = logging.getLogger("cauri_shop.book")

BODY_MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class DoorAnswer:
    """What to answer to the gateway: an HTTP status and a plain text. `payment` is the row, where one was meant."""

    status: int
    text: str
    payment: Payment | None = None


async def handle_notification(
    parts: Parts,
    body: bytes,
    content_type: str | None,
    x_token: str | None,
    headers: Mapping[str, str] | None = None,
) -> DoorAnswer:
    """Verifies, finds the payment, asks, moves. What hooks and the database raise reaches the caller."""
    try:
        notification = parts.checkout().read_notification(body, content_type, x_token, headers)
    except BadSignature as refused:
        _log.warning("notification refused: %s", refused)
        return DoorAnswer(401, "the signature does not match")
    except NotificationRefused as refused:
        return DoorAnswer(400, str(refused))
    payment = await find(parts, notification.transaction_id)
    if payment is None:
        return DoorAnswer(404, "no such payment here")
    _log.info("notified %s", payment.transaction_id)
    if payment.paid:
        return DoorAnswer(200, "already paid", payment)
    try:
        return DoorAnswer(200, "ok", await ask(parts, payment))
    except CauriError as error:
        # Nothing was learnt, so nothing changes; a 503 brings the notification again.
        _log.error("payment %s: %s", payment.transaction_id, type(error).__name__)
        return DoorAnswer(503, "could not ask, notify me again", payment)


async def handle_return(parts: Parts, form_or_query: Mapping[str, Any] | str | bytes) -> Payment | None:
    """The payment that a customer comes back from, by our own record; None for whatever else a browser sends."""
    back = read_return(form_or_query)
    found = await find(parts, back.transaction_id) if back.transaction_id else None
    if found is None and back.token:
        async with entered(parts.store.reading()) as tx:
            found = await settled(tx.payment_by_token(back.token))
    return found


async def find(parts: Parts, transaction_id: str) -> Payment | None:
    """The payment of this name, as the book has it."""
    if not 1 <= len(transaction_id) <= 100 or not transaction_id.isprintable():
        return None
    async with entered(parts.store.reading()) as tx:
        return await settled(tx.payment(transaction_id))


def return_query(payment: Payment | None) -> str:
    """The query of the return page's address. It holds no token, which would open the payment's page."""
    return f"?{urlencode({'transaction_id': payment.transaction_id})}" if payment else ""
