"""Which operator serves a number, where its prefix does not tell: the opinion of operators that have one, only to preselect it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from cauri.clock import MINUTE, Clock
from cauri.domain.phone import Phone
from cauri.operators.base import Connector
from cauri.operators.registry import Operators

log = structlog.get_logger("cauri.operators")

# The payer waits meanwhile: an opinion that comes later is none.
ASKED_FOR_S = 1.0
# A page that is opened again asks nobody again.
REMEMBERED = MINUTE
NUMBERS_MAX = 1_000

_Asked = tuple[str, tuple[str, ...]]


class Predicting:
    def __init__(self, operators: Operators, clock: Clock) -> None:
        self._operators = operators
        self._clock = clock
        self._heard: dict[_Asked, tuple[int, str | None]] = {}

    async def method(self, phone: Phone, offered: Sequence[str]) -> str | None:
        """The one of the offered methods that an operator names first; None where none does in time. Never raises for them."""
        asked, now = (phone.digits, tuple(offered)), self._clock.now()
        at, said = self._heard.get(asked, (now - REMEMBERED, None))
        if now - at < REMEMBERED:
            return said
        found = await self._first(phone, offered)
        while len(self._heard) >= NUMBERS_MAX:
            self._heard.pop(next(iter(self._heard)))
        self._heard[asked] = (now, found)
        return found

    async def _first(self, phone: Phone, offered: Sequence[str]) -> str | None:
        asked = [each for each in self._operators.all if any(method in each.routes for method in offered)]
        opinions = [asyncio.ensure_future(_opinion(each, phone, offered)) for each in asked]
        try:
            for opinion in asyncio.as_completed(opinions, timeout=ASKED_FOR_S):
                if (method := await opinion) is not None:
                    return method
        except TimeoutError:
            log.info("prediction_too_late", within_s=ASKED_FOR_S)
        finally:
            for each in opinions:
                each.cancel()
        return None


async def _opinion(connector: Connector, phone: Phone, offered: Sequence[str]) -> str | None:
    """What this operator says, as one of the offered: a provider that is named may be offered in the payment's own currency."""
    try:
        said = await connector.predict(phone)
    except Exception as error:
        log.error("prediction_failed", connector=connector.name, error=type(error).__name__)
        return None
    route = connector.routes.get(said) if said else None
    if said in offered or route is None:
        return said if said in offered else None
    own = {each: connector.routes.get(each) for each in offered}
    return next((each for each, other in own.items() if other and other.provider == route.provider), None)
