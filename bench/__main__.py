"""``python -m bench``: everything in one run, so that its numbers can be compared with each other."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import rates
from bench.database import durable_postgres, new_postgres_database, value
from bench.delivered import delivered
from bench.first_view import first_view
from bench.load import Measured, generator
from bench.processes import Failed
from bench.rates import Effort

PARTS = ("floor", "pgbench", "postgres", "sqlite", "delivered", "first-view")
NEED_A_SERVER = {"pgbench", "postgres", "delivered"}
TARGET = 0.5
ROW = "{:<44} {:>9} {:>9} {:>9} {:>9} {:>10}"


def main() -> int:
    options = _options()
    parts = options.only or list(PARTS)
    effort = Effort(options.seconds, options.connections)
    try:
        with ExitStack() as stack:
            server = ""
            if NEED_A_SERVER & set(parts):
                server = stack.enter_context(durable_postgres(options.database))
            _tell_rig(server, effort)
            shares = [_rates(parts, server, effort) for _ in range(options.rounds)]
            _moments(parts, server, options.payments)
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return _verdict([share for share in shares if share is not None])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=_positive, default=10, help="of each measurement (default: 10)")
    parser.add_argument("--connections", type=_positive, default=64, help="clients at once (default: 64)")
    parser.add_argument(
        "--rounds", type=_positive, default=1, help="how often the rates are measured (default: 1)"
    )
    parser.add_argument(
        "--payments", type=_positive, default=300, help="whose notification is timed (default: 300)"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure only these")
    parser.add_argument(
        "--database", help="a durable postgresql:// server to use (default: a fresh one, gone afterwards)"
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _tell_rig(server: str, effort: Effort) -> None:
    print(
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"load before: {os.getloadavg()[0]:.1f}"
    )
    if server:
        print(f"PostgreSQL {value(server, 'SHOW server_version')}, fsync on, synchronous_commit on")
    print(f"load by {generator()}, {effort.connections} connections, {effort.seconds} s each\n")


def _rates(parts: Sequence[str], server: str, effort: Effort) -> float | None:
    """Prints one round; gives back initialisations on PostgreSQL as a share of pgbench's rate."""
    print(ROW.format("", "a second", "p50 ms", "p99 ms", "× floor", "× pgbench"))
    floor = rates.floor(effort) if "floor" in parts else None
    _show("HTTP server, no operation", floor, floor, None)
    rival = rates.rival(server, effort) if "pgbench" in parts else None
    _show("pgbench, one row a commit, no HTTP", rival, floor, rival)
    opened = None
    if "postgres" in parts:
        opened, checked = rates.postgres(server, effort)
        _show("PostgreSQL, initialisations, durable", opened, floor, rival)
        _show("PostgreSQL, checks", checked, floor, rival)
    if "sqlite" in parts:
        for name, measured in zip(("initialisations, durable", "checks"), rates.sqlite(effort), strict=True):
            _show(f"SQLite, {name}", measured, floor, rival)
    print()
    return None if opened is None or rival is None else opened.rate / rival.rate


def _show(name: str, measured: Measured | None, floor: Measured | None, rival: Measured | None) -> None:
    if measured is not None:
        shares = [f"{measured.rate / base.rate:.2f}" if base else "" for base in (floor, rival)]
        times = (f"{measured.p50_ms:.1f}", f"{measured.p99_ms:.1f}")
        print(ROW.format(name, f"{measured.rate:,.0f}", *times, *shares), flush=True)


def _moments(parts: Sequence[str], server: str, payments: int) -> None:
    if "delivered" in parts:
        with new_postgres_database(server, "delivered") as url:
            _show_delays("PostgreSQL", url, payments)
        with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
            _show_delays("SQLite", f"sqlite:///{Path(folder) / 'cauri.sqlite3'}", payments)
    if "first-view" in parts:
        seen = first_view()
        print(f"sandbox, from the command to /healthz: {seen.start_s:.2f} s")
        print(
            f"payment page, first view: {seen.page_bytes + seen.linked_bytes:,} bytes over the wire "
            f"(page {seen.page_bytes:,}, {seen.linked} linked files {seen.linked_bytes:,})"
        )


def _show_delays(name: str, url: str, payments: int) -> None:
    delays = delivered(url, payments)
    print(
        f"final status → notification at the shop, {name}, {delays.payments} payments: "
        f"p50 {delays.p50_ms:.0f} ms, p99 {delays.p99_ms:.0f} ms",
        flush=True,
    )


def _verdict(shares: Sequence[float]) -> int:
    """1 where the target is missed. Nothing is said where it was not measured."""
    if not shares:
        return 0
    share = median(shares)
    each = f" (rounds: {', '.join(f'{one:.2f}' for one in shares)})" if len(shares) > 1 else ""
    word = "met" if share >= TARGET else "missed"
    print(f"\ninitialisations on PostgreSQL ÷ pgbench: {share:.2f}{each}; target {TARGET}: {word}")
    return 0 if share >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
