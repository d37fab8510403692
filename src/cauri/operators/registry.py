"""Which connectors serve which method, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cauri.operators.base import Connector, Route

Serving = tuple[Connector, Route]


class Operators:
    """The connectors of this process, in the order in which they are preferred. ``order`` names, by method, the only ones to use."""

    def __init__(
        self, connectors: Iterable[Connector], order: Mapping[str, str | Sequence[str]] | None = None
    ) -> None:
        self._by_name: dict[str, Connector] = {connector.name: connector for connector in connectors}
        served: dict[str, list[Connector]] = {}
        for connector in self._by_name.values():
            for method in connector.routes:
                served.setdefault(method, []).append(connector)
        for method, names in (order or {}).items():
            served[method] = [self._by_name[name] for name in named(names)]
        self._candidates: dict[str, tuple[Serving, ...]] = {
            method: tuple((connector, connector.routes[method]) for connector in chosen)
            for method, chosen in served.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def all(self) -> tuple[Connector, ...]:
        return tuple(self._by_name.values())

    def named(self, name: str) -> Connector | None:
        return self._by_name.get(name)

    def candidates(self, method: str) -> tuple[Serving, ...]:
        """Who can serve a method, the preferred one first; empty where the method is known but not offered."""
        return self._candidates.get(method, ())

    def serving(self, method: str) -> Serving | None:
        """The preferred one of ``candidates``."""
        found = self._candidates.get(method)
        return found[0] if found else None

    def route(self, connector: str, method: str) -> Route | None:
        """How this connector serves the method, None where it does not, or no longer."""
        found = self._by_name.get(connector)
        return None if found is None else found.routes.get(method)

    async def close(self) -> None:
        for connector in self._by_name.values():
            await connector.close()


def named(names: str | Sequence[str]) -> tuple[str, ...]:
    """One connector's name, or several in order."""
    return (names,) if isinstance(names, str) else tuple(names)
