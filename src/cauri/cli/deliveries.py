"""``cauri deliveries``: list, show, replay, replay-since."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
import typer

from cauri.api.admin import answers
from cauri.cli.instance import ConfigOption, DatabaseOption, DataOption, Trouble, opened_store, plain_app, run
from cauri.cli.naming import payment_named, site_named
from cauri.cli.recording import recorded
from cauri.cli.tables import table
from cauri.cli.words import moment, past
from cauri.clock import Clock
from cauri.domain.endpoints import endpoint_of
from cauri.domain.moments import read_moment
from cauri.store import LoggedDelivery, Place, Store
from cauri.store.delivery_log import Result

app = plain_app("What was sent to shops, and sending it again.")

# What a list shows of an id: the moment and enough of the rest to find it by.
SHORT_ID = 18

SiteOption = Annotated[str | None, typer.Option("--site", help="Only this site's.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, as GET /admin/deliveries answers.")]


@app.command("list")
def list_command(
    site: SiteOption = None,
    transaction: Annotated[
        str | None, typer.Option(metavar="TRANSACTION_ID", help="Only this payment's; needs --site.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only those not answered 2xx.")] = False,
    delivered: Annotated[bool, typer.Option("--delivered", help="Only those answered 2xx.")] = False,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="From a moment on, or so long ago: 2h, 3d.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Up to a moment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Every POST to a notify_url, newest first: when, for which payment, what came of it, and advice where it failed."""
    if failed and delivered:
        raise Trouble("--failed and --delivered exclude each other")
    if transaction is not None and site is None:
        raise Trouble("--transaction: say whose with --site: it is a site's own name for the payment")
    now = Clock().now()
    begin = 0 if since is None else past("--since", since, now)
    end = Place(_moment("--until", until, now, now + 1))
    wanted: Result = "failed" if failed else "delivered" if delivered else "any"

    async def work() -> list[LoggedDelivery]:
        async with opened_store(config, data, database) as store:
            if site is not None:
                await site_named(store, site)
            if transaction is None:
                sites = None if site is None else (site,)
                return await store.deliveries.page(sites, since=begin, before=end, limit=limit, result=wanted)
            payment = await payment_named(store, site or "", transaction)
            return await store.deliveries.of_payment(
                payment, since=begin, before=end, limit=limit, result=wanted
            )

    found = run(work())
    if as_json:
        typer.echo(_json([answers.delivery(row) for row in found]))
    elif not found:
        typer.echo("no deliveries" + (" that fit" if site or since or until or wanted != "any" else " yet"))
    else:
        for line in table(_HEAD, [_cells(row) for row in found]):
            typer.echo(line)


@app.command()
def show(
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """One delivery: address, time taken, the first characters of the shop's answer, advice, the next try."""
    place = _place(delivery_id)

    async def work() -> LoggedDelivery:
        async with opened_store(config, data, database) as store:
            rows = await store.deliveries.page(None, since=place.at, before=Place(place.at + 1), limit=10_000)
            found = [row for row in rows if row.delivery_id.startswith(place.delivery_id)]
            if len(found) > 1:
                raise Trouble(
                    f"{delivery_id}: {len(found)} deliveries begin so; give more of the id (--json has it whole)"
                )
            if not found:
                raise Trouble(
                    f"there is no delivery {delivery_id}: deliveries are kept for a time, then pruned"
                )
            return found[0]

    row = run(work())
    if as_json:
        typer.echo(_json(answers.delivery_detail(row)))
        return
    for line in _detail(row):
        typer.echo(line)


@app.command()
def replay(
    site: Annotated[str | None, typer.Argument(metavar="SITE", help="The site's site_id.")] = None,
    transaction_id: Annotated[
        str | None, typer.Argument(metavar="TRANSACTION_ID", help="The site's name for the payment.")
    ] = None,
    parked: Annotated[
        bool,
        typer.Option(
            "--parked", help="In place of one payment: everything that was parked, of SITE or of all."
        ),
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Tells a payment's newest state again, delivered or not: now, with a fresh schedule."""
    if parked == (transaction_id is not None) or (site is None and not parked):
        raise Trouble(
            "give SITE and TRANSACTION_ID, or --parked for everything that was parked (of SITE where it is given)"
        )
    now = Clock().now()

    async def work() -> int:
        async with opened_store(config, data, database) as store:
            if site is not None:
                await site_named(store, site)
            what, target = (
                ("replayParked", site or "all") if parked else ("replay", f"{site} {transaction_id}")
            )
            async with recorded(store.admin, what, target):
                if not parked:
                    return await _replay_one(store, site or "", transaction_id or "", now)
                total = await _sliced(
                    lambda: store.notifications.replay_parked(now, site_id=site, now=Clock().now())
                )
                await _probe(store, site, now)
                return total

    _done(run(work()))


@app.command("replay-since")
def replay_since(
    site: Annotated[str, typer.Argument(metavar="SITE", help="The site's site_id.")],
    since: Annotated[str, typer.Argument(metavar="WHEN", help="A moment, or so long ago: 2h, 3d.")],
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Tells a site everything again that changed since a moment, delivered or not: for a shop that has lost data."""
    now = Clock().now()
    begin = past("WHEN", since, now)

    async def work() -> int:
        async with opened_store(config, data, database) as store:
            await site_named(store, site)
            async with recorded(store.admin, "replaySince", f"{site} {moment(begin)}"):
                total = await _sliced(
                    lambda: store.notifications.replay_since(site, begin, now, now=Clock().now())
                )
                await _probe(store, site, now)
                return total

    _done(run(work()))


async def _replay_one(store: Store, site: str, transaction_id: str, now: int) -> int:
    payment = await payment_named(store, site, transaction_id)
    if not await store.notifications.replay_payment(site, transaction_id, now):
        why = "it has no notify_url" if payment.request.notify_url is None else "it has not changed yet"
        raise Trouble(f"{transaction_id}: nothing was ever to be told of it: {why}")
    if payment.request.notify_url is not None:
        await store.notifications.probe_now(endpoint_of(site, payment.request.notify_url), now)
    return 1


async def _sliced(replay: Callable[[], Awaitable[int]]) -> int:
    """How many in all; on a terminal it counts while it works."""
    total, shows = 0, sys.stderr.isatty()
    while found := await replay():
        total += found
        if shows:
            typer.echo(f"\r{total} are due again …", err=True, nl=False)
    if shows and total:
        typer.echo("", err=True)
    return total


async def _probe(store: Store, site: str | None, now: int) -> None:
    """What was replayed would wait for its address's next try otherwise."""
    for each in await store.notifications.in_trouble(site_id=site):
        await store.notifications.probe_now(each.endpoint, now)


def _done(total: int) -> None:
    if total:
        typer.echo(
            f"{total} {'is' if total == 1 else 'are'} due again: a running gateway sends within seconds"
        )
    else:
        typer.echo("nothing to replay")


def _moment(option: str, text: str | None, now: int, default: int) -> int:
    if text is None:
        return default
    try:
        return read_moment(text, now)
    except ValueError as error:
        raise Trouble(f"{option}: {error}") from None


def _place(text: str) -> Place:
    """What the beginning of an id says."""
    if not 13 <= len(text) <= 44 or any(each not in "0123456789abcdef" for each in text):
        raise Trouble(
            f"{text!r} is no id of a delivery: 'cauri deliveries list' shows them, 18 digits and letters a-f"
        )
    return Place(int(text[:12], 16), text[12:])


_HEAD = ("time (UTC)", "id", "site", "transaction_id", "code", "try", "answer", "ms", "advice")


def _cells(row: LoggedDelivery) -> tuple[str, ...]:
    return (
        moment(row.at),
        answers.delivery_id_of(row)[:SHORT_ID],
        row.site_id,
        row.transaction_id,
        row.code,
        str(row.number),
        "none" if row.status is None else str(row.status),
        str(row.duration_ms),
        row.error or "",
    )


def _detail(row: LoggedDelivery) -> list[str]:
    lines = [
        f"id        {answers.delivery_id_of(row)}",
        f"time      {moment(row.at)} UTC, {row.duration_ms} ms",
        f"payment   {row.transaction_id}  site {row.site_id}  {row.code}  version {row.version}",
        f"try       {row.number} of this state",
        f"POST      {row.url}",
        f"answer    {'none came' if row.status is None else f'HTTP {row.status}'}",
    ]
    if row.error:
        lines.append(f"advice    {row.error}")
    if row.next_try_at is not None:
        lines.append(f"next try  {moment(row.next_try_at)} UTC, as it was decided then")
    elif not row.delivered:
        lines.append("next try  none: it was parked; 'cauri deliveries replay' tells it again")
    if row.answer:
        lines += ["", "The answer began:", *(f"  {_clean(line)}" for line in row.answer.splitlines())]
    return lines


def _clean(line: str) -> str:
    """A shop's answer cannot write to the terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)


def _json(made: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode()
