"""What one test's own calls log: gateways that many tests share run in the same process and log whenever they like."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict, WrappedLogger

_here: ContextVar[object | None] = ContextVar("_here", default=None)


@contextmanager
def own_lines() -> Iterator[list[EventDict]]:
    """The lines logged by what is called here, and by the tasks that it begins; those of servers and loops begun before are dropped."""
    here = object()

    def only_here(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        if _here.get() is not here:
            raise structlog.DropEvent
        return line

    token = _here.set(here)
    try:
        with capture_logs(processors=[only_here]) as lines:
            yield lines
    finally:
        _here.reset(token)
