"""`python manage.py serve`: brings the database up to date, then serves the shop until it is stopped."""

from __future__ import annotations

import os
import signal
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connections

from shop.console import say


class Server(ThreadedWSGIServer):
    """One thread per connection, none of which keeps the process alive."""

    daemon_threads = True
    request_queue_size = 128


class QuietHandler(WSGIRequestHandler):
    """Leaves the console to the shop's own lines."""

    def log_message(self, *args: Any) -> None:
        """Says nothing: requests are not events."""


class Command(BaseCommand):
    help = "Migrates the database and serves the shop, without autoreload."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument(
            "--port", type=int, default=8082, help="port to listen on (8082); 0 takes a free one"
        )
        parser.add_argument("--database", metavar="PATH", help="SQLite file, made if missing (BOUTIQUE_DB)")

    def handle(self, *, host: str, port: int, database: str | None, **options: Any) -> None:
        if database:
            connections.settings["default"]["NAME"] = str(Path(database).resolve())
        _migrate(Path(connections.settings["default"]["NAME"]))
        server = _bound(host, port)
        if not os.environ.get("BOUTIQUE_URL"):
            settings.BOUTIQUE_URL = settings.CAURI_SHOP["PUBLIC_URL"] = (
                f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{server.server_port}"
            )
        server.set_app(StaticFilesHandler(get_wsgi_application()))
        try:
            signal.signal(signal.SIGTERM, _stop)
            say(f"boutique ready on {settings.BOUTIQUE_URL}/ (gateway {settings.CAURI_BASE_URL})")
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("boutique stopped")
        finally:
            server.server_close()


def _migrate(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
    except (DatabaseError, OSError) as error:
        raise CommandError(f"--database {path}: {error}") from error


def _bound(host: str, port: int) -> Server:
    try:
        return Server((host, port), QuietHandler)
    except (OSError, OverflowError) as error:
        raise CommandError(
            f"cannot listen on {host}:{port}: {error}. Choose another --port, or 0."
        ) from error


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
