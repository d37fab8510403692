"""Histories of methods that two connectors serve, the first of which cannot be reached; and of one that can."""

from __future__ import annotations

from tests.lifecycle.histories import History
from tests.lifecycle.steps import (
    after,
    answers_on_operators_page,
    cancels,
    decides_in_silence,
    pays,
    says,
    still,
    types_code,
)

FIRST_IS_DOWN = [
    History(
        "the second collects: one try, one prompt, nothing for the shop to hear of the first",
        (pays("623", "MOOVBF"), says("paid", "00", 2)),
        "623 00",
        "sent,failed over,paid",
        "failed paid",
    ),
    History(
        "the second refuses: one try is used, not two",
        (pays("623", "MOOVBF"), says("602", "662", 2), cancels("602")),
        "623 662 602",
        "sent,failed over,failed,cancelled",
        "failed failed",
        tries=1,
    ),
    History(
        "the only try, and the second refuses: final with its code",
        (pays("623", "MOOVBF"), says("602", "602", 2)),
        "623 602",
        "sent,failed over,failed",
        "failed failed",
        tries=1,
        attempts_max=1,
    ),
    History(
        "three tries are three, each with its failover",
        (
            pays("623", "MOOVBF"),
            says("600", "662", 2),
            pays("623", "MOOVBF"),
            says("600", "662", 4),
            pays("623", "MOOVBF"),
            says("602", "602", 6),
        ),
        "623 662 623 662 623 602",
        "sent,failed over,failed,sent,failed over,failed,sent,failed over,failed",
        "failed failed failed failed failed failed",
        tries=3,
    ),
    History(
        "nobody else serves the method: the attempt ends with its code and costs a try",
        (pays("662", "FLOOZ"), still("662")),
        "623 662",
        "sent,failed",
        "failed",
        tries=1,
    ),
    History(
        "nobody else serves it and it was the only try: 804",
        (pays("804", "FLOOZ"),),
        "623 804",
        "sent,failed",
        "failed",
        tries=1,
        attempts_max=1,
    ),
    History(
        "the second has a page of its own",
        (pays("664", "WAVECI", outcome="paid"), answers_on_operators_page("approve", "00")),
        "623 664 00",
        "sent,failed over,waiting,paid",
        "failed paid",
    ),
    History(
        "the second needs a code: it is asked for in the same try",
        (pays("663", "OMBF"), types_code("123456", "663"), says("paid", "00", 2)),
        "623 663 00",
        "sent,failed over,sent,paid",
        "failed paid",
    ),
    History(
        "the second needs a code that never comes: the last failed attempt's code is final",
        (pays("663", "OMBF"), cancels("804")),
        "623 663 804",
        "sent,failed over,cancelled",
        "failed dropped",
    ),
    History(
        "the first asked for a code, the second does not: the payer goes on with the prompt",
        (pays("663", "OM"), types_code("123456", "623"), says("paid", "00", 2)),
        "663 623 00",
        "code asked,sent,failed over,paid",
        "failed paid",
    ),
    History(
        "the second's answer is lost: it is asked, and nothing else is tried",
        (pays("623", "MOOVBF", answer="drop_after"), decides_in_silence("paid", "00", 2)),
        "623 00",
        "sent,failed over,paid",
        "failed paid",
    ),
    History(
        "below the first's own bounds: the second at once, without a word of the first",
        (pays("623", "MOOVBF"), says("paid", "00")),
        "623 00",
        "sent,paid",
        "paid",
        amount=150,
    ),
]

FIRST_IS_UP = [
    History(
        "no answer is no failover: the first is asked until a person closes it",
        (pays("623", "MOOVBF", answer="drop_before"), after(24 * 60, "623")),
        "623",
        "sent",
        "sent",
    ),
    History(
        "a refusal is no failover",
        (pays("623", "MOOVBF"), decides_in_silence("602", "662")),
        "623 662",
        "sent,failed",
        "failed",
        tries=1,
    ),
    History(
        "unavailable, by the operator's word for this payer, is a refusal like any other",
        (pays("623", "MOOVBF"), decides_in_silence("804", "662")),
        "623 662",
        "sent,failed",
        "failed",
        tries=1,
    ),
]
