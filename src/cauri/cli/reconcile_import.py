"""``cauri reconcile import``: an operator's statement against our attempts."""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cauri.cli.deciding import lifecycle_without_operators
from cauri.cli.instance import (
    DEFAULT_CONFIG,
    ConfigOption,
    DatabaseOption,
    DataOption,
    Trouble,
    opened_store,
    run,
)
from cauri.cli.recording import recorded
from cauri.cli.recording import who as logged_in
from cauri.cli.statement import BadLine, Statement
from cauri.cli.words import moment
from cauri.config import BadSettings, StatementSettings, load
from cauri.lifecycle import Lifecycle
from cauri.lifecycle.reconciling import Finding, Found, Line, Reconciliation, record
from cauri.store import Store

BATCH = 500

# What is printed line by line; the rest is only counted.
SHOWN = (Finding.THERE, Finding.HERE, Finding.DIFFERS, Finding.STRANGE, Finding.TWICE)


class Import:
    """One run: compares, prints what differs as it finds it, and where wanted records what was paid there and not here."""

    def __init__(
        self,
        store: Store,
        lifecycle: Lifecycle,
        statement: Statement,
        operator: str,
        apply: str | None,
        who: str,
        period: tuple[int | None, int | None] = (None, None),
    ) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._statement = statement
        self._reconciliation = Reconciliation(store, operator)
        self._apply = apply
        self._who = who
        self._since, self._until = period
        self._there: list[Found] = []
        self.counts: Counter[str] = Counter()
        self.dates: tuple[int, int] | None = None

    async def run(self, progressed: Callable[[int], None]) -> None:
        lines = self._statement.lines()
        while batch := list(islice(lines, BATCH)):
            good = [line for line in batch if isinstance(line, Line)]
            for bad in batch:
                if isinstance(bad, BadLine):
                    self._bad(bad)
            self._widen(good)
            for found in await self._reconciliation.compare(good):
                await self._tell(found)
            progressed(self._statement.position)
        for found in self._there:
            await self._tell_there(found)
        if self.dates is not None:
            first, last = self._statement.span(*self.dates)
            if self._since is not None:
                first = self._since
            if self._until is not None:
                last = self._until
            self.dates = (first, last)
            async for found in self._reconciliation.missing(first, last):
                await self._tell(found)

    def _widen(self, lines: list[Line]) -> None:
        given = [moment for moment in (self._since, self._until) if moment is not None]
        moments = [line.at for line in lines] + list(self.dates or given)
        if moments:
            self.dates = (min(moments), max(moments))

    def _bad(self, bad: BadLine) -> None:
        self.counts["bad"] += 1
        if bad.reference is not None:
            self._reconciliation.unreadable(bad.reference, bad.number)
        typer.echo(f"line {bad.number} cannot be read: {bad.why}")

    async def _tell(self, found: Found) -> None:
        self.counts[found.finding] += 1
        if found.finding is Finding.THERE:
            self._there.append(found)
        elif found.finding in SHOWN:
            typer.echo(await self._words(found))

    async def _tell_there(self, found: Found) -> None:
        """Once the whole statement was read: a later line may take back what this one says."""
        doubt = self._reconciliation.doubt(found.attempt.reference) if found.attempt else None
        became = f"  but {doubt}" if doubt else ""
        if self._apply is not None:
            status = None
            if doubt is None:
                status = await record(
                    self._lifecycle.asking, self._store, found, who=self._who, why=self._apply
                )
            self.counts["recorded"] += status is not None
            became += f"  → {status}" if status else "  → nothing was recorded: a person must look"
        typer.echo(f"{await self._words(found)}{became}")

    async def _words(self, found: Found) -> str:
        line = found.line
        there = (
            f"line {line.number}  {line.amount} {line.currency}  {line.reference or line.operator_id}"
            if line
            else ""
        )
        attempt = found.attempt
        here = ""
        if attempt is not None:
            payment = await self._store.payment_by_token(attempt.token)
            named = f"site {payment.site_id}  {payment.transaction_id}" if payment else attempt.token
            here = f"{named}  {attempt.amount} {attempt.currency}  reference {attempt.reference}  here {attempt.status}"
        return "  ".join(filter(None, (f"{found.finding}:", there, here, found.why)))


def import_command(
    statement: Annotated[Path, typer.Argument(metavar="STATEMENT.csv", help="The operator's statement.")],
    operator: Annotated[str, typer.Option(help="Whose it is: the connector's name, such as pawapay.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Record what was paid there and not here: paid, or a surplus.")
    ] = False,
    columns: Annotated[
        Path | None,
        typer.Option(
            help="A TOML file with the table [statements.NAME], in place of the instance's settings."
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(help="Where the statement's period begins, UTC; its first line's date, if not said."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Where it ends, UTC; its last line's date, if not said.")
    ] = None,
    who: Annotated[
        str | None, typer.Option(help="Who decides.", show_default="the name you are logged in with")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Compares an operator's statement with what we know; changes nothing without --apply. Exit status 1: something differs."""
    settings = _columns(operator, columns, config)
    why = f"statement {statement.name}" if apply else None

    async def work() -> Import:
        async with opened_store(config, data, database) as store:
            lifecycle = lifecycle_without_operators(store)
            read = Statement(statement, settings)
            try:
                period = (_ms(since), _ms(until))
                done = Import(store, lifecycle, read, operator, why, who or logged_in(), period)
                with _progress(read.size) as progressed:
                    if apply:
                        async with recorded(store.admin, "importStatement", f"{operator} {statement.name}"):
                            await done.run(progressed)
                    else:
                        await done.run(progressed)
                return done
            finally:
                read.close()

    done = run(work())
    for text in _summary(done, applied=apply):
        typer.echo(text)
    if _open_ends(done, applied=apply):
        raise typer.Exit(1)


def _columns(operator: str, columns: Path | None, config: Path | None) -> StatementSettings:
    """How this operator's statements are written. Raises Trouble."""
    try:
        if columns is not None:
            tables = tomllib.loads(columns.read_text(encoding="utf-8")).get("statements", {})
            found = {name: msgspec.convert(table, StatementSettings) for name, table in tables.items()}
            faults = [f"statements.{name}.{fault}" for name, each in found.items() for fault in each.faults()]
            if faults:
                raise BadSettings(faults)
        else:
            file = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
            found = {} if file is None else load(file).statements
    except BadSettings as error:
        raise Trouble("the settings cannot be used:\n  " + "\n  ".join(error.faults)) from None
    except (OSError, ValueError, msgspec.ValidationError, AttributeError) as error:
        raise Trouble(f"--columns {columns}: {error}") from None
    if operator not in found:
        raise Trouble(
            f"nobody says how {operator}'s statements are written: add a table [statements.{operator}] to the settings, or name "
            "a file that has it with --columns (cauri.example.toml shows one)"
        )
    return found[operator]


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.replace(tzinfo=UTC).timestamp() * 1000)


class _progress:
    """A bar on a terminal, on standard error; nothing elsewhere."""

    def __init__(self, size: int) -> None:
        self._bar = typer.progressbar(length=max(size, 1), label="reading", file=sys.stderr)
        self._shown = sys.stderr.isatty()
        self._at = 0

    def __enter__(self) -> Callable[[int], None]:
        if self._shown:
            self._bar.__enter__()
        return self._to

    def __exit__(self, *error: object) -> None:
        if self._shown:
            self._bar.__exit__(*error)  # type: ignore[arg-type]

    def _to(self, position: int) -> None:
        if self._shown:
            self._bar.update(position - self._at)
        self._at = position


def _summary(done: Import, *, applied: bool) -> Iterator[str]:
    if done.dates is not None:
        yield f"\nfrom {moment(done.dates[0])} to {moment(done.dates[1])} UTC"
    for finding in Finding:
        yield f"{finding.value:<26}{done.counts[finding]:>8}"
    yield f"{'lines that cannot be read':<26}{done.counts['bad']:>8}"
    if applied:
        yield f"recorded: {done.counts['recorded']}"
    elif done.counts[Finding.THERE]:
        yield "nothing was changed; --apply records what was paid there and not here"
    else:
        yield "nothing was changed"


def _open_ends(done: Import, *, applied: bool) -> bool:
    left = done.counts[Finding.THERE] - (done.counts["recorded"] if applied else 0)
    others = (Finding.HERE, Finding.DIFFERS, Finding.STRANGE, Finding.TWICE)
    return bool(left or done.counts["bad"] or any(done.counts[finding] for finding in others))
