"""SIGKILL before each line of the book and its doors: after a restart the order is delivered once, its mail is out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")
pytest.importorskip("flask")
pytest.importorskip("fastapi")
pytest.importorskip("aiosqlite")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills fork")

TESTS = Path(__file__).parent


@pytest.mark.parametrize("kind", ["flask", "fastapi"])
def test_killed_before_any_line_and_restarted_the_order_is_delivered_once(kind, tmp_path, gateway):
    gateway.word = ("00", "SUCCES")
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run([sys.executable, "-m", "web_shop.kill", kind, str(tmp_path), gateway.url], env=environment,
                         cwd=TESTS, text=True, capture_output=True, timeout=300, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    kills, ends = lines[::2], lines[1::2]
    points = json.loads((tmp_path / "points.json").read_text())
    files = {Path(file).name for file, _ in points}
    assert {"starting.py", "store.py", "statements.py", "hooks.py", f"{kind}.py"} <= files
    assert len(points) > 300, "the whole way is watched, line by line"
    assert len(kills) == len(ends) >= len(points) // 12
    for kill, end in zip(kills, ends):
        assert kill["killed"], kill
        assert (end.get("paid"), end.get("status")) == ({"o1": 1}, "paid"), (kill, end)
        assert end["mail"]["o1"] >= 1, (kill, end)
    if len(kills) == len(points):
        assert any(end["payments"] > 1 for end in ends), (
            "some died between the gateway's answer and its record"
        )
