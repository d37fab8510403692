"""A shop that opens payments over the API, and a visitor who opens their pages over HTTP."""

from __future__ import annotations

import html
import itertools
import os
import re
from dataclasses import dataclass
from typing import Any

import httpx

_count = itertools.count(1)
# Paths the tests use that a browser would take from the page.
STEPS = ("number", "pay", "code", "cancel", "leave")


@dataclass
class Visitor:
    """Whoever holds a payment_url. Sees one answer at a time, follows redirects only when told to."""

    client: httpx.AsyncClient
    url: str
    transaction_id: str

    @property
    def token(self) -> str:
        return self.url.rpartition("/")[2]

    async def get(self, step: str = "", **options: Any) -> httpx.Response:
        return await self.client.get(self.url + (f"/{step}" if step else ""), **options)

    async def post(self, step: str, data: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        return await self.client.post(f"{self.url}/{step}", data=data or {}, **options)

    async def pays(self, country: str, number: str, method: str = "") -> httpx.Response:
        """Presses the pay button and follows to the page after it."""
        answer = await self.post("pay", {"country": country, "number": number, "method": method})
        assert answer.status_code == 303, text_of(answer)
        return await self.client.get(httpx.URL(self.url).join(answer.headers["location"]))

    async def state(self, seen: int = 0, wait: int = 0) -> dict[str, Any]:
        answer = await self.get("state", params={"seen": seen, "wait": wait})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def settled(self, *pages: str) -> httpx.Response:
        """The page once it is one of these; waits as the script does, for changes."""
        version = 0
        for _ in range(20):
            page = await self.get()
            if page_name(page) in pages:
                return page
            version = (await self.state(seen=version, wait=10))["version"]
        raise AssertionError(f"still {page_name(page)}, not {pages}")


@dataclass
class Shop:
    gateway: Any
    client: httpx.AsyncClient

    async def opens(self, **fields: Any) -> Visitor:
        transaction_id = fields.pop("transaction_id", f"page-{os.getpid()}-{next(_count)}")
        body = {
            "apikey": self.gateway.apikey,
            "site_id": self.gateway.site_id,
            "transaction_id": transaction_id,
            "amount": 1500,
            "currency": "XOF",
            "description": "Commande 1042",
            "return_url": "https://shop.example/return?order=1042",
            **fields,
        }
        answer = await self.client.post(f"{self.gateway.url}/v2/payment", json=body)
        assert answer.status_code == 200, answer.text
        return Visitor(self.client, answer.json()["data"]["payment_url"], transaction_id)


def page_name(answer: httpx.Response) -> str:
    found = re.search(r'<main data-page="(\w+)"', answer.text)
    assert found, answer.text
    return found[1]


def text_of(answer: httpx.Response) -> str:
    """The words of the page, with plain spaces and apostrophes."""
    body = re.sub(r"(?s)<(head|script|style)\b.*?</\1>", "", answer.text)
    words = html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("’", "'")
    return " ".join(words.split())
