"""``cauri reconcile``: attempts that no rule can end, and a person's decision about one."""

from __future__ import annotations

from typing import Annotated

import typer

from cauri.cli.deciding import lifecycle_without_operators
from cauri.cli.instance import (
    ConfigOption,
    DatabaseOption,
    DataOption,
    Trouble,
    opened_store,
    plain_app,
    run,
)
from cauri.cli.reconcile_import import import_command
from cauri.cli.recording import recorded
from cauri.cli.recording import who as logged_in
from cauri.cli.tables import folded
from cauri.cli.words import moment
from cauri.clock import MINUTE, Clock
from cauri.domain.codes import BY_NUMBER, Code, Kind
from cauri.domain.errors import NothingToClose, PaymentNotFound
from cauri.domain.outcome import Accepted, Refused
from cauri.domain.payment import Attempt, AttemptStatus, Payment

app = plain_app("Attempts that no rule can end, and operators' statements.")
app.command("import")(import_command)


@app.command("list")
def list_command(
    minutes: Annotated[int, typer.Option(min=0, help="Sent at least so long ago.")] = 60,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Attempts in flight for an hour or more: look each up in the operator's own records, then close it."""

    async def work() -> list[tuple[Attempt, str, str]]:
        async with opened_store(config, data, database) as store:
            return await store.unended(Clock().now() - minutes * MINUTE, limit=100_000)

    found = run(work())
    for attempt, site_id, transaction_id in found:
        line = (
            f"{moment(attempt.sent_at or attempt.started_at)}  site {site_id}  {transaction_id}  {attempt.amount} {attempt.currency}  "
            f"{attempt.connector} {attempt.method}  asked {attempt.asks} times  reference {attempt.reference}  "
            f"last word: {attempt.word or 'none'}"
        )
        typer.echo(folded(line, 25))
    if not found:
        typer.echo("nothing to reconcile")


@app.command()
def close(
    site_id: Annotated[str, typer.Argument(metavar="SITE")],
    transaction_id: Annotated[str, typer.Argument(metavar="TRANSACTION_ID")],
    why: Annotated[
        str, typer.Option(help="The reason, kept in the history: what the operator's records say.")
    ],
    paid: Annotated[
        str | None,
        typer.Option(metavar="OPERATOR_ID", help="The money came, under this operator's reference."),
    ] = None,
    failed: Annotated[
        str | None, typer.Option(metavar="CODE", help="No money moved; the code to end with, such as 600.")
    ] = None,
    who: Annotated[
        str | None, typer.Option(help="Who decides.", show_default="the name you are logged in with")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """A person's decision about the attempt in flight: paid or failed, with a reason."""
    decision = _decision(paid, failed)
    if not why.strip():
        raise Trouble("--why: give a reason; it is all that will be known of this decision later")

    async def work() -> tuple[Payment, Attempt]:
        async with opened_store(config, data, database) as store:
            try:
                async with recorded(store.admin, "closeAttempt", f"{site_id} {transaction_id}"):
                    return await lifecycle_without_operators(store).close(
                        site_id, transaction_id, decision, who=who or logged_in(), why=why.strip()
                    )
            except PaymentNotFound:
                raise Trouble(f"site {site_id} has no payment {transaction_id}") from None
            except NothingToClose as error:
                raise Trouble(
                    f"{error}: 'cauri payment show {site_id} {transaction_id}' tells how it stands"
                ) from None

    typer.echo(_became(*run(work())))


def _became(payment: Payment, attempt: Attempt) -> str:
    """An attempt that outlived its payment changes nothing for the shop; its money is to be given back."""
    now = f"{payment.code.number} {payment.code.message}"
    if attempt.status is AttemptStatus.SURPLUS:
        return (
            f"{payment.transaction_id} had ended and stays {now}: the {attempt.amount} {attempt.currency} are a surplus "
            f"to be given back ('cauri surplus list'), {attempt.reference}"
        )
    if payment.final and payment.ended_at != attempt.ended_at:
        return (
            f"{payment.transaction_id} had ended and stays {now}; its attempt {attempt.reference} has failed"
        )
    return f"{payment.transaction_id} is now {now}; the shop will be notified"


def _decision(paid: str | None, failed: str | None) -> Accepted | Refused:
    if (paid is None) == (failed is None):
        raise Trouble("say either --paid OPERATOR_ID or --failed CODE")
    if paid is not None:
        if not paid.strip():
            raise Trouble("--paid: give the operator's own reference of the payment")
        return Accepted(operator_id=paid.strip())
    code = BY_NUMBER.get(failed or "")
    if code is None or code.kind is not Kind.REFUSED:
        known = ", ".join(each.number for each in Code if each.kind is Kind.REFUSED)
        raise Trouble(f"--failed {failed}: give one of {known}")
    return Refused(code, word="closed by hand")
