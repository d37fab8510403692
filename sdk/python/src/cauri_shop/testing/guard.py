"""Runs a command and ends it when the standard input closes: with its parent, however that one dies.

Run by its path (`python -I guard.py COMMAND …`), so that nothing else is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

STOP_S = 10


def main() -> int:
    """The command's exit status."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603
    threading.Thread(target=_end_with_parent, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_parent(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        """Nothing is said here; only the end counts."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main())
