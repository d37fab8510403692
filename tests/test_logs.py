"""Logs: one line for each event in the chosen form, also for what libraries say."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SPEAK = """
import logging, structlog
from cauri import logs
logs.set_up({form!r}, "info")
structlog.get_logger("cauri.test").info("ours", amount=5)
logging.getLogger("uvicorn.error").warning("theirs %s", "too")
try:
    raise ValueError("lines\\nof\\ntrouble")
except ValueError:
    logging.getLogger("asyncpg").exception("broke")
"""


def said(form: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SPEAK.format(form=form)], capture_output=True, text=True, check=True
    )
    return done.stderr.splitlines()


def test_json_logs_are_one_object_a_line_whoever_speaks() -> None:
    events = [json.loads(line) for line in said("json")]
    assert [event["event"] for event in events] == ["ours", "theirs too", "broke"]
    assert [event["level"] for event in events] == ["info", "warning", "error"]
    assert "ValueError" in events[2]["exception"]


@pytest.mark.parametrize("words", ["ours", "theirs too"])
def test_text_logs_are_for_people(words: str) -> None:
    assert any(words in line for line in said("text"))


def test_text_logs_carry_no_sequences_for_a_terminal() -> None:
    speak = SPEAK.format(form="text").replace('"ours", amount=5', r'"ours", path="/\x1b[31m\x07\x9b\u202e/x"')
    speak = speak.replace("lines", r"\x1b]0;lines")
    done = subprocess.run([sys.executable, "-c", speak], capture_output=True, check=True)
    said = done.stderr.decode()
    assert "path=/\N{REPLACEMENT CHARACTER}[31m" in said
    assert "]0;lines" in said
    assert said.replace("\n", "").isprintable()
