"""``cauri payment show``."""

from __future__ import annotations

from typing import Annotated

import typer

from cauri.cli.instance import ConfigOption, DatabaseOption, DataOption, opened_store, plain_app, run
from cauri.cli.naming import payment_named
from cauri.cli.tables import folded
from cauri.cli.words import timeline_lines

_BESIDE_THE_TIME = 25

app = plain_app("What happened to a payment.")


@app.callback()
def _payment() -> None:
    """What happened to a payment."""


@app.command()
def show(
    site_id: Annotated[str, typer.Argument(metavar="SITE", help="The site's site_id.")],
    transaction_id: Annotated[
        str, typer.Argument(metavar="TRANSACTION_ID", help="The site's name for the payment.")
    ],
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Its history, attempts and deliveries as one timeline."""

    async def work() -> list[str]:
        async with opened_store(config, data, database) as store:
            payment = await payment_named(store, site_id, transaction_id)
            return timeline_lines(await store.timeline(payment))

    for line in run(work()):
        typer.echo(folded(line, _BESIDE_THE_TIME))
