"""What must hold of a payer when an attempt is written: counted in the transaction that writes it, with the payer's row held.

Two attempts of one payer that come at once are counted one after the other: in two transactions because the second waits for the
payer's row, in one batch because they go in different rounds (docs/decisions/0010-counting-payers.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from cauri.domain.limits import (
    PROMPTS_WINDOW_MS,
    Guard,
    LimitReached,
    PayerUse,
    PromptLimits,
    PromptUse,
    Verdict,
    limit_reached,
    prompts_reached,
    windows_at,
)
from cauri.domain.payment import Attempt, Change
from cauri.store.engine import Operation, Statement
from cauri.store.rows import Fields, phone_text

_NO_PROMPTS = PromptUse(0, 0, None, None)
_NO_USE = PayerUse(0, 0, 0, 0, 0, 0)

Asks = tuple[Change, Attempt, Guard]


def _asks(changes: Sequence[Change]) -> list[Asks]:
    """The changes that a guard stands before, each with its new attempt."""
    return [
        (change, change.attempts[-1][1], change.guard)
        for change in changes
        if change.guard and change.attempts
    ]


def _payers(ask: Asks) -> set[str]:
    change, attempt, guard = ask
    phone = phone_text(attempt.phone) or ""
    site = {f"{change.after.site_id} {phone}"} if guard.limits is not None else set()
    return site | ({phone} if guard.prompts is not None else set())


def payers_of(changes: Sequence[Change]) -> list[Fields]:
    """The payers to hold, each once, in key order, for ``lock_payers``."""
    found = {payer: ask[0].at for ask in _asks(changes) for payer in _payers(ask)}
    return [{"payer": payer, "at": found[payer]} for payer in sorted(found)]


def rounds(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes, so divided that no payer is counted twice in a round; one round where no guard stands."""
    payers = {ask[0].after.token: _payers(ask) for ask in _asks(changes)}
    made: list[tuple[list[Change], set[str]]] = [([], set())]
    for change in changes:
        own = payers.get(change.after.token, set())
        place = next((each for each in made if not each[1] & own), None)
        if place is None:
            made.append(place := ([], set()))
        place[0].append(change)
        place[1].update(own)
    return [changes for changes, _ in made]


def guarded(changes: Sequence[Change]) -> Operation[dict[str, Verdict]]:
    """The changes whose guard does not hold, by their payment's token."""
    asks = _asks(changes)
    found: dict[str, Verdict] = {}
    found |= yield from _over_limits(asks)
    found |= yield from _over_prompts(asks)  # first to be told: nothing is recorded of it
    return found


def prompts_of(changes: Sequence[Change]) -> list[Fields]:
    """The prompts that these changes send, for ``insert_prompts``."""
    return [
        {
            "phone": phone_text(attempt.phone),
            "at": change.at,
            "token": attempt.token,
            "number": attempt.number,
            "address": guard.address,
        }
        for change, attempt, guard in _asks(changes)
        if guard.prompts is not None
    ]


def unrung_of(changes: Sequence[Change]) -> list[Fields]:
    """The prompts that turned out never to have left, for ``forget_prompts``."""
    return [
        {"phone": phone_text(attempt.phone), "token": attempt.token, "number": attempt.number}
        for change in changes
        if change.rang_nobody
        for _, attempt in change.attempts
        if attempt.phone.national
    ]


def _over_limits(asks: Sequence[Asks]) -> Operation[dict[str, Verdict]]:
    limited = [(change, attempt, guard.limits) for change, attempt, guard in asks if guard.limits is not None]
    if not limited:
        return {}
    rows = [_use_fields(change, attempt) for change, attempt, _ in limited]
    used = {row[0]: PayerUse(*row[1:]) for row in (yield Statement("payer_use", rows=rows))}
    return {
        change.after.token: LimitReached(code)
        for change, attempt, limits in limited
        if (code := limit_reached(limits, used.get(change.after.token, _NO_USE), attempt.amount)) is not None
    }


def _use_fields(change: Change, attempt: Attempt) -> Fields:
    windows = windows_at(change.at)
    return {
        "token": change.after.token,
        "site_id": change.after.site_id,
        "phone": phone_text(attempt.phone),
        "currency": attempt.currency,
        "day": windows.day,
        "week": windows.week,
        "month": windows.month,
        "first": windows.first,
    }


def _over_prompts(asks: Sequence[Asks]) -> Operation[dict[str, Verdict]]:
    prompting: list[tuple[Change, PromptLimits]] = []
    rows: list[Fields] = []
    for change, attempt, guard in asks:
        if guard.prompts is not None and guard.prompts.any:
            prompting.append((change, guard.prompts))
            rows.append(
                {
                    "token": change.after.token,
                    "phone": phone_text(attempt.phone),
                    "address": guard.address,
                    "since": change.at - PROMPTS_WINDOW_MS,
                }
            )
    if not rows:
        return {}
    used = {row[0]: PromptUse(*row[1:]) for row in (yield Statement("prompt_use", rows=rows))}
    return {
        change.after.token: reached
        for change, limits in prompting
        if (reached := prompts_reached(limits, used.get(change.after.token, _NO_PROMPTS))) is not None
    }
