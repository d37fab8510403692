"""The assembly of the simulated operators: one ASGI application with its own background work."""

import contextlib
from collections.abc import AsyncIterator, Mapping

from starlette.applications import Starlette

from cauri.simulator.agenda import Clock
from cauri.simulator.control import Control
from cauri.simulator.dialects.moov_3pp import Moov3pp
from cauri.simulator.dialects.pawapay import PawaPay
from cauri.simulator.dialects.pawapay.callbacks import Callbacks
from cauri.simulator.exchange import Exchange


def simulator(
    clock: Clock,
    *,
    operator_delay_s: float = 1.0,
    public_url: str,
    pawapay_callback_url: str | None,
    pawapay_token: str,
    moov_accounts: Mapping[str, str],
) -> Starlette:
    """The simulated operators.

    `operator_delay_s` is how long a payer takes to confirm; 0 decides at once. `public_url` is where payers
    reach this application (the authorisation pages live there). `pawapay_callback_url` None: pawaPay sends no
    callbacks. `moov_accounts` are the 3pp gateway's partners, user name → password. Raises ValueError for a
    negative delay.

    Doors: `/pawapay/v2/…`, `/pawapay/authorise/…`, `/moov/3pp/transaction/process`, `/_control/…`
    (docs/sandbox.md).
    """
    if operator_delay_s < 0:
        raise ValueError(f"operator_delay_s must be 0 or more seconds, not {operator_delay_s}")
    exchange = Exchange(clock, operator_delay_s)
    callbacks = Callbacks(exchange.agenda, pawapay_callback_url)
    routes = [
        *PawaPay(exchange, pawapay_token, public_url, callbacks).routes(),
        *Moov3pp(exchange, moov_accounts).routes(),
        *Control(exchange, callbacks).routes(),
    ]

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await callbacks.start()
        exchange.agenda.start()
        try:
            yield
        finally:
            await exchange.agenda.stop()
            await callbacks.stop()

    return Starlette(routes=routes, lifespan=lifespan)
