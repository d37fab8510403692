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

from bench import rates, told
from bench.database import durable_postgres, new_postgres_database, value
from bench.delivered import delivered
from bench.first_view import first_view
from bench.load import Measured, generator
from bench.processes import Failed
from bench.rates import Effort

PARTS = ("floor", "pgbench", "postgres", "sqlite", "delivered", "told", "first-view")
NEED_A_SERVER = {"pgbench", "postgres", "delivered", "told"}
TARGET = 0.5
FLOOR = "HTTP server, no operation"
RIVAL = "pgbench, one row a commit, no HTTP"
OPENED = "PostgreSQL, initialisations, durable"
ROW = "{:<38} {:>9} {:>9} {:>9} {:>9} {:>10}"

DUE = (10_000, 100_000)
# How often the wait of a healthy shop is measured without dead ones and beside them.
TURNS = 5

Round = dict[str, Measured]


def main() -> int:
    options = _options()
    parts = options.only or list(PARTS)
    effort = Effort(options.seconds, options.connections)
    try:
        with ExitStack() as stack:
            server = ""
            if NEED_A_SERVER & set(parts):
                server = stack.enter_context(durable_postgres(options.database))
            _tell_rig(server, effort, options.rounds)
            rounds = [_round(parts, server, effort) for _ in range(options.rounds)]
            _show(rounds)
            _moments(parts, server, options.payments)
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return _verdict(_shares(rounds, OPENED, RIVAL))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=_positive, default=5, help="of each measurement (default: 5)")
    parser.add_argument("--connections", type=_positive, default=64, help="clients at once (default: 64)")
    parser.add_argument(
        "--rounds", type=_positive, default=3, help="how often the rates are measured in turn (default: 3)"
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


def _tell_rig(server: str, effort: Effort, rounds: int) -> None:
    print(
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"load before: {os.getloadavg()[0]:.1f}"
    )
    if server:
        print(f"PostgreSQL {value(server, 'SHOW server_version')}, fsync on, synchronous_commit on")
    print(
        f"load by {generator()}, {effort.connections} connections; {rounds} rounds of {effort.seconds} s for each row, "
        "of which the median\n",
        flush=True,
    )


def _round(parts: Sequence[str], server: str, effort: Effort) -> Round:
    """Everything once, one after the other: what a busy neighbour takes is taken from all of them."""
    measured: Round = {}
    if "floor" in parts:
        measured[FLOOR] = rates.floor(effort)
    if "pgbench" in parts:
        measured[RIVAL] = rates.rival(server, effort)
    if "postgres" in parts:
        measured[OPENED], measured["PostgreSQL, checks"] = rates.postgres(server, effort)
    if "sqlite" in parts:
        opened, checked = rates.sqlite(effort)
        measured["SQLite, initialisations, durable"], measured["SQLite, checks"] = opened, checked
    return measured


def _show(rounds: Sequence[Round]) -> None:
    if not rounds[0]:
        return
    print(ROW.format("", "a second", "p50 ms", "p99 ms", "× floor", "× pgbench"))
    for name in rounds[0]:
        all_rounds = [measured[name] for measured in rounds]
        shares = [_share(_shares(rounds, name, base)) for base in (FLOOR, RIVAL)]
        print(
            ROW.format(
                name,
                f"{median(one.rate for one in all_rounds):,.0f}",
                f"{median(one.p50_ms for one in all_rounds):.1f}",
                f"{median(one.p99_ms for one in all_rounds):.1f}",
                *shares,
            )
        )
    print(flush=True)


def _shares(rounds: Sequence[Round], name: str, base: str) -> list[float]:
    """A row's rate as a share of another's, round by round."""
    return [one[name].rate / one[base].rate for one in rounds if name in one and base in one]


def _share(shares: Sequence[float]) -> str:
    return f"{median(shares):.2f}" if shares else ""


def _moments(parts: Sequence[str], server: str, payments: int) -> None:
    if "delivered" in parts:
        with new_postgres_database(server, "delivered") as url:
            _show_delays("PostgreSQL", url, payments)
        with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
            _show_delays("SQLite", f"sqlite:///{Path(folder) / 'cauri.sqlite3'}", payments)
    if "told" in parts:
        _show_told(server)
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


def _show_told(server: str) -> None:
    """One notifier's rate and memory, and whether dead shops delay a healthy one."""
    for due in DUE:
        with new_postgres_database(server, f"due{due}") as url:
            print(told.shown("notifier, PostgreSQL", [told.rate(url, due)]), flush=True)
    with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
        rate = told.rate(f"sqlite:///{Path(folder) / 'cauri.sqlite3'}", DUE[0])
        print(told.shown("notifier, SQLite", [rate]), flush=True)
    _show_healthy(server)


def _show_healthy(server: str) -> None:
    """A p99 is the fifth slowest of five hundred: the two are measured in turns, and the median of their ratios is told."""
    ratios = []
    for turn in range(TURNS):
        delays = []
        for dead in (0, told.DEAD):
            with new_postgres_database(server, f"dead{dead}t{turn}") as url:
                delays.append(told.delay(url, dead=dead))
        without, beside = delays
        ratios.append(beside.p99_ms / without.p99_ms)
        print(
            f"final status → healthy shop: p50 {without.p50_ms:.1f} ms, p99 {without.p99_ms:.1f} ms; beside {told.DEAD:,} dead "
            f"endpoints: p50 {beside.p50_ms:.1f} ms, p99 {beside.p99_ms:.1f} ms, {ratios[-1]:.1f} ×",
            flush=True,
        )
    print(f"p99 beside the dead ÷ p99 without, median: {median(ratios):.2f}; target: at most 2", flush=True)


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
