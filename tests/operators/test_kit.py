"""What every connector withstands: see ``kit``. Each case of ``cases``, the engines in turn; restarts on both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from cauri.clock import SECOND, ManualClock
from cauri.domain.codes import FAILURES
from cauri.domain.payment import AttemptStatus
from tests.conftest import NewDatabase
from tests.lifecycle.shopping import Shop
from tests.notifier.receiver import Receiver
from tests.operators.cases import CASES, COUNTRIES
from tests.operators.kit import Buyer, Case, buyer_of, hurries
from tests.running import Running, run

every_case = pytest.mark.parametrize("case", CASES + COUNTRIES, ids=str)
each_case = pytest.mark.parametrize("case", CASES, ids=str)
FAILURE_NUMBERS = sorted(code.number for code in FAILURES)
NONSENSE = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b"\xff\x00",
    b"<a>",
    b'{"status":"SUCCESSFUL"}',
    b"{" * 5000,
    b"a=b&c=d",
)

NewBuyer = Callable[[Case], Awaitable[Buyer]]


def world_of(case: Case) -> str:
    """A database server has only so many connections, and each gateway takes its share."""
    return case.connector if case.connector in {one.connector for one in CASES} else "countries"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worlds(engine: str) -> AsyncIterator[dict[str, Running]]:
    """A gateway for each connector of CASES and one for the other countries, made when it is first wanted."""
    made: dict[str, Running] = {}
    yield made
    for running in made.values():
        hurries(running)
    await asyncio.gather(*(running.stop() for running in made.values()))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def new_buyer(
    engine: str,
    new_database: NewDatabase,
    worlds: dict[str, Running],
    receiver: Receiver,
    client: httpx.AsyncClient,
) -> NewBuyer:
    """A payment of a site of its own, one try each, in the world of the case's connector, which forgets what it was told before."""

    async def make(case: Case) -> Buyer:
        world = world_of(case)
        if world not in worlds:
            methods = {one.method: one.connector for one in CASES + COUNTRIES if world_of(one) == world}
            database = await new_database(engine)
            worlds[world] = await run(database, clock=ManualClock(), methods=methods)
        site = await worlds[world].new_site(attempts_max=1)
        shop = Shop(site, receiver, client)
        await client.post(f"{site.simulator_url}/_control/reset")
        return await buyer_of(case, shop)

    return make


@pytest.mark.in_turn
@every_case
async def test_it_pays(case: Case, new_buyer: NewBuyer) -> None:
    buyer = await new_buyer(case)
    await buyer.pays()
    await buyer.is_paid_once()


@pytest.mark.in_turn
@pytest.mark.parametrize("code", FAILURE_NUMBERS)
@each_case
async def test_each_refusal_is_told_with_its_code(case: Case, code: str, new_buyer: NewBuyer) -> None:
    buyer = await new_buyer(case)
    await buyer.pays(outcome=code)
    await buyer.is_refused_at_last(case.says.get(code, code))


@pytest.mark.in_turn
@each_case
async def test_a_page_that_nobody_answers_is_over_in_its_time_and_cancelled_by_nobody(
    case: Case, new_buyer: NewBuyer
) -> None:
    buyer = await new_buyer(case)
    if not case.page_s:
        pytest.skip("this operator has no page whose time is over")
    await buyer.chooses()
    await buyer.turns(2)
    await buyer.keeps_waiting()
    buyer.shop.clock.advance(case.page_s * SECOND)
    await buyer.is_refused("600")


@pytest.mark.in_turn
@each_case
async def test_a_slow_answer_is_waited_for(case: Case, new_buyer: NewBuyer) -> None:
    buyer = await new_buyer(case)
    await buyer.is_slowly_answered()
    await buyer.is_paid_once()


@pytest.mark.in_turn
@each_case
async def test_an_answer_lost_before_the_operator_read_the_request_debits_nobody(
    case: Case, new_buyer: NewBuyer
) -> None:
    """The connector cannot know that nothing was read: the attempt waits for its rule, or for a person."""
    buyer = await new_buyer(case)
    await buyer.pays("drop_before")
    await buyer.ends_without_an_answer()
    assert await buyer.debits() == []


@pytest.mark.in_turn
@every_case
async def test_an_answer_lost_after_the_operator_accepted_is_asked_for(
    case: Case, new_buyer: NewBuyer
) -> None:
    buyer = await new_buyer(case)
    await buyer.pays("drop_after")
    await buyer.ends_as_the_operator_has_it()


@pytest.mark.in_turn
@pytest.mark.parametrize("answer", ["nonsense", "500"])
@each_case
async def test_a_nonsense_answer_to_the_start_is_no_refusal(
    case: Case, answer: str, new_buyer: NewBuyer
) -> None:
    buyer = await new_buyer(case)
    await buyer.pays(answer)
    await buyer.ends_as_the_operator_has_it()


@pytest.mark.in_turn
@pytest.mark.parametrize("fault", ["500", "nonsense", "drop_before", "drop_after"])
@each_case
async def test_questions_that_go_wrong_are_asked_again(case: Case, fault: str, new_buyer: NewBuyer) -> None:
    buyer = await new_buyer(case)
    if not buyer.is_asked:
        pytest.skip("this operator cannot be asked")
    await buyer.shop.control("faults", operator=case.operator, door="check", fault=fault, times=3)
    await buyer.pays(callback="lost", delay_s=2)
    await buyer.is_paid_once()


@pytest.mark.in_turn
@pytest.mark.parametrize("callback", ["twice", "before_answer", "lost"])
@every_case
async def test_callbacks_come_twice_too_early_or_not_at_all(
    case: Case, callback: str, new_buyer: NewBuyer
) -> None:
    buyer = await new_buyer(case)
    await buyer.pays(callback=callback)
    await buyer.is_paid_once()


@pytest.mark.in_turn
@each_case
async def test_late_and_out_of_order_words_change_no_final_state(case: Case, new_buyer: NewBuyer) -> None:
    buyer = await new_buyer(case)
    await buyer.pays()
    await buyer.is_paid_once()
    await buyer.operator_changes_its_mind("600")
    await buyer.turns(6, 10 * SECOND)
    assert await buyer.purchase.code() == "00"


@pytest.mark.in_turn
@each_case
async def test_forged_callbacks_pay_nothing(case: Case, new_buyer: NewBuyer) -> None:
    buyer = await new_buyer(case)
    await buyer.pays(outcome="never")
    for _ in range(3):
        answer = await buyer.is_forged()
        assert answer.status_code in (200, 400, 401, 403), answer.text
    await buyer.turns(4)
    assert (await buyer.attempt()).status is AttemptStatus.SENT
    assert await buyer.debits() == []


@pytest.mark.in_turn
@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:20]))
@each_case
async def test_nonsense_at_the_callback_door_is_refused_in_words(
    case: Case, body: bytes, new_buyer: NewBuyer
) -> None:
    buyer = await new_buyer(case)
    for path in ("", "/nobody", f"/{'x' * 300}"):
        answer = await buyer.call_back(body, path)
        assert answer.status_code in (200, 400, 401, 403), answer.text
        assert answer.json()["status"]


@pytest.mark.in_turn
@each_case
async def test_another_amount_is_never_taken_for_paid(case: Case, new_buyer: NewBuyer) -> None:
    buyer = await new_buyer(case)
    if not case.tells_amounts:
        pytest.skip("this operator's answers name no amount")
    await buyer.pays(amount=str(case.amount + 5))
    await buyer.keeps_waiting()
    assert "mismatch" in (await buyer.attempt()).word


@pytest.mark.in_turn
@pytest.mark.parametrize("skew_s", [600, 7200])
@each_case
async def test_an_operator_whose_clock_runs_ahead_is_still_understood(
    case: Case, skew_s: int, new_buyer: NewBuyer
) -> None:
    buyer = await new_buyer(case)
    await buyer.shop.control("clock", advance_s=skew_s)
    await buyer.pays()
    await buyer.is_paid_once()


@each_case
async def test_a_restart_in_the_middle_loses_nothing(
    case: Case, new_buyer: NewBuyer, worlds: dict[str, Running]
) -> None:
    buyer = await new_buyer(case)
    await buyer.pays(delay_s=5, callback="lost")
    await buyer.gateway_restarts()
    await (buyer.is_paid_once() if buyer.is_asked else buyer.ends_as_the_operator_has_it())
