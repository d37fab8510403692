"""``cauri site rotate-key`` and ``rotate-secret``: a site's apikeys and secret keys."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from msgspec.structs import replace

from cauri.cli.instance import ConfigOption, DatabaseOption, DataOption, Trouble, opened_store, run
from cauri.cli.naming import site_named
from cauri.cli.recording import recorded
from cauri.cli.words import duration, moment
from cauri.clock import HOUR, Clock
from cauri.domain.site import Site
from cauri.keys import hash_of, webhook_secret

GRACE_HOURS_MAX = 87_600  # ten years

SiteId = Annotated[str, typer.Argument(metavar="SITE", help="The site's site_id.")]


def rotate_key(
    site_id: SiteId,
    grace_hours: Annotated[
        float, typer.Option(min=0, max=GRACE_HOURS_MAX, help="How long the older keys still work.")
    ] = 24,
    apikey: Annotated[
        str | None, typer.Option(help="The new apikey; one is made where none is given.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Prints a new apikey, once; the older ones end after the grace."""
    key = given("--apikey", apikey) or secrets.token_urlsafe(24)

    async def work() -> None:
        async with opened_store(config, data, database) as store:
            await site_named(store, site_id)
            now = Clock().now()
            async with recorded(store.admin, "rotateKey", f"{site_id}: {grace_hours:g} hours of grace"):
                await store.give_key(hash_of(key), site_id, label="rotated", now=now)
                await store.revoke_other_keys(site_id, hash_of(key), now + round(grace_hours * HOUR))

    run(work())
    typer.echo(f"apikey      {key}")
    typer.echo(
        f"The older keys work for {grace_hours:g} hours more. Keep this one now: it cannot be shown again.",
        err=True,
    )


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
    key = given("--secret-key", secret_key) or secrets.token_hex(32)
    grace_ms = duration("--grace", grace)

    async def work() -> tuple[Site, Site]:
        async with opened_store(config, data, database) as store:
            before, now = await site_named(store, site_id), Clock().now()
            what = "finishRotation" if finish else "rotateSecret"
            async with recorded(store.admin, what, site_id if finish else f"{site_id}: {grace} of grace"):
                if finish:
                    if not await store.finish_rotation(site_id, now):
                        raise Trouble(f"site {site_id}: no rotation of the secret key is under way")
                elif not await store.rotate_secret(site_id, key, until=now + grace_ms, now=now):
                    until = moment(before.old_secret_until or now)
                    raise Trouble(
                        f"site {site_id}: a rotation is under way until {until} UTC: wait for its end, or end it with --finish; "
                        "from then on the old secret key is worth nothing, so let the shop have the new one before"
                    )
                await store.drop_old_secrets(now)
            return before, await site_named(store, site_id)

    before, site = run(work())
    if finish:
        typer.echo(f"site {site_id}: only the new secret key signs now, x-token too")
        return
    typer.echo("\n".join(secret_lines(replace(site, old_secret_key=None))))
    typer.echo(_after_rotation(before, site), err=True)


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


def secret_lines(site: Site) -> list[str]:
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


def given(option: str, text: str | None) -> str | None:
    """An option that may be left out, but not be empty."""
    if text is not None and not text.strip():
        raise Trouble(f"{option}: must not be empty; leave it out to have one made")
    return text
