"""Which story a payer's number gets, in both dialects."""

import pytest

from cauri.simulator.dialects import moov_3pp
from cauri.simulator.dialects.pawapay import words as pawapay_words
from cauri.simulator.stories import FAILURE_CODES, NEVER, PAID, Story, story_of

from .conftest import Sim

FAILURES_OF_THE_CONTRACT = "600 602 603 604 606 627 635 636 641 642 804 807 808 809 810 811 812".split()

PAWAPAY_WORDS = {
    "600": "UNSPECIFIED_FAILURE",
    "602": "INSUFFICIENT_BALANCE",
    "603": "INVALID_CURRENCY",
    "604": "CAURI_604",
    "606": "CAURI_606",
    "627": "PAYMENT_NOT_APPROVED",
    "635": "PAYER_NOT_FOUND",
    "636": "INVALID_PHONE_NUMBER",
    "641": "INVALID_AMOUNT",
    "642": "CAURI_642",
    "804": "PROVIDER_TEMPORARILY_UNAVAILABLE",
    "807": "CAURI_807",
    "808": "PAYER_LIMIT_REACHED",
    "809": "CAURI_809",
    "810": "CAURI_810",
    "811": "CAURI_811",
    "812": "CAURI_812",
}
PAWAPAY_REJECTS = ("603", "636", "641", "804")

MOOV_WORDS = {
    "600": "TRANSACTION FAILED",
    "602": "INSUFFICIENT BALANCE",
    "604": "INVALID OTP",
    "627": "TRANSACTION CANCELLED BY CUSTOMER",
    "635": "SUBSCRIBER NOT FOUND",
    "804": "SERVICE TEMPORARILY UNAVAILABLE",
}
MOOV_REFUSES_AT_ONCE = ("603", "635", "636", "641", "642", "804")

PAWAPAY_TEST_NUMBERS = {
    "237653456019": "808", "237653456029": "635", "237653456039": "627", "237653456049": "602",
    "237653456069": "600", "237653456129": NEVER, "237653456789": PAID,
    "237693456049": "602", "243813456129": NEVER, "243973456019": "808", "243893456789": PAID,
    "221763456069": "600", "221773456039": "627",
    "2250503456789": PAID, "2250503456029": "635", "2250503456129": NEVER,
    "2250734567890": PAID, "2250734567030": "627", "2250734567130": NEVER,
    "22602345678": PAID, "22602345048": "602", "22602345068": "600", "22602345138": NEVER,
    "22607345678": PAID, "22607345148": "627", "22607345128": NEVER,
    "22951345029": "635", "22951345129": NEVER, "22951345789": PAID,
}  # fmt: skip


def test_every_failure_code_of_the_status_table_has_a_story_and_a_word_in_each_dialect() -> None:
    assert list(FAILURE_CODES) == FAILURES_OF_THE_CONTRACT
    assert {code: word.failure_code for code, word in pawapay_words.WORDS.items()} == PAWAPAY_WORDS
    assert {code: MOOV_WORDS.get(code, f"CAURI_{code}") for code in FAILURE_CODES} == moov_3pp.WORDS


def test_no_two_causes_share_a_word() -> None:
    assert len(set(PAWAPAY_WORDS.values())) == len(FAILURE_CODES)
    assert len(set(moov_3pp.WORDS.values())) == len(FAILURE_CODES)


@pytest.mark.parametrize(("phone", "outcome"), PAWAPAY_TEST_NUMBERS.items())
def test_pawapays_own_test_numbers_end_as_in_its_sandbox(phone: str, outcome: str) -> None:
    assert story_of(phone, pawapay_words.TEST_NUMBERS) == Story(outcome=outcome)


@pytest.mark.parametrize(
    ("phone", "story"),
    [
        ("2250734567130", Story(outcome=NEVER)),  # the operator's number before the ending 130
        ("2250700000130", Story(callback="lost")),
        ("2250700000129", Story(outcome=NEVER)),
        ("2250700000602", Story(outcome="602")),
        ("2250749012966", Story(outcome="600")),
        ("2250102324373", Story()),
        ("2250749012967", Story()),
        ("22690749012966", Story()),
    ],
)
def test_the_most_particular_story_wins(phone: str, story: Story) -> None:
    assert story_of(phone, pawapay_words.TEST_NUMBERS) == story


@pytest.mark.parametrize("code", FAILURE_CODES)
async def test_a_pawapay_number_ends_in_the_code_of_its_last_digits(sim: Sim, code: str) -> None:
    deposit_id, answer = await sim.deposit(f"2250700000{code}", "ORANGE_CIV")
    if code in PAWAPAY_REJECTS:
        assert answer["status"] == "REJECTED"
        assert answer["failureReason"]["failureCode"] == PAWAPAY_WORDS[code]
        assert (await sim.pawapay(f"/deposits/{deposit_id}"))[1] == {"status": "NOT_FOUND"}
    else:
        assert answer["status"] == "ACCEPTED"
        state = await sim.deposit_state(deposit_id)
        assert (state["status"], state["failureReason"]["failureCode"]) == ("FAILED", PAWAPAY_WORDS[code])
    assert await sim.debits() == []


@pytest.mark.parametrize("code", FAILURE_CODES)
async def test_a_moov_number_ends_in_the_code_of_its_last_digits(sim: Sim, code: str) -> None:
    answer = await sim.push(f"22670000{code}")
    word = MOOV_WORDS.get(code, f"CAURI_{code}")
    if code in MOOV_REFUSES_AT_ONCE:
        assert (answer["status"], answer["message"]) == ("12", word)
    else:
        assert (answer["status"], answer["message"]) == ("0", "PROMPT SENT")
    assert await sim.moov_state(answer["request-id"]) == ("12", word)
    assert await sim.debits() == []


@pytest.mark.parametrize(
    ("phone", "provider", "currency"),
    [
        ("2250700000001", "ORANGE_CIV", "XOF"),
        ("2250500000001", "MTN_MOMO_CIV", "XOF"),
        ("237650000001", "MTN_MOMO_CMR", "XAF"),
        ("243970000001", "AIRTEL_COD", "USD"),
        ("221760000001", "FREE_SEN", "XOF"),
        ("22670000001", "MOOV_BFA", "XOF"),
        ("2290151000001", "MTN_MOMO_BEN", "XOF"),
    ],
)
async def test_every_other_number_pays(sim: Sim, phone: str, provider: str, currency: str) -> None:
    deposit_id, _ = await sim.deposit(phone, provider, currency=currency)
    state = await sim.deposit_state(deposit_id)
    assert (state["status"], state["currency"]) == ("COMPLETED", currency)
    assert state["providerTransactionId"].isdigit()
    (debit,) = await sim.debits()
    assert (debit["reference"], debit["phone"], debit["amount"]) == (deposit_id, phone, "1500")


async def test_the_guides_two_payers_end_as_printed_there(sim: Sim) -> None:
    deposit_id, _ = await sim.deposit("2250749012966", "ORANGE_CIV")
    assert (await sim.deposit_state(deposit_id))["failureReason"]["failureCode"] == "UNSPECIFIED_FAILURE"
    pushed = await sim.push("2250102324373")
    assert await sim.moov_state(pushed["request-id"]) == ("0", "SUCCESS")
    assert [debit["phone"] for debit in await sim.debits()] == ["2250102324373"]


async def test_129_never_ends_in_either_dialect(sim: Sim) -> None:
    deposit_id, _ = await sim.deposit("2250700000129", "ORANGE_CIV")
    pushed = await sim.push("22670000129")
    sim.clock.advance(48 * 3_600_000)
    assert (await sim.deposit_state(deposit_id))["status"] == "PROCESSING"
    assert await sim.moov_state(pushed["request-id"]) == ("15", "PENDING")


async def test_nothing_is_decided_before_the_operators_delay_is_over(slow_sim: Sim) -> None:
    deposit_id, _ = await slow_sim.deposit("2250700000001", "ORANGE_CIV")
    pushed = await slow_sim.push("22670000001")
    slow_sim.clock.advance(9_999)
    assert (await slow_sim.deposit_state(deposit_id))["status"] == "PROCESSING"
    assert await slow_sim.moov_state(pushed["request-id"]) == ("15", "PENDING")
    assert await slow_sim.debits() == []
    slow_sim.clock.advance(1)
    assert (await slow_sim.deposit_state(deposit_id))["status"] == "COMPLETED"
    assert await slow_sim.moov_state(pushed["request-id"]) == ("0", "SUCCESS")
    assert len(await slow_sim.debits()) == 2
