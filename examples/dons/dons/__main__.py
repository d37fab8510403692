"""`python -m dons` serves the site; `python -m dons reconcile` asks about the donors who did not come back, for cron."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn
from cauri_shop import CauriError

from .app import make_app
from .gifts import Gifts
from .payments import Payments
from .settings import BadSetting, Settings, settings


def main() -> int:
    """The exit status: 0 done, 1 it cannot be done."""
    given = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("cauri_shop.book").setLevel(logging.INFO)
    try:
        chosen = settings()
        if given.database:
            chosen = replace(chosen, database=Path(given.database).resolve())
        _try_database(chosen.database)
        if given.command == "reconcile":
            return asyncio.run(_reconcile(chosen))
        return _serve(chosen, given.host, given.port)
    except (BadSetting, CauriError) as error:
        print(error, file=sys.stderr)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dons", description="A donation site.")
    parser.add_argument("command", nargs="?", choices=["serve", "reconcile"], default="serve")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8083, help="port to listen on (8083); 0 takes a free one")
    parser.add_argument("--database", metavar="PATH", help="SQLite file, made if missing (DONS_DB)")
    return parser.parse_args()


def _serve(chosen: Settings, host: str, port: int) -> int:
    try:
        listening = socket.create_server((host, port), backlog=128)
    except (OSError, OverflowError) as error:
        raise BadSetting(f"cannot listen on {host}:{port}: {error}. Choose another --port, or 0.") from error
    url = chosen.url or f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{listening.getsockname()[1]}"
    config = uvicorn.Config(make_app(replace(chosen, url=url)), log_level="warning", access_log=False)
    print(f"dons ready on {url}/ (gateway {chosen.gateway})", flush=True)
    uvicorn.Server(config).run(sockets=[listening])
    return 0


async def _reconcile(chosen: Settings) -> int:
    gifts = Gifts(chosen.database)
    await gifts.prepare()
    payments = Payments(chosen, gifts)
    found = await payments.book.reconcile()
    print(f"asked about {found.asked}: {found.paid} paid, {found.refused} refused, {found.waiting} waiting")
    await payments.checkout.aclose()
    await gifts.engine.dispose()
    return 1 if found.stopped else 0


def _try_database(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sqlite3.connect(path).close()
    except (OSError, sqlite3.Error) as error:
        raise BadSetting(f"--database {path}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
