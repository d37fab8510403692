"""From a method and an amount to the connector that is to collect it: the first in order that nothing speaks against."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cauri.domain.codes import Code
from cauri.lifecycle.standing import Standing
from cauri.operators.base import Connector, Route
from cauri.operators.registry import Operators

# What the merchant sees where a rule of ours sends nothing.
CODE_OF_TROUBLE = {
    "amount_low": Code.AMOUNT_TOO_LOW,
    "amount_high": Code.AMOUNT_TOO_HIGH,
    "out_of_service": Code.OPERATOR_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Way:
    """``trouble``: why nothing can be started this way now (``Standing.trouble``), None where it can."""

    connector: Connector
    route: Route
    trouble: str | None = None


class Routing:
    def __init__(self, operators: Operators, standing: Standing) -> None:
        self._operators = operators
        self._standing = standing

    def way(self, method: str, amount: int, without: Collection[str] = ()) -> Way | None:
        """The first connector that can start now; else the first, with its trouble; None where nobody serves the method.

        Among troubles the one that may pass (``out_of_service``) goes before an amount that never fits. ``without``: connectors
        that this try has been at.
        """
        ways = [
            Way(connector, route, self.trouble(connector, route, method, amount))
            for connector, route in self._operators.candidates(method)
            if connector.name not in without
        ]
        order = {None: 0, "out_of_service": 1}
        return min(ways, key=lambda way: order.get(way.trouble, 2), default=None)

    def trouble(self, connector: Connector, route: Route, method: str, amount: int) -> str | None:
        """Why nothing can be started this way now, None where it can."""
        return self._standing.trouble(connector, route, method, amount)

    def route(self, connector: str, method: str) -> Route | None:
        return self._operators.route(connector, method)
