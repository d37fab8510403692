"""``cauri admin``: token add, list, revoke; audit."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from cauri.api.admin import answers
from cauri.cli.instance import ConfigOption, DatabaseOption, DataOption, Trouble, opened_store, plain_app, run
from cauri.cli.naming import site_named
from cauri.cli.recording import recorded
from cauri.cli.tables import table
from cauri.cli.words import moment, past
from cauri.clock import Clock
from cauri.domain.admin import LABEL_MAX, SCOPES, AdminToken, AuditRow
from cauri.domain.moments import LATEST, read_span
from cauri.keys import hash_of, new_admin_token

app = plain_app("Admin tokens, and the record of what was done with them.")
tokens = plain_app("Tokens for /admin/, cauri listen and Prometheus.")
app.add_typer(tokens, name="token")

RESERVED = "sandbox"


@tokens.command()
def add(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What it is for; the record names it so.")],
    scope: Annotated[
        list[str] | None, typer.Option(help=f"What it may do: {', '.join(SCOPES)}. Repeatable.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every scope there is now.")] = False,
    site: Annotated[list[str] | None, typer.Option(help="For this site only. Repeatable.")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Refused after so long: 90d.", show_default="never")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Prints a new admin token, once: only its hash is kept."""
    now = Clock().now()
    secret = new_admin_token()
    token = AdminToken(
        token_hash=hash_of(secret),
        label=_label(label),
        scopes=_scopes(scope or [], everything),
        sites=tuple(dict.fromkeys(site)) if site else None,
        created_at=now,
        expires_at=None if expires is None else now + _span(expires, LATEST - now),
    )

    async def work() -> None:
        async with opened_store(config, data, database) as store:
            for each in token.sites or ():
                await site_named(store, each, "--site")
            async with recorded(store.admin, "addToken", f"{token.label}: {' '.join(token.scopes)}"):
                if not await store.admin.add(token):
                    raise Trouble(
                        f"there is a live token {token.label!r}: revoke it, or choose another label"
                    )

    run(work())
    typer.echo(f"admin token  {secret}")
    typer.echo(
        f"scopes       {', '.join(token.scopes)}\nsites        {', '.join(token.sites or ()) or 'all'}"
    )
    typer.echo(f"expires      {moment(token.expires_at) + ' UTC' if token.expires_at else 'never'}")
    typer.echo("Keep the token now: it cannot be shown again.", err=True)


@tokens.command("list")
def list_command(
    config: ConfigOption = None, data: DataOption = None, database: DatabaseOption = None
) -> None:
    """All tokens that were ever made, newest first; never the tokens themselves."""

    async def work() -> list[AdminToken]:
        async with opened_store(config, data, database) as store:
            return await store.admin.tokens()

    found = run(work())
    if not found:
        typer.echo("no admin token: 'cauri admin token add' makes one")
        return
    now = Clock().now()
    for line in table(
        ("label", "state", "made", "last used", "expires", "sites", "scopes"),
        [_cells(each, now) for each in found],
    ):
        typer.echo(line)


@tokens.command()
def revoke(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="The token's label.")],
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """The token is refused everywhere within seconds."""

    async def work() -> None:
        async with (
            opened_store(config, data, database) as store,
            recorded(store.admin, "revokeToken", label),
        ):
            if not await store.admin.revoke(label, Clock().now()):
                raise Trouble(f"there is no live token {label!r}: 'cauri admin token list' names them")

    run(work())
    typer.echo(f"token {label} is revoked")


@app.command()
def audit(
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="From a moment on, or so long ago: 2h, 3d.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, as GET /admin/audit answers.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Every write, done or refused, newest first: over HTTP and at the command line."""
    now = Clock().now()
    begin = 0 if since is None else past("--since", since, now)

    async def work() -> list[AuditRow]:
        async with opened_store(config, data, database) as store:
            return await store.admin.audit(since=begin, before=(now + 1, ""), limit=limit)

    found = run(work())
    if as_json:
        made = [answers.audit_entry(row) for row in found]
        typer.echo(msgspec.json.format(msgspec.json.encode(made), indent=2).decode())
        return
    if not found:
        typer.echo("nothing was written yet")
        return
    rows = [
        (moment(row.at), row.label or "–", row.address, row.what, row.result, row.target) for row in found
    ]
    for line in table(("time (UTC)", "token", "address", "what", "result", "of what"), rows):
        typer.echo(line)


def _label(text: str) -> str:
    if not text.strip() or len(text) > LABEL_MAX or not text.isprintable():
        raise Trouble(
            f"LABEL: 1 to {LABEL_MAX} printable characters that say what the token is for, such as 'back office'"
        )
    if text.strip().split(" ")[0] == RESERVED:
        raise Trouble("LABEL: 'sandbox' names the token that every sandbox has; choose another")
    return text.strip()


def _scopes(asked: list[str], everything: bool) -> tuple[str, ...]:
    if everything == bool(asked):
        raise Trouble(
            f"say what it may do: --scope SCOPE, repeatable, or --all; scopes are {', '.join(SCOPES)}"
        )
    strange = [each for each in asked if each not in SCOPES]
    if strange:
        raise Trouble(f"--scope {', '.join(strange)}: choose among {', '.join(SCOPES)}")
    return tuple(SCOPES) if everything else tuple(dict.fromkeys(asked))


def _span(text: str, most: int) -> int:
    try:
        span = read_span(text)
    except ValueError as error:
        raise Trouble(f"--expires: {error}") from None
    if span > most:
        raise Trouble(
            f"--expires: {text!r} ends after the year 9999: leave it out for a token that does not expire"
        )
    return span


def _cells(token: AdminToken, now: int) -> tuple[str, ...]:
    state = "live" if token.live(now) else "revoked" if token.revoked_at is not None else "expired"
    return (
        token.label,
        state,
        moment(token.created_at)[:19],
        moment(token.last_used_at)[:19] if token.last_used_at else "never",
        moment(token.expires_at)[:19] if token.expires_at else "never",
        ",".join(token.sites) if token.sites is not None else "all",
        ",".join(token.scopes) if len(token.scopes) < len(SCOPES) else "all",
    )
