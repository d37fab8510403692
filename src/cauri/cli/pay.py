"""``cauri pay``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cauri import customer
from cauri.cli.instance import plain_app
from cauri.customer import CustomerTrouble, Ending

app = plain_app()

EXIT_STATUS = {Ending.PAID: 0, Ending.REFUSED: 1, Ending.WAITING: 2}


@app.command()
def pay(
    payment_url: Annotated[
        str, typer.Argument(metavar="PAYMENT_URL", help="The payment_url of a created payment.")
    ],
    phone: Annotated[
        str, typer.Option(help="The payer's number, such as +2250102324373; a card needs none.")
    ] = "",
    method: Annotated[
        str | None,
        typer.Option(help="A payment_method such as FLOOZ; else the operator found from the number."),
    ] = None,
    otp: Annotated[str, typer.Option(help="The one-time code, where one is asked.")] = "123456",
    card: Annotated[
        str, typer.Option(help="The card's number, where the operator's page asks for one.")
    ] = customer.TEST_CARD,
    cancel: Annotated[bool, typer.Option("--cancel", help="Press Cancel on the first page.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the end.")] = 30,
) -> None:
    """Plays the customer through the page's own forms, like a browser without script.

    Exit status: 0 paid, 1 refused, 2 still waiting after the timeout, 3 the page could not be used.
    """
    try:
        ended = asyncio.run(
            customer.pay(
                payment_url,
                phone,
                method=method,
                otp=otp,
                card=card,
                cancel=cancel,
                timeout_s=timeout,
                tell=typer.echo,
            )
        )
    except CustomerTrouble as trouble:
        typer.echo(f"cauri pay: {trouble}", err=True)
        raise typer.Exit(3) from None
    typer.echo(f"{ended.ending.value}: {ended.text}")
    raise typer.Exit(EXIT_STATUS[ended.ending])
