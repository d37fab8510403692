"""The command line: ``cauri sandbox``, ``cauri serve``, ``cauri pay`` and the operator's tools."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cauri import __version__
from cauri.cli import demo, payments, reconcile, servers, sites
from cauri.cli.instance import Trouble

app = typer.Typer(
    help="Mobile-money payments over CinetPay's Checkout API v2: a sandbox on a laptop, a gateway in production.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("sandbox")(servers.sandbox)
app.command("serve")(servers.serve)
app.command("migrate")(servers.migrate_command)
app.command("pay")(payments.pay_command)
app.add_typer(sites.app, name="site")
app.add_typer(payments.app, name="payment")
app.add_typer(reconcile.app, name="reconcile")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cauri {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs a command; trouble that a person can mend is told in words, with exit status 2."""
    try:
        app()
    except Trouble as trouble:
        typer.echo(f"cauri: {trouble}", err=True)
        sys.exit(2)
