"""The connector kit: what every connector must withstand against its simulated operator, over real HTTP, the engines in turn.

A connector gets all of it by a ``Case`` in ``cases.py``. A world has one gateway, one simulator and one clock, which only the tests move.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urljoin

import httpx

from cauri import customer
from cauri.clock import HOUR, SECOND
from cauri.customer.page import read_page
from cauri.domain.codes import Code
from cauri.domain.outcome import Accepted, Refused
from cauri.domain.payment import Attempt, AttemptStatus
from cauri.operators.base import BadCallback, Connector, Flow, Route
from tests.lifecycle.shopping import TURNS_MAX, Purchase, Shop
from tests.running import Running

PAGES_MAX = 6
TURN = 500
_used = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """One connector and its dialect.

    ``connector`` is its name in the settings, ``operator`` its dialect's on the control plane. ``numbers`` makes a payer's whole number
    without + from six digits. ``says`` holds the failure codes that the operator has no word for, with the code that comes instead.
    ``says_paid``: the body and the path of a forged callback that calls an attempt paid and wants nothing but a proof, None only where
    the operator sends no callbacks.
    ``session_s``: how long the operator lets the payer try again after a failure, which is therefore none before; ``tells_amounts``: whether its answers name the amount that was collected.
    ``page_s``: after how long its page is over that nobody answers, 0 where it never says so. ``fields``: more of the merchant's request.
    """

    connector: str
    operator: str
    method: str
    country: str
    numbers: str
    amount: int = 1500
    currency: str = "XOF"
    says: Mapping[str, str] = field(default_factory=dict)
    says_paid: Callable[[Attempt], tuple[bytes, str]] | None = None
    tells_amounts: bool = True
    session_s: int = 0
    page_s: int = 0
    fields: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.connector}-{self.method}"

    def number(self, ending: str = "001") -> str:
        """A number of this operator that no recent test has used."""
        return self.numbers.format(f"{next(_used) % 1000:03d}{ending}")


@dataclass
class Buyer:
    """One payment through one connector."""

    case: Case
    purchase: Purchase
    phone: str
    debits_before: int

    @property
    def shop(self) -> Shop:
        return self.purchase.shop

    @property
    def connector(self) -> Connector:
        found = self.shop.running.sandbox.gateway.operators.named(self.case.connector)
        assert found is not None, f"{self.case.connector} is not configured"
        return found

    @property
    def route(self) -> Route:
        return self.connector.routes[self.case.method]

    async def pays(self, fault: str = "", **story: object) -> None:
        """Goes as far as the payer can: number, code, the operator's page."""
        await self.chooses(fault, **story)
        await self.goes_to_operator()

    async def chooses(self, fault: str = "", **story: object) -> None:
        """``story`` is what the operator makes of it, ``fault`` what the network makes of the answer to the start."""
        await self.shop.control("next", operator=self.case.operator, outcomes=[story])
        if fault:
            await self.shop.control("faults", operator=self.case.operator, door="start", fault=fault)
        answer = await self.purchase.post(
            "pay", country=self.case.country, number=f"+{self.phone}", method=self.case.method
        )
        assert answer.status_code == 303, answer.text
        if self.route.flow is Flow.CODE:
            await self.purchase.post("code", code="123456")

    async def goes_to_operator(self) -> None:
        """Through the operator's page, where the payer was led to one; approves whatever it asks."""
        attempt = await self.attempt()
        for _ in range(TURNS_MAX):
            if (
                self.route.flow is not Flow.PAGE
                or attempt.page_url
                or attempt.status is not AttemptStatus.SENT
            ):
                break
            await self.turns(1)
            attempt = await self.attempt()
        if attempt.page_url is None or attempt.status is not AttemptStatus.SENT:
            return
        url, answer = attempt.page_url, await self.shop.client.get(attempt.page_url)
        for _ in range(PAGES_MAX):
            form = next((form for form in read_page(answer.text).forms if form.approves() is not None), None)
            if form is None:
                return
            url = urljoin(url, form.action)
            answer = await self.shop.client.post(
                url, data=form.filled(self.answers) | (form.approves() or {})
            )
            if answer.has_redirect_location:
                url = urljoin(url, answer.headers["location"])
                if url.startswith(self.shop.running.url):
                    return
                answer = await self.shop.client.get(url)

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

    @property
    def is_asked(self) -> bool:
        return self.connector.silence.askable

    async def is_slowly_answered(self, seconds: int = 4) -> None:
        """The operator takes longer to answer than the page waits; the clock moves meanwhile."""
        paying = asyncio.ensure_future(self.pays(f"slow:{seconds}"))
        for _ in range(TURNS_MAX):
            done, _ = await asyncio.wait({paying}, timeout=0.05)
            if done:
                break
            self.shop.clock.advance(TURN)
        await paying

    async def ends_without_an_answer(self) -> None:
        """The connector's own rule for giving up ends it, or a person does, who looks an hour later."""
        await self.turns(4)
        assert (await self.attempt()).status in (AttemptStatus.SENT, AttemptStatus.FAILED)
        limit_s = self.connector.silence.not_found_final_after_s
        if limit_s is not None and self.is_asked:
            self.shop.clock.advance(limit_s * SECOND)
            await self.turns(10, 30 * SECOND)
            await self.is_refused(self.connector.silence.code.number)
        else:
            await self.is_listed_and_closed()

    async def is_listed_and_closed(self) -> None:
        """On the list of what no rule ends after an hour; closed by a person, it is final."""
        self.shop.clock.advance(2 * HOUR)
        await self.turns(4)
        await self.operator_is_done()
        attempt, running = await self.attempt(), self.shop.running
        assert attempt.status is AttemptStatus.SENT
        unended = await running.store.unended(self.shop.clock.now() - HOUR)
        assert attempt.reference in {one.reference for one, _, _ in unended}
        outcome = Accepted("seen on the statement") if await self.debits() else Refused(Code.PAYMENT_FAILED)
        await running.lifecycle.close(
            running.site_id, self.purchase.transaction_id, outcome, who="Awa", why="the statement says so"
        )
        assert (await self.purchase.check())["code"] == ("00" if await self.debits() else "600")

    async def ends_as_the_operator_has_it(self) -> None:
        """Paid if and only if the operator has taken the money."""
        await self.turns(6)
        if not await self.debits() or not self.is_asked:
            await self.ends_without_an_answer()
        else:
            await self.is_paid_once()

    async def operator_is_done(self) -> None:
        """Nothing is open at the operator: it debits in its own time, whether or not anybody still listens."""
        for _ in range(TURNS_MAX):
            requests = (await self.shop.control("books"))["requests"]
            if all(one["outcome"] is not None for one in requests):
                return
            await self.turns(1)
        raise AssertionError("the operator still has something open")

    async def gateway_restarts(self) -> None:
        """In the middle of whatever it does, without waiting for answers that may never come."""
        hurries(self.shop.running)
        await self.shop.running.restart_gateway()

    async def operator_changes_its_mind(self, outcome: str) -> None:
        """The operator now holds something else for true, and says so."""
        reference = (await self.shop.control("books"))["debits"][-1]["reference"]
        await self.shop.control("settle", reference=reference, outcome=outcome, callback=True)

    async def is_forged(self) -> httpx.Response:
        """Somebody who is not the operator calls the attempt paid, in words that only want a proof."""
        body, path = b'{"status": "SUCCESSFUL"}', ""
        if self.case.says_paid is not None:
            body, path = self.case.says_paid(await self.attempt())
        refused = why_refused(self.connector, body, path.removeprefix("/"))
        lacks = ("", "signature", "unsigned") if self.case.says_paid else ("sends no callbacks",)
        assert any(each in refused if each else not refused for each in lacks), refused
        return await self.call_back(body, path)

    async def call_back(self, body: bytes, path: str = "", verb: str = "POST") -> httpx.Response:
        url = f"{self.shop.running.url}/operators/{self.case.connector}/callback{path}"
        return await self.shop.client.request(
            verb, url, content=body, headers={"content-type": "application/json"}
        )

    async def attempt(self) -> Attempt:
        return (await self.purchase.timeline()).attempts[-1]

    async def turns(self, count: int, step: int = TURN) -> None:
        for _ in range(count):
            self.shop.clock.advance(step)
            await self.shop.turn()

    async def shows(self, code: str) -> None:
        await self.purchase.comes_to(code)

    async def keeps_waiting(self) -> None:
        """A minute of questions later it is still not ended."""
        await self.turns(20, 3 * SECOND)
        assert (await self.attempt()).status is AttemptStatus.SENT, (await self.purchase.timeline()).history
        assert (await self.purchase.check())["data"]["status"] == "WAITING_FOR_CUSTOMER"

    async def debits(self) -> list[tuple[Decimal, str]]:
        """What the operator took since this payment was opened and did not give back: amount and currency."""
        books = (await self.shop.control("books"))["debits"][self.debits_before :]
        return [
            (Decimal(one["amount"]), one["currency"])
            for one in books
            if one["dialect"] == self.case.operator and one["taken_back_at"] is None
        ]

    async def is_paid_once(self) -> None:
        await self.shows("00")
        assert await self.debits() == [(Decimal(self.case.amount), self.case.currency)]
        assert (await self.attempt()).operator_id

    async def is_refused_at_last(self, code: str) -> None:
        """At once, or where the operator lets the payer try again, when its session is over."""
        await self.turns(6)
        if self.case.session_s and (await self.attempt()).status is AttemptStatus.SENT:
            await self.keeps_waiting()
            self.shop.clock.advance(self.case.session_s * SECOND)
        await self.is_refused(code)

    async def is_refused(self, code: str) -> None:
        await self.shows(code)
        assert await self.debits() == []


def why_refused(connector: Connector, body: bytes, path: str) -> str:
    """What a connector says of an unsigned callback that it does not read, empty where it reads it."""
    try:
        connector.read_callback({}, body, path)
    except BadCallback as refused:
        return str(refused).lower()
    return ""


def hurries(running: Running) -> None:
    """A gateway that is stopped waits for the calls under way; not in these tests."""
    running.sandbox.gateway.lifecycle.stop_grace_s = 0.1


async def buyer_of(case: Case, shop: Shop, *, ending: str = "001") -> Buyer:
    """A new payment of this case's amount and currency."""
    purchase = await shop.opens(amount=case.amount, currency=case.currency, **case.fields)
    return Buyer(case, purchase, case.number(ending), len((await shop.control("books"))["debits"]))
