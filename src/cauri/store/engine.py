"""What the two engines have in common: an operation is a generator of statements, and the engine runs it in one transaction.

An operation is written once, without any I/O: it yields a Statement, is given the rows, and returns its answer. SQLite runs the whole
of it in its writing thread, PostgreSQL awaits each statement. Operations may be run again after a lost connection, so each must be
safe to repeat: it finds what it has already written.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import msgspec

from cauri.store.queries import Dialect

T = TypeVar("T")
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A named statement of ``queries.sql`` and its parameters. ``rows`` travels as one JSON array, or as one array for each column."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Any]] | None = None

    def value(self, parameter: str) -> Any:
        """A parameter as the drivers take it: ``rows`` is the batch as JSON text, ``rows.field`` that field of every row."""
        if parameter == "rows":
            return msgspec.json.encode(self.rows).decode()
        if parameter.startswith("rows."):
            field_name = parameter.removeprefix("rows.")
            return [row[field_name] for row in self.rows or ()]
        return self.parameters[parameter]


Operation = Generator[Statement, list[Row], T]


class Engine(Protocol):
    """A database that runs operations. Raises StoreUnavailable and StoreRefused, nothing of its driver's."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def lanes(self) -> int:
        """How many batches of one kind may be under way at once."""

    async def write(self, operation: Callable[[], Operation[T]], *, single: bool = False) -> T:
        """Runs the operation in one committed transaction. ``single``: its first statement is its only write."""

    async def read(self, statement: Statement) -> list[Row]: ...

    async def script(self, statements: Sequence[str]) -> None:
        """Schema changes, in one transaction, one process at a time."""

    async def close(self) -> None: ...
