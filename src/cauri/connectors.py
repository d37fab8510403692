"""Which connectors the settings make, and which of them serves which method."""

from __future__ import annotations

from cauri.config import BadSettings, Settings
from cauri.operators.base import Connector
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.pawapay import PawaPay
from cauri.operators.registry import Operators, named


def connectors(settings: Settings) -> list[Connector]:
    """The connectors that are configured, in the order in which they are preferred: an operator's own before an aggregator."""
    found: list[Connector] = []
    if (moov := settings.operators.moov_3pp) is not None:
        found.append(Moov3pp(moov.base_url, moov.username, moov.password, hash_header=moov.hash_header))
    if (pawapay := settings.operators.pawapay) is not None:
        found.append(PawaPay(pawapay.base_url, pawapay.token))
    return found


def operators_of(settings: Settings) -> Operators:
    """The connectors and the routing of these settings. Raises BadSettings where they cannot work together."""
    try:
        found = connectors(settings)
    except ValueError as error:
        raise BadSettings([f"operators: {error}"]) from None
    by_name = {connector.name: connector for connector in found}
    faults = [
        f"methods.{method}: {name} does not serve it; {name} serves {', '.join(by_name[name].routes)}"
        for method, names in settings.methods.items()
        for name in named(names)
        if method not in by_name[name].routes
    ]
    if faults:
        raise BadSettings(faults)
    return Operators(found, settings.methods)
