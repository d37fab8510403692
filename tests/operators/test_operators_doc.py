"""docs/operators.md tells every route and every word of the connectors, with the code it becomes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cauri.domain.methods import METHODS
from cauri.operators import card_page, moov_3pp, orange_ompreq, orange_webpay, pawapay

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
]


@pytest.mark.parametrize(
    ("connector", "routes"),
    [
        ("pawapay", pawapay.ROUTES),
        ("moov_3pp", moov_3pp.ROUTES),
        ("orange_ompreq", orange_ompreq.ROUTES),
        *(
            (f"orange_webpay_{country.lower()}", routes)
            for country, routes in orange_webpay.ROUTES_OF_COUNTRY.items()
        ),
        *(
            (f"card_page_{country.lower()}", routes)
            for country, routes in card_page.ROUTES_OF_COUNTRY.items()
        ),
    ],
)
def test_every_route_is_told(connector, routes):
    told = {
        (method, row[1], row[4].strip("`"), row[5])
        for row in ROWS
        if len(row) == 7 and row[3] == f"`{connector}`"
        for method in re.findall(r"`(\w+)`", row[0])
    }
    known = {
        (method, METHODS[method].country, route.provider, route.flow.value)
        for method, route in routes.items()
    }
    assert told == known


def test_every_failure_code_of_pawapay_is_told_with_what_it_becomes():
    told = {
        row[0].strip("`"): row[1][:3] for row in ROWS if len(row) == 2 and re.fullmatch(r"`[A-Z_]+`", row[0])
    }
    words = {
        word: code.number for word, code in pawapay.FAILURE_WORDS.items() if not word.startswith("CAURI_")
    }
    assert told == words
