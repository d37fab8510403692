"""``cauri surplus``: money received for payments that had already ended, until it is given back."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from cauri.cli.deciding import lifecycle_without_operators
from cauri.cli.instance import (
    ConfigOption,
    DatabaseOption,
    DataOption,
    Trouble,
    opened_store,
    plain_app,
    run,
)
from cauri.cli.naming import site_named
from cauri.cli.recording import recorded
from cauri.cli.recording import who as logged_in
from cauri.cli.words import moment
from cauri.domain.errors import NothingToRefund
from cauri.domain.payment import Payment
from cauri.store.books import SurplusRow

app = plain_app("Money received for payments that had already ended.")


@app.command("list")
def list_command(
    everything: Annotated[bool, typer.Option("--all", help="Those given back, too.")] = False,
    site: Annotated[str, typer.Option(help="Of this site only.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """What is still to be given back, newest first."""

    async def work() -> list[SurplusRow]:
        async with opened_store(config, data, database) as store:
            if site:
                await site_named(store, site, "--site")
            return await store.books.surpluses(everything=everything, site_id=site, limit=100_000)

    found = run(work())
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"surpluses": found}), indent=2).decode())
        return
    for each in found:
        back = (
            f"  given back {moment(each.refunded_at)} by {each.refunded_by}: {each.refund_why}"
            if each.refunded_at
            else ""
        )
        typer.echo(
            f"{each.reference}  {moment(each.at)}  site {each.site_id}  {each.transaction_id}  {each.amount} {each.currency}  "
            f"{each.connector} {each.method}  operator's {each.operator_id}{back}"
        )
    if not found:
        typer.echo("no surplus" if everything else "no surplus to give back")


@app.command()
def refunded(
    surplus: Annotated[str, typer.Argument(metavar="ID", help="The first column of 'cauri surplus list'.")],
    why: Annotated[
        str,
        typer.Option(help="How it was given back, kept in the history: the operator's number of the refund."),
    ],
    who: Annotated[
        str | None, typer.Option(help="Who gave it back.", show_default="the name you are logged in with")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Says that a surplus was given back to its payer. Cauri itself sends no money."""
    if not why.strip():
        raise Trouble("--why: say how it was given back; it is all that will be known of it later")

    async def work() -> Payment:
        async with opened_store(config, data, database) as store:
            try:
                async with recorded(store.admin, "refundedSurplus", surplus):
                    return await lifecycle_without_operators(store).refund(
                        surplus.strip().lower(), who=who or logged_in(), why=why.strip()
                    )
            except NothingToRefund as error:
                raise Trouble(f"{error}: 'cauri surplus list --all' names them all") from None

    payment = run(work())
    typer.echo(
        f"{payment.transaction_id}: its surplus is marked as given back; the payment stays {payment.code.number}"
    )
