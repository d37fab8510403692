"""docs/operators.md tells every route and every word of the connectors, with the code it becomes."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from cauri.app import MEMORY
from cauri.clock import Clock
from cauri.config import Settings
from cauri.connectors import connectors, operators_of
from cauri.domain.methods import METHODS
from cauri.domain.money import COUNTRIES as COUNTRIES_OF_THE_WIRE
from cauri.operators import pawapay
from cauri.operators.base import Connector
from cauri.operators.mtn import words as mtn_words
from cauri.operators.wave import words as wave_words
from cauri.simulated import METHODS as SANDBOX_METHODS
from cauri.simulated import simulated_settings
from tests.operators.cases import CASES, COUNTRIES

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
]


HERE = "http://127.0.0.1"
SETTINGS = Settings(
    public_url=HERE, database=MEMORY, secret="", operators=simulated_settings(HERE), methods=SANDBOX_METHODS
)
CONNECTORS: list[Connector] = connectors(SETTINGS, Clock())
KIT = {(case.connector, case.method) for case in CASES + COUNTRIES}


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
def test_every_route_is_told(connector):
    told = {
        (method, row[1], row[4].strip("`"), row[5])
        for row in ROWS
        if len(row) == 7 and row[3] == f"`{connector.name}`"
        for method in re.findall(r"`(\w+)`", row[0])
    }
    known = {
        (method, METHODS[method].country, route.provider, route.flow.value)
        for method, route in connector.routes.items()
    }
    assert told == known


def test_every_connector_goes_through_the_kit():
    assert {connector.name for connector in CONNECTORS} == {name for name, _ in KIT}


def test_what_a_row_was_verified_against_is_what_the_tests_do():
    """``kit``: a case for each method of the row. ``sandbox``: the connector that serves it in a sandbox as it comes."""
    served = operators_of(SETTINGS)
    for row in ROWS:
        if len(row) != 7 or not row[0].startswith("`"):
            continue
        methods, name = re.findall(r"`(\w+)`", row[0]), row[3].strip("`")
        words = row[6].partition(";")[0].split(", ")
        assert words[0] == "scripted answers", row
        assert ("kit" in words) == all((name, method) in KIT for method in methods), row
        serving = [served.serving(method) for method in methods]
        assert ("sandbox" in words) == all(one is not None and one[0].name == name for one in serving), row


def test_the_table_of_countries_names_every_method_under_its_flow():
    flows = {
        (METHODS[method].country, method, route.flow.value)
        for connector in CONNECTORS
        for method, route in connector.routes.items()
    }
    told = {
        (row[0], method, flow)
        for row in ROWS
        if len(row) == 4 and row[0] in COUNTRIES_OF_THE_WIRE
        for flow, cell in zip(("prompt", "code", "page"), row[1:], strict=True)
        for method in re.findall(r"`(\w+)`", cell)
    }
    assert told == flows


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
def test_every_rule_for_silence_is_told(connector):
    rules = [row[1] for row in ROWS if len(row) == 2 and _names(row[0], connector.name)]
    assert len(rules) == 1, rules
    seconds = connector.silence.not_found_final_after_s
    if not connector.silence.askable:
        assert rules[0].startswith("none, and nothing to ask")
    elif seconds is None:
        assert rules[0].startswith("none:")
    else:
        time = "a minute" if seconds == 60 else f"{seconds // 60} minutes"
        assert time in rules[0]
        assert connector.silence.code.number in rules[0]


def _names(cell: str, connector: str) -> bool:
    """``mtn_…`` and ``mtn_*`` name every country's."""
    pattern = cell.strip("`").replace("…", "*")
    return cell.startswith("`") and fnmatch(connector, pattern)


@pytest.mark.parametrize(
    ("words", "shape"),
    [(mtn_words.REASON_WORDS, r"`[A-Z_]+`"), (wave_words.PAYMENT_ERROR_WORDS, r"`[a-z-]+`")],
    ids=["mtn", "wave"],
)
def test_every_reason_of_mtn_and_wave_is_told_with_what_it_becomes(words, shape):
    rows = [row for row in ROWS if len(row) == 3 and re.fullmatch(r"[0-9]{3}", row[1])]
    told = {row[0].strip("`"): row[1] for row in rows if re.fullmatch(shape, row[0])}
    assert told == {word: code.number for word, code in words.items() if not word.startswith("CAURI_")}


def test_every_failure_code_of_pawapay_is_told_with_what_it_becomes():
    told = {
        row[0].strip("`"): row[1][:3] for row in ROWS if len(row) == 2 and re.fullmatch(r"`[A-Z_]+`", row[0])
    }
    words = {
        word: code.number for word, code in pawapay.FAILURE_WORDS.items() if not word.startswith("CAURI_")
    }
    assert told == words
