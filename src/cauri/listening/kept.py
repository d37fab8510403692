"""How far a listener is, in a file: stopped and started again it goes on where it was, and forwards nothing twice."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import IO

import msgspec

# Ids are kept for as long as they can come again, and then some.
IDS_MAX = 5_000


class State(msgspec.Struct):
    """``cursor``: the gateway's place up to which all is forwarded. ``reached``: the newest change seen, for a gateway that has
    forgotten the place. ``ids``: forwarded, with their moments; they may come again."""

    cursor: str = ""
    reached: str = ""
    ids: dict[str, str] = {}


class InUse(Exception):
    """Another listener has this file; two would forward half each."""


class Kept:
    """Holds the file for as long as it is open. Raises InUse, OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = State()
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """A file that cannot be read is as none: it was not ours, or was cut off."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.path.with_name(self.path.name + ".lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise InUse(str(self.path)) from None
        try:
            self.state = msgspec.json.decode(self.path.read_bytes(), type=State)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            self.state = State()

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def forget(self) -> None:
        self.state = State()

    def knows(self, notification_id: str) -> bool:
        return notification_id in self.state.ids

    def done(self, notification_id: str, at: str) -> None:
        """Forwarded, or shown: it is not to come again."""
        self.state.ids[notification_id] = at
        self.state.reached = max(self.state.reached, at)
        self.write()

    def reached(self, cursor: str) -> None:
        """All before this place is done."""
        if cursor != self.state.cursor:
            self.state.cursor = cursor
            self._prune()
            self.write()

    def write(self) -> None:
        partial = self.path.with_name(self.path.name + ".partial")
        partial.write_bytes(msgspec.json.encode(self.state))
        partial.replace(self.path)

    def _prune(self) -> None:
        """The oldest go; those of the overlap are the newest."""
        if len(self.state.ids) > IDS_MAX:
            kept = sorted(self.state.ids.items(), key=lambda each: each[1])[-IDS_MAX // 2 :]
            self.state.ids = dict(kept)


def kept_path(gateway: str, site_id: str, forward_to: str) -> Path:
    """Where the state of this listener is kept: below XDG_STATE_HOME, ``~/.local/state`` by default."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "cauri"
    named = hashlib.sha256("\0".join((gateway, site_id, forward_to)).encode()).hexdigest()[:16]
    return folder / f"listen-{named}.json"
