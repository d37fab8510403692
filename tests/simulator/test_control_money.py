"""Next outcomes, wallets with balances and limits, the books, operators' statements."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cauri.clock import DAY, ManualClock
from cauri.simulator.dialects.orange_burkina import OrangeBurkina
from cauri.simulator.statements import LAYOUTS

from .conftest import Sim, Start

PHONE, OTHER, MOOV_PHONE = "2250700000001", "2250700000002", "22670000001"
WEDNESDAY = 1_790_164_800_000  # 2026-09-23 at noon, UTC


@pytest.fixture
async def sim(start: Start) -> AsyncIterator[Sim]:
    def burkina(exchange: Any, url: str) -> OrangeBurkina:
        return OrangeBurkina(exchange, "u", "p", "76000001")

    async with start(clock=ManualClock(WEDNESDAY), dialects=[burkina]) as running:
        yield running


async def ends(sim: Sim, phone: str, times: int, **more: Any) -> list[str]:
    """How the next deposits of a number end."""
    said = []
    for _ in range(times):
        deposit_id, _ = await sim.deposit(phone, "ORANGE_CIV", **more)
        state = await sim.deposit_state(deposit_id)
        said.append(state.get("failureReason", {}).get("failureCode") or state["status"])
    return said


async def tell(sim: Sim, door: str, **body: Any) -> Any:
    status, answer = await sim.post(f"/_control/{door}", body)
    assert status == 200, answer
    return answer


async def test_the_next_outcomes_of_a_number_come_in_their_order(sim: Sim) -> None:
    await tell(
        sim, "next", phone=PHONE, outcomes=["602", "paid", {"outcome": "627", "callback": "lost"}, 635]
    )
    assert await ends(sim, PHONE, 5) == [
        "INSUFFICIENT_BALANCE", "COMPLETED", "PAYMENT_NOT_APPROVED", "PAYER_NOT_FOUND", "COMPLETED",
    ]  # fmt: skip


async def test_the_next_outcomes_of_an_operator_are_for_whoever_comes(sim: Sim) -> None:
    await tell(sim, "next", operator="pawapay", outcomes=["602", "602", "602"])
    await sim.story(OTHER, outcome="627")
    assert (await sim.push(MOOV_PHONE, "order-1"))["status"] == "0"
    assert await sim.moov_state("order-1") == ("0", "SUCCESS")
    assert await ends(sim, PHONE, 1) == ["INSUFFICIENT_BALANCE"]
    assert await ends(sim, OTHER, 2) == ["PAYMENT_NOT_APPROVED", "INSUFFICIENT_BALANCE"]
    await tell(sim, "next", operator="pawapay", outcomes=[])
    assert await ends(sim, PHONE, 1) == ["COMPLETED"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "phone"),
        ({"phone": PHONE, "operator": "pawapay", "outcomes": []}, "phone"),
        ({"phone": "07", "outcomes": []}, "phone"),
        ({"operator": "nobody", "outcomes": []}, "operator"),
        ({"phone": PHONE}, "outcomes"),
        ({"phone": PHONE, "outcomes": "602"}, "outcomes"),
        ({"phone": PHONE, "outcomes": ["601"]}, "outcomes"),
        ({"phone": PHONE, "outcomes": [None]}, "outcomes"),
        ({"phone": PHONE, "outcomes": [{"phone": PHONE}]}, "outcomes"),
        ({"phone": PHONE, "outcomes": ["paid"] * 1001}, "outcomes"),
    ],
)
async def test_next_outcomes_that_mean_nothing_are_refused(sim: Sim, body: Any, field: str) -> None:
    status, answer = await sim.post("/_control/next", body)
    assert (status, answer["error"].split(":")[0]) == (400, field)
    assert await ends(sim, PHONE, 1) == ["COMPLETED"]


async def test_a_balance_is_spent_and_then_empty(sim: Sim) -> None:
    await tell(sim, "wallet", phone=PHONE, balance="4000")
    assert await ends(sim, PHONE, 3) == ["COMPLETED", "COMPLETED", "INSUFFICIENT_BALANCE"]
    assert (await sim.get(f"/_control/wallet?phone={PHONE}"))[1] == {
        "phone": PHONE, "balance": "1000", "currency": None, "limits": {},
    }  # fmt: skip
    assert await ends(sim, PHONE, 1, amount="1000") == ["COMPLETED"]
    assert await ends(sim, OTHER, 1) == ["COMPLETED"]


async def test_what_is_taken_back_is_in_the_wallet_again(sim: Sim) -> None:
    await tell(sim, "wallet", phone=MOOV_PHONE, balance=1500)
    await sim.push(MOOV_PHONE, "order-1")
    assert (await sim.get(f"/_control/wallet?phone={MOOV_PHONE}"))[1]["balance"] == "0"
    await tell(sim, "settle", reference="order-1", outcome="600")
    assert (await sim.get(f"/_control/wallet?phone={MOOV_PHONE}"))[1]["balance"] == "1500"
    await tell(sim, "wallet", phone=MOOV_PHONE, balance=0)
    await tell(sim, "settle", reference="order-1", outcome="paid")
    assert await sim.moov_state("order-1") == ("0", "SUCCESS")


LIMITS = [
    ("payment_amount", "1499", ["CAURI_642"]),
    ("day_count", 2, ["COMPLETED", "COMPLETED", "CAURI_807"]),
    ("day_amount", "3500", ["COMPLETED", "COMPLETED", "PAYER_LIMIT_REACHED"]),
    ("week_count", 1, ["COMPLETED", "CAURI_812"]),
    ("week_amount", 1500, ["COMPLETED", "CAURI_811"]),
    ("month_count", 1, ["COMPLETED", "CAURI_810"]),
    ("month_amount", 1500, ["COMPLETED", "CAURI_809"]),
]


@pytest.mark.parametrize(("limit", "value", "said"), LIMITS)
async def test_a_limit_that_is_reached_has_its_own_code(
    sim: Sim, limit: str, value: Any, said: list[str]
) -> None:
    await tell(sim, "wallet", phone=PHONE, limits={limit: value})
    assert await ends(sim, PHONE, len(said)) == said


@pytest.mark.parametrize(
    ("limit", "days", "free"),
    [("day_count", 1, True), ("week_count", 4, False), ("week_count", 5, True), ("month_count", 7, False),
     ("month_count", 8, True)],
)  # fmt: skip
async def test_a_limit_is_free_again_in_the_next_day_week_or_month(
    sim: Sim, limit: str, days: int, free: bool
) -> None:
    await tell(sim, "wallet", phone=PHONE, limits={limit: 1})
    assert (await ends(sim, PHONE, 1)) == ["COMPLETED"]
    await tell(sim, "clock", advance_s=days * DAY // 1000)
    assert ((await ends(sim, PHONE, 1)) == ["COMPLETED"]) is free


async def test_a_wallet_is_in_its_currency(sim: Sim) -> None:
    await tell(sim, "wallet", phone="243890000001", balance="10.50", currency="USD")
    for amount, status in (("10.51", "FAILED"), ("10.25", "COMPLETED")):
        deposit_id, _ = await sim.deposit("243890000001", "ORANGE_COD", currency="USD", amount=amount)
        assert (await sim.deposit_state(deposit_id))["status"] == status
    deposit_id, _ = await sim.deposit("243890000001", "ORANGE_COD", currency="CDF", amount="5000")
    assert (await sim.deposit_state(deposit_id))["status"] == "COMPLETED"
    assert (await sim.get("/_control/wallet?phone=243890000001"))[1]["balance"] == "0.25"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"balance": 5}, "phone"),
        ({"phone": PHONE, "balance": -5}, "balance"),
        ({"phone": PHONE, "balance": 5.5}, "balance"),
        ({"phone": PHONE, "balance": "much"}, "balance"),
        ({"phone": PHONE, "currency": "cfa"}, "currency"),
        ({"phone": PHONE, "limits": []}, "limits"),
        ({"phone": PHONE, "limits": {"year_count": 5}}, "limits.year_count"),
        ({"phone": PHONE, "limits": {"day_count": "five"}}, "limits.day_count"),
        ({"phone": PHONE, "colour": 1}, "colour"),
    ],
)
async def test_a_wallet_that_means_nothing_is_refused(sim: Sim, body: Any, field: str) -> None:
    status, answer = await sim.post("/_control/wallet", body)
    assert (status, answer["error"].split(":")[0]) == (400, field)
    assert (await sim.get(f"/_control/wallet?phone={PHONE}"))[0] == 404
    assert (await sim.get("/_control/wallet"))[0] == 400


async def test_the_books_tell_every_request_every_debit_and_the_sums(sim: Sim) -> None:
    await ends(sim, PHONE, 2)
    await ends(sim, "2250700000602", 1)
    await sim.push(MOOV_PHONE, "order-1")
    await sim.push(MOOV_PHONE, "order-2")
    await tell(sim, "settle", reference="order-2", outcome="600")
    _, books = await sim.get("/_control/books")
    assert books["totals"] == [
        {"dialect": "moov-3pp", "currency": "XOF", "debits": 1, "amount": "1500"},
        {"dialect": "pawapay", "currency": "XOF", "debits": 2, "amount": "3000"},
    ]
    assert [one["outcome"] for one in books["requests"]] == ["paid", "paid", "602", "paid", "600"]
    assert len(books["debits"]) == 4
    first = books["debits"][0]
    assert first["merchant_reference"] == first["reference"] == books["requests"][0]["reference"]
    assert first["operator_id"] == books["requests"][0]["operator_id"]
    _, moov = await sim.get("/_control/books?operator=moov-3pp")
    assert [one["reference"] for one in moov["debits"]] == ["order-1", "order-2"]
    assert (await sim.get("/_control/books?operator=nobody"))[0] == 400


async def statement(sim: Sim, operator: str, query: str = "") -> list[dict[str, str]]:
    url = f"{sim.url}/_control/statement?operator={operator}{query}"
    async with sim.http.get(url) as response:
        assert (response.status, response.content_type) == (200, "text/csv"), await response.text()
        text = await response.text()
    layout = LAYOUTS[operator]
    lines = list(csv.DictReader(io.StringIO(text), delimiter=layout.delimiter))
    assert text.splitlines()[0].split(layout.delimiter) == list(layout.columns)
    return lines


async def paid_days(sim: Sim) -> None:
    """Five debits at Moov, a day apart, the third one taken back."""
    for n in range(5):
        await sim.push(MOOV_PHONE, f"order-{n}", amount=str(1000 + n))
        await tell(sim, "clock", advance_s=DAY // 1000)
    await tell(sim, "settle", reference="order-2", outcome="600")


async def test_a_statement_shows_every_debit_in_the_operators_own_columns(sim: Sim) -> None:
    await paid_days(sim)
    lines = await statement(sim, "moov-3pp")
    assert [(one["Request ID"], one["Montant"], one["Statut"], one["Date"]) for one in lines] == [
        ("order-0", "1000", "SUCCES", "23/09/2026"), ("order-1", "1001", "SUCCES", "24/09/2026"),
        ("order-2", "1002", "ANNULE", "25/09/2026"), ("order-3", "1003", "SUCCES", "26/09/2026"),
        ("order-4", "1004", "SUCCES", "27/09/2026"),
    ]  # fmt: skip
    await ends(sim, PHONE, 1)
    (line,) = await statement(sim, "pawapay")
    assert (line["status"], line["amount"], line["currency"], line["phoneNumber"]) == (
        "COMPLETED",
        "1500.00",
        "XOF",
        PHONE,
    )
    assert await statement(sim, "orange-burkina") == []


async def test_a_statement_is_of_a_period_whose_last_day_counts(sim: Sim) -> None:
    await paid_days(sim)
    for period, orders in (
        ("&from=2026-09-24&to=2026-09-25", ["order-1", "order-2"]),
        ("&from=2026-09-26T12:00:00Z", ["order-3", "order-4"]),
        (f"&to={WEDNESDAY}", ["order-0"]),
        ("&from=2030-01-01", []),
    ):
        assert [one["Request ID"] for one in await statement(sim, "moov-3pp", period)] == orders


async def test_a_statement_can_be_wrong_on_purpose(sim: Sim) -> None:
    await paid_days(sim)
    right = await statement(sim, "moov-3pp")
    missing = await statement(sim, "moov-3pp", "&wrong=missing")
    extra = await statement(sim, "moov-3pp", "&wrong=extra")
    amount = await statement(sim, "moov-3pp", "&wrong=amount")
    assert [one for one in right if one not in missing] == [right[2]]
    assert extra[:-1] == right
    assert extra[-1]["Request ID"] not in {one["Request ID"] for one in right}
    assert [
        (one["Montant"], was["Montant"]) for one, was in zip(amount, right, strict=True) if one != was
    ] == [("1007", "1002")]
    assert await statement(sim, "moov-3pp", "&wrong=missing,extra") == await statement(
        sim, "moov-3pp", "&wrong=missing,extra"
    )
    assert await statement(sim, "moov-3pp") == right


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "operator"),
        ("?operator=nobody", "operator"),
        ("?operator=pawapay&from=yesterday", "from"),
        ("?operator=pawapay&to=2026-13-01", "to"),
        ("?operator=pawapay&from=2026-09-02&to=2026-09-01", "to"),
        ("?operator=pawapay&wrong=all", "wrong"),
        ("?operator=pawapay&wrong=missing", "wrong"),
        ("?operator=pawapay&wrong=amount", "wrong"),
        ("?operator=pawapay&colour=1", "colour"),
    ],
)
async def test_a_statement_that_means_nothing_is_refused(sim: Sim, query: str, field: str) -> None:
    status, answer = await sim.get("/_control/statement" + query)
    assert (status, answer["error"].split(":")[0]) == (400, field)
