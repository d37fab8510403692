"""MTN, Wave and PayGate behind the whole gateway: a payment opened, asked for, called back about and told to its shop."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from answering_operator import answering
from mtn_answers import API_KEY, KEY, USER, token
from scripted_operator import HANG_UP
from wave_answers import ID, NEW, PAGE

from cauri.app import MEMORY, Gateway
from cauri.clock import Clock
from cauri.config import Limits, read
from cauri.domain.site import Site
from cauri.keys import hash_of
from cauri.serving import Server, bound_socket, url_of
from cauri.store.migrate import migrate

SITE, APIKEY = "445160", "an-apikey-of-this-test"
NO_LIMITS = {name: 0 for name in Limits.__struct_fields__}


@dataclass
class Shop:
    """One site of a gateway whose operators are all the same scripted one."""

    gateway: Gateway
    url: str
    client: httpx.AsyncClient

    async def opens(self) -> str:
        answer = await self.client.post(
            f"{self.url}/v2/payment",
            json={
                "apikey": APIKEY,
                "site_id": SITE,
                "transaction_id": "order-1",
                "amount": 1500,
                "currency": "XOF",
                "description": "Deux pagnes",
                "return_url": "https://shop.example/return",
            },
        )
        token: str = answer.json()["data"]["payment_token"]
        return token

    async def starts(self, token: str, country: str, number: str, method: str) -> None:
        await self.gateway.lifecycle.start(token, country, number, method)

    async def calls_back(self, verb: str, path: str, body: Any, headers: dict[str, str] | None = None) -> int:
        content = json.dumps(body)
        answer = await self.client.request(
            verb, f"{self.url}/operators/{path}", content=content, headers=headers
        )
        return answer.status_code

    async def reaches(self, token: str, code: str) -> dict[str, Any]:
        """The check's data once the payment has this code; each wait ends with a change."""
        for _ in range(10):
            payment = await self.gateway.store.payment_by_token(token)
            assert payment is not None
            answer = await self.client.post(
                f"{self.url}/v2/payment/check",
                json={"apikey": APIKEY, "site_id": SITE, "transaction_id": "order-1"},
            )
            if answer.json()["code"] == code:
                data: dict[str, Any] = answer.json()["data"]
                return data
            await self.client.get(
                f"{self.url}/payment/{token}/state?seen={payment.version}&wait=20", timeout=30
            )
        raise AssertionError(answer.json())


@pytest.fixture
async def operator():
    async with answering() as scripted:
        yield scripted


@pytest.fixture
async def shop(operator):
    listener = bound_socket("127.0.0.1", 0)
    settings = read(
        {
            "public_url": url_of(listener),
            "database": MEMORY,
            "secret": "0123456789abcdef",
            "limits": NO_LIMITS,
            "operators": {
                "mtn": {
                    "CI": {
                        "base_url": operator.url,
                        "subscription_key": KEY,
                        "api_user": USER,
                        "api_key": API_KEY,
                    }
                },
                "wave": {"SN": {"base_url": operator.url, "api_key": "k", "webhook_secrets": [NEW]}},
                "paygate": {"base_url": operator.url, "auth_token": "t"},
            },
        }
    )
    gateway = Gateway(settings, Clock())
    await migrate(gateway.store.engine)
    await gateway.store.save_site(Site(site_id=SITE, name="Chez Awa", created_at=0))
    await gateway.store.give_key(hash_of(APIKEY), SITE, label="test", now=0)
    server = Server(gateway, listener)
    await gateway.start()
    await server.start()
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        yield Shop(gateway, url_of(listener), client)
    await server.stop()
    await gateway.stop()


async def test_mtn_is_paid_after_its_callback_by_put(operator, shop):
    told: dict[str, Any] = {}

    def taken(request):
        told.update(request.json, reference=request.headers["x-reference-id"])
        told["callback"] = request.headers["x-callback-url"]
        return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def status(_):
        word = "SUCCESSFUL" if told.get("confirmed") else "PENDING"
        more = {"financialTransactionId": "3091573982"} if told.get("confirmed") else {}
        body = {
            "amount": "1500",
            "currency": "XOF",
            "externalId": told["reference"],
            "status": word,
            **more,
        }
        return http_json(body)

    operator.answers = {
        "POST /collection/token/": token(),
        "GET /collection/v1_0/accountholder/": (200, {"result": True}),
        "POST /collection/v1_0/requesttopay": taken,
        "GET /collection/v1_0/requesttopay/": status,
    }
    payment = await shop.opens()
    await shop.starts(payment, "CI", "0504050607", "MOMO")
    await shop.reaches(payment, "623")
    assert told["callback"] == f"{shop.url}/operators/mtn_ci/callback/{told['reference']}"
    told["confirmed"] = True
    body = {"status": "SUCCESSFUL", "externalId": told["reference"]}
    assert await shop.calls_back("PUT", f"mtn_ci/callback/{told['reference']}", body) == 200
    data = await shop.reaches(payment, "00")
    assert (data["operator_id"], data["payment_method"]) == ("3091573982", "MOMO")


async def test_wave_shows_its_page_and_is_paid_after_its_webhook_even_if_the_starts_answer_was_lost(
    operator, shop
):
    made: dict[str, Any] = {}

    def session():
        paid = {"checkout_status": "complete", "payment_status": "succeeded", "transaction_id": "TCN1"}
        still = {"checkout_status": "open", "payment_status": "processing"}
        return {
            "id": ID,
            "amount": "1500",
            "currency": "XOF",
            "client_reference": made["client_reference"],
            "wave_launch_url": PAGE,
            **(paid if made.get("paid") else still),
        }

    def start(request):
        made.update(request.json)
        return HANG_UP

    operator.answers = {
        "POST /v1/checkout/sessions": start,
        "GET /v1/checkout/sessions/search": lambda _: http_json({"result": [session()]}),
        "GET /v1/checkout/sessions/": lambda _: http_json(session()),
    }
    payment = await shop.opens()
    await shop.starts(payment, "SN", "771234567", "WAVESN")
    await shop.reaches(payment, "664")
    while (view := await shop.gateway.lifecycle.view(payment)).attempt.page_url is None:
        await shop.client.get(
            f"{shop.url}/payment/{payment}/state?seen={view.payment.version}&wait=20", timeout=30
        )
    assert view.attempt.page_url == PAGE
    made["paid"] = True
    event = {"id": "EV_1", "type": "checkout.session.completed", "data": session()}
    assert await shop.calls_back("POST", "wave_sn/callback", event) == 400
    vouched = {"Authorization": f"Bearer {NEW}"}
    other = {"id": "EV_0", "type": "test.test_event", "data": {}}
    assert await shop.calls_back("POST", "wave_sn/callback", other, vouched) == 200
    others = {**event, "data": {**event["data"], "client_reference": "order 42"}}
    assert await shop.calls_back("POST", "wave_sn/callback", others, vouched) == 200
    assert await shop.calls_back("POST", "wave_sn/callback", event, vouched) == 200
    assert (await shop.reaches(payment, "00"))["operator_id"] == "TCN1"
    assert operator.asked(f"GET /v1/checkout/sessions/{ID}")


async def test_paygate_is_refused_when_its_payer_cancels(operator, shop):
    told: dict[str, Any] = {}

    def pay(request):
        told.update(request.json)
        return http_json({"tx_reference": "77", "status": 0})

    def status(_):
        return http_json({"tx_reference": "77", "identifier": told["identifier"], "status": 6})

    operator.answers = {"POST /api/v1/pay": pay, "POST /api/v1/status": status}
    payment = await shop.opens()
    await shop.starts(payment, "TG", "90123456", "TmoneyTG")
    assert told["network"] == "TMONEY"
    await shop.reaches(payment, "662")
    [attempt] = await shop.gateway.store.attempts(await shop.gateway.store.payment_by_token(payment))
    assert (attempt.code.number, attempt.handle) == ("627", "77")
    assert operator.asked("POST /api/v1/status")[0].json["tx_reference"] == "77"


def http_json(body: Any) -> bytes:
    content = json.dumps(body).encode()
    return (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(content)) + content
