"""Killed with kill -9 at points of a purchase and started again on the same data: no double debit, nothing lost, all told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cauri.domain.payment import Timeline
from tests.conftest import NewDatabase
from tests.crashes.client import new_client
from tests.crashes.machine import Machine
from tests.lifecycle.shopping import number_of
from tests.notifier.receiver import Answer, Receiver, http

LEASES_ARE_OVER_AFTER_S = 120
_count = itertools.count(1)


@dataclass
class Customer:
    """One order on a machine that may be dead at any moment."""

    machine: Machine
    receiver: Receiver
    client: httpx.AsyncClient
    transaction_id: str = ""
    token: str = ""
    phone: str = ""

    @property
    def path(self) -> str:
        return f"/{self.transaction_id}"

    async def opens(self) -> None:
        """With an Idempotency-Key, so that a shop that got no answer may ask again."""
        self.transaction_id = self.transaction_id or f"crash-{next(_count)}"
        body = {
            "apikey": self.machine.apikey,
            "site_id": self.machine.site_id,
            "transaction_id": self.transaction_id,
            "amount": 1500,
            "currency": "XOF",
            "description": "Deux pagnes",
            "return_url": "https://shop.example/return",
            "notify_url": self.receiver.url + self.path,
        }
        headers = {"Idempotency-Key": self.transaction_id}
        answer = await self.client.post(f"{self.machine.url}/v2/payment", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        token = answer.json()["data"]["payment_token"]
        assert self.token in ("", token), "an acknowledged payment is the same after a restart"
        self.token = token

    async def pays(self, method: str = "OM", ending: str = "001", **story: Any) -> None:
        country, self.phone = number_of(method, ending)
        if story:
            await self.machine.control(self.client, "story", phone=self.phone, **story)
        await self.post("pay", country=country, number=f"+{self.phone}", method=method)

    async def post(self, step: str, **typed: str) -> None:
        await self.client.post(f"{self.machine.url}/payment/{self.token}/{step}", data=typed)

    async def code(self) -> str:
        keys = {"apikey": self.machine.apikey, "site_id": self.machine.site_id}
        answer = await self.client.post(
            f"{self.machine.url}/v2/payment/check", json={**keys, "transaction_id": self.transaction_id}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["code"])

    async def debits(self) -> int:
        books = (await self.machine.control(self.client, "books"))["debits"]
        return sum(1 for debit in books if debit["phone"] == self.phone)

    async def ends(self, code: str) -> None:
        """Check shows this end, and the shop has heard of it last."""
        await until(lambda: self._shows(code), f"{self.transaction_id} never showed {code}")
        await until(lambda: self._heard(code), f"{self.transaction_id}: the shop never heard of {code}")

    async def _shows(self, code: str) -> bool:
        return await self.code() == code

    async def _heard(self, code: str) -> bool:
        return self.receiver.codes(self.path)[-1:] == [code]

    async def timeline(self) -> Timeline:
        payment = await self.machine.store.payment_by_token(self.token)
        assert payment is not None
        return await self.machine.store.timeline(payment)


async def until(condition: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    try:
        async with asyncio.timeout(12):
            while not await condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(otherwise) from None


@pytest.fixture
async def machine(engine: str, new_database: NewDatabase, tmp_path: Path) -> AsyncIterator[Machine]:
    machine = Machine(await new_database(engine), tmp_path)
    await machine.set_up()
    await machine.start()
    yield machine
    await machine.tear_down()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def customer(machine: Machine, receiver: Receiver) -> AsyncIterator[Callable[[], Customer]]:
    async with new_client(timeout_s=10) as client:
        yield lambda: Customer(machine, receiver, client)


async def test_killed_at_every_point_of_a_purchase_it_ends_each_rightly(
    machine: Machine, receiver: Receiver, customer: Callable[[], Customer]
) -> None:
    """One process, one kill, and customers who stand at every point of the way."""
    everybody = {
        name: customer()
        for name in (
            "only opened",
            "code asked",
            "failed once",
            "operator has answered",
            "operator decides while we are dead",
            "operator has not answered",
            "operator refuses and has not answered",
            "code sent, operator has not answered",
            "paid, shop has not answered",
            "shop was down",
        )
    }
    await asyncio.gather(*(each.opens() for each in everybody.values()))
    under_way = await bring_to_their_points(everybody, receiver)

    await machine.kill()
    await asyncio.gather(*under_way, return_exceptions=True)
    dead = everybody["operator decides while we are dead"]
    reference = (await dead.timeline()).attempts[0].reference
    await machine.control(dead.client, "settle", reference=reference, outcome="paid")
    await machine.is_down_for(LEASES_ARE_OVER_AFTER_S)
    await machine.start()

    for each in everybody.values():
        await each.opens()  # the same Idempotency-Key: the same payment
    await end_them(everybody)
    await books_are_right(everybody)


async def bring_to_their_points(
    everybody: dict[str, Customer], receiver: Receiver
) -> list[asyncio.Task[None]]:
    """Returns when each stands where its name says; the tasks are requests that will never be answered."""
    await everybody["code asked"].pays("OMBF")
    await everybody["failed once"].pays("OM", ending="602")
    await everybody["failed once"].ends("662")
    await everybody["operator has answered"].pays("OM", outcome="paid", delay_s=2)
    await everybody["operator decides while we are dead"].pays("OM", ending="129")
    coded = everybody["code sent, operator has not answered"]
    await coded.machine.control(coded.client, "story", phone="22607999001", outcome="paid", answer="slow:60")
    coded.phone = "22607999001"
    await coded.post("pay", country="BF", number=f"+{coded.phone}", method="OMBF")
    for name in ("paid, shop has not answered", "shop was down"):
        shop = everybody[name]
        await shop.pays("OM", ending="129")
        await shop.ends("623")
        answer = Answer(b"", keeps=True) if "answered" in name else Answer(http(500))
        receiver.answers[shop.path].append(answer)
        reference = (await shop.timeline()).attempts[0].reference
        await shop.machine.control(shop.client, "settle", reference=reference, outcome="paid", callback=True)
        await receiver.heard(shop.path, 2)

    slow = everybody["operator has not answered"]
    refused = everybody["operator refuses and has not answered"]
    under_way = [
        asyncio.create_task(slow.pays("OM", outcome="paid", answer="slow:60")),
        asyncio.create_task(refused.pays("MOMO", outcome="602", answer="slow:60", callback="lost")),
        asyncio.create_task(coded.post("code", code="123456")),
    ]
    for each in (slow, coded):
        await until(lambda each=each: debited(each), "the operator was never asked")  # type: ignore[misc]
    await until(lambda: sent(refused), "the operator was never asked")
    return under_way


async def debited(customer: Customer) -> bool:
    return bool(customer.phone) and await customer.debits() == 1


async def sent(customer: Customer) -> bool:
    return bool((await customer.timeline()).attempts)


async def end_them(everybody: dict[str, Customer]) -> None:
    """Those who can go on do; the others only wait."""
    await everybody["only opened"].pays("OM")
    await everybody["code asked"].post("code", code="123456")
    await everybody["failed once"].pays("MOMO")
    refused = everybody.pop("operator refuses and has not answered")
    await asyncio.gather(*(each.ends("00") for each in everybody.values()), refused.ends("662"))
    await refused.post("cancel")
    await refused.ends("602")
    assert await refused.debits() == 0


async def books_are_right(everybody: dict[str, Customer]) -> None:
    for name, each in everybody.items():
        assert await each.debits() == 1, name
        timeline = await each.timeline()
        assert [attempt.status.value for attempt in timeline.attempts].count("paid") == 1, name
        assert timeline.surpluses == (), name
        assert timeline.notification is not None
        assert timeline.notification["due_at"] is None, name


@pytest.mark.parametrize("after_debits", [(1, 6, 12)], ids=["three kills"])
async def test_killed_again_and_again_under_load_it_debits_nobody_twice(
    machine: Machine, customer: Callable[[], Customer], after_debits: tuple[int, ...]
) -> None:
    """Twenty customers, four at a time, press again when a page does not come; the machine dies whenever so many were debited."""
    everybody, at_the_counter = [customer() for _ in range(20)], asyncio.Semaphore(4)
    buying = [asyncio.create_task(buys(each, at_the_counter)) for each in everybody]
    for enough in after_debits:

        async def so_many(enough: int = enough) -> bool:
            return await debits_of(everybody) >= enough or all(task.done() for task in buying)

        await until(so_many, "nobody was debited")
        await machine.kill()
        await machine.is_down_for(LEASES_ARE_OVER_AFTER_S)
        await machine.start()
    await asyncio.gather(*buying)
    await let_the_lost_try_again(machine, [each for each in everybody if await each.debits() == 0])
    for each in everybody:
        await each.ends("00")
        assert await each.debits() == 1
        statuses = [attempt.status.value for attempt in (await each.timeline()).attempts]
        assert statuses in (["paid"], ["failed", "paid"])
        assert each.receiver.codes(each.path).count("00") >= 1


async def let_the_lost_try_again(machine: Machine, lost: list[Customer]) -> None:
    """Whose attempt was committed and whose request never left: the operator's rule ends it after 15 minutes, with 804."""
    if not lost:
        return
    await machine.kill()
    await machine.is_down_for(16 * 60)
    await machine.start()
    for each in lost:
        await each.ends("662")
        assert [attempt.code.number for attempt in (await each.timeline()).attempts] == ["804"]
        await each.pays("OM")


async def buys(customer: Customer, at_the_counter: asyncio.Semaphore) -> None:
    """Opens, pays, and presses again until the page says that something is under way."""
    async with at_the_counter:
        await again_until_answered(customer.opens)
        country, customer.phone = number_of("OM", "130")
        form = {"country": country, "number": f"+{customer.phone}", "method": "OM"}
        await again_until_answered(lambda: customer.post("pay", **form))


async def again_until_answered(request: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(40):
        while True:
            try:
                await request()
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
            else:
                return


async def debits_of(everybody: list[Customer]) -> int:
    phones = {each.phone for each in everybody}
    books = (await everybody[0].machine.control(everybody[0].client, "books"))["debits"]
    return sum(1 for debit in books if debit["phone"] in phones)
