"""The ``cauri`` command, forked from a process that has imported it: a process as a user starts it, without its second of imports.

``forks()`` is the tests' side, ``python -m tests.forks`` the other. An order is one message with two descriptors: the file for what the
command prints, and a pipe that brings its pid and, when it has ended, its status.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.crashes.zygote import compile_templates, dies_with_parent

ORDER_BYTES_MAX = 200_000
PRELOADED = (
    *(
        "cauri.app",
        "cauri.sandbox",
        "cauri.cli.admin",
        "cauri.cli.deliveries",
        "cauri.cli.demo",
        "cauri.cli.instance",
    ),
    *("cauri.cli.listen", "cauri.cli.operator", "cauri.cli.operators", "cauri.cli.pay", "cauri.cli.payments"),
    *("cauri.cli.reconcile", "cauri.cli.servers", "cauri.cli.sites", "cauri.cli.surplus"),
)


class Forked:
    """A command that runs or has ended, as far as tests use ``subprocess.Popen``."""

    def __init__(self, told: int, output: Path, errors: Path) -> None:
        self._told = os.fdopen(told, "r")
        self.pid = int(self._told.readline())
        self.output, self.errors = output, errors
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._status(0)

    def wait(self) -> int:
        status = self._status(None)
        assert status is not None
        return status

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it printed, once it has ended."""
        if self._status(timeout) is None:
            self.kill()
            raise subprocess.TimeoutExpired("cauri", timeout or 0, self.output.read_bytes())
        return self.output.read_text(), self.errors.read_text()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            self.returncode = int(self._told.readline())
            self._told.close()
        return self.returncode


class Forks:
    """Starts commands. What is left of them dies with this process."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.forks", str(theirs.fileno())]
        self._server = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    def start(
        self,
        *arguments: str,
        module: str = "cauri",
        folder: Path,
        environment: Mapping[str, str] | None = None,
        output: Path,
        errors: Path | None = None,
    ) -> Forked:
        """``errors`` None: standard error goes where standard output goes."""
        order = {
            "module": module,
            "arguments": [os.fsencode(each).hex() for each in arguments],
            "folder": str(folder),
            "environment": dict(os.environ if environment is None else environment),
        }
        told, tells = os.pipe()
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, tells)
            descriptors = [
                stack.enter_context(path.open("ab", 0)).fileno() for path in (output, errors or output)
            ]
            socket.send_fds(self._line, [json.dumps(order).encode()], [*descriptors, tells])
        return Forked(told, output, errors or output)


@cache
def forks() -> Forks:
    """Those of this test process."""
    return Forks()


def serve(line: socket.socket) -> None:
    """Each command has a parent of its own, which waits for it and tells how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, ORDER_BYTES_MAX, 3)
        if not message:
            return
        if os.fork() == 0:
            line.close()
            _keep(json.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _keep(order: dict[str, Any], output: int, errors: int, tells: int) -> None:
    dies_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        os.close(tells)
        _become(order, output, errors)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.write(tells, b"%d\n" % child)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(tells, b"%d\n" % status)
    os._exit(0)


def _become(order: dict[str, Any], output: int, errors: int) -> None:
    """``python -m`` the module, to its exit status."""
    dies_with_parent()
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    os.dup2(output, 1)
    os.dup2(errors, 2)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), encoding="utf-8", errors="backslashreplace", write_through=True
    )
    sys.argv = ["cauri", *(os.fsdecode(bytes.fromhex(each)) for each in order["arguments"])]
    status: object = 0
    try:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code
        if isinstance(status, str):
            print(status, file=sys.stderr)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    dies_with_parent()
    for name in PRELOADED:
        importlib.import_module(name)
    compile_templates()
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
