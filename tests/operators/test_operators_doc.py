"""docs/operators.md tells every route and every word of the connectors, with the code it becomes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cauri.clock import Clock
from cauri.domain.methods import METHODS
from cauri.operators import card_page, orange_webpay, pawapay
from cauri.operators.base import Connector
from cauri.operators.card_page import CardPage
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.mtn import MARKETS, Mtn
from cauri.operators.mtn import words as mtn_words
from cauri.operators.orange_ompreq import OrangeOmpreq
from cauri.operators.orange_webpay import OrangeWebPay
from cauri.operators.pawapay import PawaPay
from cauri.operators.paygate import PayGate
from cauri.operators.wave import METHODS_BY_COUNTRY, Wave
from cauri.operators.wave import words as wave_words

UUID = "5b3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77"

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
]


CONNECTORS: list[Connector] = [
    OrangeOmpreq("https://x", "u", "p", "64000000"),
    *(OrangeWebPay(country, "https://x", "i", "s", "k") for country in orange_webpay.ROUTES_OF_COUNTRY),
    *(CardPage(country, "https://x", "k") for country in card_page.ROUTES_OF_COUNTRY),
    PawaPay("https://x", "t"),
    PayGate("t"),
    *(Moov3pp("https://x", "u", "p", country=country) for country in ("CI", "ML", "BF")),
    *(Mtn(country, "k", UUID, "k", clock=Clock()) for country in MARKETS),
    *(Wave(country, "k", clock=Clock()) for country in METHODS_BY_COUNTRY),
]


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
