"""The command line: ``cauri sandbox``, ``cauri serve``, ``cauri pay`` and the operator's tools."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cauri import __version__

# A command's module is imported when the command is used: ``cauri site list`` need not wait for the page's templates.
MODULES = {
    "demo": "demo",
    "sandbox": "servers",
    "serve": "servers",
    "migrate": "servers",
    "pay": "pay",
    "site": "sites",
    "payment": "payments",
    "deliveries": "deliveries",
    "reconcile": "reconcile",
    "surplus": "surplus",
    "operators": "operators",
    "listen": "listen",
    "admin": "admin",
    "operator": "operator",
}


SECTIONS = {
    "A first payment": ("sandbox", "demo", "pay", "listen"),
    "Running a gateway": ("serve", "migrate", "site", "admin", "operator"),
    "Looking after it": ("payment", "deliveries", "operators", "reconcile", "surplus"),
}


class Commands(TyperGroup):
    """The commands of MODULES; a module's ``app`` is the command of its name, or holds several."""

    def list_commands(self, ctx: object) -> list[str]:
        return [name for names in SECTIONS.values() for name in names]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        from cauri.cli.instance import write_commands

        for title, names in SECTIONS.items():
            write_commands(self, ctx, formatter, title, names)

    def get_command(self, ctx: object, cmd_name: str) -> Any:
        if cmd_name not in MODULES:
            return None
        module = import_module(f"cauri.cli.{MODULES[cmd_name]}")
        command = typer.main.get_command(module.app)
        return getattr(command, "commands", {}).get(cmd_name, command)


app = typer.Typer(
    cls=Commands,
    help="Mobile-money payments over CinetPay's Checkout API v2: a sandbox on a laptop, a gateway in production.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
    from cauri.cli.instance import Trouble

    try:
        app()
    except Trouble as trouble:
        typer.echo(f"cauri: {trouble}", err=True)
        sys.exit(2)
