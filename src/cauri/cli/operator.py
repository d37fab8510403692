"""``cauri operator mtn provision``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from cauri.cli.instance import Trouble, plain_app, run
from cauri.clock import new_uuid
from cauri.logs import set_up
from cauri.operators.foreign import our_reference
from cauri.operators.mtn.markets import MARKETS, SANDBOX_HOST
from cauri.operators.mtn.provisioning import Provisioning, ProvisioningFailed, User, is_bare_host

app = plain_app("What an operator wants to be set up.")
mtn = plain_app("MTN MoMo.")
app.add_typer(mtn, name="mtn")

KEY_VARIABLE = "MTN_SUBSCRIPTION_KEY"


@mtn.callback()
def _mtn() -> None:
    pass


@mtn.command()
def provision(
    callback_host: Annotated[
        str,
        typer.Option(help="The host that MTN will call back: that of public_url, such as pay.example.com."),
    ],
    country: Annotated[str, typer.Option(help=f"Whose table to print: {', '.join(MARKETS)}.")] = "CI",
    subscription_key: Annotated[
        str | None,
        typer.Option(
            envvar=KEY_VARIABLE,
            help="The primary key of your subscription to Collections; asked for where it is not given.",
        ),
    ] = None,
    api_user: Annotated[
        str | None, typer.Option(help="An API user that exists already: only a new key is made.")
    ] = None,
    base_url: Annotated[str, typer.Option(help="MTN's sandbox.")] = SANDBOX_HOST,
) -> None:
    """Makes an API user and its key in MTN's sandbox and prints the lines for cauri.toml, once."""
    if not is_bare_host(callback_host):
        raise Trouble(
            f"--callback-host: {callback_host!r} must be a bare host such as pay.example.com, without https:// and without a path"
        )
    if country.upper() not in MARKETS:
        raise Trouble(f"--country: {country!r} has no MTN MoMo; choose among {', '.join(MARKETS)}")
    if api_user is not None and our_reference(api_user) is None:
        raise Trouble(f"--api-user: {api_user!r} is no UUID, as MTN's API users are")
    key = (subscription_key or _asked_key()).strip()
    set_up("text", "error")  # standard output is for the lines of cauri.toml
    try:
        steps = Provisioning(base_url, key)
    except ValueError as error:
        raise Trouble(str(error)) from None
    user_id, api_key = run(_provision(steps, callback_host, api_user))
    values = {
        "base_url": base_url.rstrip("/"),
        "environment": "sandbox",
        "subscription_key": key,
        "api_user": user_id,
        "api_key": api_key,
    }
    typer.echo(f"[operators.mtn.{country.upper()}]")
    for name, value in values.items():
        typer.echo(f"{name} = {json.dumps(value)}")
    typer.echo("Keep the api_key now: MTN does not show it again.", err=True)


def _asked_key() -> str:
    if not sys.stdin.isatty():
        raise Trouble(f"--subscription-key: missing; give it, or set {KEY_VARIABLE}")
    key: str = typer.prompt("Subscription key of Collections", hide_input=True)
    return key


async def _provision(steps: Provisioning, callback_host: str, api_user: str | None) -> tuple[str, str]:
    user_id = api_user or new_uuid()
    try:
        if api_user is None:
            await steps.make_user(user_id, callback_host)
            typer.echo(f"API user {user_id} is made", err=True)
        _check_user(await steps.look_up(user_id), callback_host)
        api_key = await steps.make_key(user_id)
        await steps.try_token(user_id, api_key)
    except ProvisioningFailed as failure:
        again = f" (go on with --api-user {user_id})" if api_user is None else ""
        raise Trouble(f"{failure}{again}") from None
    finally:
        await steps.close()
    return user_id, api_key


def _check_user(user: User, callback_host: str) -> None:
    """An API user's host cannot be changed, and its callbacks go nowhere else."""
    if user.provider_callback_host and user.provider_callback_host != callback_host:
        raise ProvisioningFailed(
            f"MTN has noted {user.provider_callback_host} as this API user's callback host: leave out --api-user to make another"
        )
    if user.target_environment not in ("", "sandbox"):
        raise ProvisioningFailed(
            f"this API user is of the environment {user.target_environment}: production keys come from MTN's partner portal"
        )
