"""``cauri listen``: a site's notifications from a running gateway, shown and forwarded to a developer's machine."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from cauri.cli.instance import Trouble, plain_app
from cauri.cli.words import checked_site_id, past
from cauri.clock import Clock
from cauri.keys import SANDBOX_ADMIN_TOKEN, SANDBOX_SITE_ID
from cauri.listening import (
    Beginning,
    CannotKeep,
    GatewayFeed,
    InUse,
    Kept,
    Listener,
    NotOurs,
    Refused,
    kept_path,
)
from cauri.notifier.sender import Sender
from cauri.serving import stop_signal

app = plain_app()

SANDBOX_URL = "http://127.0.0.1:8080"


@app.command()
def listen(
    forward_to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where your shop takes notifications, such as http://localhost:8000/notify; without it they are only shown.",
        ),
    ] = None,
    gateway: Annotated[
        str,
        typer.Option(metavar="URL", envvar="CAURI_BASE_URL", help="The running gateway."),
    ] = SANDBOX_URL,
    site: Annotated[str, typer.Option(envvar="CAURI_SITE_ID", help="The site's site_id.")] = SANDBOX_SITE_ID,
    token: Annotated[
        str,
        typer.Option(
            envvar="CAURI_ADMIN_TOKEN",
            help="An admin token with the scope notifications:listen.",
            show_default="the sandbox's",
        ),
    ] = SANDBOX_ADMIN_TOKEN,
    last: Annotated[
        int | None, typer.Option(min=1, max=200, help="Begin with so many of the newest.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Begin so long ago (1h), or at a moment.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin now: forget where the last run ended.")
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            help="The file that remembers how far it is.", show_default="one below ~/.local/state/cauri"
        ),
    ] = None,
) -> None:
    """Shows a site's notifications and forwards them, signed by the gateway, to a shop on your machine; goes on where it was stopped.

    What the gateway itself delivers to the notify_url does not change.
    """
    beginning = _checked(forward_to, gateway, site, token, last, since, fresh)
    kept = Kept(state or kept_path(gateway, site, forward_to or ""))
    _open(kept)
    try:
        asyncio.run(_listen(GatewayFeed(gateway, token, site), kept, forward_to, beginning))
    except Refused as refused:
        raise Trouble(str(refused)) from None
    except CannotKeep as error:
        raise Trouble(f"--state: {kept.path} cannot be written: {error.strerror}") from None
    finally:
        kept.close()


def _open(kept: Kept) -> None:
    """Raises Trouble."""
    try:
        kept.open()
    except InUse:
        raise Trouble(
            f"another 'cauri listen' does this already; --state FILE makes a second one ({kept.path})"
        ) from None
    except NotOurs:
        raise Trouble(
            f"--state: {kept.path} is no file of 'cauri listen': name another one, or remove it"
        ) from None
    except OSError as error:
        raise Trouble(f"--state: {kept.path} cannot be used: {error.strerror or error}") from None


async def _listen(feed: GatewayFeed, kept: Kept, forward_to: str | None, beginning: Beginning) -> None:
    stopped = stop_signal()
    clock = Clock()
    sender = Sender(clock, private_allowed=True, ports=(0,))
    async with feed:
        listener = Listener(feed, kept, sender, clock, forward_to=forward_to, tell=_tell)
        work = asyncio.ensure_future(listener.run(beginning))
        stop = asyncio.ensure_future(stopped.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if work.done():
            await work
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await sender.close()
    _tell("stopped; what comes now is forwarded when you start it again")


def _checked(
    forward_to: str | None,
    gateway: str,
    site: str,
    token: str,
    last: int | None,
    since: str | None,
    fresh: bool,
) -> Beginning:
    """Everything that can be wrong is told before anything is asked."""
    _check_url("--gateway", gateway)
    if forward_to is not None:
        _check_url("--forward-to", forward_to)
        if "@" in urlsplit(forward_to).netloc:
            raise Trouble(
                "--forward-to: no user name or password goes with it (user:password@host), as with a notify_url"
            )
    checked_site_id(site, "--site")
    if not token.strip() or not token.isascii() or not token.isprintable():
        raise Trouble("--token: an admin token is printable ASCII: 'cauri admin token add' prints one")
    if (last is not None) + (since is not None) + fresh > 1:
        raise Trouble("--last, --since and --fresh each say where to begin: give one of them")
    if since is not None:
        past("--since", since, Clock().now())
    return Beginning(last, since, fresh)


def _check_url(option: str, text: str) -> None:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not text.isprintable() or " " in text:
        raise Trouble(f"{option}: {text!r} is no http(s) address, such as http://localhost:8000/notify")


def _tell(line: str) -> None:
    typer.echo(line)
