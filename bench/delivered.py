"""From a payment's final status to its notification at the shop, for payments that go their whole way."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

import aiohttp
import uvloop

from cauri import logs
from cauri.clock import Clock
from cauri.domain.payment import Payment
from cauri.event_loop import EventLoop
from cauri.sandbox import Sandbox, SandboxOptions
from cauri.serving import Server, bound_socket, url_of

AT_ONCE = 20
OPERATOR_DELAY_S = 0.1
GIVE_UP_AFTER_S = 60
PAYING_NUMBER = "0102324373"


@dataclass(frozen=True, slots=True)
class Delays:
    payments: int
    p50_ms: float
    p99_ms: float


def delivered(database: str, payments: int) -> Delays:
    """One process, AT_ONCE payments under way; real HTTP to the simulated operators and to the shop."""
    logs.set_up("text", "warning")
    return uvloop.run(_measure(database, payments), loop_factory=EventLoop)


class _Shop:
    """Answers every notification and notes when the paid one of each payment came."""

    def __init__(self) -> None:
        self.paid_at: dict[str, float] = {}
        self.told: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: dict[str, object], receive: object, send: object) -> None:
        message = await receive()  # type: ignore[operator]
        fields = parse_qs(message["body"].decode())
        if fields.get("cpm_error_message") == ["SUCCES"]:
            name = fields["cpm_trans_id"][0]
            self.paid_at.setdefault(name, time.time() * 1000)
            self.told[name].set()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"OK"})  # type: ignore[operator]


async def _measure(database: str, payments: int) -> Delays:
    shop, shop_socket = _Shop(), bound_socket("127.0.0.1", 0)
    shop_server = Server(shop, shop_socket)
    options = SandboxOptions(database=database, operator_delay_s=OPERATOR_DELAY_S)
    sandbox = Sandbox(options, bound_socket("127.0.0.1", 0), bound_socket("127.0.0.1", 0), Clock())
    await shop_server.start()
    await sandbox.start()
    try:
        gate = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession() as client, asyncio.timeout(GIVE_UP_AFTER_S):
            ways = [_one_way(sandbox, client, shop, url_of(shop_socket), gate, n) for n in range(payments)]
            times = sorted(await asyncio.gather(*ways))
    finally:
        await sandbox.stop()
        await shop_server.stop()
    return Delays(payments, times[len(times) // 2], times[len(times) * 99 // 100])


async def _one_way(
    sandbox: Sandbox,
    client: aiohttp.ClientSession,
    shop: _Shop,
    shop_url: str,
    gate: asyncio.Semaphore,
    number: int,
) -> float:
    """Milliseconds from the final move, as the history has it, to the notification's arrival."""
    async with gate:
        name = f"N{number}"
        shop.told[name] = asyncio.Event()
        token = await _initialised(sandbox, client, shop_url, name)
        lifecycle = sandbox.gateway.lifecycle
        payment: Payment = await lifecycle.start(token, "CI", PAYING_NUMBER, None)
        await shop.told[name].wait()
        history = (await lifecycle.store.timeline(payment)).history
        return shop.paid_at[name] - next(row.at for row in history if row.event == "paid")


async def _initialised(sandbox: Sandbox, client: aiohttp.ClientSession, shop_url: str, name: str) -> str:
    options = sandbox.options
    body = {
        "apikey": options.apikey,
        "site_id": options.site_id,
        "transaction_id": name,
        "amount": 100,
        "currency": "XOF",
        "description": "Panier",
        "return_url": shop_url,
        "notify_url": shop_url,
    }
    async with client.post(f"{sandbox.url}/v2/payment", json=body) as answer:
        token: str = (await answer.json())["data"]["payment_token"]
        return token
