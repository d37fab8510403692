"""Several serving processes: a signal to stop reaches every worker, whenever it comes."""

from __future__ import annotations

import subprocess
import sys

import pytest

STOPPED_WHILE_STARTING = """
import os, signal, time
from cauri.workers import Workers

class Stopped(Workers):
    started = 0

    def _start(self):
        super()._start()
        self.started += 1
        if self.started == {after}:
            os.kill(os.getpid(), signal.SIGTERM)

Stopped(4, lambda: time.sleep(60)).run()
print("ended")
"""


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_stop_while_workers_are_started_leaves_none_running(after: int) -> None:
    script = STOPPED_WHILE_STARTING.format(after=after)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.stdout == "ended\n", done.stderr
