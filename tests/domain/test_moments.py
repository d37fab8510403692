"""Moments and spans as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauri.domain.moments import iso, read_moment, read_span

NOW = 1_700_000_000_000

MOMENTS = [
    ("2023-11-14T22:13:20Z", NOW),
    ("2023-11-14 22:13:20", NOW),
    ("2023-11-14T23:13:20+01:00", NOW),
    ("2023-11-14T22:13:20.123Z", NOW + 123),
    ("2023-11-14", NOW - (22 * 3600 + 13 * 60 + 20) * 1000),
    ("90s", NOW - 90_000),
    ("90m", NOW - 5_400_000),
    ("12h", NOW - 43_200_000),
    ("2d", NOW - 172_800_000),
    (" 2d ", NOW - 172_800_000),
    ("999999999d", 0),
    ("1970-01-01", 0),
]


@pytest.mark.parametrize(("text", "expected"), MOMENTS)
def test_a_moment(text: str, expected: int) -> None:
    assert read_moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "yesterday",
        "0h",
        "-1h",
        "1.5h",
        "1w",
        "1 h",
        "2023-02-30",
        "1969-12-31",
        "0001-01-01",
        "٣d",
        "now",
    ],
)
def test_nonsense_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(ValueError, match=r"90m|out of range"):
        read_moment(text, NOW)


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "9999999999d", "2023-11-14"])
def test_a_span_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="90d"):
        read_span(text)


@given(st.integers(0, 253_402_300_799_000))
def test_what_is_written_is_read_back(moment: int) -> None:
    assert read_moment(iso(moment), NOW) == moment


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_clear_error(text: str) -> None:
    try:
        moment = read_moment(text, NOW)
    except ValueError:
        with pytest.raises(ValueError, match=r"90m|out of range"):
            read_moment(text, NOW)
    else:
        assert 0 <= moment <= 253_402_300_799_000
