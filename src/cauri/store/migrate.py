"""Schema versions: numbered files under ``migrations/``, applied once each, in order."""

from __future__ import annotations

from importlib.resources import files

from cauri.domain.errors import StoreRefused
from cauri.store.engine import Engine, Statement
from cauri.store.queries import spelled

_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)"

_NOTE_VERSION = "INSERT INTO schema_version (version) VALUES ({})"


def migrations() -> dict[int, str]:
    """Version → text, in order."""
    folder = files("cauri.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {int(name[:4]): (folder / name).read_text(encoding="utf-8") for name in names}


async def version_of(engine: Engine) -> int:
    """The schema's version, 0 where there is none yet."""
    await engine.script([_VERSION_TABLE])
    rows = await engine.read(Statement("schema_version"))
    return int(rows[0][0])


async def migrate(engine: Engine) -> list[int]:
    """Brings the schema up to date; gives back the versions applied. Two processes may do it at once: one waits."""
    applied: list[int] = []
    for version, text in migrations().items():
        if version <= await version_of(engine):
            continue
        try:
            await engine.script([_NOTE_VERSION.format(int(version)), *_statements(engine, text)])
        except StoreRefused:  # another process was faster
            continue
        applied.append(version)
    return applied


def _statements(engine: Engine, text: str) -> list[str]:
    """The statements of a migration: each ends with a semicolon at the end of a line."""
    lines = [
        line for line in spelled(text, engine.dialect).splitlines() if not line.lstrip().startswith("--")
    ]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip()]
