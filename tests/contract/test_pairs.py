"""The recorded pairs against our own gateway, and the replayer against answers that are wrong."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cauri.wire.notification import FIELDS, form_body, x_token

from . import replay as replayer

HERE = Path(__file__).parent


async def test_every_recorded_request_gets_its_recorded_answer(gateway: Any) -> None:
    played, differences = await asyncio.to_thread(
        replayer.replay, gateway.url, gateway.apikey, gateway.site_id
    )
    assert [str(difference) for difference in differences] == []
    assert played >= 90


async def test_the_script_itself_runs_with_python_alone(gateway: Any) -> None:
    command = [sys.executable, "-I", "-S", str(HERE / "replay.py"), gateway.url, "--apikey", gateway.apikey]
    command += ["--site-id", gateway.site_id]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1].split(", ")[1]) == (0, "0 differences"), done.stdout


async def test_the_script_fails_where_the_answers_differ(gateway: Any) -> None:
    command = [
        sys.executable,
        str(HERE / "replay.py"),
        gateway.url,
        "--apikey",
        "wrong",
        "--site-id",
        gateway.site_id,
    ]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "instead of" in done.stdout


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": "1"}, {"a": 1}),
        ({"a": None}, {"a": ""}),
        ("{{api_response_id}}", "1617808789.774"),
        ("{{token}}", "XYZ"),
        ("{{text}}", " "),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}),
    ],
)
def test_a_wrong_answer_is_a_difference(expected: Any, actual: Any) -> None:
    assert list(replayer._compare("", expected, actual, {}))


def test_a_token_that_changes_is_a_difference() -> None:
    known: dict[str, str] = {}
    assert list(replayer._compare("x", "{{token}}", "a" * 32, known)) == []
    assert list(replayer._compare("x", "{{token}}", "b" * 32, known))


@pytest.mark.parametrize(
    "vector", json.loads((HERE / "notifications.json").read_text()), ids=lambda vector: vector["name"]
)
def test_the_notification_vectors(vector: dict[str, Any]) -> None:
    assert tuple(vector["fields"]) == FIELDS
    assert form_body(vector["fields"]).decode() == vector["body"]
    assert x_token(vector["fields"], vector["secret_key"]) == vector["x-token"]
