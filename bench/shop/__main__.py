"""``python -m bench.shop``: both libraries, one after the other, on the same PostgreSQL in front of the same gateway."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from bench.database import durable_postgres, new_postgres_database, value
from bench.processes import Failed, child, output_of
from bench.shop import race
from bench.shop.packages import rival_packages

CASES: tuple[tuple[str, str, list[str]], ...] = (
    ("its dummy provider: verifies nothing, asks nobody", "bench.shop.with_django_payments", ["dummy"]),
    ("a provider that verifies and asks", "bench.shop.with_django_payments", ["checkout"]),
    ("its Django doors: verifies and asks", "bench.shop.with_cauri_shop", []),
)


def main() -> int:
    """0, or 1 with the reason where something cannot be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.shop", description=__doc__)
    parser.add_argument("--database", help="a PostgreSQL server to use: postgresql://user:password@host/name")
    parser.add_argument("--rounds", type=int, default=3, help="how often, the fastest counts (3)")
    parser.add_argument("--json", action="store_true", help="print what was counted as JSON")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    try:
        results = measure(options.database, options.rounds)
    except (Failed, OSError) as failed:
        print(f"bench.shop: {failed}", file=sys.stderr)
        return 1
    print(json.dumps(results, indent=1) if options.json else table(results))
    return 0


def measure(given: str | None, rounds: int) -> dict[str, Any]:
    """Each case on an empty database, all cases in each round."""
    found: dict[str, list[dict[str, Any]]] = {}
    with rival_packages() as more, durable_postgres(given) as server, child("bench.shop.gateway") as gateway:
        for _ in range(rounds):
            for what, module, arguments in CASES:
                with new_postgres_database(server, "shop") as url:
                    value(server, "CHECKPOINT")  # what the last case left behind is not this one's to write
                    command = [sys.executable, "-m", module, url, gateway["base_url"], *arguments]
                    counted = json.loads(output_of(command, env={**os.environ, **more}))
                found.setdefault(what, []).append(counted)
        version = value(server, "SHOW server_version")
    return {
        "postgresql": version,
        "cpus": os.cpu_count(),
        "cases": {what: best(runs) for what, runs in found.items()},
    }


def best(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The fastest run; its counts too, and whether all runs counted the same."""
    fastest = min(runs, key=lambda run: run["seconds"])
    same = all(
        run["hook_ran"] == fastest["hook_ran"] and run["overwritten"] == fastest["overwritten"]
        for run in runs
    )
    return {**fastest, "same_counts_in_all_rounds": same, "rounds": len(runs)}


def table(results: dict[str, Any]) -> str:
    """For a person to read."""
    lines = [
        f"{race.PAYMENTS} payments, {race.EQUAL} equal notifications each, {race.THREADS} threads; then one late failure each.",
        f"PostgreSQL {results['postgresql']}, fsync on; {results['cpus']} processors.",
        "",
        f"{'':74}{'hook ran':>9}{'delivered again':>17}{'overwritten':>13}{'a second':>10}",
    ]
    for what, one in results["cases"].items():
        rate = race.PAYMENTS * race.EQUAL / one["seconds"]
        lines.append(
            f"{one['version'] + ', ' + what:74}{one['hook_ran']:9}{one['delivered_again']:17}"
            f"{one['overwritten']:13}{rate:10.0f}"
        )
        if one["trouble"]:
            lines.append(f"    {one['trouble']} notifications were answered with an error")
        if not one["same_counts_in_all_rounds"]:
            lines.append("    the rounds did not count the same")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
