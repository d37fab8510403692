"""``cauri site``: add, list, show, set, rotate-key, rotate-secret, try-url."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
import typer
from msgspec.structs import replace

from cauri.cli.instance import ConfigOption, DatabaseOption, DataOption, Trouble, opened_store, plain_app, run
from cauri.cli.words import checked_site_id, duration, moment
from cauri.clock import HOUR, Clock
from cauri.domain.money import COUNTRIES, CURRENCIES
from cauri.domain.site import Site, SiteSettings, SiteStatus
from cauri.keys import hash_of, webhook_secret
from cauri.store import Store

app = plain_app("The sites that may take payments, and their keys.")

_ALL_CURRENCIES, _ALL_COUNTRIES = ",".join(CURRENCIES), ",".join(COUNTRIES)

SiteId = Annotated[str, typer.Argument(metavar="SITE", help="The site's site_id.")]
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
    key = _given("--apikey", apikey) or secrets.token_urlsafe(24)
    site = Site(
        site_id=str(100_000 + secrets.randbelow(9_900_000)) if site_id is None else checked_site_id(site_id),
        name=_named(name),
        secret_key=None
        if without_secret_key
        else _given("--secret-key", secret_key) or secrets.token_hex(32),
        currencies=_chosen("currency", currencies, CURRENCIES),
        countries=_chosen("country", countries, COUNTRIES),
        settings=_settings(SiteSettings(), settings or []),
        created_at=Clock().now(),
    )

    async def work() -> None:
        async with opened_store(config, data, database) as store:
            if not await store.add_site(site):
                raise Trouble(f"site {site.site_id} exists already: 'cauri site show {site.site_id}'")
            await store.give_key(hash_of(key), site.site_id, label="first", now=Clock().now())

    run(work())
    typer.echo(f"site_id         {site.site_id}\napikey          {key}")
    typer.echo("\n".join(_secret_lines(site)))
    typer.echo("Keep the apikey now: it cannot be shown again.", err=True)


@app.command("list")
def list_command(
    config: ConfigOption = None, data: DataOption = None, database: DatabaseOption = None
) -> None:
    """All sites, a line each."""

    async def work() -> list[Site]:
        async with opened_store(config, data, database) as store:
            return await store.sites()

    for site in run(work()):
        typer.echo(f"{site.site_id:<12} {site.status:<10} {','.join(site.currencies):<24} {site.name}")


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
            site = await _site(store, site_id)
            typer.echo(f"site_id      {site.site_id}\nname         {site.name}\nstatus       {site.status}")
            typer.echo(f"currencies   {', '.join(site.currencies)}\ncountries    {', '.join(site.countries)}")
            typer.echo(
                "\n".join(_secret_lines(site))
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
            site = await _site(store, site_id)
            changed = replace(
                site,
                name=_named(name) if name is not None else site.name,
                status=status or site.status,
                currencies=_chosen("currency", currencies, CURRENCIES) if currencies else site.currencies,
                countries=_chosen("country", countries, COUNTRIES) if countries else site.countries,
                settings=_settings(site.settings, settings or []),
            )
            await store.change_site(changed)

    run(work())
    typer.echo(f"site {site_id} is changed")


@app.command("rotate-key")
def rotate_key(
    site_id: SiteId,
    grace_hours: Annotated[float, typer.Option(min=0, help="How long the older keys still work.")] = 24,
    apikey: Annotated[
        str | None, typer.Option(help="The new apikey; one is made where none is given.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Prints a new apikey, once; the older ones end after the grace."""
    key = _given("--apikey", apikey) or secrets.token_urlsafe(24)

    async def work() -> None:
        async with opened_store(config, data, database) as store:
            await _site(store, site_id)
            now = Clock().now()
            await store.give_key(hash_of(key), site_id, label="rotated", now=now)
            await store.revoke_other_keys(site_id, hash_of(key), now + round(grace_hours * HOUR))

    run(work())
    typer.echo(f"apikey      {key}")
    typer.echo(
        f"The older keys work for {grace_hours:g} hours more. Keep this one now: it cannot be shown again.",
        err=True,
    )


@app.command("rotate-secret")
def rotate_secret(
    site_id: SiteId,
    grace: Annotated[
        str, typer.Option(help="How long the old secret key signs beside the new one: 30m, 48h, 2d.")
    ] = "48h",
    secret_key: Annotated[
        str | None, typer.Option(help="The new secret key; one is made where none is given.")
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="End the grace now: only the new secret key signs from here on.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Prints a new secret key for signing notifications. Until the grace ends, webhook-signature carries both
    signatures and x-token stays the old one's."""
    if finish and secret_key is not None:
        raise Trouble("--finish makes no new secret key: leave --secret-key out")
    key = _given("--secret-key", secret_key) or secrets.token_hex(32)
    grace_ms = duration("--grace", grace)

    async def work() -> tuple[Site, Site]:
        async with opened_store(config, data, database) as store:
            before, now = await _site(store, site_id), Clock().now()
            if finish:
                if not await store.finish_rotation(site_id, now):
                    raise Trouble(f"site {site_id}: no rotation of the secret key is under way")
            elif not await store.rotate_secret(site_id, key, until=now + grace_ms, now=now):
                until = moment(before.old_secret_until or now)
                raise Trouble(
                    f"site {site_id}: a rotation is under way until {until}: end it first with --finish"
                )
            await store.drop_old_secrets(now)
            return before, await _site(store, site_id)

    before, site = run(work())
    if finish:
        typer.echo(f"site {site_id}: only the new secret key signs now, x-token too")
        return
    typer.echo("\n".join(_secret_lines(replace(site, old_secret_key=None))))
    typer.echo(_after_rotation(before, site), err=True)


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


def _after_rotation(before: Site, site: Site) -> str:
    """What the shop's developer does next."""
    if site.old_secret_until is None:
        had = "The old one is forgotten." if before.secret_key else "The site had none."
        return f"{had} Notifications are signed with this one from now on."
    return (
        f"Until {moment(site.old_secret_until)} UTC webhook-signature carries both signatures and x-token stays the old one's.\n"
        "Let the shop accept both secret keys now (cauri-shop: a list); the old one may go once the grace is over.\n"
        f"A receiver that knows one secret: change it, then at once 'cauri site rotate-secret {site.site_id} --finish'."
    )


def _secret_lines(site: Site) -> list[str]:
    """A site's secret keys in both spellings."""
    if site.secret_key is None:
        return ["secret key      (none: notifications are not signed)"]
    lines = [f"secret key      {site.secret_key}", f"webhook secret  {webhook_secret(site.secret_key)}"]
    if site.old_secret_key is not None:
        lines += [
            f"old secret key  {site.old_secret_key}",
            f"old webhook     {webhook_secret(site.old_secret_key)}",
        ]
    return lines


async def _site(store: Store, site_id: str) -> Site:
    site = await store.site(site_id)
    if site is None:
        raise Trouble(f"there is no site {site_id}: 'cauri site list' names those there are")
    return site


def _given(option: str, text: str | None) -> str | None:
    """An option that may be left out, but not be empty."""
    if text is not None and not text.strip():
        raise Trouble(f"{option}: must not be empty; leave it out to have one made")
    return text


def _named(name: str) -> str:
    if not name.strip() or "\0" in name:
        raise Trouble("a site needs a name that customers will recognise")
    return name.strip()


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
