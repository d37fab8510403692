"""Every edge of the life of a payment (contract section 7), as a table of histories."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.lifecycle.shopping import Shop
from tests.lifecycle.steps import (
    Step,
    after,
    answers_on_operators_page,
    before_loops_after,
    cancels,
    closed_by_a_person,
    decides_in_silence,
    leaves,
    operator_forgets,
    pays,
    says,
    says_in_vain,
    still,
    take,
    types_code,
)


@dataclass(frozen=True)
class History:
    """``told``: the codes the shop heard, in order. ``events`` without the first, ``opened``. ``attempts``: their ends."""

    name: str
    steps: tuple[Step, ...]
    told: str
    events: str
    attempts: str = ""
    tries: int = 0
    surpluses: int = 0
    attempts_max: int = 3
    amount: int = 1500


HISTORIES = [
    # the straight ways
    History("paid at the first try", (pays("623"), says("paid", "00")), "623 00", "sent,paid", "paid"),
    History(
        "paid on the operator's page",
        (pays("664", "WAVECI", outcome="paid"), answers_on_operators_page("approve", "00")),
        "664 00",
        "sent,waiting,paid",
        "paid",
    ),
    History(
        "refused on the operator's page",
        (pays("664", "WAVECI", outcome="paid"), answers_on_operators_page("refuse", "662")),
        "664 662",
        "sent,waiting,failed",
        "failed",
        tries=1,
    ),
    History(
        "paid with a one-time code",
        (pays("663", "OMBF"), types_code("123456", "663"), says("paid", "00")),
        "663 00",
        "code asked,sent,paid",
        "paid",
    ),
    # tries
    History(
        "retry with another number",
        (pays("623"), says("602", "662"), pays("623", "MOMO"), says("paid", "00", 2)),
        "623 662 623 00",
        "sent,failed,sent,paid",
        "failed paid",
        tries=1,
    ),
    History(
        "a wrong one-time code, then the right one",
        (
            pays("663", "OMBF"),
            types_code("000000", "663"),
            says("604", "662"),
            pays("663", "OMBF"),
            types_code("123456", "663"),
            says("paid", "00", 2),
        ),
        "663 662 663 00",
        "code asked,sent,failed,code asked,sent,paid",
        "failed paid",
        tries=1,
    ),
    History(
        "one try allowed: its failure is final at once",
        (pays("623"), says("602", "602")),
        "623 602",
        "sent,failed",
        "failed",
        tries=1,
        attempts_max=1,
    ),
    History(
        "two tries allowed: the second failure is final, with its own code",
        (pays("623"), says("602", "662"), pays("623"), says("627", "627", 2)),
        "623 662 623 627",
        "sent,failed,sent,failed",
        "failed failed",
        tries=2,
        attempts_max=2,
    ),
    History(
        "three tries allowed: the third failure is final",
        (
            pays("623"),
            says("602", "662"),
            pays("623", "MOMO"),
            says("635", "662", 2),
            pays("623", "FLOOZ"),
            decides_in_silence("808", "808", 3),
        ),
        "623 662 623 662 623 808",
        "sent,failed,sent,failed,sent,failed",
        "failed failed failed",
        tries=3,
    ),
    History(
        "nothing can be tried after the last try",
        (pays("623"), says("602", "602"), pays("602"), cancels("602"), leaves("602")),
        "623 602",
        "sent,failed",
        "failed",
        tries=1,
        attempts_max=1,
    ),
    History(
        "a second number while the first is in flight starts nothing",
        (pays("623"), pays("623", "MOMO"), says("paid", "00")),
        "623 00",
        "sent,paid",
        "paid",
    ),
    History(
        "a code that is no code is an error of the page",
        (pays("663", "OMBF"), types_code("12", "663"), types_code("abcdef", "663"), types_code("", "663")),
        "663",
        "code asked",
        "asked",
    ),
    History("a code that nobody asked for changes nothing", (types_code("123456", "662"),), "", ""),
    # cancel and leave
    History("cancel before anything", (cancels("627"),), "627", "cancelled"),
    History("back to the shop before anything", (leaves("627"),), "627", "given up"),
    History(
        "cancel after a failure: the failure's code",
        (pays("623"), says("602", "662"), cancels("602")),
        "623 662 602",
        "sent,failed,cancelled",
        "failed",
        tries=1,
    ),
    History(
        "back to the shop after two failures: the last one's code",
        (pays("623"), says("602", "662"), pays("623"), says("635", "662", 2), leaves("635")),
        "623 662 623 662 635",
        "sent,failed,sent,failed,given up",
        "failed failed",
        tries=2,
    ),
    History(
        "cancel with something in flight is refused, and the money counts",
        (pays("623"), cancels("623"), says("paid", "00")),
        "623 00",
        "sent,paid",
        "paid",
    ),
    History(
        "left with something in flight, then it fails: final at once",
        (pays("623"), leaves("623"), says("602", "602")),
        "623 602",
        "sent,left,failed",
        "failed",
        tries=1,
    ),
    History(
        "left with something in flight, then it is paid",
        (pays("623"), leaves("623"), leaves("623"), says("paid", "00")),
        "623 00",
        "sent,left,paid",
        "paid",
    ),
    History(
        "cancelled twice",
        (cancels("627"), cancels("627")),
        "627",
        "cancelled",
    ),
    History(
        "nothing can be paid after a cancel",
        (cancels("627"), pays("627"), still("627")),
        "627",
        "cancelled",
    ),
    # an asked attempt gives way
    History(
        "cancel drops an asked attempt",
        (pays("663", "OMBF"), cancels("627")),
        "663 627",
        "code asked,cancelled",
        "dropped",
    ),
    History(
        "back to the shop drops an asked attempt",
        (pays("663", "OMBF"), leaves("627")),
        "663 627",
        "code asked,given up",
        "dropped",
    ),
    History(
        "a new attempt drops an asked one",
        (pays("663", "OMBF"), pays("623"), says("paid", "00", 2)),
        "663 623 00",
        "code asked,sent,paid",
        "dropped paid",
    ),
    History(
        "a code typed for a dropped attempt goes nowhere",
        (pays("663", "OMBF"), pays("623"), types_code("123456", "623"), says("602", "662", 2)),
        "663 623 662",
        "code asked,sent,failed",
        "dropped failed",
        tries=1,
    ),
    History(
        "the session's end drops an asked attempt",
        (pays("663", "OMBF"), after(31, "627")),
        "663 627",
        "code asked,expired",
        "dropped",
    ),
    # the session's end
    History("the session ends with nothing begun", (after(29, "662"), after(2, "627")), "627", "expired"),
    History(
        "the session ends after a failure: the failure's code",
        (pays("623"), says("808", "662"), after(31, "808")),
        "623 662 808",
        "sent,failed,expired",
        "failed",
        tries=1,
    ),
    History(
        "the session does not end with something in flight, and a success counts",
        (pays("623"), after(31, "623"), after(600, "623"), says("paid", "00")),
        "623 00",
        "sent,paid",
        "paid",
    ),
    History(
        "a failure after the session's end is final at once",
        (pays("623"), after(31, "623"), says("602", "602")),
        "623 602",
        "sent,failed",
        "failed",
        tries=1,
    ),
    History(
        "nothing starts after the session's end, even before the loop comes by",
        (before_loops_after(30), pays("627"), types_code("123456", "627")),
        "627",
        "expired",
    ),
    # late words
    History(
        "a late success before the end: paid",
        (pays("623"), says("600", "662"), says("paid", "00")),
        "623 662 00",
        "sent,failed,paid",
        "paid",
        tries=1,
    ),
    History(
        "a late success after a final failure: a surplus",
        (pays("623"), says("600", "600"), says_in_vain("paid", "600")),
        "623 600",
        "sent,failed,surplus",
        "surplus",
        tries=1,
        surpluses=1,
        attempts_max=1,
    ),
    History(
        "a late success after a cancel: a surplus",
        (pays("623"), says("600", "662"), cancels("600"), says_in_vain("paid", "600")),
        "623 662 600",
        "sent,failed,cancelled,surplus",
        "surplus",
        tries=1,
        surpluses=1,
    ),
    History(
        "a late success after the session's end: a surplus",
        (pays("623"), says("600", "662"), after(31, "600"), says_in_vain("paid", "600")),
        "623 662 600",
        "sent,failed,expired,surplus",
        "surplus",
        tries=1,
        surpluses=1,
    ),
    History(
        "a late success while a rival is in flight; the rival's own success is a surplus",
        (
            pays("623"),
            says("600", "662"),
            pays("623", "MOMO"),
            says("paid", "00", 1),
            says_in_vain("paid", "00", 2),
        ),
        "623 662 623 00",
        "sent,failed,sent,paid,surplus",
        "paid surplus",
        tries=1,
        surpluses=1,
    ),
    History(
        "a late success while a rival is in flight; the rival fails",
        (
            pays("623"),
            says("600", "662"),
            pays("623", "MOMO"),
            says("paid", "00", 1),
            says_in_vain("602", "00", 2),
        ),
        "623 662 623 00",
        "sent,failed,sent,paid,failed",
        "paid failed",
        tries=1,
    ),
    History(
        "a late success while a rival waits for its code: the rival is dropped",
        (
            pays("623"),
            says("600", "662"),
            pays("663", "OMBF"),
            says("paid", "00", 1),
            types_code("123456", "00"),
        ),
        "623 662 663 00",
        "sent,failed,code asked,paid",
        "paid dropped",
        tries=1,
    ),
    History(
        "a second success of another attempt after the end: a surplus",
        (
            pays("623"),
            says("600", "662"),
            pays("623", "MOMO"),
            says("paid", "00", 2),
            says_in_vain("paid", "00", 1),
        ),
        "623 662 623 00",
        "sent,failed,sent,paid,surplus",
        "surplus paid",
        tries=1,
        surpluses=1,
    ),
    History(
        "an acceptance taken back changes nothing and is recorded",
        (pays("623"), says("paid", "00"), says_in_vain("602", "00")),
        "623 00",
        "sent,paid,contradiction",
        "paid",
    ),
    History(
        "a failure told again with another reason keeps the first",
        (pays("623"), says("602", "662"), says_in_vain("635", "662"), cancels("602")),
        "623 662 602",
        "sent,failed,cancelled",
        "failed",
        tries=1,
    ),
    # callbacks and lost answers
    History(
        "a callback that comes twice",
        (pays("00", outcome="paid", callback="twice", delay_s=2), still("00")),
        "623 00",
        "sent,paid",
        "paid",
    ),
    History(
        "a failure called back twice costs one try",
        (pays("662", outcome="602", callback="twice", delay_s=2), still("662")),
        "623 662",
        "sent,failed",
        "failed",
        tries=1,
    ),
    History(
        "a callback before the answer",
        (pays("623", callback="before_answer", outcome="paid"), still("00")),
        "623 00",
        "sent,paid",
        "paid",
    ),
    History(
        "a lost callback: found by asking",
        (pays("623"), decides_in_silence("paid", "00")),
        "623 00",
        "sent,paid",
        "paid",
    ),
    *[
        History(
            f"a start whose answer is lost ({answer}): the success is found by asking",
            (pays("623", answer=answer), decides_in_silence("paid", "00")),
            "623 00",
            "sent,paid",
            "paid",
        )
        for answer in ("drop_after", "500", "nonsense")
    ],
    History(
        "a start whose answer is lost: the failure is found by asking",
        (pays("623", answer="drop_after"), decides_in_silence("602", "662")),
        "623 662",
        "sent,failed",
        "failed",
        tries=1,
    ),
    History(
        "a push to Moov whose answer is lost: found by asking",
        (pays("623", "FLOOZ", answer="drop_after"), decides_in_silence("paid", "00")),
        "623 00",
        "sent,paid",
        "paid",
    ),
    # money that does not match
    History(
        "another amount is never paid",
        (pays("623", outcome="paid", amount="500", delay_s=1), after(120, "623")),
        "623",
        "sent",
        "sent",
    ),
    History(
        "another currency is never paid",
        (pays("623", outcome="paid", currency="XAF", delay_s=1), after(120, "623")),
        "623",
        "sent",
        "sent",
    ),
    # refusals of our own
    History(
        "an amount outside the country's bounds is refused here and costs no try",
        (pays("662"), pays("623", "OMSN"), says("paid", "00", 2)),
        "623 00",
        "not sent,sent,paid",
        "failed paid",
        amount=1_800_000,
    ),
    History(
        "own refusals may be repeated beyond the tries, and the last one's code is final",
        (pays("662"), pays("662"), pays("662"), pays("662"), cancels("642")),
        "642",
        "not sent,not sent,not sent,not sent,cancelled",
        "failed failed failed failed",
        amount=1_800_000,
    ),
    # silence
    History(
        "pawaPay never heard of it: given up after 15 minutes, not before",
        (pays("623", answer="drop_before"), after(14, "623"), after(2, "662")),
        "623 662",
        "sent,failed",
        "failed",
        tries=1,
    ),
    History(
        "pawaPay never heard of it, and it was the only try: 804",
        (pays("623", answer="drop_before"), after(14, "623"), after(2, "804")),
        "623 804",
        "sent,failed",
        "failed",
        tries=1,
        attempts_max=1,
    ),
    History(
        "pawaPay forgets what it had acknowledged: never given up",
        (pays("623"), operator_forgets("623"), after(20, "623"), after(24 * 60, "623")),
        "623",
        "sent",
        "sent",
    ),
    History(
        "Moov never heard of it: never given up, until a person closes it as refused",
        (
            pays("623", "FLOOZ", answer="drop_before"),
            after(20, "623"),
            after(24 * 60, "623"),
            closed_by_a_person("804", "804"),
        ),
        "623 804",
        "sent,failed",
        "failed",
        tries=1,
    ),
    History(
        "a payer who never answers is waited for until a person closes it as paid",
        (pays("623"), after(24 * 60, "623"), closed_by_a_person("paid", "00")),
        "623 00",
        "sent,paid",
        "paid",
    ),
]


def test_every_history_has_a_name_of_its_own() -> None:
    assert len({history.name for history in HISTORIES}) == len(HISTORIES)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
async def test_a_payment_goes_this_way(shop: Shop, history: History) -> None:
    site = await shop.running.new_site(attempts_max=history.attempts_max)
    buyer = await Shop(site, shop.receiver, shop.client).opens(amount=history.amount)
    for step in history.steps:
        await take(step, buyer)

    timeline = await buyer.timeline()
    assert [row.event for row in timeline.history] == ["opened", *filter(None, history.events.split(","))]
    assert [row.version for row in timeline.history] == list(range(1, len(timeline.history) + 1))
    assert [attempt.status.value for attempt in timeline.attempts] == history.attempts.split()
    assert timeline.payment.tries == history.tries
    assert len(timeline.surpluses) == history.surpluses
    assert shop.receiver.codes(buyer.path) == history.told.split()
