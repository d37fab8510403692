"""The assembly of the simulated operators: one ASGI application with its own background work."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.routing import Route

from cauri.simulator.control import Control
from cauri.simulator.exchange import Exchange
from cauri.simulator.shifted_clock import Clock
from cauri.simulator.watch import watch


class Dialect(Protocol):
    """One operator's API under a path of its own.

    The name of a route is what its door is for: `start`, `check`, `token`, `toolkit`, `page`
    (`simulator.faults.DOORS`). Where one path has several, `door_of(scope)` says it. A path under `/_control/`
    is a lever of this dialect alone.
    """

    def routes(self) -> list[Route]: ...


def simulator(
    clock: Clock,
    dialects: Sequence[Callable[[Exchange], Dialect]],
    *,
    operator_delay_s: float = 1.0,
) -> Starlette:
    """The simulated operators.

    `dialects` make one operator each over the shared state, such as
    `lambda exchange: Moov3pp(exchange, {"user": "password"})`. `operator_delay_s` is how long a payer takes
    to confirm; 0 decides at once. Raises ValueError for a negative delay.

    Doors: each dialect's own (`/pawapay/…`, `/moov/…`), and `/_control/…` (docs/sandbox.md).
    """
    if operator_delay_s < 0:
        raise ValueError(f"operator_delay_s must be 0 or more seconds, not {operator_delay_s}")
    exchange = Exchange(clock, operator_delay_s)
    operators = [route for make in dialects for route in _watched(exchange, make(exchange))]
    routes = operators + Control(exchange, operators).routes()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await exchange.callbacks.start()
        exchange.agenda.start()
        try:
            yield
        finally:
            await exchange.agenda.stop()
            await exchange.callbacks.stop()

    return Starlette(routes=routes, lifespan=lifespan)


def _watched(exchange: Exchange, dialect: Dialect) -> list[Route]:
    """The routes of the dialect that has just been connected."""
    operator = exchange.dialects[-1]
    routes = dialect.routes()
    for route in routes:
        if not route.path.startswith("/_control/"):
            watch(exchange, operator, route, getattr(dialect, "door_of", None))
    return routes
