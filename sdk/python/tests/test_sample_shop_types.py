"""A shop written on this library passes mypy --strict, and its mistakes do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

TESTS = Path(__file__).parent
SHOP = TESTS / "sample_shop"


def mypy(folder: Path, *, cache: Path) -> subprocess.CompletedProcess[str]:
    # No configuration but strict, and the library as it is installed: py.typed is what makes it readable.
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        f"--cache-dir={cache}",
        folder.name,
    ]
    return subprocess.run(
        command, cwd=folder.parent, text=True, capture_output=True, timeout=110, check=False
    )


def test_the_sample_shop_is_typed_strictly_and_its_wrong_calls_are_found(tmp_path):
    found = mypy(SHOP, cache=tmp_path / "cache")
    assert found.returncode == 0, found.stdout + found.stderr
    copy = tmp_path / "sample_shop"
    copy.mkdir()
    for file in SHOP.glob("*.py"):
        kept = [line.split("  # type: ignore")[0] for line in file.read_text(encoding="utf-8").splitlines()]
        (copy / file.name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    told = mypy(copy, cache=tmp_path / "cache")
    marked = (SHOP / "calls.py").read_text(encoding="utf-8").count("# type: ignore")
    assert marked >= 10
    assert told.stdout.count("error:") >= marked, "each line that carries an ignore is an error without it"
    assert {line.split(":")[0] for line in told.stdout.splitlines() if "error:" in line} == {
        "sample_shop/calls.py"
    }
