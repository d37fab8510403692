"""docs/sandbox.md says what the simulator does: every number, every word."""

import re
from pathlib import Path
from typing import Any

import pytest

from cauri.clock import ManualClock
from cauri.domain.methods import METHODS, Family
from cauri.simulator.control import Control
from cauri.simulator.dialects import (
    card_page,
    moov_3pp,
    mtn,
    orange_burkina,
    orange_webpay,
    pawapay,
    paygate,
    wave,
)
from cauri.simulator.dialects.card_page import cards
from cauri.simulator.dialects.mtn import words as mtn_words
from cauri.simulator.dialects.mtn.accounts import ENVIRONMENTS
from cauri.simulator.dialects.orange_webpay import words as webpay
from cauri.simulator.dialects.pawapay.providers import PROVIDERS
from cauri.simulator.dialects.pawapay.words import TEST_NUMBERS, WORDS
from cauri.simulator.dialects.paygate import words as paygate_words
from cauri.simulator.dialects.wave import words as wave_words
from cauri.simulator.exchange import Exchange
from cauri.simulator.faults import DOORS, FAULTS
from cauri.simulator.statements import LAYOUTS, WRONGS
from cauri.simulator.stories import ANSWERS, CALLBACKS, FAILURE_CODES, GUIDE_NUMBERS, NEVER, story_of
from cauri.simulator.wallets import CODE_OF_LIMIT, LIMITS

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
ENDS = {"never answers": NEVER}
NOT_OFFERED = {"EXPRESSOSN", "EXPRESSUNIONCM"}


def rows(heading: str) -> list[list[str]]:
    """The cells of every table row below a heading, up to the next one."""
    section = re.split(r"^#+ ", PAGE.split(heading + "\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    return [
        [c.strip() for c in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"
    ]


def test_pawapays_test_numbers_are_all_there_with_their_ends() -> None:
    documented: dict[str, str] = {}
    for _, numbers, ends in rows("### pawaPay's own test numbers")[2:]:
        found = re.findall(r"\d{11,13}", numbers)
        documented |= dict(zip(found, ends.split(" · "), strict=True))
    assert {phone: ENDS.get(end, end) for phone, end in documented.items()} == {
        phone: story.outcome for phone, story in TEST_NUMBERS.items()
    }


@pytest.mark.parametrize("code", FAILURE_CODES)
def test_every_failure_has_its_line_for_each_operator(code: str) -> None:
    word = WORDS[code]
    assert [code, f"`{word.failure_code}`", "at once" if word.at_once else "later"] in rows("## pawaPay")
    when = "at once" if code in moov_3pp.REFUSED_AT_ONCE else "later"
    assert [code, f"`{moov_3pp.WORDS[code]}`", when] in rows("## Moov 3pp (FLOOZ, MOOVBF, MOOVML)")


MTN, WAVE, PAYGATE = (
    "## MTN MoMo (MOMO, MTNCM, MTNGN, MTNBJ)",
    "## Wave Checkout (WAVECI, WAVESN)",
    "## PayGate (FLOOZTG, TmoneyTG)",
)


@pytest.mark.parametrize(
    ("heading", "words", "at_once"),
    [
        (MTN, mtn_words.WORDS, mtn_words.REFUSED_AT_ONCE),
        (WAVE, wave_words.WORDS, wave_words.REFUSED_AT_ONCE),
        (PAYGATE, paygate_words.WORDS, paygate_words.REFUSED_AT_ONCE),
    ],
)
def test_every_failure_of_these_operators_has_its_line(heading: str, words: Any, at_once: Any) -> None:
    documented = {row[0]: row[1:] for row in rows(heading) if row[0].isdigit()}
    assert {code: word for code, (word, _) in documented.items()} == {
        code: f"`{word}`" for code, word in words.items()
    }
    assert {code for code, (_, when) in documented.items() if when.startswith("at once")} == set(at_once)


def test_mtns_test_payers_and_environments_are_all_there() -> None:
    payers = dict(rows("### MTN's own test payers")[2:])
    assert {payer: end.strip("`") for payer, end in payers.items() if end[0] == "`"} == mtn_words.REASONS
    assert set(payers) == set(mtn_words.TEST_NUMBERS)
    environments = {row[0].strip("`"): row[2] for row in rows(MTN) if row[0].strip("`") in ENVIRONMENTS}
    assert environments == {name: environment.currency for name, environment in ENVIRONMENTS.items()}


def test_every_method_has_a_ready_made_number_for_each_column() -> None:
    table = [row for row in rows("## What a number does") if len(row) == 8][2:]
    told = [
        (code, row[1], METHODS[code].currency in row[2].split(", "))
        for row in table
        for code in re.findall(r"\w+", row[0])
    ]
    phones = [method for method in METHODS.values() if method.family is not Family.CARD]
    assert sorted(told) == sorted(
        (method.code, method.country, True) for method in phones if method.code not in NOT_OFFERED
    )
    outcomes = ["paid", "602", "627", NEVER, "paid"]
    for method, _, _, *numbers in table:
        for cell, outcome in zip(numbers, outcomes, strict=True):
            number = re.match(r"\d*", cell)
            if number and number[0]:
                assert story_of(number[0], TEST_NUMBERS).outcome == outcome, (method, cell)


def test_nothing_else_is_missing() -> None:
    texts = ["PROMPT SENT", "OTP SENT", "SUCCESS", "PENDING", "TRANSACTION NOT FOUND", "DUPLICATE REQUEST-ID"]
    for word in [*PROVIDERS, *wave_words.MESSAGES, *texts, *GUIDE_NUMBERS, *ANSWERS, *CALLBACKS]:
        assert f"`{word}`" in PAGE, word


@pytest.mark.parametrize("code", FAILURE_CODES)
def test_every_failure_has_its_line_for_the_newer_operators(code: str) -> None:
    word = webpay.WORDS[code]
    assert [code, f"`{word}`" if word else "(none)"] in rows(
        "## Orange Money WebPay (OM, OMML, OMGN, OMCD, OMCM)"
    )
    assert [code, f"`{orange_burkina.WORDS[code]}`"] in rows("## Orange Burkina (OMBF by OMPREQ)")
    if code not in cards.AT_ONCE:
        assert [code, f"`{cards.WORDS[code]}`"] in rows("## The card page (VISAM, VISAMCM, VISAMCDUSD)")


def test_every_test_card_has_its_line() -> None:
    lines = {
        row[0].replace(" ", ""): row[1:] for row in rows("## The card page (VISAM, VISAMCM, VISAMCDUSD)")
    }
    for number, card in cards.CARDS.items():
        end = (
            card.failure or cards.WORDS.get(card.outcome) or {"never": "processing"}.get(card.outcome, "paid")
        )
        assert lines[number][0].startswith(f"`{end}`"), number
        assert lines[number][1] == ("asked" if card.challenge else "not asked"), number


def test_every_lever_of_the_control_plane_is_there() -> None:
    doors = [row[0] for row in rows("## The control plane")]
    for route in Control(Exchange(ManualClock(), 0), []).routes():
        if "{" not in route.path:
            assert any(route.path in door for door in doors), route.path
            assert (route.methods or set()) & set(re.findall("GET|POST|DELETE", " ".join(doors)))
    for word in [*DOORS, *FAULTS, *WRONGS, *LIMITS]:
        assert f"`{word}`" in PAGE, word
    limits = {
        limit: code
        for row in rows("### Wallets")[2:]
        for limit, code in zip(*[c.replace("`", "").split(" · ") for c in row], strict=True)
    }
    assert limits == {**CODE_OF_LIMIT, "payment_amount": "642"}


def test_every_statement_has_its_columns() -> None:
    lines = {row[0].strip("`"): row[2] for row in rows("### Books and statements")[2:]}
    assert lines == {
        name: " · ".join(f"`{head}`" for head in layout.columns) for name, layout in LAYOUTS.items()
    }


def test_every_operator_prints_a_statement_of_its_own() -> None:
    modules = (moov_3pp, orange_burkina, card_page, mtn, orange_webpay, pawapay, paygate, wave)
    assert {module.DIALECT for module in modules} == set(LAYOUTS)
