"""``cauri site try-url``: would a shop be told, and if not, why not."""

from __future__ import annotations

from pathlib import Path

import typer

from cauri.app import sender_of
from cauri.cli.instance import Trouble, named_settings, opened_store, run
from cauri.cli.naming import site_named
from cauri.clock import Clock
from cauri.domain.site import Site
from cauri.notifier import trying
from cauri.notifier.advice import Level, Seen, Timing
from cauri.notifier.faults import in_words
from cauri.notifier.sender import Sender
from cauri.notifier.trying import Tried
from cauri.sandbox import ANY_SHOP

_MARKS = {
    Level.GOOD: ("✓", typer.colors.GREEN),
    Level.NOTE: ("·", None),
    Level.WARNING: ("!", typer.colors.YELLOW),
    Level.BAD: ("✗", typer.colors.RED),
}


def try_and_tell(
    site_id: str, url: str | None, config: Path | None, data: Path | None, database: str | None
) -> bool:
    """Prints what came of it; True where the shop would be told. Raises Trouble."""
    if url is not None and not url.strip():
        raise Trouble("URL: must not be empty; leave it out for the last one that the site was told at")

    async def work() -> tuple[Site, Tried]:
        async with opened_store(config, data, database) as store:
            site = await site_named(store, site_id)
            address = url if url is not None else await store.last_notify_url(site_id)
        if not address:
            raise Trouble(f"no notification of site {site_id} was sent yet: give the URL")
        clock = Clock()
        settings = named_settings(config, data, database)
        sender = (
            Sender(clock, private_allowed=True, ports=ANY_SHOP.ports)
            if settings is None
            else sender_of(settings, clock)
        )
        return site, await trying.try_url(sender, clock, site, address)

    site, tried = run(work())
    typer.echo("\n".join(lines_of(site, tried)))
    return tried.told


def lines_of(site: Site, tried: Tried) -> list[str]:
    """What was tried, how it went and what to do, for a terminal."""
    kind = f"{site.settings.notification_format}, {'signed' if site.secret_key else 'not signed'}"
    return [
        f"site {site.site_id}  {site.name}",
        f"{tried.url}  ({kind}; test payment {tried.transaction_id})",
        "",
        *(_line_of(seen) for seen in (tried.ping, tried.post)),
        "",
        *(_marked(line.level, line.text) for line in tried.advice),
        "",
        _marked(Level.GOOD, "The shop would be told.", bold=True)
        if tried.told
        else _marked(Level.BAD, "The shop would NOT be told.", bold=True),
    ]


def _line_of(seen: Seen) -> str:
    came = str(seen.status) if seen.fault is None else in_words(seen.fault, seen.detail).partition(": ")[0]
    steps = " · ".join(_steps(seen.timing))
    return f"  {seen.method:<5} {came:<4}  {typer.style(steps, dim=True)}".rstrip()


def _steps(timing: Timing) -> list[str]:
    named = (
        ("name", timing.dns),
        ("connect", timing.connect),
        ("TLS", timing.tls),
        ("first byte", timing.first_byte),
        ("whole", timing.whole),
    )
    return [f"{name} {ms} ms" for name, ms in named if ms is not None]


def _marked(level: Level, text: str, *, bold: bool = False) -> str:
    mark, colour = _MARKS[level]
    return f"  {typer.style(mark, fg=colour, bold=True)} {typer.style(text, bold=bold, fg=colour if bold else None)}"
