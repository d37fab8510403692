"""Ports for servers that are stopped and started again at the same one."""

from __future__ import annotations

import errno
import os
import random

from cauri.serving import bound_socket

# Below those that the system gives to outgoing connections: one of these would take the port while its server is down.
FIRST, EACH, WORKERS = 20_000, 1_500, 8
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
PORTS = range(FIRST + _worker * EACH, FIRST + (_worker + 1) * EACH)


def free_port() -> int:
    """One of this test worker's own that nobody listens on, and that no connection is given meanwhile."""
    while True:
        try:
            with bound_socket("127.0.0.1", port := random.choice(PORTS)):
                return port
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
