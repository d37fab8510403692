"""A sandbox as a user starts it: a process of its own."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.forks import Forked, forks


class Cauri:
    """The ``cauri`` command, run in a folder of its own."""

    def __init__(self, folder: Path, prints: Path) -> None:
        self.folder = folder
        self.processes: list[Forked | subprocess.Popen[str]] = []
        self._prints = prints
        self._number = itertools.count()

    def run(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What it printed and its exit status, once it has ended."""
        output, errors = self._file(), self._file()
        process = forks().start(
            *arguments, folder=self.folder, environment=environment, output=output, errors=errors
        )
        printed, complained = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode or 0, printed, complained)

    def begin(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Forked:
        """Whoever begins it ends it. What it prints, errors too, goes to its ``output``."""
        return forks().start(*arguments, folder=self.folder, environment=environment, output=self._file())

    def start(self, *arguments: str, ready_file: str = "ready.json") -> dict[str, str]:
        """Starts a sandbox on free ports; gives what it wrote when it was ready."""
        path = self.folder / ready_file
        path.unlink(missing_ok=True)
        ports = ("--port", "0", "--operators-port", "0", "--ready-file", ready_file)
        process = self.begin("sandbox", *ports, *arguments)
        self.processes.append(process)
        while not path.exists():
            if process.poll() is not None:
                raise AssertionError(process.communicate())
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

    def _file(self) -> Path:
        return self._prints / str(next(self._number))


@pytest.fixture
def cauri(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cauri]:
    command = Cauri(tmp_path, tmp_path_factory.mktemp("printed"))
    yield command
    command.kill()
