"""Ports for servers that are stopped and started again at the same one."""

from __future__ import annotations

import random

from cauri.serving import bound_socket

# Below those that the system gives to outgoing connections: one of these would take the port while its server is down.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """One of this machine that nobody listens on, and that no connection is given meanwhile."""
    while True:
        try:
            with bound_socket("127.0.0.1", port := random.choice(PORTS)):
                return port
        except OSError:
            continue
