"""Which connector serves which method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cauri.operators.base import Connector, Route


class Operators:
    """The connectors of this process. ``order`` names, by method, the connector to use where several can (first wins)."""

    def __init__(self, connectors: Iterable[Connector], order: Mapping[str, str] | None = None) -> None:
        self._by_name: dict[str, Connector] = {connector.name: connector for connector in connectors}
        self._by_method: dict[str, Connector] = {}
        for connector in self._by_name.values():
            for method in connector.routes:
                self._by_method.setdefault(method, connector)
        for method, name in (order or {}).items():
            self._by_method[method] = self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def named(self, name: str) -> Connector | None:
        return self._by_name.get(name)

    def serving(self, method: str) -> tuple[Connector, Route] | None:
        """The connector and its route for a method, None where the method is known but not offered."""
        connector = self._by_method.get(method)
        return None if connector is None else (connector, connector.routes[method])

    async def close(self) -> None:
        for connector in self._by_name.values():
            await connector.close()
