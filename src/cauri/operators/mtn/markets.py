"""Where MTN collects: its name for each country's environment, and the currency that an environment takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cauri.domain.methods import METHODS

HOST = "https://proxy.momoapi.mtn.com"
SANDBOX_HOST = "https://sandbox.momodeveloper.mtn.com"


@dataclass(frozen=True, slots=True)
class Market:
    """``environment`` is the country's ``X-Target-Environment`` in production."""

    method: str
    environment: str


# No wallet in Senegal, Mali, Burkina, Togo or the DRC ("mtncongo" is Brazzaville).
MARKETS: Mapping[str, Market] = MappingProxyType(
    {
        "CI": Market("MOMO", "mtnivorycoast"),
        "CM": Market("MTNCM", "mtncameroon"),
        "GN": Market("MTNGN", "mtnguineaconakry"),
        "BJ": Market("MTNBJ", "mtnbenin"),
    }
)

# MTN's own sandbox takes euros only, whatever the country.
CURRENCIES: Mapping[str, str] = MappingProxyType(
    {
        "sandbox": "EUR",
        **{market.environment: METHODS[market.method].currency for market in MARKETS.values()},
    }
)


def currency_in(environment: str, own: str) -> str:
    """What an amount is called in this environment; of one that is not listed, the method's ``own`` currency."""
    return CURRENCIES.get(environment, own)
