"""``cauri sandbox``, ``cauri serve``, ``cauri migrate``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from cauri import logs
from cauri.app import MEMORY, Gateway, open_store
from cauri.cli.chosen_methods import chosen_methods
from cauri.cli.instance import (
    DEFAULT_DATA,
    ConfigOption,
    DatabaseOption,
    DataOption,
    Trouble,
    check_database,
    check_schema,
    database_in,
    named_instance,
    plain_app,
    run,
    unusable,
)
from cauri.cli.words import checked_site_id
from cauri.clock import Clock
from cauri.config import BadSettings, Settings, load
from cauri.connectors import operators_of
from cauri.customer import TEST_CARD
from cauri.domain.errors import StoreUnavailable
from cauri.domain.money import COUNTRIES
from cauri.event_loop import EventLoop
from cauri.keys import (
    SANDBOX_ADMIN_TOKEN,
    SANDBOX_APIKEY,
    SANDBOX_SECRET_KEY,
    SANDBOX_SITE_ID,
    hash_of,
    kept_secret,
)
from cauri.sandbox import Sandbox, SandboxOptions
from cauri.serving import (
    AlreadyServed,
    Server,
    SingleProcess,
    bound_socket,
    spare_what_stays,
    stop_signal,
    url_of,
)
from cauri.store import Store, engine_for
from cauri.store.migrate import migrate
from cauri.workers import Workers

app = plain_app()

MethodOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METHOD=CONNECTOR",
        help="Which simulated operator serves a method, such as OM=orange_webpay_ci; can be given several times.",
    ),
]


@app.command()
def sandbox(
    host: Annotated[
        str, typer.Option(help="Address to listen on; its keys are public knowledge, mind who can reach it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The gateway's port; 0 takes a free one.")] = 8080,
    operators_port: Annotated[
        int, typer.Option(help="The simulated operators' port; 0 takes a free one.")
    ] = 8081,
    data: Annotated[
        Path | None, typer.Option(help="Folder that keeps the state.", show_default="./cauri-data")
    ] = None,
    memory: Annotated[
        bool, typer.Option("--memory", help="Keep nothing: the state ends with the process.")
    ] = False,
    public_url: Annotated[
        str | None, typer.Option(help="Address in the payment_url, where it is not the one listened on.")
    ] = None,
    site_id: Annotated[str, typer.Option(help="The ready site's site_id.")] = SANDBOX_SITE_ID,
    apikey: Annotated[str, typer.Option(help="Its apikey.")] = SANDBOX_APIKEY,
    secret_key: Annotated[str, typer.Option(help="Its secret key, for x-token.")] = SANDBOX_SECRET_KEY,
    admin_token: Annotated[
        str, typer.Option(help="Its admin token, for cauri listen and /admin/.")
    ] = SANDBOX_ADMIN_TOKEN,
    operator_delay: Annotated[
        float, typer.Option(min=0, help="Seconds a simulated customer takes to approve.")
    ] = 1.0,
    method: MethodOption = None,
    database: Annotated[
        str | None, typer.Option(help="postgresql://user:password@host/name in place of SQLite.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write URLs and keys here as JSON when ready.")
    ] = None,
) -> None:
    """Gateway, simulated operators and loops in one process: everything a shop needs to be built and tested, offline."""
    logs.set_up("text", _log_level())
    _check_sandbox_options(site_id, (apikey, secret_key, admin_token), public_url, ready_file)
    _check_state(data, memory, database)
    methods = chosen_methods(method or ())
    sockets = _listeners((host, port), (host, operators_port))
    url, secret = _kept_state(data, memory, database)
    options = SandboxOptions(
        database=url,
        secret=secret,
        public_url=public_url,
        site_id=site_id,
        apikey=apikey,
        secret_key=secret_key,
        admin_token=admin_token,
        operator_delay_s=operator_delay,
        methods=methods,
    )
    with _single_process(url):
        _run_loop(_sandbox(options, sockets, ready_file))


@app.command()
def serve(
    config: Annotated[Path, typer.Option(help="The settings; cauri.example.toml explains each.")] = Path(
        "cauri.toml"
    ),
    host: Annotated[str | None, typer.Option(help="In place of the settings' host.")] = None,
    port: Annotated[int | None, typer.Option(help="In place of the settings' port.")] = None,
) -> None:
    """The gateway in production: refuses to start, naming each missing or wrong setting."""
    settings = _settings(config, host=host, port=port)
    logs.set_up(settings.log_format, settings.log_level)
    with _single_process(settings.database):
        (listener,) = _listeners((settings.host, settings.port))
        _run_loop(_checked(settings))
        typer.echo(f"cauri serves {settings.public_url} on {url_of(listener)}", err=True)
        if settings.workers == 1:
            _run_loop(_serve(settings, listener))
        else:
            Workers(settings.workers, lambda: _run_loop(_serve(settings, listener))).run()


@app.command("migrate")
def migrate_command(
    config: ConfigOption = None, data: DataOption = None, database: DatabaseOption = None
) -> None:
    """Brings the database's schema up to date."""

    async def work() -> list[int]:
        engine = engine_for(named_instance(config, data, database)[0])
        try:
            return await migrate(engine)
        finally:
            await engine.close()

    applied = run(work())
    typer.echo(
        f"applied: {', '.join(map(str, applied))}" if applied else "nothing to do: the schema is up to date"
    )


def _settings(config: Path, **flags: Any) -> Settings:
    try:
        settings = load(config, **flags)
        operators_of(settings)
        return settings
    except BadSettings as error:
        raise Trouble("the settings cannot be used:\n  " + "\n  ".join(error.faults)) from None


def _log_level() -> str:
    level = os.environ.get("CAURI_LOG_LEVEL", "info").lower()
    if level not in logs.LEVELS:
        raise Trouble(f"CAURI_LOG_LEVEL: {level!r} is none of {', '.join(logs.LEVELS)}")
    return level


def _check_sandbox_options(
    site_id: str, keys: tuple[str, str, str], public_url: str | None, ready_file: Path | None
) -> None:
    """Everything that can be wrong is told before anything is started or written."""
    checked_site_id(site_id)
    for name, text in zip(("--apikey", "--secret-key", "--admin-token"), keys, strict=True):
        if not text.strip():
            raise Trouble(f"{name}: must not be empty")
    if public_url is not None and not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", public_url):
        raise Trouble(f"--public-url: {public_url!r} is no http(s) address")
    if ready_file is not None and not ready_file.resolve().parent.is_dir():
        raise Trouble(f"--ready-file: there is no folder {ready_file.resolve().parent}")


def _check_state(data: Path | None, memory: bool, database: str | None) -> None:
    if memory and (data or database):
        raise Trouble("--memory keeps nothing, so it goes with neither --data nor --database")
    if database is not None:
        check_database(database)


def _kept_state(data: Path | None, memory: bool, database: str | None) -> tuple[str, str]:
    """The database and the secret that seals keys in it."""
    if memory:
        return MEMORY, os.urandom(16).hex()
    folder = data or DEFAULT_DATA
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return database or database_in(folder), kept_secret(folder)
    except OSError as error:
        raise Trouble(f"{folder} cannot be used as data folder: {error.strerror}") from None


def _single_process(database: str) -> contextlib.AbstractContextManager[None]:
    if database == MEMORY or not database.startswith("sqlite:///"):
        return contextlib.nullcontext()
    return _Locked(Path(database.removeprefix("sqlite:///")))


class _Locked(SingleProcess):
    def __enter__(self) -> None:
        try:
            super().__enter__()
        except AlreadyServed as error:
            raise Trouble(str(error)) from None


def _listeners(*addresses: tuple[str, int]) -> list[socket.socket]:
    try:
        return [bound_socket(host, port) for host, port in addresses]
    except OSError as error:
        raise Trouble(f"{error.strerror}; does something else run there? --port takes another") from None


def _run_loop(work: Any) -> None:
    try:
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            runner.run(work)
    except StoreUnavailable as error:
        raise unusable(error) from error


async def _sandbox(options: SandboxOptions, sockets: list[socket.socket], ready_file: Path | None) -> None:
    told = stop_signal()
    gateway_socket, operators_socket = sockets
    instance = Sandbox(options, gateway_socket, operators_socket)
    await instance.start()
    _tell(instance)
    if ready_file is not None:
        _write_ready(ready_file, instance.facts())
    spare_what_stays()
    await told.wait()
    await instance.stop()


async def _checked(settings: Settings) -> None:
    """Raises Trouble where the database cannot be worked with, before anybody is answered."""
    store = open_store(settings)
    try:
        await check_schema(store)
        await _refuse_public_token(store)
    finally:
        await store.close()


async def _refuse_public_token(store: Store) -> None:
    """Whoever has read our documentation could do everything with it."""
    token = await store.admin.token(hash_of(SANDBOX_ADMIN_TOKEN))
    if token is not None and token.live(Clock().now()):
        raise Trouble(
            "a sandbox has used this database, and its admin token is public knowledge: "
            f"'cauri admin token revoke {token.label}' first"
        )


async def _serve(settings: Settings, listener: socket.socket) -> None:
    told = stop_signal()
    gateway = Gateway(settings)
    await gateway.start()
    server = Server(gateway, listener)
    await server.start()
    spare_what_stays()
    await told.wait()
    gateway.end_waits()
    await server.stop()
    await gateway.stop()


def _tell(instance: Sandbox) -> None:
    facts = instance.facts()
    typer.echo(
        f"""
Cauri sandbox is ready.

  initialise   POST {facts["payment_endpoint"]}
  check        POST {facts["check_endpoint"]}
  API          {facts["base_url"]}/docs
  operators    {facts["operators_url"]}   (simulated)

  site_id      {facts["site_id"]}
  apikey       {facts["apikey"]}
  secret key   {facts["secret_key"]}
  admin token  {facts["admin_token"]}   (cauri listen, {facts["base_url"]}/admin/docs)

  {len(facts["methods"])} methods in {len(COUNTRIES)} countries; --method chooses who serves one.
  +225 0102324373 pays, +225 0749012966 fails; a number ending in 602 has no money; card {TEST_CARD} pays,
  any six digits but 000000 are a right code. docs/sandbox.md: a number for each method, and how to choose what happens.
  Ctrl-C stops it.
"""
    )


def _write_ready(path: Path, facts: dict[str, Any]) -> None:
    """In one step, so that nobody reads half of it."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
