"""The simulated operators as the sandbox and the tests use them: their accounts, and the settings that match them."""

from __future__ import annotations

from collections.abc import Callable

from cauri.config import Moov3ppSettings, OperatorsSettings, PawaPaySettings
from cauri.simulator.app import Dialect
from cauri.simulator.dialects.moov_3pp import Moov3pp
from cauri.simulator.dialects.pawapay import PawaPay
from cauri.simulator.exchange import Exchange

# The gateway's accounts with the simulated operators.
PAWAPAY_TOKEN = "sandbox-pawapay-token"  # noqa: S105
MOOV_USER, MOOV_PASSWORD = "cauri", "sandbox-moov-password"
MOOV_COUNTRIES = ("CI", "BF", "ML")


def simulated_settings(operators_url: str) -> OperatorsSettings:
    """Every operator, where the simulated ones answer. ``operators_url`` has no slash at its end."""
    return OperatorsSettings(
        pawapay=PawaPaySettings(base_url=f"{operators_url}/pawapay", token=PAWAPAY_TOKEN),
        moov_3pp=Moov3ppSettings(
            base_url=f"{operators_url}/moov", username=MOOV_USER, password=MOOV_PASSWORD
        ),
    )


def simulated_operators(operators_url: str, gateway_url: str) -> list[Callable[[Exchange], Dialect]]:
    """Every dialect with the accounts of ``simulated_settings``. ``gateway_url``: where the operators call back."""
    return [
        lambda exchange: PawaPay(
            exchange, PAWAPAY_TOKEN, operators_url, f"{gateway_url}/operators/pawapay/callback"
        ),
        lambda exchange: Moov3pp(exchange, {MOOV_USER: MOOV_PASSWORD}),
    ]
