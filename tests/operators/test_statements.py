"""Every simulated operator's statement, right and wrong, against what the gateway knows: ``cauri reconcile import`` with the tables
of docs/operators.md, on both engines, with and without --apply, twice."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from cauri.cli import app
from cauri.clock import MINUTE, ManualClock
from cauri.domain.payment import AttemptStatus
from cauri.lifecycle.reconciling import Finding
from cauri.simulator.statements import LAYOUTS
from tests.conftest import NewDatabase
from tests.lifecycle.shopping import Shop
from tests.notifier.receiver import Receiver
from tests.operators.cases import CARD_BLOCK
from tests.operators.kit import Buyer, Case, buyer_of
from tests.running import Running, run

DOC = (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8")
TABLES = re.search(r"```toml\n(\[statements\..*?)```", DOC, re.DOTALL)[1]  # type: ignore[index]

CASES = [
    Case("pawapay", "pawapay", "FREESN", "SN", "221761{}"),
    Case("moov_3pp_bf", "moov-3pp", "MOOVBF", "BF", "22671{}"),
    Case("orange_webpay_ci", "orange-webpay", "OM", "CI", "2250713{}"),
    Case("orange_ompreq", "orange-burkina", "OMBF", "BF", "22605{}"),
    Case("card_page_ci", "card-page", "VISAM", "CI", "2250715{}", fields=CARD_BLOCK),
    Case("mtn_ci", "mtn", "MOMO", "CI", "2250512{}"),
    Case("wave_ci", "wave", "WAVECI", "CI", "2250714{}"),
    Case("paygate", "paygate", "FLOOZTG", "TG", "22897{}"),
]

# What is wrong with a statement, and the one finding that it makes.
WRONGS = [
    pytest.param("", None, id="right"),
    pytest.param("missing", Finding.HERE, id="missing"),
    pytest.param("extra", Finding.STRANGE, id="extra"),
    pytest.param("amount", Finding.DIFFERS, id="amount"),
]

each_case = pytest.mark.parametrize("case", CASES, ids=str)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(engine: str, new_database: NewDatabase) -> AsyncIterator[Running]:
    methods = {case.method: case.connector for case in CASES}
    running = await run(await new_database(engine), clock=ManualClock(), methods=methods)
    for loop in running.sandbox.gateway._loops:
        await loop.stop()
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(world: Running) -> AsyncIterator[Shop]:
    receiver = Receiver()
    await receiver.start()
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        await client.post(f"{world.simulator_url}/_control/reset")
        yield Shop(await world.new_site(attempts_max=1), receiver, client)
    await receiver.stop()


class Books:
    """Somebody with the operator's statement and the command line."""

    def __init__(self, shop: Shop, folder: Path, case: Case) -> None:
        self._shop, self._folder, self._case = shop, folder, case
        self._since = shop.clock.now()
        self._settings = shop.running.sandbox.gateway.settings
        (folder / "secret").write_text(self._settings.secret)
        (folder / "tables.toml").write_text(TABLES)

    async def prints(self, wrong: str) -> None:
        asked = {"operator": self._case.operator, "from": self._since} | ({"wrong": wrong} if wrong else {})
        url = f"{self._shop.running.simulator_url}/_control/statement"
        answer = await self._shop.client.get(url, params=asked)
        assert answer.status_code == 200, answer.text
        (self._folder / "statement.csv").write_bytes(answer.content)

    async def imports(self, *flags: str) -> tuple[int, dict[str, int]]:
        """The exit status, and what the summary counts, without what it counts none of."""
        arguments = [
            "reconcile",
            "import",
            str(self._folder / "statement.csv"),
            "--operator",
            self._case.connector,
        ]
        arguments += ["--columns", str(self._folder / "tables.toml"), "--data", str(self._folder)]
        arguments += ["--database", self._settings.database, "--who", "Awa", *flags]
        done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        counts = re.findall(r"^(\w[\w ,]*?)(?::| {2,}) *(\d+)$", done.output, re.MULTILINE)
        assert counts, done.output
        return done.exit_code, {name: int(number) for name, number in counts if int(number)}


async def paid(case: Case, shop: Shop) -> Buyer:
    shop.clock.advance(MINUTE)
    buyer = await buyer_of(case, shop)
    await buyer.pays()
    await buyer.is_paid_once()
    return buyer


async def paid_there_only(case: Case, shop: Shop) -> Buyer:
    """The operator has the money and nobody here has heard of it."""
    shop.clock.advance(MINUTE)
    buyer = await buyer_of(case, shop)
    await buyer.pays("" if buyer.is_asked else "drop_after", callback="lost")
    assert (await buyer.attempt()).status is AttemptStatus.SENT
    return buyer


async def versions(buyers: list[Buyer]) -> list[int]:
    return [(await buyer.purchase.payment()).version for buyer in buyers]


@each_case
async def test_a_right_statement_brings_in_what_was_not_heard_of_once(
    case: Case, shop: Shop, tmp_path: Path
) -> None:
    books = Books(shop, tmp_path, case)
    buyers = [await paid(case, shop), await paid_there_only(case, shop)]
    unheard = buyers[1]
    await books.prints("")
    before = await versions(buyers)
    for _ in range(2):
        assert await books.imports() == (1, {Finding.BOTH: 1, Finding.THERE: 1})
    assert await versions(buyers) == before

    assert await books.imports("--apply") == (0, {Finding.BOTH: 1, Finding.THERE: 1, "recorded": 1})
    attempt = await unheard.attempt()
    assert (attempt.status, await unheard.purchase.code()) == (AttemptStatus.PAID, "00")
    assert attempt.operator_id
    row = (await unheard.purchase.timeline()).history[-1]
    assert (row.actor, row.note) == ("Awa", "statement statement.csv, line 3")

    before = await versions(buyers)
    assert await books.imports("--apply") == (0, {Finding.BOTH: 2})
    assert await books.imports() == (0, {Finding.BOTH: 2})
    assert await versions(buyers) == before


@pytest.mark.in_turn
@pytest.mark.parametrize(("wrong", "finding"), WRONGS)
@each_case
async def test_what_is_wrong_with_a_statement_is_found_and_changes_nothing(
    case: Case, wrong: str, finding: Finding | None, shop: Shop, tmp_path: Path
) -> None:
    books = Books(shop, tmp_path, case)
    buyers = [await paid(case, shop) for _ in range(3)]
    await books.prints(wrong)
    both = 3 if finding in (None, Finding.STRANGE) else 2
    found = (0 if finding is None else 1, {Finding.BOTH: both} | ({finding: 1} if finding else {}))
    before = await versions(buyers)
    for flags in ((), ("--apply",), ("--apply",), ()):
        assert await books.imports(*flags) == found
    assert await versions(buyers) == before


def test_every_layout_of_the_simulator_has_its_table_and_its_case() -> None:
    assert {case.operator for case in CASES} == set(LAYOUTS)
    assert {case.connector for case in CASES} == set(tomllib.loads(TABLES)["statements"])
