"""How far a listener is, in a file: stopped and started again it goes on where it was, and forwards nothing twice.

The file is a journal: what is done costs a line, however much is remembered; now and then it is written anew with what still counts.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

_HEAD = b'{"cauri":"listen","version":1}\n'
# So many lines more than twice what still counts are let be.
SPARE_LINES = 1_000


class InUse(Exception):
    """Another listener has this file; two would forward half each."""


class NotOurs(Exception):
    """There is a file of another kind."""


class CannotKeep(OSError):
    """What was done cannot be written down."""


class _Place(msgspec.Struct, array_like=True, tag=1):
    cursor: str = ""
    newest: str = ""
    since: str = ""


class _Done(msgspec.Struct, array_like=True, tag=2):
    """What was forwarded or shown, or is not to be: its id, and a moment not before its change."""

    id: str
    at: str


class Kept:
    """Holds the file for as long as it is open.

    ``cursor``: the gateway's place up to which all is forwarded; while there is none ``since``, the moment where it began. ``newest``: the
    newest change seen, for a gateway that has forgotten the place. All empty at first. What writes raises CannotKeep.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = _Place()
        self._done: dict[str, str] = {}
        self._lines = 0
        self._lock: IO[str] | None = None
        self._file: BinaryIO | None = None

    @property
    def cursor(self) -> str:
        return self._place.cursor

    @property
    def since(self) -> str:
        return self._place.since

    @property
    def newest(self) -> str:
        return self._place.newest

    def open(self) -> None:
        """Raises InUse, NotOurs, OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.path.with_name(self.path.name + ".lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise InUse(str(self.path)) from None
        if self.path.exists():
            self._read()
        self._write_anew()

    def close(self) -> None:
        for each in (self._file, self._lock):
            if each is not None:
                each.close()
        self._file = self._lock = None

    def begin(self, since: str, seen: Iterable[str], at: str) -> None:
        """All that was is forgotten. ``seen``: ids that are not to be forwarded though they may come, as it was at that moment."""
        self._place, self._done = _Place(since=since), dict.fromkeys(seen, at)
        self._write_anew()

    def knows(self, notification_id: str) -> bool:
        return notification_id in self._done

    def done(self, at: str, *notification_ids: str) -> None:
        """Forwarded, or shown: they are not to come again."""
        self._place = _Place(self.cursor, max(self.newest, at), self.since)
        self._done.update(dict.fromkeys(notification_ids, at))
        self._append(*(_Done(each, at) for each in notification_ids), self._place)

    def reached(self, cursor: str, settled: str) -> None:
        """All before this place is done, and what changed before ``settled`` does not come again."""
        if cursor == self.cursor:
            return
        self._place = _Place(cursor, self.newest)
        self._done = {each: at for each, at in self._done.items() if at >= settled}
        if self._lines > 2 * len(self._done) + SPARE_LINES:
            self._write_anew()
        else:
            self._append(self._place)

    def _read(self) -> None:
        """A line that was cut off, the last one, is left out. Raises NotOurs."""
        head, *lines = self.path.read_bytes().splitlines(keepends=True) or [_HEAD]
        if head != _HEAD:
            raise NotOurs(str(self.path))
        for line in lines:
            try:
                told = msgspec.json.decode(line, type=_Place | _Done)
            except (msgspec.DecodeError, UnicodeDecodeError):
                break
            if isinstance(told, _Place):
                self._place = told
            else:
                self._done[told.id] = told.at

    def _append(self, *lines: _Place | _Done) -> None:
        self._write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        self._lines += len(lines)

    def _write(self, text: bytes) -> None:
        """Whole, or the file is at its end: what came after a line that was cut off would not be read."""
        if self._file is None:
            raise RuntimeError("open it first")
        try:
            written = self._file.write(text)
        except OSError as error:
            raise CannotKeep(error.errno, error.strerror) from None
        if written != len(text):
            raise CannotKeep(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _write_anew(self) -> None:
        if self._file is not None:
            self._file.close()
        partial = self.path.with_name(self.path.name + ".partial")
        try:
            self._file = partial.open("wb", buffering=0)
            self._write(_HEAD)
            self._lines = 0
            self._append(*(_Done(each, at) for each, at in self._done.items()), self._place)
            partial.replace(self.path)
        except OSError as error:
            raise CannotKeep(error.errno, error.strerror) from None


def kept_path(gateway: str, site_id: str, forward_to: str) -> Path:
    """Where the state of this listener is kept: below XDG_STATE_HOME, ``~/.local/state`` by default."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "cauri"
    named = hashlib.sha256("\0".join((gateway, site_id, forward_to)).encode()).hexdigest()[:16]
    return folder / f"listen-{named}.journal"
