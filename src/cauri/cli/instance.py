"""Which instance a command works on: a configured one, or a sandbox's data folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cauri.config import BadSettings, Settings, load
from cauri.domain.errors import CauriError, StoreUnavailable
from cauri.keys import kept_secret
from cauri.store import Store, Vault, engine_for
from cauri.store.migrate import migrations, version_of

T = TypeVar("T")

DEFAULT_DATA = Path("cauri-data")
DEFAULT_CONFIG = Path("cauri.toml")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The instance's settings file (default: ./cauri.toml where it exists)."),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="A sandbox's data folder (default: ./cauri-data where it exists)."),
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="A sandbox's database, where it was started with --database.")
]


class Trouble(Exception):
    """Something a person can mend; the message says how."""


def plain_app(words: str | None = None) -> typer.Typer:
    """The commands of one module, with plain help and error texts."""
    return typer.Typer(
        help=words,
        no_args_is_help=words is not None,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


def check_database(url: str) -> None:
    if not url.startswith(("postgresql://", "postgres://", "sqlite:///")):
        raise Trouble("--database: must begin with postgresql:// or sqlite:///")


def database_in(folder: Path) -> str:
    """The sandbox's SQLite file in its data folder, as the settings write it."""
    return f"sqlite:///{folder.resolve() / 'cauri.sqlite3'}"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work; an error of ours becomes Trouble."""
    try:
        return asyncio.run(work)
    except StoreUnavailable as error:
        raise Trouble(f"the database cannot be used: {error}") from error
    except CauriError as error:
        raise Trouble(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error


def named_settings(config: Path | None, data: Path | None, database: str | None) -> Settings | None:
    """The settings of the configured instance that the options name; None where they name a sandbox."""
    if config is None and data is None and database is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
    if config is None:
        return None
    try:
        return load(config)
    except BadSettings as error:
        raise Trouble("the settings cannot be used:\n  " + "\n  ".join(error.faults)) from None


def named_instance(config: Path | None, data: Path | None, database: str | None) -> tuple[str, str]:
    """The database and the secret of the instance that the options name."""
    settings = named_settings(config, data, database)
    if settings is not None:
        return settings.database, settings.secret
    folder = data or DEFAULT_DATA
    if database is not None:
        check_database(database)
    if not (folder / "secret").exists():
        raise Trouble(
            f"there is no instance in {folder}/: name one with --config cauri.toml, or a sandbox's folder with --data "
            "(a sandbox started with --memory cannot be looked into)"
        )
    return database or database_in(folder), kept_secret(folder)


@asynccontextmanager
async def opened_store(config: Path | None, data: Path | None, database: str | None) -> AsyncIterator[Store]:
    """The instance's store. Raises Trouble where its schema is not this version's."""
    url, secret = named_instance(config, data, database)
    store = Store(engine_for(url), Vault(secret))
    try:
        await check_schema(store)
        yield store
    finally:
        await store.close()


async def check_schema(store: Store) -> None:
    """Raises Trouble unless the database has exactly the schema that this version works with."""
    there, wanted = await version_of(store.engine), max(migrations())
    if there < wanted:
        raise Trouble(
            f"the database's schema is version {there}, this Cauri needs {wanted}: run 'cauri migrate'"
        )
    if there > wanted:
        raise Trouble(
            f"the database's schema is version {there}, newer than this Cauri knows ({wanted}): upgrade Cauri"
        )
