"""The outbox: effects of a paid order, carried out after its commit and retried until they succeed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from .colours import entered, settled
from .events import Effect
from .parts import Parts
from .rows import EffectRow

_log = logging.getLogger("cauri_shop.book")
_BATCH = 10
_LEASE = timedelta(minutes=5)
_GAPS_S = (30, 60, 300, 900, 3600, 3 * 3600, 6 * 3600)


@dataclass(frozen=True)
class OutboxRun:
    """How many effects succeeded, and how many will be tried again."""

    done: int = 0
    failed: int = 0


async def run_outbox(parts: Parts, limit: int | None = None, order_ref: str | None = None) -> OutboxRun:
    """Carries out the effects that are due. An effect whose process dies is due again after five minutes."""
    run = OutboxRun()
    while limit is None or run.done + run.failed < limit:
        room = _BATCH if limit is None else min(_BATCH, limit - run.done - run.failed)
        claimed = await _claimed(parts, room, order_ref)
        for row in claimed:
            done = await _carried_out(parts, row)
            run = OutboxRun(run.done + done, run.failed + (not done))
        if len(claimed) < room:
            break
    return run


async def _claimed(parts: Parts, room: int, order_ref: str | None) -> Sequence[EffectRow]:
    now = parts.now()
    async with entered(parts.store.begin()) as tx:
        return await settled(tx.claim_effects(now, now + _LEASE, room, order_ref))


async def _carried_out(parts: Parts, row: EffectRow) -> bool:
    error = await _error_of(parts, row)
    now = parts.now()
    if error:
        gap = timedelta(seconds=_GAPS_S[min(row.tries, len(_GAPS_S)) - 1])
        after = replace(row, next_try_at=now + gap, last_error=error[:200])
        _log.warning("effect %s failed (%s), again in %s", row.key, error, gap)
    else:
        after = replace(row, done_at=now, last_error="")
        _log.info("effect %s done", row.key)
    async with entered(parts.store.begin()) as tx:
        await settled(tx.save_effect(after))
    return not error


async def _error_of(parts: Parts, row: EffectRow) -> str:
    """The type of what went wrong, never its text, which may hold a number or a name; empty when all went well."""
    act = parts.hooks.effect(row.name)
    if act is None:
        return f"no @after_paid({row.name!r}) in this process"
    try:
        await settled(act(Effect.of(row)))
    except Exception as error:
        _log.debug("effect %s", row.key, exc_info=True)
        return type(error).__name__
    return ""
