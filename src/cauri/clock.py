"""The only source of time and of chance.

Times are whole milliseconds since 1970-01-01 UTC, everywhere in the engine and in the database.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from collections import deque

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# What the clocks of processes that share a database may lie apart.
CLOCKS_DIFFER_BY = 5 * SECOND

_dice = random.SystemRandom()


class _Bits:
    """128 random bits at a time, drawn from the system 256 times over at once: asked singly it took an eighth of an initialisation.

    A forked process forgets what was drawn before, or two workers would give out the same.
    """

    def __init__(self) -> None:
        self._drawn: deque[bytes] = deque()
        os.register_at_fork(after_in_child=self._drawn.clear)

    def draw(self) -> bytes:
        try:
            return self._drawn.popleft()
        except IndexError:
            block = os.urandom(16 * 256)
            self._drawn.extend(block[at : at + 16] for at in range(16, len(block), 16))
            return block[:16]


_bits = _Bits()


class Clock:
    """The machine's clock."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


class ManualClock(Clock):
    """A clock that stands still until it is told to move: for tests and for rehearsals of long waits."""

    def __init__(self, start: int | None = None) -> None:
        self._now = super().now() if start is None else start

    def now(self) -> int:
        return self._now

    def advance(self, milliseconds: int) -> None:
        self._now += milliseconds


def payment_token(slot: int) -> str:
    """34 lower-case hex digits: one byte of slot, then 128 random bits (contract section 2)."""
    return f"{slot:02x}{_bits.draw().hex()}"


def operator_reference(slot: int) -> str:
    """A UUIDv4 whose first byte is the payment's slot, so that a callback names its rows by itself."""
    random_part = bytearray(uuid.uuid4().bytes)
    random_part[0] = slot
    return str(uuid.UUID(bytes=bytes(random_part)))


def new_uuid() -> str:
    """A UUIDv4, where an operator asks for one that is no attempt's."""
    return str(uuid.uuid4())


def new_id() -> str:
    """128 random bits as hex: claims, deliveries, moves."""
    return _bits.draw().hex()


def jittered(milliseconds: int, share: float = 0.1) -> int:
    """The duration, up to ``share`` shorter or longer, so that many waits do not end together."""
    return round(milliseconds * _dice.uniform(1 - share, 1 + share))
