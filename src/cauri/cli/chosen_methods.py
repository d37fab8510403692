"""``--method METHOD=CONNECTOR`` of ``cauri sandbox``: which simulated operator serves a payment method."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from cauri.app import MEMORY
from cauri.cli.instance import Trouble
from cauri.clock import Clock
from cauri.config import Settings
from cauri.connectors import connectors
from cauri.domain.methods import METHODS
from cauri.simulated import simulated_settings

NOWHERE = "http://127.0.0.1"


def chosen_methods(choices: Iterable[str]) -> dict[str, str]:
    """Method → connector, as they were typed. Raises Trouble, naming what could have been chosen."""
    chosen: dict[str, str] = {}
    for choice in choices:
        method, connector = _read(choice)
        if method in chosen:
            raise Trouble(f"--method {choice}: {method} is given twice")
        chosen[method] = connector
    return chosen


def serving() -> dict[str, list[str]]:
    """Every method of the contract with the connectors of the sandbox that can serve it."""
    settings = Settings(public_url=NOWHERE, database=MEMORY, secret="", operators=simulated_settings(NOWHERE))
    found: dict[str, list[str]] = {method: [] for method in METHODS}
    for connector in connectors(settings, Clock()):
        for method in connector.routes:
            found[method].append(connector.name)
    return found


def _read(choice: str) -> tuple[str, str]:
    typed, equals, connector = choice.partition("=")
    if not (typed and equals and connector):
        raise Trouble(f"--method {choice}: write METHOD=CONNECTOR, such as OM=orange_webpay_ci")
    by_name = {method.lower(): method for method in METHODS}
    method = by_name.get(typed.lower())
    if method is None:
        near = difflib.get_close_matches(typed.lower(), by_name, 1)
        hint = f"; did you mean {by_name[near[0]]}?" if near else f"; there are {', '.join(METHODS)}"
        raise Trouble(f"--method {choice}: there is no payment method {typed}{hint}")
    served = serving()[method]
    if connector.lower() not in served:
        raise Trouble(f"--method {choice}: {method} is served by {' or '.join(served) or 'no connector'}")
    return method, connector.lower()
