"""Child processes that say when they are ready and end when they are told."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_S = 30
STOP_S = 20


class Failed(RuntimeError):
    """A measurement that cannot be made, with the reason."""


@contextmanager
def child(module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """``python -m module … --ready-file FILE``; gives what it wrote there. Ended by SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", module, *arguments, "--ready-file", str(ready)]
        process = subprocess.Popen(command)
        try:
            yield _facts(process, command, ready)
        finally:
            _end(process)


def output_of(command: Sequence[str], **options: Any) -> str:
    """What the command printed. Raises Failed with its complaint."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise Failed(f"{command[0]} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _facts(process: subprocess.Popen[bytes], command: Sequence[str], ready: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failed(f"{' '.join(command[1:3])} ended with {process.returncode} before it was ready")
        if ready.exists():
            facts: dict[str, Any] = json.loads(ready.read_text())
            return facts
        time.sleep(0.01)
    raise Failed(f"{' '.join(command[1:3])} was not ready in {START_S} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
