"""MTN's access token: kept, renewed early, once for many, once after a refusal; and what happens where there is none."""

from __future__ import annotations

import asyncio

import pytest
from answering_operator import answering, as_bytes
from mtn_answers import ACCOUNT, PAY, STATUS, TOKEN, error, mtn_of, paid, token
from pawapay_answers import NONSENSE
from scripted_operator import HANG_UP, SAY_NOTHING

from cauri.clock import MINUTE, SECOND, ManualClock
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from tests.logs import own_lines

SENT = Waiting(Code.WAITING_TO_VALIDATE, word="202")


@pytest.fixture
async def operator():
    async with answering() as scripted:
        scripted.answers = {
            TOKEN: [token(f"t{number}") for number in range(20)],
            ACCOUNT: (200, {"result": True}),
            PAY: (202, b""),
            STATUS: (200, paid()),
        }
        yield scripted


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def mtn(operator, clock):
    connector = mtn_of(operator, clock, start_timeout_s=5, check_timeout_s=5)
    yield connector
    await connector.close()


def accepting_only(good, answer):
    """A door that takes one token and answers 401 to every other."""
    return lambda request: as_bytes(
        answer if request.headers["authorization"] == f"Bearer {good}" else (401, b"")
    )


async def test_one_token_serves_until_ten_minutes_before_its_end(operator, mtn, clock, order_of):
    await mtn.check(order_of("MOMO"))
    clock.advance(50 * MINUTE - 1)
    await mtn.check(order_of("MOMO"))
    assert len(operator.asked(TOKEN)) == 1
    clock.advance(1)
    await mtn.check(order_of("MOMO"))
    assert len(operator.asked(TOKEN)) == 2
    assert [seen.headers["authorization"] for seen in operator.asked(STATUS)] == [
        "Bearer t0", "Bearer t0", "Bearer t1"
    ]  # fmt: skip


async def test_many_calls_at_once_ask_for_one_token(operator, mtn, order_of):
    operator.gates[TOKEN] = asyncio.Event()
    calls = [asyncio.create_task(mtn.check(order_of("MOMO"))) for _ in range(20)]
    while not operator.asked(TOKEN):
        await asyncio.sleep(0)
    operator.gates[TOKEN].set()
    assert await asyncio.gather(*calls) == [Accepted("3091573982", 1500, "XOF")] * 20
    assert len(operator.asked(TOKEN)) == 1


async def test_a_caller_that_is_cut_off_does_not_take_the_token_from_the_others(operator, mtn, order_of):
    operator.gates[TOKEN] = asyncio.Event()
    first, second = (asyncio.create_task(mtn.check(order_of("MOMO"))) for _ in range(2))
    while not operator.asked(TOKEN):
        await asyncio.sleep(0)
    first.cancel()
    operator.gates[TOKEN].set()
    assert await second == Accepted("3091573982", 1500, "XOF")
    assert len(operator.asked(TOKEN)) == 1


async def test_a_refused_token_is_renewed_once_and_the_call_repeated_with_the_same_reference(
    operator, mtn, order_of
):
    operator.answers[PAY] = accepting_only("t1", (202, b""))
    operator.answers[ACCOUNT] = accepting_only("t0", (200, {"result": True}))
    assert await mtn.start(order_of("MOMO")) == SENT
    first, second = operator.asked(PAY)
    assert first.headers["x-reference-id"] == second.headers["x-reference-id"]
    assert len(operator.asked(TOKEN)) == 2


async def test_many_calls_whose_token_is_refused_ask_for_one_new_token(operator, mtn, order_of):
    await mtn.check(order_of("MOMO"))
    operator.answers[STATUS] = accepting_only("t1", (200, paid()))
    outcomes = await asyncio.gather(*(mtn.check(order_of("MOMO")) for _ in range(10)))
    assert outcomes == [Accepted("3091573982", 1500, "XOF")] * 10
    assert len(operator.asked(TOKEN)) == 2


async def test_a_token_that_is_refused_again_is_not_renewed_for_ever(operator, mtn, order_of):
    operator.answers |= {PAY: (401, b""), STATUS: (401, b""), ACCOUNT: (401, b"")}
    with own_lines() as told:
        assert await mtn.start(order_of("MOMO")) == Refused(Code.SERVICE_UNAVAILABLE, "HTTP 401")
    assert len(operator.asked(PAY)) == 2
    assert [entry["event"] for entry in told if entry["log_level"] == "error"] == [
        "operator_configuration_refused"
    ]
    assert await mtn.check(order_of("MOMO")) == Unknown("unreadable answer, HTTP 401", alert=True)


async def test_a_token_that_cannot_be_renewed_early_is_used_until_its_end(operator, mtn, clock, order_of):
    await mtn.check(order_of("MOMO"))
    operator.answers[TOKEN] = (500, b"")
    clock.advance(55 * MINUTE)
    assert await mtn.check(order_of("MOMO")) == Accepted("3091573982", 1500, "XOF")
    clock.advance(5 * MINUTE)
    assert await mtn.check(order_of("MOMO")) == Unknown(
        "the check has no token: unreadable token answer, HTTP 500"
    )


async def test_a_renewal_that_never_answers_takes_no_call_its_time(operator, mtn, clock, order_of):
    await mtn.check(order_of("MOMO"))
    operator.answers[TOKEN] = SAY_NOTHING
    clock.advance(50 * MINUTE)
    for _ in range(3):
        assert await mtn.check(order_of("MOMO")) == Accepted("3091573982", 1500, "XOF")
    assert len(operator.asked(TOKEN)) == 2


async def test_a_door_that_gives_no_token_is_not_asked_with_every_call(operator, mtn, clock, order_of):
    await mtn.check(order_of("MOMO"))
    operator.answers[TOKEN] = (503, b"")
    clock.advance(50 * MINUTE)
    for _ in range(5):
        assert await mtn.check(order_of("MOMO")) == Accepted("3091573982", 1500, "XOF")
    assert len(operator.asked(TOKEN)) == 2
    clock.advance(10 * SECOND)
    await mtn.check(order_of("MOMO"))
    assert len(operator.asked(TOKEN)) == 3


async def test_a_short_life_is_obeyed(operator, mtn, clock, order_of):
    operator.answers[TOKEN] = [token("t0", 60), token("t1", "60")]
    await mtn.check(order_of("MOMO"))
    clock.advance(44 * SECOND)
    await mtn.check(order_of("MOMO"))
    assert len(operator.asked(TOKEN)) == 1
    clock.advance(1 * SECOND)
    await mtn.check(order_of("MOMO"))
    assert len(operator.asked(TOKEN)) == 2


@pytest.mark.parametrize("life", ["soon", -1, "", 1e400])
async def test_a_life_that_is_no_number_is_the_usual_hour_or_no_token(operator, mtn, order_of, life):
    operator.answers[TOKEN] = token("t0", life)
    assert isinstance(await mtn.check(order_of("MOMO")), (Accepted, Unknown))


MISCONFIGURED = {
    "the wrong pair": (401, {"error": "login_failed"}),
    "the wrong pair, as the go-live sheet allows": (500, {"error": "login_failed"}),
    "the wrong subscription key": (401, {"statusCode": 401, "message": "Access denied due to invalid subscription key."}),
}  # fmt: skip


@pytest.mark.parametrize("answer", MISCONFIGURED.values(), ids=MISCONFIGURED.keys())
async def test_refused_credentials_are_603_and_alerted_and_decide_nothing_of_a_check(
    operator, mtn, order_of, answer
):
    operator.answers[TOKEN] = answer
    with own_lines() as told:
        outcome = await mtn.start(order_of("MOMO"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.unstarted) == (Code.SERVICE_UNAVAILABLE, False)
    assert any(entry["event"] == "operator_configuration_refused" for entry in told)
    checked = await mtn.check(order_of("MOMO"))
    assert isinstance(checked, Unknown)
    assert checked.alert
    assert operator.asked(PAY) == []


NO_TOKEN = {
    "an error": (500, b""),
    "unavailable": (503, error("SERVICE_UNAVAILABLE")),
    "another answer": (200, {"token": "x"}),
    "an empty token": token(""),
    "a token with a line break": token("a\r\nX-Evil: 1"),
    "a token that is a number": (200, {"access_token": 7}),
    "cut": HANG_UP,
    **{name: (200, body) for name, body in NONSENSE.items()},
}


@pytest.mark.parametrize("answer", NO_TOKEN.values(), ids=NO_TOKEN.keys())
async def test_without_a_token_nothing_was_begun(operator, mtn, order_of, answer):
    operator.answers[TOKEN] = answer
    outcome = await mtn.start(order_of("MOMO"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.unstarted) == (Code.OPERATOR_UNAVAILABLE, True)
    assert operator.asked(PAY) == []
    assert isinstance(await mtn.check(order_of("MOMO")), Unknown)


async def test_a_token_that_never_comes_takes_no_longer_than_the_start_may(operator, order_of):
    operator.answers[TOKEN] = SAY_NOTHING
    connector = mtn_of(operator, start_timeout_s=0.3)
    outcome = await connector.start(order_of("MOMO"))
    await connector.close()
    assert isinstance(outcome, Refused)
    assert outcome.unstarted


async def test_closing_while_a_token_is_awaited_ends_it(operator, order_of):
    operator.answers[TOKEN] = SAY_NOTHING
    connector = mtn_of(operator)
    call = asyncio.create_task(connector.check(order_of("MOMO")))
    while not operator.asked(TOKEN):
        await asyncio.sleep(0)
    call.cancel()
    await connector.close()
