"""A statement against our attempts, on both engines: three ways, mismatches apart, nothing changed unless a person says so."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cauri.cli.deciding import lifecycle_without_operators
from cauri.cli.reconcile_import import Import
from cauri.cli.statement import Statement
from cauri.clock import DAY, HOUR, MINUTE, ManualClock
from cauri.config import StatementSettings
from cauri.lifecycle.reconciling import Finding
from tests.conftest import StartGateway
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import pays, says, take

SETTINGS = StatementSettings(
    reference="depositId",
    operator_id="providerTransactionId",
    amount="amount",
    currency="currency",
    status="status",
    paid=("COMPLETED",),
    date="created",
)
HEAD = ("depositId", "providerTransactionId", "amount", "currency", "status", "created")


@pytest.fixture
async def own(start_gateway: StartGateway, shop: Shop) -> Shop:
    """A gateway of the test's own: a statement is about all that its operator did."""
    return Shop(
        await (await start_gateway(clock=ManualClock())).new_site(attempts_max=1), shop.receiver, shop.client
    )


async def bought(shop: Shop, *ends: str, amount: int = 1500) -> list[Purchase]:
    """One payment for each end: ``paid``, ``never`` (in flight), or a code; a minute between them."""
    buyers = []
    for end in ends:
        buyer = await shop.opens(amount=amount)
        await take(pays("623"), buyer)
        if end != "never":
            await take(says(end, "00" if end == "paid" else end), buyer)
        shop.clock.advance(MINUTE)
        buyers.append(buyer)
    return buyers


async def row_of(buyer: Purchase, status: str = "COMPLETED", **own: str) -> dict[str, str]:
    (attempt,) = (await buyer.timeline()).attempts
    moment = datetime.fromtimestamp((attempt.ended_at or attempt.started_at) / 1000, UTC)
    return {
        "depositId": attempt.reference,
        "providerTransactionId": attempt.operator_id or f"op-{attempt.reference[:8]}",
        "amount": f"{attempt.amount}.00",
        "currency": attempt.currency,
        "status": status,
        "created": moment.strftime("%Y-%m-%d %H:%M:%S"),
        **own,
    }


async def run_import(
    shop: Shop, tmp_path: Path, rows: Sequence[dict[str, str]], *, apply: bool = False
) -> dict[str, int]:
    """The findings that there were, and ``recorded``."""
    file = tmp_path / "statement.csv"
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, HEAD)
        writer.writeheader()
        writer.writerows(rows)
    statement = Statement(file, SETTINGS)
    store = shop.running.store
    period = (shop.clock.now() - DAY, shop.clock.now() + DAY)
    done = Import(
        store,
        lifecycle_without_operators(store),
        statement,
        "pawapay",
        "statement statement.csv" if apply else None,
        "Awa",
        period,
    )
    try:
        await done.run(lambda _: None)
    finally:
        statement.close()
    return {str(name): number for name, number in done.counts.items() if number}


async def states(buyers: Sequence[Purchase]) -> list[tuple[int, str]]:
    return [((await buyer.payment()).version, await buyer.code()) for buyer in buyers]


async def test_three_ways_and_nothing_is_changed(
    own: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    buyers = await bought(own, "paid", "never", "602", "paid", "paid", "never", "602")
    both, in_flight, refused, not_there, differs, _, unpaid = buyers
    rows = [
        await row_of(both),
        await row_of(in_flight),
        await row_of(refused),
        await row_of(differs, amount="1505.00"),
        await row_of(unpaid, "FAILED"),
        {
            **await row_of(both),
            "depositId": "0a3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77",
            "providerTransactionId": "?",
        },
        {**await row_of(both), "amount": "many"},
        await row_of(both),
    ]
    before = await states(buyers)
    assert await run_import(own, tmp_path, rows) == {
        Finding.BOTH: 1,
        Finding.THERE: 2,
        Finding.DIFFERS: 1,
        Finding.UNPAID: 1,
        Finding.STRANGE: 1,
        Finding.TWICE: 1,
        Finding.HERE: 1,
        "bad": 1,
    }
    assert await states(buyers) == before
    printed = capsys.readouterr().out
    assert f"{Finding.THERE}:  line 3  " in printed
    assert in_flight.transaction_id in printed
    assert f"{Finding.HERE}:" in printed
    assert not_there.transaction_id in printed
    assert "1505.00 XOF there, 1500 XOF here" in printed
    assert "line 8 cannot be read: amount 'many'" in printed
    assert "already on line 2" in printed
    assert all(buyer.phones[0] not in printed for buyer in buyers)


async def test_what_was_paid_there_is_recorded_as_a_persons_decision_once(own: Shop, tmp_path: Path) -> None:
    buyers = await bought(own, "paid", "never", "602")
    _, in_flight, refused = buyers
    rows = [await row_of(buyer) for buyer in buyers]
    first = await run_import(own, tmp_path, rows, apply=True)
    assert first == {Finding.BOTH: 1, Finding.THERE: 2, "recorded": 2}

    assert await in_flight.code() == "00"
    assert (await in_flight.check())["data"]["operator_id"] == rows[1]["providerTransactionId"]
    last = (await in_flight.timeline()).history[-1]
    assert (last.event, last.actor, last.note) == ("paid", "Awa", "statement statement.csv, line 3")
    await in_flight.is_told()
    assert own.receiver.codes(in_flight.path)[-1] == "00"

    assert await refused.code() == "602"
    timeline = await refused.timeline()
    assert (timeline.history[-1].event, len(timeline.surpluses)) == ("surplus", 1)

    after = await states(buyers)
    assert await run_import(own, tmp_path, rows, apply=True) == {Finding.BOTH: 3}
    assert await states(buyers) == after


async def test_a_mismatch_is_never_recorded(own: Shop, tmp_path: Path) -> None:
    (buyer,) = await bought(own, "never")
    for wrong in ({"amount": "1500.50"}, {"amount": "500"}, {"currency": "XAF"}):
        found = await run_import(own, tmp_path, [await row_of(buyer, **wrong)], apply=True)
        assert found == {Finding.DIFFERS: 1}
    assert await buyer.code() == "623"


async def test_an_attempt_that_was_never_sent_is_left_to_a_person(own: Shop, tmp_path: Path) -> None:
    buyer = await own.opens()
    await buyer.pays("OMBF")
    found = await run_import(own, tmp_path, [await row_of(buyer)], apply=True)
    assert found == {Finding.THERE: 1}
    assert await buyer.code() == "663"


async def test_the_operators_own_number_finds_it_where_ours_is_missing(own: Shop, tmp_path: Path) -> None:
    (buyer,) = await bought(own, "paid")
    assert await run_import(own, tmp_path, [await row_of(buyer, depositId="")]) == {Finding.BOTH: 1}
    assert await run_import(own, tmp_path, [await row_of(buyer, depositId="theirs")]) == {Finding.BOTH: 1}


async def test_what_the_statement_calls_refused_is_paid_here_only(
    own: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (buyer,) = await bought(own, "paid")
    assert await run_import(own, tmp_path, [await row_of(buyer, "REVERSED")]) == {
        Finding.UNPAID: 1,
        Finding.HERE: 1,
    }
    assert "the statement says REVERSED on line 2" in capsys.readouterr().out


async def test_what_the_same_statement_takes_back_is_left_to_a_person(
    own: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operators that give back write a line of its own for it; only a word from before the payment changes nothing."""
    buyers = await bought(own, "never", "602", "paid", "never", "never")
    back, surplus, both, retried, unclear = buyers
    paid = [await row_of(buyer) for buyer in buyers]
    rows = [
        {**await row_of(retried, "PENDING"), "created": "2026-01-01 00:00:00"},
        *paid,
        *[await row_of(buyer, "REVERSED", created="2036-01-01 00:00:00") for buyer in (back, surplus, both)],
        {**await row_of(unclear, "REFUND"), "amount": "-1500.00"},
    ]
    before = await states([back, surplus, both, unclear])
    assert await run_import(own, tmp_path, rows, apply=True) == {
        Finding.BOTH: 1,
        Finding.THERE: 4,
        Finding.HERE: 1,
        Finding.UNPAID: 4,
        "bad": 1,
        "recorded": 1,
    }
    assert await states([back, surplus, both, unclear]) == before
    assert await retried.code() == "00"
    printed = capsys.readouterr().out
    assert printed.count("nothing was recorded: a person must look") == 3
    assert "but the statement says REVERSED on line 8" in printed
    assert "but line 11 cannot be read" in printed
    (line,) = [each for each in printed.splitlines() if each.startswith(f"{Finding.HERE}:")]
    assert both.transaction_id in line
    assert line.endswith("the statement says REVERSED on line 10")


async def test_a_surplus_that_was_given_back_may_be_taken_back_there(own: Shop, tmp_path: Path) -> None:
    (buyer,) = await bought(own, "602")
    row = await row_of(buyer)
    await run_import(own, tmp_path, [row], apply=True)
    rows = [row, {**row, "status": "REVERSED"}]
    assert await run_import(own, tmp_path, rows) == {Finding.BOTH: 1, Finding.UNPAID: 1, Finding.HERE: 1}
    people = lifecycle_without_operators(own.running.store)
    await people.refund(row["depositId"], who="Awa", why="R-12")
    assert await run_import(own, tmp_path, rows) == {Finding.BOTH: 1, Finding.UNPAID: 1}


async def test_another_operators_attempts_are_not_of_this_statement(own: Shop, tmp_path: Path) -> None:
    buyer = await own.opens()
    await take(pays("623", "FLOOZ"), buyer)
    await own.control("settle", reference=await buyer.reference(1), outcome="paid")
    await buyer.comes_to("00")
    assert await run_import(own, tmp_path, [await row_of(buyer)]) == {Finding.STRANGE: 1}
    assert await run_import(own, tmp_path, []) == {}


async def test_what_began_before_the_period_may_be_in_an_earlier_statement(own: Shop, tmp_path: Path) -> None:
    (early,) = await bought(own, "never")
    own.clock.advance(DAY + HOUR)
    await take(says("paid", "00"), early)
    assert await run_import(own, tmp_path, []) == {}


async def test_a_long_statement_is_read_in_pieces(own: Shop, tmp_path: Path) -> None:
    (buyer,) = await bought(own, "paid")
    row = await row_of(buyer)
    strangers = [
        {**row, "depositId": f"0a3f6a1e-0c5d-4a4e-9a51-{number:012x}", "providerTransactionId": f"x{number}"}
        for number in range(1_200)
    ]
    found = await run_import(own, tmp_path, [*strangers, row])
    assert found == {Finding.STRANGE: 1_200, Finding.BOTH: 1}
