"""SIGKILL before any line of an attempt's code: after a restart the operators' books and ours say the same.

``CAURI_KILLS=all`` (``make kills``) dies before every line that a purchase executes, every time it executes it; ``once`` before every
line the first time; ``lines`` before every line the first time that any purchase of this run executes it; a number before every
so-manieth; ``lifecycle/life.py:81`` or ``lifecycle/life.py:81:2`` before that one, ``operators/wave`` before every line there. Without it a small sample is taken.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cauri.clock import HOUR
from tests.conftest import NewDatabase
from tests.crashes.buyers import Buyer, books_agree, closes, connector_of
from tests.crashes.client import new_client
from tests.crashes.killing import KillingMachine
from tests.crashes.zygote import Point
from tests.notifier.receiver import Receiver
from tests.operators.cases import CASES
from tests.operators.kit import Case

KILLS = os.environ.get("CAURI_KILLS", "")
SAMPLE = 4
BATCH = 40
LEASES_ARE_OVER_AFTER_S = 120
SILENCE_IS_OVER_AFTER_S = 16 * 60
A_PERSON_LOOKS_AFTER_S = 3700

BY_NAME = {str(case): case for case in CASES}


@dataclass(frozen=True)
class Way:
    """What else goes wrong: a ``fault`` of the answer to the start at ``operator`` (the case's own where it is empty).

    ``first``: connectors that are tried before the case's own.
    """

    fault: str = ""
    operator: str = ""
    first: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.operator} {self.fault}".strip() or "fair"


FAIR, ANSWER_LOST = Way(), Way("drop_after")
PASSED_OVER = Way("503", operator="wave", first=("wave_ci",))
TAKEN_OVER = ("pawapay-WAVECI", PASSED_OVER)
PURCHASES = [
    *((name, way) for name in BY_NAME for way in (FAIR, ANSWER_LOST)),
    TAKEN_OVER,
]
SAMPLED = [
    ("pawapay-OM", FAIR),
    ("orange_webpay_ci-OM", ANSWER_LOST),
    ("orange_ompreq-OMBF", FAIR),
    TAKEN_OVER,
]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client(timeout_s=20) as client:
        yield client


@dataclass(frozen=True)
class Lines:
    """Lines that a purchase of this run has died before; the file is all processes' of the run."""

    path: Path

    def new(self, points: Sequence[Point], engine: str) -> list[Point]:
        """The first execution of each line that nobody has taken on this engine; they are taken now."""
        with self.path.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            taken = set(file.read().splitlines())
            mine = [point for point in points if point[2] == 1 and f"{engine} {named(point)[0]}" not in taken]
            file.writelines(f"{engine} {named(point)[0]}\n" for point in mine)
        return mine


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Lines:
    """In the folder of the whole run, which the processes of pytest-xdist share."""
    own = tmp_path_factory.getbasetemp()
    return Lines((own if worker_id == "master" else own.parent) / "killed-lines")


@pytest.mark.timeout(20_000 if KILLS else 120)
@pytest.mark.parametrize(
    ("name", "way"), PURCHASES if KILLS else SAMPLED, ids=lambda value: str(value).replace(" ", "_")
)
async def test_killed_before_any_line_of_an_attempt_it_ends_rightly(
    name: str,
    way: Way,
    engine: str,
    new_database: NewDatabase,
    tmp_path: Path,
    receiver: Receiver,
    client: httpx.AsyncClient,
    lines: Lines,
) -> None:
    case = BY_NAME[name]
    machine = KillingMachine(
        await new_database(engine), tmp_path, methods={case.method: [*way.first, case.connector]}
    )
    await machine.set_up()
    try:
        killing = Killing(machine, receiver, client, case, way)
        every = await killing.every_point()
        points = lines.new(every, engine) if KILLS == "lines" else chosen(every)
        assert points or KILLS == "lines", f"no purchase executes {KILLS}"
        missed = 0
        for start in range(0, len(points), BATCH):
            missed += await killing.batch(points[start : start + BATCH])
        kills = f"{len(points) - missed} kills at {len(every)} points, {missed} not met"
        print(f"{name} {way} {engine}: {kills}")
        # What "lines" leaves for later purchases are lines of loops, more than of anything else.
        assert missed <= len(points) // (5 if KILLS == "lines" else 10), (
            "how often the loops turn in a purchase depends on how long it takes"
        )
    finally:
        await machine.tear_down()


def chosen(points: Sequence[Point]) -> Sequence[Point]:
    """Those of CAURI_KILLS."""
    assert len({(file, line) for file, line, _ in points}) > 250, "the whole way is watched, line by line"
    if KILLS == "all":
        return points
    if KILLS == "once":
        return [point for point in points if point[2] == 1]
    if KILLS.isdigit():
        return points[:: int(KILLS)]
    if KILLS:
        return [point for point in points if KILLS in named(point) or is_first_in(point, KILLS)]
    return points[:: len(points) // SAMPLE + 1]


def is_first_in(point: Point, place: str) -> bool:
    """The first execution of a line of this file or folder."""
    file, _, count = point
    return count == 1 and (file == place or file.startswith(f"{place}/"))


def named(point: Point) -> tuple[str, str]:
    file, line, count = point
    return f"{file}:{line}", f"{file}:{line}:{count}"


class Killing:
    def __init__(
        self, machine: KillingMachine, receiver: Receiver, client: httpx.AsyncClient, case: Case, way: Way
    ) -> None:
        self.machine, self.receiver, self.client = machine, receiver, client
        self.case, self.way = case, way

    def buyer(self, point: Point | None = None) -> Buyer:
        return Buyer(self.machine, self.receiver, self.client, self.case, point)

    async def every_point(self) -> list[Point]:
        """The lines of one purchase that nobody disturbs, as they are executed."""
        note = self.machine.folder / "lines"
        await self.machine.start(note=note)
        buyer = self.buyer()
        await self.order_fault()
        await buyer.buys()
        await self.machine.kill()
        await self.come_to_their_ends([buyer])
        return [
            (name, int(line), int(count)) for name, line, count in map(str.split, note.open(encoding="utf-8"))
        ]

    async def batch(self, points: Sequence[Point]) -> int:
        """A purchase and a kill for each, then one recovery of all. How many purchases ended without having met their line."""
        buyers, missed = [], 0
        for point in points:
            buyers.append(self.buyer(point))
            missed += not await self.is_killed(buyers[-1])
        await self.machine.takes_up()
        await self.machine.is_down_for(LEASES_ARE_OVER_AFTER_S)
        await self.machine.start()
        await asyncio.gather(*(buyer.buys() for buyer in buyers))
        await self.machine.kill()
        await self.come_to_their_ends(buyers)
        return missed

    async def is_killed(self, buyer: Buyer) -> bool:
        """Plays the purchase until the gateway is dead, and puts it aside; False where it never came to its line."""
        await self.machine.start(kill=buyer.point)
        await self.order_fault()
        buying = asyncio.ensure_future(self.tries(buyer))
        await asyncio.wait({buying, self.machine.dead}, return_when=asyncio.FIRST_COMPLETED)
        met = self.machine.dead.done() or await dies_soon(self.machine, buying)
        assert not met or self.machine.dead.result() == -signal.SIGKILL, f"{buyer}: died of itself"
        buying.cancel()
        await asyncio.gather(buying, return_exceptions=True)
        await self.machine.kill()
        await self.client.delete(f"{self.machine.operators_url}/_control/faults")
        payment = await self.machine.store.payment_by_transaction(self.machine.site_id, buyer.transaction_id)
        if payment is not None:
            await self.machine.set_aside(payment.token)
        return met

    async def tries(self, buyer: Buyer) -> bool:
        """False where the line to the gateway broke."""
        try:
            await buyer.buys()
        except httpx.HTTPError:
            return False
        return True

    async def order_fault(self) -> None:
        operator = self.way.operator or self.case.operator
        if self.way.fault:
            await self.machine.control(
                self.client, "faults", operator=operator, door="start", fault=self.way.fault
            )

    async def come_to_their_ends(self, buyers: Sequence[Buyer]) -> None:
        """The machine is down. The connector's rule for silence ends what it can, a person the rest; then the books are compared, and closed."""
        waiting = [buyer for buyer in buyers if not (await buyer.payment()).final]
        if waiting:
            await self.after(SILENCE_IS_OVER_AFTER_S, waiting)
        waiting = [buyer for buyer in waiting if not (await buyer.payment()).final]
        if waiting:
            await self.machine.is_down_for(A_PERSON_LOOKS_AFTER_S)
            await self.a_person_closes(waiting)
            await self.after(1, waiting)
        await books_agree(buyers)
        await self.client.post(f"{self.machine.operators_url}/_control/reset")

    async def after(self, seconds: int, waiting: Sequence[Buyer]) -> None:
        await self.machine.is_down_for(seconds)
        await self.machine.control(self.client, "clock", advance_s=seconds)
        await self.machine.start()
        await asyncio.gather(*(buyer.buys() for buyer in waiting))
        await self.machine.kill()

    async def a_person_closes(self, waiting: Sequence[Buyer]) -> None:
        """Only what the connector has no rule for may be left, and all of it is on the list."""
        now = self.machine.gateway.clock.now()
        listed = {one.reference for one, _, _ in await self.machine.store.unended(now - HOUR)}
        for buyer in waiting:
            attempt = await buyer.in_flight()
            assert attempt is not None, f"{buyer}: neither ended nor in flight"
            silence = connector_of(self.machine, attempt).silence
            assert silence.not_found_final_after_s is None or not silence.askable, f"{buyer}: never ended"
            assert attempt.reference in listed, f"{buyer}: not on the reconcile list"
            await closes(self.machine.gateway, buyer, attempt)


async def dies_soon(machine: KillingMachine, buying: asyncio.Future[bool]) -> bool:
    """A broken line is a death that we are about to hear of; after a purchase that came through, the loops may come to their line yet."""
    came_through = buying.result()
    await asyncio.wait({machine.dead}, timeout=2 if came_through else 10)
    return machine.dead.done()
