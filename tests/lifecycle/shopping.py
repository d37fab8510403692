"""A shop, its customers and its operators' simulator, over HTTP, on a clock that is moved by hand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import httpx

from cauri.clock import ManualClock
from cauri.domain.payment import Payment, Timeline
from tests.notifier.receiver import Receiver
from tests.running import Running

TURNS_MAX = 60
_count = itertools.count(1)

# Whom a number's beginning belongs to, by method: country and the number without its last three digits.
NUMBERS = {
    "OM": ("CI", "2250700{:03d}"),
    "MOMO": ("CI", "2250500{:03d}"),
    "FLOOZ": ("CI", "2250100{:03d}"),
    "WAVECI": ("CI", "2250701{:03d}"),
    "OMSN": ("SN", "22177{:04d}"),
    "OMBF": ("BF", "22607{:03d}"),
    "MOOVBF": ("BF", "22670{:03d}"),
}
_used = itertools.count(1)


def number_of(method: str, ending: str = "001") -> tuple[str, str]:
    """A country, and a number of this operator that no other test uses, with this story's last three digits."""
    country, start = NUMBERS[method]
    return country, start.format(next(_used) % 1000) + ending


@dataclass
class Shop:
    """``running`` has a ManualClock; the shop's own server is ``receiver``."""

    running: Running
    receiver: Receiver
    client: httpx.AsyncClient

    @property
    def clock(self) -> ManualClock:
        clock = self.running.clock
        assert isinstance(clock, ManualClock)
        return clock

    async def opens(self, **fields: Any) -> Purchase:
        name = f"order-{next(_count)}"
        body = {
            "apikey": self.running.apikey,
            "site_id": self.running.site_id,
            "transaction_id": name,
            "amount": 1500,
            "currency": "XOF",
            "description": "Deux pagnes",
            "return_url": "https://shop.example/return",
            "notify_url": f"{self.receiver.url}/{name}",
            **fields,
        }
        answer = await self.client.post(f"{self.running.url}/v2/payment", json=body)
        assert answer.status_code == 200, answer.text
        return Purchase(self, name, answer.json()["data"]["payment_token"])

    async def control(self, lever: str, /, **fields: Any) -> Any:
        url = f"{self.running.simulator_url}/_control/{lever}"
        answer = await (self.client.post(url, json=fields) if fields else self.client.get(url))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def turn(self) -> None:
        """Every loop of the gateway runs once, to its end."""
        gateway, now = self.running.sandbox.gateway, self.clock.now()
        await gateway.expiry.tick(now)
        await gateway.poller.tick(now)
        await gateway.poller.idle()
        await gateway.notifier.tell_news(now)
        await gateway.notifier.tick(now)
        await gateway.notifier.idle()

    async def debits(self, phone: str) -> list[dict[str, Any]]:
        return [debit for debit in (await self.control("books"))["debits"] if debit["phone"] == phone]


@dataclass
class Purchase:
    """One payment, as its merchant and its customer see it. ``phones`` are the numbers tried, in order."""

    shop: Shop
    transaction_id: str
    token: str
    phones: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/{self.transaction_id}"

    async def check(self) -> dict[str, Any]:
        running = self.shop.running
        keys = {"apikey": running.apikey, "site_id": running.site_id}
        answer = await self.shop.client.post(
            f"{running.url}/v2/payment/check", json={**keys, "transaction_id": self.transaction_id}
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def code(self) -> str:
        return str((await self.check())["code"])

    async def post(self, step: str, **typed: str) -> httpx.Response:
        """Presses a button of the page; the redirect that follows is not followed."""
        return await self.shop.client.post(
            f"{self.shop.running.url}/payment/{self.token}/{step}", data=typed or {"": ""}
        )

    async def page(self) -> httpx.Response:
        return await self.shop.client.get(f"{self.shop.running.url}/payment/{self.token}")

    async def pays(self, method: str = "OM", ending: str = "001", **story: Any) -> httpx.Response:
        """A new number of this method, where wanted with a story of its own, and the pay button."""
        country, phone = number_of(method, ending)
        if story:
            await self.shop.control("story", phone=phone, **story)
        self.phones.append(phone)
        return await self.post("pay", country=country, number=f"+{phone}", method=method)

    async def comes_to(self, code: str) -> None:
        """Lets time pass, half a second at a turn, until check shows this code and the shop was told all there is to tell."""
        for _ in range(TURNS_MAX):
            if await self.code() == code:
                break
            self.shop.clock.advance(500)
            await self.shop.turn()
        assert await self.code() == code, (await self.timeline()).history
        await self.is_told()

    async def becomes(self, code: str, within: int = 8) -> None:
        """On a clock that runs by itself: waits at the state door, as the page does, until check shows this code."""
        url, seen = f"{self.shop.running.url}/payment/{self.token}/state", 0
        for _ in range(within):
            state = (await self.shop.client.get(url, params={"seen": seen, "wait": 3})).json()
            seen = state["version"]
            if await self.code() == code:
                return
        raise AssertionError(f"shows {await self.code()}, not {code}")

    async def is_told(self) -> None:
        for _ in range(TURNS_MAX):
            state = await self.shop.running.store.notification(await self.payment())
            if state is None or state.due_at is None or state.due_at > self.shop.clock.now():
                return
            await self.shop.turn()
        raise AssertionError("there is still something to tell")

    async def payment(self) -> Payment:
        payment = await self.shop.running.store.payment_by_token(self.token)
        assert payment is not None
        return payment

    async def timeline(self) -> Timeline:
        return await self.shop.running.store.timeline(await self.payment())

    async def reference(self, attempt: int) -> str:
        return (await self.timeline()).attempts[attempt - 1].reference

    async def operator_says(self, outcome: str, attempt: int = 1, *, callback: bool = True) -> None:
        """What the operator now holds for true; its callback, where it makes one, has been answered when this returns."""
        reference = await self.reference(attempt)
        before = await self._callbacks(reference)
        await self.shop.control("settle", reference=reference, outcome=outcome, callback=callback)
        for _ in range(TURNS_MAX * 10):
            if not callback or await self._callbacks(reference) > before:
                return
        raise AssertionError("the callback did not come")

    async def _callbacks(self, reference: str) -> int:
        tries = (await self.shop.control("callbacks"))["callbacks"]
        return sum(1 for each in tries if each["reference"] == reference)
