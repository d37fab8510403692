"""A gateway in a process of its own, as ``cauri sandbox`` starts it: ``python -m bench.gateway --database URL --ready-file FILE``."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

import uvloop

from cauri.sandbox import Sandbox, SandboxOptions
from cauri.serving import bound_socket


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--profile", type=Path, help="where cProfile writes what it saw")
    options = parser.parse_args()
    work = serve(options.database, options.ready_file)
    if options.profile is None:
        uvloop.run(work)
        return
    import cProfile

    profile = cProfile.Profile()
    profile.runcall(uvloop.run, work)
    profile.dump_stats(options.profile)


async def serve(database: str, ready_file: Path) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    sandbox = Sandbox(
        SandboxOptions(database=database), bound_socket("127.0.0.1", 0), bound_socket("127.0.0.1", 0)
    )
    await sandbox.start()
    told(ready_file, sandbox.facts())
    await ended.wait()
    await sandbox.stop()


def told(ready_file: Path, facts: object) -> None:
    """The file appears whole or not at all."""
    draft = ready_file.with_suffix(".draft")
    draft.write_text(json.dumps(facts))
    draft.rename(ready_file)


if __name__ == "__main__":
    main()
