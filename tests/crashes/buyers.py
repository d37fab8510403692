"""A customer and a shop whose gateway may die at any line: they do again what they would do, and the books are compared."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from base64 import b32decode
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urljoin
from uuid import UUID

import httpx

from cauri import customer
from cauri.app import Gateway
from cauri.customer.page import PageRead, read_page
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused
from cauri.domain.payment import Attempt, AttemptStatus, Payment, PaymentStatus
from cauri.operators.base import Connector
from tests.crashes.killing import KillingMachine
from tests.crashes.zygote import Point
from tests.notifier.receiver import Receiver
from tests.operators.kit import Case

ENDED = ("paid", "refused", "expired")
PRESSES_MAX = 12
OPERATOR_PAGES_MAX = 6
SILENT_AFTER_ASKS = 2
_count = itertools.count(1)


@dataclass
class Buyer:
    """One purchase. ``point``: where the gateway died in it."""

    machine: KillingMachine
    receiver: Receiver
    client: httpx.AsyncClient
    case: Case
    point: Point | None = None
    token: str = ""

    def __post_init__(self) -> None:
        number = next(_count)
        self.transaction_id = f"line-{number}"
        # A number of this purchase alone, whose last three digits are no story.
        self.phone = self.case.numbers.format(f"{number // 99 % 1000:03d}{number % 99 + 1:03d}")

    def __str__(self) -> str:
        return f"{self.transaction_id} ({self.case}, died before {self.point})"

    @property
    def path(self) -> str:
        return f"/{self.transaction_id}"

    async def buys(self) -> None:
        """Opens, or asks again, and presses what the page offers until it has ended or only a rule can end it."""
        await self.opens()
        for _ in range(PRESSES_MAX):
            seen = (await self.payment()).version
            page = await self.page()
            if page.name in ENDED:
                return await self.is_told()
            if not await self.presses(page) and not await self.goes_on(seen):
                return None
        raise AssertionError(f"{self}: presses without end")

    async def opens(self) -> None:
        """With an Idempotency-Key, so that a shop that got no answer may ask again."""
        body = {
            "apikey": self.machine.apikey,
            "site_id": self.machine.site_id,
            "transaction_id": self.transaction_id,
            "amount": self.case.amount,
            "currency": self.case.currency,
            "description": "Deux pagnes",
            "return_url": "https://shop.example/return",
            "notify_url": self.receiver.url + self.path,
            **self.case.fields,
        }
        answer = await self.client.post(
            f"{self.machine.url}/v2/payment", json=body, headers={"Idempotency-Key": self.transaction_id}
        )
        assert answer.status_code == 200, f"{self}: {answer.text}"
        token = answer.json()["data"]["payment_token"]
        assert self.token in ("", token), f"{self}: an acknowledged payment is lost"
        self.token = token

    async def page(self) -> PageRead:
        answer = await self.client.get(f"{self.machine.url}/payment/{self.token}")
        assert answer.status_code == 200, f"{self}: {answer.text}"
        return read_page(answer.text)

    async def presses(self, page: PageRead) -> bool:
        """False where the page only waits."""
        if page.name in ("choose", "confirm"):
            number = f"+{self.phone}"
            await self.post("pay", country=self.case.country, number=number, method=self.case.method)
        elif page.name == "code":
            await self.post("code", code="123456")
        elif page.name == "redirect" and page.operator_link and not await self.is_debited():
            await self.approves(page.operator_link)
            return False
        else:
            return False
        return True

    async def post(self, step: str, **typed: str) -> None:
        answer = await self.client.post(f"{self.machine.url}/payment/{self.token}/{step}", data=typed)
        assert answer.status_code == 303, f"{self}: {answer.text}"

    async def approves(self, url: str) -> None:
        """Whatever the operator's pages ask, from where they were left; returns at our door."""
        answer = await self.client.get(url, follow_redirects=True)
        url = str(answer.url)
        for _ in range(OPERATOR_PAGES_MAX):
            form = next((form for form in read_page(answer.text).forms if form.approves() is not None), None)
            if form is None:
                return
            url = urljoin(url, form.action)
            answer = await self.client.post(url, data=form.filled(self.answers) | (form.approves() or {}))
            if answer.has_redirect_location:
                url = urljoin(url, answer.headers["location"])
                answer = await self.client.get(url)
                if url.startswith(self.machine.url):
                    return

    @property
    def answers(self) -> dict[str, str]:
        return {
            "tel": f"+{self.phone}",
            "one-time-code": "123456",
            "cc-number": customer.TEST_CARD,
            "cc-exp": "12/39",
            "cc-csc": "123",
            "cc-name": "Awa Traore",
        }

    async def goes_on(self, seen: int) -> bool:
        """Waits for a newer version; False where nothing comes but what a rule or a person decides later."""
        asks = await self.asks()
        async with within(20, lambda: f"{self}: nothing comes any more"):
            while (await self.payment()).version == seen:
                if await self.is_silent(asks):
                    return False
                await self.is_asked_soon()
                await asyncio.sleep(0.03)
        return True

    async def is_asked_soon(self) -> None:
        """Time for the next question, where it is far and nobody is asking now."""
        attempt = await self.in_flight()
        if attempt is not None and attempt.next_ask_at is not None:
            now = self.machine.gateway.clock.now()
            if attempt.claimed_until < now < attempt.next_ask_at:
                await self.machine.questions_are_due(self.token)

    async def is_silent(self, asks_before: int) -> bool:
        """Nobody can be asked, or the operator was, and has no money of it."""
        attempt = await self.in_flight()
        if attempt is None:
            return False
        if not connector_of(self.machine, attempt).silence.askable:
            return attempt.claimed_until < self.machine.gateway.clock.now()
        return await self.asks() >= asks_before + SILENT_AFTER_ASKS and not await self.is_debited()

    async def asks(self) -> int:
        return sum(attempt.asks for attempt in await self.attempts())

    async def is_debited(self) -> bool:
        debits = await standing_debits(self.machine, self.client)
        return any(attempt.reference in debits for attempt in await self.attempts())

    async def is_told(self) -> None:
        async with within(20, lambda: f"{self}: the shop is not told"):
            while (state := await self.machine.store.notification(await self.payment())) is not None:
                if state.due_at is None:
                    return
                await asyncio.sleep(0.02)

    async def payment(self) -> Payment:
        payment = await self.machine.store.payment_by_token(self.token)
        assert payment is not None, f"{self}: an acknowledged payment is lost"
        return payment

    async def attempts(self) -> list[Attempt]:
        return await self.machine.store.attempts(await self.payment())

    async def in_flight(self) -> Attempt | None:
        return next((one for one in await self.attempts() if one.status is AttemptStatus.SENT), None)


@contextlib.asynccontextmanager
async def within(seconds: float, otherwise: Callable[[], str]) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise AssertionError(otherwise()) from None


def connector_of(machine: KillingMachine, attempt: Attempt) -> Connector:
    found = machine.gateway.operators.named(attempt.connector)
    assert found is not None
    return found


async def standing_debits(machine: KillingMachine, client: httpx.AsyncClient) -> dict[str, list[Decimal]]:
    """What the operators took and did not give back, by the name that we gave the attempt."""
    taken = defaultdict(list)
    for debit in (await machine.control(client, "books"))["debits"]:
        if debit["taken_back_at"] is None:
            taken[our_name(debit["merchant_reference"])].append(Decimal(debit["amount"]))
    return taken


def our_name(reference: str) -> str:
    """Orange WebPay takes 30 characters and knows the attempt by its UUID's bytes in base32."""
    return str(UUID(bytes=b32decode(reference + "======"))) if len(reference) == 26 else reference


async def closes(gateway: Gateway, buyer: Buyer, attempt: Attempt) -> None:
    """What a person does with an attempt on the reconcile list: looks at the operator's books."""
    debits = await standing_debits(buyer.machine, buyer.client)
    seen = attempt.reference in debits
    outcome = Accepted("seen on the statement") if seen else Refused(Code.PAYMENT_FAILED)
    await gateway.lifecycle.close(
        buyer.machine.site_id, buyer.transaction_id, outcome, who="Awa", why="the statement says so"
    )


async def books_agree(buyers: Sequence[Buyer]) -> None:
    """The simulator's books and ours, both ways, and what the shop was told."""
    machine, client = buyers[0].machine, buyers[0].client
    debits = await standing_debits(machine, client)
    for buyer in buyers:
        payment = await buyer.payment()
        timeline = await machine.store.timeline(payment)
        statuses = [attempt.status for attempt in timeline.attempts]
        for attempt in timeline.attempts:
            taken = debits.pop(attempt.reference, [])
            counted = attempt.status in (AttemptStatus.PAID, AttemptStatus.SURPLUS)
            assert taken == [Decimal(attempt.amount)] * counted, (
                f"{buyer}: {attempt.status} and debited {taken}: {timeline.history}"
            )
        paid = payment.status is PaymentStatus.PAID
        assert payment.final, f"{buyer}: {payment.status}"
        assert statuses.count(AttemptStatus.PAID) == paid, f"{buyer}: {statuses}"
        assert statuses.count(AttemptStatus.SURPLUS) == len(timeline.surpluses), f"{buyer}: {statuses}"
        was_told_rightly(buyer, payment)
    assert not debits, f"debits that no attempt of ours explains: {dict(debits)}"


def was_told_rightly(buyer: Buyer, payment: Payment) -> None:
    """The end was told, last, and no other end before it."""
    told = buyer.receiver.codes(buyer.path)
    assert told[-1:] == [payment.code.number], f"{buyer}: told {told}, is {payment.code.number}"
    ends = {code for code in told if code not in ("623", "662", "663", "664")}
    assert ends == {payment.code.number}, f"{buyer}: told {told}"
