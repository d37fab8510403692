"""How the operators stand: breakers, availability, bounds, what became of the last hour's and day's attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cauri.api.admin.door import Call, Door, check_all_sites
from cauri.domain.moments import iso
from cauri.lifecycle.figures import ConnectorFigures, MethodFigures, operators_now

if TYPE_CHECKING:
    from cauri.store import Store


class ProcessSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One serving process's breaker, as it told it at `at`: `closed`, `open` or `half-open`. `failures`: starts in a row."""

    process: str
    at: str
    breaker: str
    failures: int


class OperatorSeen(msgspec.Struct, frozen=True, kw_only=True):
    """`breaker`: the worst of all processes, null where none serves this connector now. `askable` false: it is never asked."""

    connector: str
    breaker: str | None
    askable: bool | None
    processes: list[ProcessSeen]
    methods: list[MethodFigures]


class OperatorList(msgspec.Struct, frozen=True):
    """By connector's name."""

    operators: list[OperatorSeen]


class OperatorDoors:
    def __init__(self, store: Store) -> None:
        self._store = store

    def doors(self) -> list[Door]:
        return [
            Door(
                method="GET",
                path="/operators",
                operation="listOperators",
                scope="operators:read",
                summary="How the operators stand",
                description="Each connector and method: breaker, availability, bounds, success rates, what is open. Processes tell how they "
                "stand every 15 seconds.",
                answer=OperatorList,
                act=self._operators,
            )
        ]

    async def _operators(self, call: Call) -> OperatorList:
        check_all_sites(call)
        return OperatorList([seen(each) for each in await operators_now(self._store, call.now)])


def seen(figures: ConnectorFigures) -> OperatorSeen:
    return OperatorSeen(
        connector=figures.connector,
        breaker=figures.breaker,
        askable=figures.askable,
        processes=[
            ProcessSeen(process=each.process, at=iso(each.at), breaker=each.breaker, failures=each.failures)
            for each in figures.processes
        ],
        methods=list(figures.methods),
    )
