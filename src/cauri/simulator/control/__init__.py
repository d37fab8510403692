"""The control plane: `/_control/`, a path no operator uses. Tests and demos direct the simulator here."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import json_answer
from cauri.simulator.control.money import MoneyDoors
from cauri.simulator.control.network import NetworkDoors
from cauri.simulator.control.payments import PaymentDoors
from cauri.simulator.control.reading import guarded
from cauri.simulator.exchange import Exchange

__all__ = ["Control"]


class Control:
    """`operators`: the routes of the dialects, to be listed and to be spoiled."""

    def __init__(self, exchange: Exchange, operators: Sequence[Route]) -> None:
        self._exchange = exchange
        self._rooms = (PaymentDoors(exchange), MoneyDoors(exchange), NetworkDoors(exchange, operators))

    def routes(self) -> list[Route]:
        return [
            Route("/_control" + path, guarded(self._exchange, door), methods=[method])
            for room in self._rooms
            for method, path, door in room.doors()
        ] + [Route("/_control/{door:path}", guarded(self._exchange, self._unknown), methods=["GET", "POST"])]

    async def _unknown(self, request: Request) -> Response:
        doors = sorted(
            {f"{method} /_control{path}" for room in self._rooms for method, path, _ in room.doors()}
        )
        return json_answer({"error": "path: no such door; there are " + ", ".join(doors)}, 404)
