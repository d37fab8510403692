"""What runs all the time, or over tables that only grow, finds its rows by an index: no statement here reads a whole table."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import apsw
import asyncpg
import pytest
import pytest_asyncio

from cauri.store import engine_for
from cauri.store.migrate import migrate
from cauri.store.queries import queries
from tests.conftest import NewDatabase
from tests.store.records import NOW

# All in one of the workers: each would fill its tables for itself.
pytestmark = pytest.mark.xdist_group("plans")

ROWS = 20_000
# Where a gateway is young its tables are small, and the planner is tempted to read all of them.
SIZES = (3_000, ROWS)

# A past of paid payments, a tenth in flight at twelve operators, a twentieth parked, a third to be told.
_NUMBERED = "WITH RECURSIVE made (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM made WHERE i < {rows}) "
FILLED = (
    _NUMBERED
    + "INSERT INTO payment (slot, site_id, transaction_id, token, amount, currency, status, code, version, created_at, "
    "expires_at, request, attempts, tries) SELECT i % 256, 's' || (i % 50), 'o' || i, 't' || i, 100, 'XOF', "
    "CASE WHEN i % 10 = 0 THEN 'waiting' ELSE 'paid' END, '00', 2, i, i, '{}', 1, 0 FROM made",
    _NUMBERED
    + "INSERT INTO attempt (slot, token, number, reference, connector, method, phone, amount, currency, status, code, "
    "started_at, sent_at, word, next_ask_at, asks, claimed_until) SELECT i % 256, 't' || i, 1, 'r' || i, 'c' || (i % 12), 'OM', "
    f"'CI:225:07', 100, 'XOF', CASE WHEN i % 10 = 0 THEN 'sent' ELSE 'paid' END, '623', {NOW} + i, {NOW} + i, '', "
    f"CASE WHEN i % 10 = 0 THEN {NOW} + 60000 END, 0, 0 FROM made",
    _NUMBERED
    + "INSERT INTO notification (slot, token, site_id, endpoint, due_version, told_version, tried_version, since, tries, "
    "parked_at, due_at, claimed_until) SELECT i % 256, 't' || i, 's' || (i % 50), 'e' || (i % 50), 2, 2, 2, i, 1, "
    "CASE WHEN i % 20 = 0 THEN i END, CASE WHEN i % 3 = 0 AND i % 20 > 0 THEN i END, 0 FROM made",
    _NUMBERED
    + "INSERT INTO payment_history (slot, token, version, at, event, from_code, to_code, actor, note, move_id) "
    "SELECT i % 256, 't' || i, 1, i, 'paid', '623', '00', '', '', 'm' || i FROM made",
    _NUMBERED + "INSERT INTO surplus (slot, token, attempt, at, operator_id, amount, currency) "
    "SELECT i % 256, 't' || i, 1, i, 'o' || i, 100, 'XOF' FROM made",
    _NUMBERED
    + "INSERT INTO delivery (slot, token, delivery_id, at, site_id, transaction_id, number, version, code, url, status, duration_ms, "
    "answer) SELECT i % 256, 't' || i, 'd' || i, i, 's' || (i % 50), 'o' || i, 1, 2, '00', '', 200, 1, '' FROM made",
)

# Statement → its parameters.
STATEMENTS: dict[str, dict[str, Any]] = {
    "connectors_due": {"rows": json.dumps([{"connector": f"c{n}"} for n in range(12)]), "now": NOW},
    "claim_asks": {"connector": "c4", "now": NOW, "until": NOW, "claim": "c", "limit": 16},
    "unended_attempts": {"before": NOW + ROWS, "limit": 10},
    "due_notifications": {"now": NOW, "limit": 100},
    "replay_parked": {"site_id": "", "begun": NOW, "now": NOW, "limit": 100},
}


# Those that are given a batch of rows; a connector's first is looked for, not looked up.
BATCHES = sorted(
    name
    for name, query in queries("postgres").items()
    if re.search(r"json_array_elements|unnest\(", query.sql) and name != "connectors_due"
)


# How a plan reads more than what is named: a join with a whole table, or all that is due, asked or parked, of whomever.
EVERYTHING = r"(Hash|Merge) .*Join|Seq Scan on (payment|attempt|notification|surplus|delivery)|using notification_due\b"
OF_ONE_ENDPOINT = {"endpoint": "e3", "now": NOW, "until": NOW, "claim": "c", "limit": 500}
# What asks the queue of named notifications and endpoints → its parameters.
OF_THE_QUEUE: dict[str, dict[str, Any]] = {
    "claim_notifications": {
        "rows": json.dumps([{"slot": n % 256, "token": f"t{n}"} for n in range(3, 123, 3)]),
        **OF_ONE_ENDPOINT,
    },
    "hold_notifications": {
        "rows": json.dumps([{"slot": n % 256, "token": f"t{n}"} for n in range(3, 123, 3)]),
        "last": 1,
        **OF_ONE_ENDPOINT,
    },
    "due_of_endpoints": {
        "rows": json.dumps([{"endpoint": f"e{n}"} for n in range(49)]),
        "now": NOW,
        "most": 32,
    },
    "due_by_endpoint": {"after": "", "lanes": 20, "now": NOW, "most": 32},
    "claim_held": OF_ONE_ENDPOINT,
    "claim_parked": {"after": 0, **OF_ONE_ENDPOINT},
    "bring_forward": {"answered_at": NOW, "brought_at": NOW, **OF_ONE_ENDPOINT, "now": 0},
    "bring_back": {"answered_at": NOW, "brought_at": NOW, "early": 1, **OF_ONE_ENDPOINT},
    "endpoint_caught_up": {"answered_at": NOW, "probe_at": NOW, "early": 1, **OF_ONE_ENDPOINT},
    "replay_parked": {"site_id": "s3", "begun": NOW, **OF_ONE_ENDPOINT},
    "replay_since": {"site_id": "s3", "since": 0, "begun": NOW, **OF_ONE_ENDPOINT},
}


async def _filled(engine: str, url: str, rows: int) -> str:
    made = engine_for(url)
    await migrate(made)
    filled = [each.replace("{rows}", str(rows)) for each in FILLED]
    await made.script([*filled, "ANALYZE"] if engine == "postgres" else filled)  # nobody does it for SQLite
    await made.close()
    return url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def filled(engine: str, new_database: NewDatabase) -> str:
    return await _filled(engine, await new_database(engine), ROWS)


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=SIZES)
async def session(
    request: pytest.FixtureRequest, new_database: NewDatabase
) -> AsyncIterator[asyncpg.Connection]:
    """PostgreSQL that plans a statement once for all values, as it does when it has seen it a few times."""
    session = await asyncpg.connect(
        await _filled("postgres", await new_database("postgres"), request.param),
        server_settings={"plan_cache_mode": "force_generic_plan"},
    )
    yield session
    await session.close()


async def _plan(engine: str, url: str, name: str) -> str:
    query = queries(engine)[name]  # type: ignore[index]
    values = {each: STATEMENTS[name][each] for each in query.parameters}
    if engine == "sqlite":
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        rows = list(connection.execute("EXPLAIN QUERY PLAN " + query.sql, values))
        connection.close()
        return "\n".join(str(row[-1]) for row in rows)
    session = await asyncpg.connect(url)
    rows = await session.fetch("EXPLAIN " + query.sql, *values.values())
    await session.close()
    return "\n".join(row[0] for row in rows)


async def _generic_plan(session: asyncpg.Connection, name: str) -> str:
    query = queries("postgres")[name]
    prepared = await session.prepare(query.sql)
    nothing = ", ".join("NULL" for _ in query.parameters)
    rows = await session.fetch(f"EXPLAIN EXECUTE {prepared.get_name()} ({nothing})")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_statement_reads_no_whole_table(engine: str, filled: str, name: str) -> None:
    plan = await _plan(engine, filled, name)
    whole = ("SCAN b", "SCAN p", "SCAN n", "SCAN m") if engine == "sqlite" else ("Seq Scan on ",)
    assert not any(each in plan for each in whole), plan


async def test_connectors_are_looked_up_one_by_one(engine: str, filled: str) -> None:
    """Joined with all that is in flight, this took half a second where fifty thousand were; it runs twice a second."""
    plan = await _plan(engine, filled, "connectors_due")
    assert "Join" not in plan
    assert "attempt_to_ask" in plan


async def test_what_was_parked_is_found_without_passing_over_the_rest(engine: str, filled: str) -> None:
    assert "notification_parked_at" in await _plan(engine, filled, "replay_parked")


@pytest.mark.parametrize("name", BATCHES)
async def test_what_a_batch_names_is_looked_up_row_by_row(session: asyncpg.Connection, name: str) -> None:
    """A claim that read all that was due took ten times as long beside three thousand of them."""
    plan = await _generic_plan(session, name)
    assert not re.search(
        r"(Hash|Merge) .*Join|Seq Scan on (payment|attempt|notification|surplus|delivery)", plan
    ), plan


# A queue as PostgreSQL may meet it: what was done before it looked at the tables, and after.
QUEUES = {
    "analysed when nothing was due": (
        ["UPDATE notification SET due_at = NULL, parked_at = NULL", "VACUUM ANALYZE notification"],
        [
            "UPDATE notification SET due_at = since WHERE slot % 2 = 0",
            "UPDATE notification SET parked_at = since WHERE slot % 2 = 1",
        ],
    ),
    "all of it at one shop": (
        [
            "UPDATE notification SET endpoint = 'e3', site_id = 's3', due_at = since, parked_at = NULL",
            "UPDATE notification SET parked_at = since, due_at = NULL WHERE slot % 2 = 1",
            "VACUUM ANALYZE notification",
        ],
        [],
    ),
}


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=QUEUES)
async def queue(
    request: pytest.FixtureRequest, new_database: NewDatabase
) -> AsyncIterator[asyncpg.Connection]:
    """PostgreSQL, which plans for the values at hand, as it does the first five times on each connection."""
    url = await _filled("postgres", await new_database("postgres"), ROWS)
    session = await asyncpg.connect(url, server_settings={"plan_cache_mode": "force_custom_plan"})
    before, after = QUEUES[request.param]
    for statement in ("ALTER TABLE notification SET (autovacuum_enabled = false)", *before, *after):
        await session.execute(statement)
    yield session
    await session.close()


@pytest.mark.parametrize("name", OF_THE_QUEUE)
async def test_the_queue_is_not_read_whole(queue: asyncpg.Connection, name: str) -> None:
    query = queries("postgres")[name]
    values = [OF_THE_QUEUE[name][each] for each in query.parameters]
    rows = await queue.fetch("EXPLAIN " + query.sql, *values)
    plan = "\n".join(row[0] for row in rows)
    assert not re.search(EVERYTHING, plan), plan
