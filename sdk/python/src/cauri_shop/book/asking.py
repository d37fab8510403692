"""Asking the gateway about a payment and moving the book by its answer."""

from __future__ import annotations

import logging

from ..answers import PaymentStatus
from ..errors import CauriError, UnknownPayment
from .colours import settled
from .decide import Move, decide, decide_silence, decide_unknown
from .parts import Parts, move
from .rows import OrderRow, Payment

_log = logging.getLogger("cauri_shop.book")


async def ask(parts: Parts, payment: Payment) -> Payment:
    """check, then the move. A paid payment is not asked about. Raises CauriError when nothing was learnt.

    No database transaction is open while the gateway is asked.
    """
    if payment.paid:
        return payment
    try:
        status: PaymentStatus = await settled(parts.checkout().check(payment.transaction_id))
    except CauriError as error:
        unknown = isinstance(error, UnknownPayment)
        turn = decide_unknown if unknown else decide_silence
        await move(parts, payment, lambda order, row: turn(row, parts.now()))
        raise
    _log.info("checked %s %s", payment.transaction_id, status.code)

    def decision(order: OrderRow, row: Payment) -> Move:
        return decide(order, row, status, site_id=parts.site_id, now=parts.now())

    return await move(parts, payment, decision, status)
