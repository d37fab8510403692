"""How a connection of a process that died ends: at once, with a reset in place of a goodbye."""

from __future__ import annotations

import socket
import struct


def reset(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()
