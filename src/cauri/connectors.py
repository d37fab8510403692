"""Which connectors the settings make, and which of them serves which method."""

from __future__ import annotations

from msgspec.structs import asdict

from cauri.clock import Clock
from cauri.config import BadSettings, Settings
from cauri.operators.base import Connector
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.mtn import Mtn
from cauri.operators.pawapay import PawaPay
from cauri.operators.paygate import PayGate
from cauri.operators.registry import Operators
from cauri.operators.wave import Wave


def connectors(settings: Settings, clock: Clock) -> list[Connector]:
    """The connectors that are configured, in the order in which they are preferred: an operator's own before an aggregator."""
    operators = settings.operators
    found: list[Connector] = []
    for country, moov in operators.moov_3pp.items():
        found.append(
            Moov3pp(
                moov.base_url, moov.username, moov.password, country=country, hash_header=moov.hash_header
            )
        )
    # The tables of MTN and Wave have the names of their connectors' arguments.
    found += [Mtn(country, **asdict(table), clock=clock) for country, table in operators.mtn.items()]
    found += [Wave(country, **asdict(table), clock=clock) for country, table in operators.wave.items()]
    if operators.paygate is not None:
        found.append(PayGate(**asdict(operators.paygate)))
    if operators.pawapay is not None:
        found.append(PawaPay(operators.pawapay.base_url, operators.pawapay.token))
    return found


def operators_of(settings: Settings, clock: Clock | None = None) -> Operators:
    """The connectors and the routing of these settings. Raises BadSettings where they cannot work together."""
    try:
        found = connectors(settings, clock or Clock())
    except ValueError as error:
        raise BadSettings([f"operators: {error}"]) from None
    by_name = {connector.name: connector for connector in found}
    faults = [
        f"methods.{method}: {name} does not serve it; {name} serves {', '.join(by_name[name].routes)}"
        for method, name in settings.methods.items()
        if method not in by_name[name].routes
    ]
    if faults:
        raise BadSettings(faults)
    return Operators(found, settings.methods)
