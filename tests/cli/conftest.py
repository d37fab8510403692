"""A sandbox as a user starts it: a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


class Cauri:
    """The ``cauri`` command, run in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def run(
        self, *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
            check=False,
        )

    def start(self, *arguments: str, ready_file: str = "ready.json") -> dict[str, str]:
        """Starts a sandbox on free ports; gives what it wrote when it was ready."""
        path = self.folder / ready_file
        path.unlink(missing_ok=True)
        ports = ("--port", "0", "--operators-port", "0", "--ready-file", ready_file)
        process = subprocess.Popen(
            self._command("sandbox", *ports, *arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        while not path.exists():
            if process.poll() is not None:
                raise AssertionError(process.stdout.read() if process.stdout else "")
            time.sleep(0.02)
        return json.loads(path.read_text())

    def stop(self) -> str:
        """Stops the newest sandbox as Ctrl-C does; gives all that it printed."""
        process = self.processes.pop()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0, output
        return output

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate(timeout=30)

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "cauri", *arguments]


@pytest.fixture
def cauri(tmp_path: Path) -> Iterator[Cauri]:
    command = Cauri(tmp_path)
    yield command
    command.kill()
