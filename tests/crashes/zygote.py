"""Forks gateways that count their lines and kill themselves before one of them; the gateway's own code knows nothing of it.

Run as ``python -m tests.crashes.zygote``. Reads one order a line as JSON, ``{"config", "log", "kill", "note"}``, forks a ``cauri serve``
and answers with ``{"pid"}`` and, when it is dead, ``{"status"}``. Forked, because the imports then happen once.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from jinja2 import Environment

import cauri
import cauri.cli.servers
from cauri.api.docs import Docs
from cauri.checkout.rendering import Renderer
from cauri.cli import main
from cauri.lifecycle import Lifecycle

SOURCE = str(Path(cauri.__file__).parent) + os.sep
WATCHED = ("lifecycle/", "domain/moves.py", "loops/poll_operators.py", "store/", "operators/")
# They only read, look up and translate.
NOT_WATCHED = (
    *(f"lifecycle/{name}.py" for name in ("figures", "opening", "routing", "standing", "view", "watch")),
    *(f"store/{name}.py" for name in ("engine", "migrate", "queries", "rows", "vault")),
    "operators/registry.py",
)

Point = tuple[str, int, int]
"""A file below src/cauri, a line of it, and before its how-manieth execution, from 1."""


def watch(kill: Point | None, note: Path | None) -> None:
    """Counts the lines of an attempt's code from ``Lifecycle.open`` on; notes each, or dies before the one of ``kill``."""
    counts: Counter[tuple[str, int]] = Counter()
    begun = False
    names: dict[str, str | None] = {}
    notes = None if note is None else os.open(note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def name_of(path: str) -> str | None:
        name = path.removeprefix(SOURCE)
        return name if name.startswith(WATCHED) and name not in NOT_WATCHED else None

    def line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line" and begun:
            here = (names[frame.f_code.co_filename] or "", frame.f_lineno)
            counts[here] += 1
            if here == target and kill is not None and counts[here] == kill[2]:
                os.kill(os.getpid(), signal.SIGKILL)
            if notes is not None:
                os.write(notes, f"{here[0]} {here[1]} {counts[here]}\n".encode())
        return line

    def call(frame: FrameType, _event: str, _: Any) -> Any:
        path = frame.f_code.co_filename
        if path not in names:
            names[path] = name_of(path)
        return line if names[path] else None

    async def opens(*given: Any) -> Any:
        """Only here, or starting up would be traced as well, which takes its time."""
        nonlocal begun
        if not begun:
            begun = True
            sys.settrace(call)
        return await opened(*given)

    target = None if kill is None else kill[:2]
    opened, Lifecycle.open = Lifecycle.open, opens  # type: ignore[method-assign, assignment]
    threading.settrace(call)  # the store's threads, which start before


def serve(order: dict[str, Any]) -> None:
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(log, number)
    if order["kill"] or order["note"]:
        watch(tuple(order["kill"]) if order["kill"] else None, Path(order["note"]) if order["note"] else None)
    sys.argv = ["cauri", "serve", "--config", order["config"]]
    main()


def dies_with_parent() -> None:
    """A test that is itself killed leaves no gateway behind (Linux; elsewhere it may)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        dies_with_parent()
        work()
    except SystemExit:
        pass
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


def compile_templates() -> None:
    """Once here instead of in every gateway: a template that was compiled before is not compiled again."""
    compiled: dict[tuple[str, str | None], Any] = {}
    really = Environment.compile

    def compile_once(
        environment: Environment, source: str, name: str | None = None, *rest: Any, **more: Any
    ) -> Any:
        if (source, name) not in compiled:
            compiled[source, name] = really(environment, source, name, *rest, **more)
        return compiled[source, name]

    Environment.compile = compile_once  # type: ignore[method-assign, assignment]
    Docs("http://127.0.0.1")
    pages = Renderer("", {})._environment
    for name in pages.list_templates():
        pages.get_template(name)


def answer(**fields: object) -> None:
    os.write(1, json.dumps(fields).encode() + b"\n")


if __name__ == "__main__":
    dies_with_parent()
    compile_templates()
    gc.collect()
    gc.freeze()
    for text in sys.stdin:
        child = forked(lambda text=text: serve(json.loads(text)))  # type: ignore[misc]
        answer(pid=child)
        answer(status=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
