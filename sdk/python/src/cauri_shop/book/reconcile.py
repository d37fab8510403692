"""Reconciling: asking about payments that stayed open. The schedule stands in the rows, so a run may stop anywhere."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Callable

from ..errors import (
    CauriError,
    InvalidField,
    NetworkTrouble,
    RequestRefused,
    TooManyRequests,
    UnknownPayment,
    WrongKeys,
)
from .asking import ask
from .colours import entered, settled
from .decide import decide_silence
from .parts import Parts, move
from .rows import Payment

_log = logging.getLogger("cauri_shop.book")

Progress = Callable[[int, int], None]

_BATCH = 50
_TROUBLES_MAX = 5
_WAIT_MAX_S = 60


@dataclass(frozen=True)
class Reconciled:
    """What a run found. `unreached`: nothing was learnt, so nothing changed. `stopped` says why it ended early.

    `failed`: a hook of the shop's raised, so its payment stays as it was and is asked about again later.
    """

    asked: int = 0
    paid: int = 0
    refused: int = 0
    waiting: int = 0
    closed: int = 0
    mismatch: int = 0
    unreached: int = 0
    failed: int = 0
    stopped: str = ""

    def __str__(self) -> str:
        return (
            f"asked about {self.asked}: {self.paid} paid, {self.refused} refused, {self.waiting} waiting, {self.closed} closed, "
            f"{self.mismatch} to look at, {self.unreached} without an answer, {self.failed} whose hook failed"
        )

    @property
    def trouble(self) -> str:
        """Why a command should end with an error, in words; empty where all went well."""
        if self.stopped:
            return f"stopped early: {self.stopped}; the next run goes on from here"
        return f"{self.failed} of the shop's hooks failed: see the log" if self.failed else ""


async def reconcile(
    parts: Parts, *, limit: int | None = None, rate: float = 5.0, progress: Progress | None = None
) -> Reconciled:
    """Asks about every payment that is due, oldest first, at most `rate` a second. Raises WrongKeys."""
    if not rate > 0:
        raise InvalidField("rate", "must be greater than 0: questions a second")
    begun, found, troubles = parts.now(), Reconciled(), 0
    async with entered(parts.store.reading()) as tx:
        due = await settled(tx.count_due(parts.site_id, begun))
    total = due if limit is None else min(due, limit)
    while found.asked < total and not found.stopped:
        # Whoever was asked about is due later than `begun`, so the next batch holds the others.
        batch = await _due(parts, begun, min(_BATCH, total - found.asked))
        for payment in batch:
            if found.asked:
                await settled(parts.sleep(1 / rate))
            word, stop = await _asked(parts, payment)
            troubles = troubles + 1 if word == "unreached" else 0
            found = replace(found, asked=found.asked + 1, **{word: getattr(found, word) + 1})
            if progress:
                progress(found.asked, total)
            if stop or troubles >= _TROUBLES_MAX:
                found = replace(found, stopped=stop or "the gateway does not answer")
                break
        if not batch:
            break
    return found


async def _due(parts: Parts, begun: datetime, limit: int) -> Sequence[Payment]:
    async with entered(parts.store.reading()) as tx:
        return await settled(tx.due_payments(parts.site_id, begun, limit))


async def _asked(parts: Parts, payment: Payment) -> tuple[str, str]:
    """What became of a payment, and why the run must stop, if it must."""
    try:
        after = await ask(parts, payment)
    except WrongKeys:
        raise
    except UnknownPayment:
        return await _after_unknown(parts, payment), ""
    except TooManyRequests as error:
        if (error.retry_after or 1) > _WAIT_MAX_S:
            return "unreached", f"the gateway asks to wait {error.retry_after} s"
        await settled(parts.sleep(float(error.retry_after or 1)))
        return "unreached", ""
    except (NetworkTrouble, RequestRefused):
        return "unreached", ""
    except CauriError:
        raise
    except Exception as error:
        # One order whose hook raises must not keep the others from being delivered: its question is put off in a move of its own.
        _log.exception("a hook failed for order %s: %s", payment.order_ref, type(error).__name__)
        await move(parts, payment, lambda order, row: decide_silence(row, parts.now()))
        return "failed", ""
    return (after.state.value if after.state.value != "opened" else "waiting"), ""


async def _after_unknown(parts: Parts, payment: Payment) -> str:
    async with entered(parts.store.reading()) as tx:
        after = await settled(tx.payment(payment.transaction_id))
    return "waiting" if after is None or after.open else after.state.value
