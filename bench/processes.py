"""Child processes that say when they are ready and end when they are told."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_S = 30
STOP_S = 20


class Failed(RuntimeError):
    """A measurement that cannot be made, with the reason."""


@contextmanager
def sandbox(*options: str) -> Iterator[dict[str, Any]]:
    """``cauri sandbox`` on free ports; gives its ready file. Without a ``--data`` option its state is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
        kept = () if "--data" in options or "--memory" in options else ("--data", folder)
        with child("cauri", "sandbox", "--port", "0", "--operators-port", "0", *kept, *options) as facts:
            yield facts


@contextmanager
def child(module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """``python -m module … --ready-file FILE``; gives what it wrote there. Ended by SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", module, *arguments, "--ready-file", str(ready)]
        with Path(folder, "complaints").open("w+") as complaints:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints)
            try:
                yield _facts(process, module, ready, Path(folder, "complaints"))
            finally:
                _end(process)


def output_of(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """What the command printed. Raises Failed with its complaint."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise Failed(
            f"{command[0]} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}"
        )
    return done.stdout


def _facts(process: subprocess.Popen[bytes], module: str, ready: Path, complaints: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if ready.exists():
            facts: dict[str, Any] = json.loads(ready.read_text())
            return facts
        if process.poll() is not None:
            raise Failed(f"{module} ended before it was ready: {complaints.read_text()}")
        time.sleep(0.005)
    raise Failed(f"{module} was not ready in {START_S} s: {complaints.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
