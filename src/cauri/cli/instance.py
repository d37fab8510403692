"""Which instance a command works on: a configured one, or a sandbox's data folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

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
    typer.Option(
        "--data", help="A sandbox's data folder (default: ./cauri-data, where there is no cauri.toml)."
    ),
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="A sandbox's database, where it was started with --database.")
]


class WholeSentences(TyperGroup):
    """A group whose help tells each command's first sentence whole: cut at the terminal's edge it says nothing."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        write_commands(self, ctx, formatter, "Commands", self.list_commands(ctx))


def write_commands(group: TyperGroup, ctx: Any, formatter: Any, title: str, names: Iterable[str]) -> None:
    """One section of a group's help: these commands, each with its first sentence."""
    found = [(name, command) for name in names if (command := group.get_command(ctx, name)) is not None]
    with formatter.section(title):
        formatter.write_dl([(name, command.get_short_help_str(1000)) for name, command in found])


class Trouble(Exception):
    """Something a person can mend; the message says how."""


def plain_app(words: str | None = None) -> typer.Typer:
    """The commands of one module, with plain help and error texts."""
    return typer.Typer(
        cls=WholeSentences,
        help=words,
        no_args_is_help=words is not None,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


def unusable(error: StoreUnavailable) -> Trouble:
    return Trouble(
        f"the database cannot be used: {error}; see that it runs, and that 'database' in the settings (or --database) is right"
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
        raise unusable(error) from error
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
        words = "the settings cannot be used:\n  " + "\n  ".join(error.faults)
        if config is DEFAULT_CONFIG and (DEFAULT_DATA / "secret").exists():
            words += f"\n{config} goes before the sandbox in {DEFAULT_DATA}/: to work on that one, add --data {DEFAULT_DATA}"
        raise Trouble(words) from None


def named_instance(config: Path | None, data: Path | None, database: str | None) -> tuple[str, str]:
    """The database and the secret of the instance that the options name."""
    settings = named_settings(config, data, database)
    if settings is not None:
        return settings.database, settings.secret
    folder = data or DEFAULT_DATA
    if database is not None:
        check_database(database)
    if not (folder / "secret").exists():
        if database is not None:
            raise Trouble(
                f"--database alone has no secret to read it with: add --config cauri.toml, or a sandbox's folder with --data "
                f"(there is none in {folder}/)"
            )
        raise Trouble(
            f"there is no instance in {folder}/: name one with --config cauri.toml, or a sandbox's folder with --data "
            "(a sandbox started with --memory cannot be looked into)"
        )
    return database or database_in(folder), kept_secret(folder)


@asynccontextmanager
async def opened_store(config: Path | None, data: Path | None, database: str | None) -> AsyncIterator[Store]:
    """The instance's store. Raises Trouble where its schema is not this version's."""
    url, secret = named_instance(config, data, database)
    check_file(url)
    store = Store(engine_for(url), Vault(secret))
    try:
        await check_schema(store)
        yield store
    finally:
        await store.close()


def check_file(url: str) -> None:
    """Raises Trouble where an SQLite file is not there: to open it would make an empty one."""
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).exists():
        raise Trouble(
            f"there is no database {path}: see --database or the settings, or make it with 'cauri migrate'"
        )


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
