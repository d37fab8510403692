"""`manage.py reconcile_payments`: one command for cron or a beat job."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from ....errors import CauriError
from ....progress_bar import progress_bar
from ... import book


class Command(BaseCommand):
    """Asks about open payments, then carries out the effects that are due."""

    help = "Asks the gateway about payments that stayed open, oldest first, and works the outbox. Stop it at any time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's options."""
        parser.add_argument("--limit", type=int, help="ask about this many at most")
        parser.add_argument("--rate", type=float, default=5.0, help="questions a second (5)")
        parser.add_argument("--outbox-only", action="store_true", help="ask nothing, only carry out effects")

    def handle(self, *, limit: int | None, rate: float, outbox_only: bool, **options: Any) -> None:
        """One run."""
        try:
            trouble = "" if outbox_only else self._reconcile(limit, rate)
            run = book.run_outbox()
        except KeyboardInterrupt:
            raise CommandError("stopped; the next run goes on from here") from None
        except (CauriError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"effects: {run.done} done, {run.failed} to be tried again")
        if trouble:
            raise CommandError(trouble)

    def _reconcile(self, limit: int | None, rate: float) -> str:
        terminal = self.stderr.isatty()
        found = book.reconcile(limit=limit, rate=rate, progress=self._draw if terminal else None)
        if terminal and found.asked:
            self.stderr.write("")
        self.stdout.write(str(found))
        return found.trouble

    def _draw(self, done: int, total: int) -> None:
        self.stderr.write(progress_bar(done, total), ending="")
        self.stderr.flush()
