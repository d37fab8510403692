"""Levers of the way between: faults, weather, the operators' clock, the list of what they received."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cauri.simulator.answers import json_answer
from cauri.simulator.control.reading import (
    Door,
    Mistake,
    asked,
    listed,
    number,
    operator_in,
    read,
    whole,
)
from cauri.simulator.exchange import Exchange
from cauri.simulator.faults import CALLBACK, DOORS, FAULTS, FAULTS_OF_CALLBACKS, Order, Weather

_SLOW = re.compile(r"slow:[0-9]{1,5}([.][0-9]{1,3})?")
_TIMES_MAX = 10_000
_FORWARD_MAX_S = 366 * 86_400
_CHANCES = ("drop", "error", "nonsense", "twice", "slow")


class NetworkDoors:
    def __init__(self, exchange: Exchange, operators: Sequence[Route]) -> None:
        self._exchange = exchange
        self._paths = sorted({route.path for route in operators})

    def doors(self) -> Sequence[tuple[str, str, Door]]:
        return [
            ("GET", "/doors", self._list_doors),
            ("GET", "/requests", self._requests),
            ("GET", "/faults", self._faults),
            ("POST", "/faults", self._order),
            ("DELETE", "/faults", self._forget),
            ("GET", "/weather", self._weather),
            ("POST", "/weather", self._set_weather),
            ("GET", "/clock", self._clock),
            ("POST", "/clock", self._advance),
        ]

    async def _list_doors(self, request: Request) -> Response:
        return json_answer({"operators": self._exchange.dialects, "doors": DOORS, "paths": self._paths})

    async def _requests(self, request: Request) -> Response:
        query = asked(request, ("operator", "door"))
        door = self._door(query) if "door" in query else None
        return json_answer({"requests": self._exchange.received.of(operator_in(query, self._exchange), door)})

    async def _faults(self, request: Request) -> Response:
        return json_answer({"faults": [order.as_json() for order in self._exchange.faults.orders]})

    async def _order(self, request: Request) -> Response:
        body = await read(request, ("operator", "door", "fault", "times"))
        door = self._door(body)
        allowed = FAULTS_OF_CALLBACKS if door == CALLBACK else FAULTS
        fault = body.get("fault")
        if fault not in allowed and not (isinstance(fault, str) and _SLOW.fullmatch(fault)):
            raise Mistake(
                f"fault: for this door one of {listed(allowed)}, or slow:<seconds> such as slow:2.5"
            )
        times = whole(body, "times", 1, _TIMES_MAX, default=1)
        order = Order(str(fault), door, operator_in(body, self._exchange), times)
        self._exchange.faults.order(order)
        return json_answer(order.as_json())

    async def _forget(self, request: Request) -> Response:
        self._exchange.faults.orders.clear()
        return json_answer({"faults": []})

    async def _weather(self, request: Request) -> Response:
        return json_answer(self._exchange.faults.weather)

    async def _set_weather(self, request: Request) -> Response:
        """In place of the weather before; what is left out is fair."""
        body = await read(request, ("seed", "operators", "slow_s", *_CHANCES))
        chances = {name: number(body, name, 0, 1, "a chance such as 0.1") or 0.0 for name in _CHANCES}
        if sum(chances.values()) > 1:
            raise Mistake(f"{_CHANCES[0]}: the chances {listed(_CHANCES)} are more than 1 together")
        weather = Weather(
            seed=whole(body, "seed", 0, 2**53, default=0),
            slow_s=number(body, "slow_s", 0, 86_400, "a number of seconds") or Weather.slow_s,
            operators=self._operators(body),
            **chances,
        )
        self._exchange.faults.set_weather(weather)
        return json_answer(weather)

    async def _clock(self, request: Request) -> Response:
        return json_answer(self._clock_json())

    async def _advance(self, request: Request) -> Response:
        body = await read(request, ("advance_s",))
        seconds = number(
            body, "advance_s", 0, _FORWARD_MAX_S, "a number of seconds; the clock moves forward only"
        )
        if seconds is None:
            raise Mistake("advance_s: a number of seconds")
        self._exchange.advance(round(seconds * 1000))
        return json_answer(self._clock_json())

    def _clock_json(self) -> dict[str, object]:
        return {"now": self._exchange.clock.now(), "ahead_s": self._exchange.clock.ahead_ms / 1000}

    def _door(self, fields: Mapping[str, Any]) -> str:
        door = fields.get("door")
        if not isinstance(door, str) or door not in (*DOORS, *self._paths):
            raise Mistake(f"door: one of {listed(DOORS)}, or a path of GET /_control/doors")
        return door

    def _operators(self, body: Mapping[str, Any]) -> tuple[str, ...]:
        operators = body.get("operators", [])
        if not isinstance(operators, list):
            raise Mistake(f"operators: a list of some of {listed(self._exchange.dialects)}")
        try:
            return tuple(str(operator_in({"operator": each}, self._exchange)) for each in operators if each)
        except Mistake as mistake:
            raise Mistake(f"operators: {mistake}") from None
