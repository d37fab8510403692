"""``cauri site``: add, list, show, set, try-url; its keys are next door (``site_keys``)."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
import typer
from msgspec.structs import replace

from cauri.cli.instance import ConfigOption, DatabaseOption, DataOption, Trouble, opened_store, plain_app, run
from cauri.cli.naming import site_named
from cauri.cli.recording import recorded
from cauri.cli.site_keys import SiteId, given, rotate_key, rotate_secret, secret_lines
from cauri.cli.tables import table
from cauri.cli.words import checked_site_id, moment
from cauri.clock import Clock
from cauri.domain.money import COUNTRIES, CURRENCIES
from cauri.domain.site import Site, SiteSettings, SiteStatus
from cauri.keys import hash_of

app = plain_app("The sites that may take payments, and their keys.")

_ALL_CURRENCIES, _ALL_COUNTRIES = ",".join(CURRENCIES), ",".join(COUNTRIES)

SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help=f"A setting: {', '.join(SiteSettings.__struct_fields__)}. Repeatable.",
    ),
]
CurrenciesOption = Annotated[str, typer.Option(help="Enabled currencies, with commas.")]
CountriesOption = Annotated[str, typer.Option(help="Enabled countries, with commas.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The shop's name, as customers see it on the page.")],
    site_id: Annotated[str | None, typer.Option(help="Its site_id; one is made where none is given.")] = None,
    apikey: Annotated[str | None, typer.Option(help="Its apikey; one is made where none is given.")] = None,
    secret_key: Annotated[
        str | None, typer.Option(help="Its secret key; one is made where none is given.")
    ] = None,
    without_secret_key: Annotated[
        bool, typer.Option("--without-secret-key", help="Notifications are not signed.")
    ] = False,
    currencies: CurrenciesOption = _ALL_CURRENCIES,
    countries: CountriesOption = _ALL_COUNTRIES,
    settings: SettingsOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Adds a site and prints its keys, once: only the apikey's hash is kept."""
    key = given("--apikey", apikey) or secrets.token_urlsafe(24)
    site = Site(
        site_id=str(100_000 + secrets.randbelow(9_900_000)) if site_id is None else checked_site_id(site_id),
        name=_named(name),
        secret_key=None if without_secret_key else given("--secret-key", secret_key) or secrets.token_hex(32),
        currencies=_chosen("currency", currencies, CURRENCIES),
        countries=_chosen("country", countries, COUNTRIES),
        settings=_settings(SiteSettings(), settings or []),
        created_at=Clock().now(),
    )

    async def work() -> None:
        async with (
            opened_store(config, data, database) as store,
            recorded(store.admin, "addSite", site.site_id),
        ):
            if not await store.add_site(site):
                raise Trouble(f"site {site.site_id} exists already: 'cauri site show {site.site_id}'")
            await store.give_key(hash_of(key), site.site_id, label="first", now=Clock().now())

    run(work())
    typer.echo(f"site_id         {site.site_id}\napikey          {key}")
    typer.echo("\n".join(secret_lines(site)))
    typer.echo("Keep the apikey now: it cannot be shown again.", err=True)


@app.command("list")
def list_command(
    config: ConfigOption = None, data: DataOption = None, database: DatabaseOption = None
) -> None:
    """All sites, a line each."""

    async def work() -> list[Site]:
        async with opened_store(config, data, database) as store:
            return await store.sites()

    rows = [
        (site.site_id, str(site.status), ",".join(site.currencies), ",".join(site.countries), site.name)
        for site in run(work())
    ]
    for line in table(("site_id", "status", "currencies", "countries", "name"), rows):
        typer.echo(line)


@app.command()
def show(
    site_id: SiteId,
    with_secrets: Annotated[
        bool, typer.Option("--secrets", help="The secret key too, in both spellings.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """One site: its settings and the age of its keys, never an apikey, and the secret key only with --secrets."""

    async def work() -> None:
        async with opened_store(config, data, database) as store:
            site = await site_named(store, site_id)
            typer.echo(f"site_id      {site.site_id}\nname         {site.name}\nstatus       {site.status}")
            typer.echo(f"currencies   {', '.join(site.currencies)}\ncountries    {', '.join(site.countries)}")
            typer.echo(
                "\n".join(secret_lines(site))
                if with_secrets
                else f"secret key   {'set' if site.secret_key else 'none: notifications are not signed'}"
            )
            if site.old_secret_until is not None:
                typer.echo(f"rotation     the old secret key signs too until {moment(site.old_secret_until)}")
            for name, value in msgspec.structs.asdict(site.settings).items():
                typer.echo(f"{name:<20} {value}")
            for label, made, until in await store.keys_of_site(site_id):
                typer.echo(
                    f"apikey       made {moment(made)} ({label}){f', refused from {moment(until)}' if until else ''}"
                )

    run(work())


@app.command("set")
def set_command(
    site_id: SiteId,
    settings: SettingsOption = None,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    status: Annotated[
        SiteStatus | None, typer.Option(help="A closed or suspended site takes no new payments.")
    ] = None,
    currencies: Annotated[str | None, typer.Option(help="Enabled currencies, with commas.")] = None,
    countries: Annotated[str | None, typer.Option(help="Enabled countries, with commas.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Changes a site; a running gateway follows within seconds."""
    if not any((settings, name is not None, status, currencies, countries)):
        raise Trouble("nothing to change: give --set, --name, --status, --currencies or --countries")

    async def work() -> None:
        async with opened_store(config, data, database) as store:
            site = await site_named(store, site_id)
            changed = replace(
                site,
                name=_named(name) if name is not None else site.name,
                status=status or site.status,
                currencies=_chosen("currency", currencies, CURRENCIES) if currencies else site.currencies,
                countries=_chosen("country", countries, COUNTRIES) if countries else site.countries,
                settings=_settings(site.settings, settings or []),
            )
            async with recorded(store.admin, "changeSite", f"{site_id}: {_changes(site, changed)}"):
                await store.change_site(changed)

    run(work())
    typer.echo(f"site {site_id} is changed")


app.command("rotate-key")(rotate_key)
app.command("rotate-secret")(rotate_secret)


@app.command("try-url")
def try_url(
    site_id: SiteId,
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]", help="The notify_url; else where the site's newest notification went."
        ),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Tests a notify_url: a GET, then a signed POST of a payment that does not exist, with times and advice.

    Exit status: 0 the shop would be told, 1 it would not.
    """
    from cauri.cli.trying import try_and_tell  # the HTTP client is loaded for this command alone

    raise typer.Exit(0 if try_and_tell(site_id, url, config, data, database) else 1)


def _named(name: str) -> str:
    if not name.strip() or "\0" in name:
        raise Trouble("a site needs a name that customers will recognise")
    return name.strip()


def _changes(before: Site, after: Site) -> str:
    """What differs, as NAME=VALUE."""
    fields = [(name, getattr(after, name)) for name in ("name", "status", "currencies", "countries")]
    said = [(name, value) for name, value in fields if value != getattr(before, name)]
    own = msgspec.structs.asdict(before.settings)
    said += [
        (name, value) for name, value in msgspec.structs.asdict(after.settings).items() if value != own[name]
    ]
    shown = (f"{name}={','.join(value) if isinstance(value, tuple) else value}" for name, value in said)
    return " ".join(shown) or "nothing new"


def _chosen(kind: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(part.strip().upper() for part in text.split(",") if part.strip()))
    strange = [part for part in wanted if part not in known]
    if strange or not wanted:
        raise Trouble(
            f"{', '.join(strange) or 'nothing'} is no {kind} of ours: choose among {', '.join(known)}"
        )
    return wanted


def _settings(settings: SiteSettings, changes: list[str]) -> SiteSettings:
    values: dict[str, Any] = msgspec.structs.asdict(settings)
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign or name not in values:
            raise Trouble(f"--set {change}: write NAME=VALUE with a name among {', '.join(values)}")
        try:
            values[name] = getattr(msgspec.convert({name: value}, SiteSettings, strict=False), name)
        except msgspec.ValidationError as error:
            raise Trouble(f"--set {change}: {str(error).partition(' - at')[0].lower()}") from None
    return SiteSettings(**values)
