"""Several serving processes on one socket: the parent starts them, starts again one that dies, and passes on the signal to stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger("cauri.workers")

# A worker that dies sooner than this after its start is started again only after as long a pause.
SHORT_LIFE_S = 2.0


class Workers:
    """``work`` runs in each process and returns when it has been told to stop."""

    def __init__(self, number: int, work: Callable[[], None]) -> None:
        self._number = number
        self._work = work
        self._born: dict[int, float] = {}
        self._stopping = False

    def run(self) -> None:
        """Returns when every worker has ended after SIGINT or SIGTERM."""
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._stop)
        for _ in range(self._number):
            self._start()
        while self._born:
            pid, status = os.wait()
            lived_s = time.monotonic() - self._born.pop(pid)
            if not self._stopping:
                log.error("worker_died", alert=True, pid=pid, status=os.waitstatus_to_exitcode(status))
                time.sleep(SHORT_LIFE_S if lived_s < SHORT_LIFE_S else 0)
            if not self._stopping:
                self._start()

    def _start(self) -> None:
        pid = os.fork()
        if pid:
            self._born[pid] = time.monotonic()
            return
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_DFL)
        try:
            self._work()
        except BaseException:
            log.exception("worker_broke")
            os._exit(1)
        os._exit(0)

    def _stop(self, number: int, _: object) -> None:
        self._stopping = True
        for pid in self._born:
            os.kill(pid, number)
