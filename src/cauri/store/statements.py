"""What each part of the store is built on: one statement by its name, read or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cauri.store.engine import Engine, Row, Statement
from cauri.store.operations import one


class Statements:
    """Raises StoreUnavailable; where it writes, StoreRefused too."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def _read(self, statement: str, /, **parameters: Any) -> list[Row]:
        return await self._engine.read(Statement(statement, parameters))

    async def _read_rows(
        self, statement: str, rows: Sequence[Mapping[str, Any]], /, **parameters: Any
    ) -> list[Row]:
        return await self._engine.read(Statement(statement, parameters, rows))

    async def _write(self, statement: str, /, **parameters: Any) -> list[Row]:
        return await self._engine.write(lambda: one(Statement(statement, parameters)), single=True)

    async def _write_rows(
        self, statement: str, rows: Sequence[Mapping[str, Any]], /, **parameters: Any
    ) -> list[Row]:
        return await self._engine.write(lambda: one(Statement(statement, parameters, rows)), single=True)
