"""Migrations and statements: one schema on both engines, and every statement of queries.sql fits it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import apsw
import asyncpg
import pytest

import cauri.store
from cauri.domain.errors import StoreRefused
from cauri.store import engine_for
from cauri.store.engine import Engine, Statement
from cauri.store.migrate import migrate, migrations, version_of
from cauri.store.queries import queries, spelled
from tests.conftest import NewDatabase
from tests.store.conftest import OpenStore

STATEMENTS = Path(cauri.store.__file__).with_name("queries.sql")


async def test_a_fresh_database_gets_every_version_and_a_second_time_nothing(
    engine: str, new_database: NewDatabase
) -> None:
    made = engine_for(await new_database(engine))
    assert await version_of(made) == 0
    assert await migrate(made) == sorted(migrations())
    assert await migrate(made) == []
    assert await version_of(made) == max(migrations())
    await made.close()


async def test_processes_that_migrate_at_the_same_time_apply_each_version_once(
    engine: str, new_database: NewDatabase
) -> None:
    url = await new_database(engine)
    engines = [engine_for(url) for _ in range(4)]
    applied = await asyncio.gather(*map(migrate, engines))
    assert sorted(version for versions in applied for version in versions) == sorted(migrations())
    assert await version_of(engines[3]) == max(migrations())
    for each in engines:
        await each.close()


async def test_a_migration_that_fails_leaves_no_trace(engine: str, new_database: NewDatabase) -> None:
    made = engine_for(await new_database(engine))
    await made.script(["CREATE TABLE kept (n INTEGER PRIMARY KEY)"])
    with pytest.raises(StoreRefused):
        await made.script(
            ["CREATE TABLE gone (n INTEGER)", "INSERT INTO kept VALUES (1)", "INSERT INTO kept VALUES (1)"]
        )
    await made.script(["INSERT INTO kept VALUES (1)", "CREATE TABLE gone (n INTEGER)"])
    await made.close()


def test_migrations_are_numbered_without_gaps_and_leave_no_fragment_unspelled() -> None:
    found = migrations()
    assert sorted(found) == list(range(1, len(found) + 1))
    for text in found.values():
        for dialect in ("sqlite", "postgres"):
            assert not re.search(r"\{[a-z_]+\}", spelled(text, dialect))  # type: ignore[arg-type]


async def test_every_statement_is_understood_by_its_engine(
    database: str, engine: str, open_store: OpenStore
) -> None:
    await (await open_store(database)).ready()
    if engine == "sqlite":
        connection = apsw.Connection(str(Path(database.removeprefix("sqlite:///"))))
        for query in queries("sqlite").values():
            names = () if query.each else query.parameters
            connection.execute(
                "EXPLAIN " + query.sql_for(3), dict.fromkeys(names) or (None,) * 3 * len(query.parameters)
            )
        connection.close()
    else:
        session = await asyncpg.connect(database)
        for query in queries("postgres").values():
            prepared = await session.prepare(query.sql)
            assert len(prepared.get_parameters()) == len(query.parameters), query.name
        await session.close()


def test_both_engines_have_the_same_statements_but_for_those_marked() -> None:
    text = STATEMENTS.read_text(encoding="utf-8")
    marked = {
        title.split()[0] for title in re.findall(r"^-- name: (.+)$", text, flags=re.MULTILINE) if "[" in title
    }
    assert set(queries("sqlite")) ^ set(queries("postgres")) <= marked
    assert marked == {
        "insert_payments",
        "insert_opened",
        "lock_payments",
        "record_tries",
        "insert_deliveries",
    }


def test_every_statement_says_what_it_does() -> None:
    text = STATEMENTS.read_text(encoding="utf-8")
    for block in re.split(r"^-- name: ", text, flags=re.MULTILINE)[1:]:
        title, sentence = block.splitlines()[:2]
        assert sentence.startswith("-- "), title


def test_every_statement_is_run_by_somebody() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in STATEMENTS.parent.glob("*.py"))
    named = {*re.findall(r'"([a-z_]+)"', code)}
    made = tuple(re.findall(r'f"([a-z_]+_)\{', code))  # the beginnings of names that are put together
    every = {**queries("sqlite"), **queries("postgres")}
    assert [name for name in every if name not in named and not name.startswith(made)] == []


@pytest.mark.parametrize(("table", "only"), [("payment", "move_payments"), ("attempt", "move_attempts")])
def test_a_status_is_written_by_the_guarded_move_alone(table: str, only: str) -> None:
    writing = re.compile(rf"UPDATE {table}\b.*?(?:\bSET|,)\s+status = ", re.DOTALL)
    assert [name for name, query in queries("postgres").items() if writing.search(query.sql)] == [only]
    assert "status = r.value->>'from_status'" in queries("postgres")[only].sql


def test_a_claim_repeats_its_guard_outside_the_choice() -> None:
    """Without it PostgreSQL hands rows out twice (design, "Store")."""
    claims = {name: query.sql for name, query in queries("postgres").items() if "SKIP LOCKED)" in query.sql}
    assert len(claims) >= 5
    for name, sql in claims.items():
        assert "  AND " in sql.partition("SKIP LOCKED)")[2], name


async def test_an_unreadable_url_is_a_clear_error() -> None:
    for url in ("mysql://localhost/cauri", "cauri.sqlite3", "", "sqlite://relative"):
        with pytest.raises(ValueError, match=r"postgresql://.*sqlite:///"):
            engine_for(url)


async def test_a_statement_of_the_other_engine_alone_is_nothing(
    database: str, engine: str, open_store: OpenStore
) -> None:
    made: Engine = (await open_store(database)).engine
    name = "lock_payments" if engine == "sqlite" else "insert_opened"
    assert await made.read(Statement(name, rows=[])) == []
