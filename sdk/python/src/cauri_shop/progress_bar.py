"""How far a run has come, as a line for a terminal: what every reconcile command draws."""

from __future__ import annotations

_WIDTH = 30


def progress_bar(done: int, total: int) -> str:
    """`[███···] 3/6`, after a carriage return so that it stands over the last one."""
    full = _WIDTH * done // max(total, 1)
    return f"\r[{'█' * full}{'·' * (_WIDTH - full)}] {done}/{total}"
