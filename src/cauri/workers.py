"""Several serving processes on one socket: the parent starts them, starts again one that dies, and passes on the signal to stop.

A worker whose parent is gone stops: nobody would start it again, and it would hold the port against the next ``cauri serve``.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger("cauri.workers")

# A worker that dies sooner than this after its start is started again only after as long a pause.
SHORT_LIFE_S = 2.0
_STOPS = (signal.SIGINT, signal.SIGTERM)


class Workers:
    """``work`` runs in each process and returns when it has been told to stop."""

    def __init__(self, number: int, work: Callable[[], None]) -> None:
        self._number = number
        self._work = work
        self._born: dict[int, float] = {}
        self._stopping = False
        # Only the parent has the end that is written to, so that the other one ends with it, however it dies.
        self._parent_lives, self._alive = os.pipe()

    def run(self) -> None:
        """Returns when every worker has ended after SIGINT or SIGTERM."""
        for name in _STOPS:
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
        """A signal to stop that comes meanwhile waits until the worker is known, and the worker until it would end of it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        if self._stopping:  # what had come before the mask is heard by now
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            return
        pid = os.fork()
        if pid:
            self._born[pid] = time.monotonic()
        else:
            for name in _STOPS:
                signal.signal(name, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        if pid == 0:
            self._serve()

    def _serve(self) -> None:
        os.close(self._alive)
        threading.Thread(target=self._stop_with_parent, daemon=True).start()
        try:
            self._work()
        except BaseException:
            log.exception("worker_broke")
            os._exit(1)
        os._exit(0)

    def _stop_with_parent(self) -> None:
        os.read(self._parent_lives, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self, number: int, _: object) -> None:
        self._stopping = True
        for pid in self._born:
            os.kill(pid, number)
