"""The advice, as a pure function of what was seen."""

from __future__ import annotations

import pytest

from cauri.notifier.advice import Circumstances, Level, Line, Seen, Timing, advice
from cauri.notifier.faults import TEXTS, Fault, fault_of_status, in_words

ABOUT = Circumstances(format="form", signed=True, in_clear=False, site_id="445160")
PING = Seen(method="GET", status=200)


def of(post: Seen, about: Circumstances = ABOUT) -> list[Line]:
    return advice(PING, post, about)


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_its_words_and_means_that_the_shop_is_not_told(fault: Fault) -> None:
    lines = of(Seen(method="POST", fault=fault, detail="42"))
    assert lines == [Line(Level.BAD, in_words(fault, "42"))]
    assert "{" not in lines[0].text


def test_the_table_is_total() -> None:
    assert set(TEXTS) == set(Fault)


def test_whatever_the_status_there_is_advice_and_only_2xx_is_told() -> None:
    for status in range(100, 1000):
        lines = of(Seen(method="POST", status=status))
        told = not any(line.level is Level.BAD for line in lines)
        assert told == (200 <= status < 300 or status == 404), status
        assert all(line.text for line in lines)
        assert (fault_of_status(status) is None) == (200 <= status < 300)


@pytest.mark.parametrize(("ms", "warned"), [(0, False), (5_000, False), (5_001, True), (9_999, True)])
@pytest.mark.parametrize("status", [200, 404])
def test_an_answer_near_the_limit_is_warned_of(ms: int, warned: bool, status: int) -> None:
    lines = of(Seen(method="POST", status=status, timing=Timing(whole=ms)))
    assert any("answer first, work after" in line.text for line in lines) == warned
    assert not any(line.level is Level.BAD for line in lines)


def test_plain_http_is_warned_of() -> None:
    about = Circumstances(format="form", signed=True, in_clear=True, site_id="1")
    assert any("use https" in line.text for line in of(Seen(method="POST", status=200), about))
    assert not any("use https" in line.text for line in of(Seen(method="POST", status=200)))


def test_an_endless_detail_is_cut() -> None:
    assert len(in_words(Fault.NOT_AN_ANSWER, "x" * 10_000)) == 400
