"""What a connector is told of an attempt."""

from __future__ import annotations

from cauri.domain.methods import METHODS
from cauri.domain.payment import Attempt, Payment, PaymentRequest
from cauri.operators.base import Order


def order_of(payment: Payment, attempt: Attempt, public_url: str, code: str | None = None) -> Order:
    """``public_url``: the gateway's own address, without its last slash; ``code``: the payer's one-time code, on a start."""
    return Order(
        reference=attempt.reference,
        method=METHODS[attempt.method],
        phone=attempt.phone,
        amount=attempt.amount,
        currency=attempt.currency,
        sent_at=attempt.sent_at or attempt.started_at,
        description=payment.request.description,
        page_url=f"{public_url}/payment/{payment.token}?back=1",
        callback_url=f"{public_url}/operators/{attempt.connector}/callback",
        lang=payment.request.lang or "fr",
        code=code,
        handle=attempt.handle,
        card_block=_card_block(payment.request),
    )


def _card_block(request: PaymentRequest) -> dict[str, str] | None:
    """With the names, which belong to the customer whether a card pays or not."""
    names = {"customer_name": request.customer_name, "customer_surname": request.customer_surname}
    given = {name: value for name, value in names.items() if value}
    return None if request.card_block is None else {**request.card_block, **given}
