"""Moments and spans as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauri.domain.moments import LATEST, iso, read_moment, read_past, read_span

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


def test_a_beginning_may_be_a_little_ahead_but_not_still_to_come() -> None:
    assert read_past("2023-11-14T22:13:50Z", NOW) == NOW, "another machine's clock"
    assert read_past("2h", NOW) == NOW - 7_200_000
    with pytest.raises(ValueError, match=r"still to come: it is 2023-11-14T22:13 UTC now.*2d"):
        read_past("2023-11-14T23:13:20", NOW)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (2**63 - 1, "9999-12-31T23:59:59.000Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (LATEST, "9999-12-31T23:59:59.000Z"),
    ],
)
def test_what_no_date_can_say_is_shown_as_near_as_one_can(moment: int, shown: str) -> None:
    assert iso(moment) == shown


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
