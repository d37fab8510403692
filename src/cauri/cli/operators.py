"""``cauri operators``: how each operator stands, and what became of what it was asked to collect."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from cauri.api.admin.operator_doors import OperatorList, seen
from cauri.cli.instance import ConfigOption, DatabaseOption, DataOption, opened_store, plain_app, run
from cauri.cli.tables import folded, table
from cauri.clock import Clock
from cauri.lifecycle.figures import ConnectorFigures, Ended, MethodFigures, operators_now

app = plain_app()

_HEADS = (
    "method",
    "place",
    "flow",
    "open",
    "breaker",
    "bounds",
    "last hour",
    "last day",
    "in flight",
    "due",
    "unended",
)


@app.command()
def operators(
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, as GET /admin/operators answers.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Each operator by method: breaker, availability, bounds, how the last hour's and day's attempts ended, what is open."""

    async def work() -> list[ConnectorFigures]:
        async with opened_store(config, data, database) as store:
            return await operators_now(store, Clock().now())

    found = run(work())
    if as_json:
        made = OperatorList([seen(each) for each in found])
        typer.echo(msgspec.json.format(msgspec.json.encode(made), indent=2).decode())
        return
    for connector in found:
        typer.echo("\n".join([*_lines(connector), ""]))
    if not found:
        typer.echo("no gateway is running on this database, and nothing was collected in the last day")


def _lines(connector: ConnectorFigures) -> list[str]:
    if not connector.methods:
        return [folded(f"{_title(connector)}  serves no method: others go before it ([methods])", 2)]
    return [
        _title(connector),
        *table(_HEADS, [_cells(method) for method in connector.methods], margin="  "),
    ]


def _title(connector: ConnectorFigures) -> str:
    if not connector.processes:
        return f"{connector.connector}  no running gateway serves it"
    failing = [
        f"{each.process} {each.breaker}, {each.failures} failures in a row"
        for each in connector.processes
        if each.failures or each.breaker != "closed"
    ]
    asked = "" if connector.askable else "  cannot be asked: a person closes what it leaves open"
    return f"{connector.connector}  breaker {connector.breaker}{asked}" + "".join(
        f"\n  {each}" for each in failing
    )


def _cells(method: MethodFigures) -> tuple[str, ...]:
    opened = {None: "–", True: "yes", False: f"no: {method.words}" if method.words else "no"}[method.open]
    low, high = method.low, method.high
    bounds = (
        "–"
        if low is None and high is None
        else f"{low if low is not None else ''}–{high if high is not None else ''}"
    )
    return (
        method.method,
        str(method.place or "–"),
        method.flow or "–",
        opened,
        method.breaker or "–",
        bounds,
        _rate(method.hour),
        _rate(method.day),
        str(method.in_flight),
        str(method.questions_due),
        str(method.unended),
    )


def _rate(ended: Ended) -> str:
    """``12 sent, 10 paid (91 %), 1 unavailable``."""
    if not ended.sent:
        return "–"
    share = "" if ended.paid_share is None else f" ({ended.paid_share:.0%})".replace("%", " %")
    down = f", {ended.unavailable} unavailable" if ended.unavailable else ""
    return f"{ended.sent} sent, {ended.paid} paid{share}{down}"
