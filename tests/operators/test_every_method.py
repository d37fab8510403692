"""Every payment method of the contract is paid in a sandbox as it comes, through the HTTP doors alone, on both engines.

The numbers are those that docs/sandbox.md offers for each method. All methods are paid at once, in one gateway,
and each test looks at one.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cauri.customer import TEST_CARD, CustomerTrouble, Ended, Ending, pay
from cauri.domain.methods import METHODS, Family, Method
from cauri.domain.money import COUNTRIES, CURRENCIES
from cauri.operators.base import Flow
from tests.conftest import NewDatabase
from tests.notifier.receiver import Receiver
from tests.operators.cases import CARD_BLOCK
from tests.running import Running, run

# Known to the wire, without a connector (issue 5, contract section 4).
NOT_OFFERED = {"EXPRESSOSN", "EXPRESSUNIONCM"}
PAID_METHODS = [method for method in METHODS.values() if method.code not in NOT_OFFERED]
CARD_HOLDER = CARD_BLOCK | {"customer_phone_number": ""}
POOR_CARD = "4000 0084 0000 1280"
AMOUNTS = {"XOF": 1500, "XAF": 2500, "GNF": 15000, "CDF": 4500, "USD": 12}
NOTIFIED = (
    "cpm_site_id cpm_trans_id cpm_trans_date cpm_amount cpm_currency signature "
    "payment_method cel_phone_num cpm_phone_prefixe cpm_language cpm_version "
    "cpm_payment_config cpm_page_action cpm_custom cpm_designation cpm_error_message"
).split()
PREFIXES = {
    "CI": "225", "ML": "223", "SN": "221", "TG": "228", "BF": "226", "CM": "237", "GN": "224", "BJ": "229", "CD": "243",
}  # fmt: skip
SANDBOX_PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"

# All in one of the workers: each that had some would open the market for itself.
pytestmark = pytest.mark.xdist_group("every_method")

every_method = pytest.mark.parametrize("method", PAID_METHODS, ids=lambda method: method.code)


def documented_numbers() -> dict[str, tuple[str, str, str]]:
    """Method → the numbers of docs/sandbox.md: one that is paid, one without money, and the code that the latter ends in."""
    row = r"^\| (`.+?`) \| [A-Z]{2} \| [A-Z, ]+ \| (\d+) \| (\d+)(?: \((\d+)\))? \|"
    table = re.findall(row, SANDBOX_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        code: (rich, poor, end or "602")
        for codes, rich, poor, end in table
        for code in re.findall(r"\w+", codes)
    }


@dataclass
class Story:
    """One payment as its shop and its customer see it: who pays with what, and how it is to end."""

    method: Method
    phone: str
    card: str
    code: str
    told: list[str] = field(default_factory=list)
    ended: Ended | None = None
    check: dict[str, Any] = field(default_factory=dict)
    trouble: BaseException | None = None

    @property
    def order(self) -> str:
        return f"{self.method.code}-{self.code}"

    @property
    def amount(self) -> int:
        """Another one for each method."""
        step = 1 if self.method.currency == "USD" else 5
        return AMOUNTS[self.method.currency] + step * PAID_METHODS.index(self.method)


def stories_of(method: Method) -> tuple[Story, Story]:
    """A customer who has the money, and one who has not."""
    if method.family is Family.CARD:
        return Story(method, "", TEST_CARD, "00"), Story(method, "", POOR_CARD, "602")
    rich, poor, end = documented_numbers().get(method.code, ("", "", "602"))
    return Story(method, f"+{rich}", "", "00"), Story(method, f"+{poor}", "", end)


@dataclass
class Market:
    """A sandbox as it comes, but for customers who do not take a second to approve."""

    running: Running
    receiver: Receiver
    client: httpx.AsyncClient
    stories: dict[str, tuple[Story, Story]]

    async def open(self) -> None:
        await asyncio.gather(*(self._lives(story) for both in self.stories.values() for story in both))

    async def _lives(self, story: Story) -> None:
        """Never raises: the test of the method tells the trouble."""
        try:
            await self._pays(story)
        except (CustomerTrouble, AssertionError, TimeoutError) as trouble:
            story.trouble = trouble

    async def _pays(self, story: Story) -> None:
        url = await self._created(story)
        # By the number alone where an operator's numbers are its own, as ``cauri pay`` does.
        named = None if story.method.family is Family.PHONE else story.method.code
        story.ended = await pay(url, story.phone, method=named, card=story.card, tell=story.told.append)
        story.check = await self._post("/check", {"transaction_id": story.order})
        await self._told(story)

    async def _told(self, story: Story) -> None:
        """Until the notification of the end has come."""
        path, count = f"/{story.order}", 1
        while story.code not in self.receiver.codes(path):
            count = len(await self.receiver.heard(path, count)) + 1

    async def _created(self, story: Story) -> str:
        body = {
            "transaction_id": story.order,
            "amount": story.amount,
            "currency": story.method.currency,
            "description": "Deux pagnes",
            "return_url": "https://shop.example/return",
            "notify_url": f"{self.receiver.url}/{story.order}",
            **(CARD_HOLDER if story.method.family is Family.CARD else {}),
        }
        return str((await self._post("", body))["data"]["payment_url"])

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        keys = {"apikey": self.running.apikey, "site_id": self.running.site_id}
        answer = await self.client.post(f"{self.running.url}/v2/payment{path}", json=keys | body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def control(self, lever: str) -> dict[str, Any]:
        return dict((await self.client.get(f"{self.running.simulator_url}/_control/{lever}")).json())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def market(engine: str, new_database: NewDatabase) -> AsyncIterator[Market]:
    running, receiver = await run(await new_database(engine)), Receiver()
    await receiver.start()
    stories = {method.code: stories_of(method) for method in PAID_METHODS}
    async with httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as client:
        market = Market(running, receiver, client, stories)
        await market.open()
        yield market
    await receiver.stop()
    await running.stop()


def digits_of(story: Story) -> tuple[str | None, str | None]:
    """What check says of the number: prefix and national part, nothing where a card pays."""
    prefix = PREFIXES[story.method.country]
    if story.method.family is Family.CARD:
        return None, None
    assert story.phone.startswith(f"+{prefix}")
    return prefix, story.phone.removeprefix(f"+{prefix}")


@every_method
async def test_it_is_paid_and_check_says_so(method: Method, market: Market) -> None:
    story = market.stories[method.code][0]
    assert story.trouble is None, story.trouble
    assert story.ended is not None
    assert story.ended.ending is Ending.PAID, story.ended
    data = story.check["data"]
    assert (story.check["code"], story.check["message"], data["status"]) == ("00", "SUCCES", "ACCEPTED")
    assert (data["amount"], data["currency"]) == (str(story.amount), method.currency)
    assert data["payment_method"] == method.code
    assert (data["phone_prefix"], data["phone_number"]) == digits_of(story)


@every_method
async def test_who_has_no_money_is_refused_and_not_debited(method: Method, market: Market) -> None:
    story = market.stories[method.code][1]
    assert story.trouble is None, story.trouble
    assert story.ended is not None
    assert story.ended.ending is Ending.REFUSED, story.ended
    assert (story.check["code"], story.check["data"]["status"]) == (story.code, "REFUSED")
    assert story.check["data"]["payment_method"] == method.code


@every_method
async def test_the_customer_goes_the_way_of_its_flow(method: Method, market: Market) -> None:
    serving = market.running.sandbox.gateway.operators.serving(method.code)
    assert serving is not None
    told = market.stories[method.code][0].told
    assert ("one-time code typed" in told) == (serving[1].flow is Flow.CODE), told
    assert ("gone to the operator's page" in told) == (serving[1].flow is Flow.PAGE), told
    assert ("card chosen" in told) == (method.family is Family.CARD), told


@every_method
async def test_the_shop_is_notified_with_a_right_signature(method: Method, market: Market) -> None:
    for story in market.stories[method.code]:
        posts = market.receiver.posts[f"/{story.order}"]
        for post in posts:
            values = "".join(value for _, value in post.pairs).encode()
            signed = hmac.new(market.running.secret_key.encode(), values, hashlib.sha256).hexdigest()
            assert post.headers["x-token"] == signed
            assert [name for name, _ in post.pairs] == NOTIFIED
        last, (prefix, number) = posts[-1].fields, digits_of(story)
        assert posts[-1].code == story.code
        assert (last["cpm_amount"], last["cpm_currency"]) == (str(story.amount), method.currency)
        assert (last["payment_method"], last["cpm_phone_prefixe"], last["cel_phone_num"]) == (
            method.code,
            prefix or "",
            number or "",
        )


@every_method
async def test_the_operator_has_debited_it_once(method: Method, market: Market) -> None:
    story = market.stories[method.code][0]
    debits = (await market.control("books"))["debits"]
    ours = [
        (debit["phone"], debit["taken_back_at"])
        for debit in debits
        if (Decimal(debit["amount"]), debit["currency"]) == (story.amount, method.currency)
    ]
    assert ours == [(story.phone.removeprefix("+"), None)]
    assert story.check["data"]["operator_id"]


async def test_nothing_else_was_debited(market: Market) -> None:
    assert len((await market.control("books"))["debits"]) == len(PAID_METHODS)


async def test_cards_went_through_3_d_secure(market: Market) -> None:
    asked = (await market.control("requests?operator=card-page&door=page"))["requests"]
    cards = [method for method in PAID_METHODS if method.family is Family.CARD]
    confirmed = [one for one in asked if one["path"].endswith("/3ds") and one["method"] == "POST"]
    assert len(confirmed) == 2 * len(cards)


def test_every_flow_and_every_currency_is_among_them(market: Market) -> None:
    serving = [market.running.sandbox.gateway.operators.serving(method.code) for method in PAID_METHODS]
    assert {found[1].flow for found in serving if found} == set(Flow)
    assert {method.currency for method in PAID_METHODS} == set(CURRENCIES)
    assert {method.country for method in PAID_METHODS} == set(COUNTRIES)
