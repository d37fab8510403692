"""``cauri payment show`` and ``cauri pay``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cauri.cli.instance import ConfigOption, DatabaseOption, DataOption, Trouble, opened_store, run
from cauri.cli.words import timeline_lines
from cauri.customer import CustomerTrouble, Ended, Ending, pay

app = typer.Typer(help="What happened to a payment.", no_args_is_help=True)

EXIT_STATUS = {Ending.PAID: 0, Ending.REFUSED: 1, Ending.WAITING: 2}


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
            payment = await store.payment_by_transaction(site_id, transaction_id)
            if payment is None:
                raise Trouble(f"site {site_id} has no payment {transaction_id}")
            return timeline_lines(await store.timeline(payment))

    for line in run(work()):
        typer.echo(line)


def pay_command(
    payment_url: Annotated[
        str, typer.Argument(metavar="PAYMENT_URL", help="The payment_url of a created payment.")
    ],
    phone: Annotated[str, typer.Option(help="The payer's number, such as +2250102324373.")],
    method: Annotated[
        str | None,
        typer.Option(help="A payment_method such as FLOOZ; else the operator found from the number."),
    ] = None,
    otp: Annotated[str, typer.Option(help="The one-time code, where one is asked.")] = "123456",
    cancel: Annotated[bool, typer.Option("--cancel", help="Press Cancel on the first page.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the end.")] = 30,
) -> None:
    """Plays the customer through the page's own forms, like a browser without script.

    Exit status: 0 paid, 1 refused, 2 still waiting after the timeout, 3 the page could not be used.
    """
    try:
        ended: Ended = asyncio.run(
            pay(payment_url, phone, method=method, otp=otp, cancel=cancel, timeout_s=timeout, tell=typer.echo)
        )
    except CustomerTrouble as trouble:
        typer.echo(f"cauri pay: {trouble}", err=True)
        raise typer.Exit(3) from None
    typer.echo(f"{ended.ending.value}: {ended.text}")
    raise typer.Exit(EXIT_STATUS[ended.ending])
