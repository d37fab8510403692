"""SIGKILL before each line of the book: after a restart the order is delivered once and its mail has gone out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("django")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills fork")

TESTS = Path(__file__).parent


def test_killed_before_any_line_and_restarted_the_order_is_delivered_once(tmp_path, gateway):
    gateway.word = ("00", "SUCCES")
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "unused.sqlite3")}
    environment = {**os.environ, "SHOP_DATABASE": json.dumps(database), "SHOP_GATEWAY": gateway.url,
                   "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    run = subprocess.run([sys.executable, "-m", "django_shop.kill", str(tmp_path)], env=environment, cwd=TESTS,
                         text=True, capture_output=True, timeout=110, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    kills, ends = lines[::2], lines[1::2]
    points = json.loads((tmp_path / "points.json").read_text())
    assert len(points) > 250, "the whole way is watched, line by line"
    assert len(kills) == len(ends) >= len(points) // 6
    for kill, end in zip(kills, ends):
        assert kill["killed"], kill
        assert (end.get("paid"), end.get("status")) == ({"o1": 1}, "paid"), (kill, end)
        assert end["mail"]["o1"] >= 1, (kill, end)
    if len(kills) == len(points):
        assert any(end["payments"] > 1 for end in ends), (
            "some died between the gateway's answer and its record"
        )
