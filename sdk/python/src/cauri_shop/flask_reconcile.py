"""`flask cauri reconcile`: one command for cron or a beat job."""

from __future__ import annotations

import sys

import click

from .book import PaymentBook
from .book.unreachable import StoreUnreachable
from .errors import CauriError
from .progress_bar import progress_bar


def reconcile_command(book: PaymentBook) -> click.Command:
    """The command, for the group of a blueprint."""

    @click.command("reconcile")
    @click.option("--limit", type=click.IntRange(1), help="Ask about this many at most.")
    @click.option(
        "--rate", type=click.FloatRange(0, min_open=True), default=5.0, help="Questions a second (5)."
    )
    @click.option("--outbox-only", is_flag=True, help="Ask nothing, only carry out effects.")
    def reconcile(limit: int | None, rate: float, outbox_only: bool) -> None:
        """Asks the gateway about payments that stayed open, oldest first, and works the outbox. Stop it at any time."""
        try:
            trouble = "" if outbox_only else _reconciled(book, limit, rate)
            run = book.run_outbox()
        except (CauriError, StoreUnreachable) as error:
            raise click.ClickException(f"{type(error).__name__}: {error}") from error
        click.echo(f"effects: {run.done} done, {run.failed} to be tried again")
        if trouble:
            raise click.ClickException(trouble)

    return reconcile


def _reconciled(book: PaymentBook, limit: int | None, rate: float) -> str:
    terminal = sys.stderr.isatty()
    found = book.reconcile(limit=limit, rate=rate, progress=_draw if terminal else None)
    if terminal and found.asked:
        click.echo(err=True)
    click.echo(str(found))
    return found.trouble


def _draw(done: int, total: int) -> None:
    click.echo(progress_bar(done, total), nl=False, err=True)
