"""The simulator under uvicorn on a free port, a receiver of callbacks, a client that speaks plain HTTP."""

import asyncio
import base64
import contextlib
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest
import uvicorn
from aiohttp import web

from cauri.clock import ManualClock
from cauri.simulator import simulator
from cauri.simulator.dialects.moov_3pp import Moov3pp
from cauri.simulator.dialects.pawapay import PawaPay

TOKEN = "a-token-of-the-sandbox"
MOOV = ("cauri", "a-password")
PATIENCE_S = 5


class Receiver:
    """The merchant's end of the callbacks. Answers 200, or what `answers` holds next; `requests` are kept whole."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self._got: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, headers, await request.read()))
        await self._got.put(await request.json())
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._got.get(), PATIENCE_S)

    def waiting(self) -> int:
        return self._got.qsize()


class Sim:
    """A running simulator as its clients see it."""

    def __init__(
        self,
        url: str,
        clock: ManualClock,
        http: aiohttp.ClientSession,
        receiver: Receiver,
        callback_url: str = "",
    ) -> None:
        self.url = url
        self.callback_url = callback_url
        self.clock = clock
        self.http = http
        self.receiver = receiver

    async def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        async with self.http.get(self.url + path, headers=headers) as response:
            return response.status, await response.json()

    async def post(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        async with self.http.post(self.url + path, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def pawapay(self, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {TOKEN}"}
        if body is None:
            return await self.get("/pawapay/v2" + path, headers)
        return await self.post("/pawapay/v2" + path, body, headers)

    async def deposit(self, phone: str, provider: str, **more: Any) -> tuple[str, Any]:
        body = a_deposit(phone, provider, **more)
        status, answer = await self.pawapay("/deposits", body)
        assert status == 200, answer
        return body["depositId"], answer

    async def deposit_state(self, deposit_id: str) -> Any:
        _, answer = await self.pawapay(f"/deposits/{deposit_id}")
        assert answer["status"] == "FOUND"
        return answer["data"]

    async def moov(self, command: str, body: Any) -> Any:
        headers = {"command-id": command, "authorization": basic(*MOOV)}
        status, answer = await self.post("/moov/3pp/transaction/process", body, headers)
        assert status == 200, answer
        return answer

    async def push(self, phone: str, request_id: str | None = None, **more: Any) -> Any:
        body = {"request-id": request_id or str(uuid.uuid4()), "destination": phone, "amount": "1500", **more}
        return await self.moov("mror-transaction-ussd", body)

    async def moov_state(self, request_id: str) -> tuple[str, str]:
        answer = await self.moov("process-check-transaction", {"request-id": request_id})
        return answer["status"], answer["message"]

    async def story(self, phone: str, **story: Any) -> None:
        status, answer = await self.post("/_control/story", {"phone": phone, **story})
        assert status == 200, answer

    async def debits(self) -> list[Any]:
        debits: list[Any] = (await self.get("/_control/books"))[1]["debits"]
        return debits


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def a_deposit(phone: str = "2250700000001", provider: str = "ORANGE_CIV", **more: Any) -> dict[str, Any]:
    account = {"phoneNumber": phone, "provider": provider}
    return {
        "depositId": str(uuid.uuid4()),
        "amount": "1500",
        "currency": "XOF",
        "payer": {"type": "MMO", "accountDetails": account},
        **more,
    }


@pytest.fixture(scope="session")
async def merchant() -> AsyncIterator[tuple[str, dict[str, Receiver]]]:
    """The merchant's server for all tests; each test has its own path on it."""
    receivers: dict[str, Receiver] = {}

    async def take(request: web.Request) -> web.Response:
        return await receivers[request.match_info["name"]].take(request)

    app = web.Application()
    app.router.add_route("*", "/{name}", take)
    app.router.add_route("*", "/{name}/{rest:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", receivers
    await runner.cleanup()


@pytest.fixture(scope="session")
async def operators() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """One uvicorn for all tests; each test's own simulator answers under its own first path segment."""
    apps: dict[str, Any] = {}

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        name, _, rest = scope["path"].removeprefix("/").partition("/")
        await apps[name](scope | {"path": "/" + rest, "raw_path": b"/" + rest.encode()}, receive, send)

    # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer takes 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(dispatch, log_level="error", lifespan="off"))
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[sock]))
    while not server.started and not task.done():
        await asyncio.sleep(0)
    yield f"http://127.0.0.1:{sock.getsockname()[1]}", apps
    server.should_exit = True
    await task


Start = Callable[..., AbstractAsyncContextManager[Sim]]


@pytest.fixture
def start(merchant: tuple[str, dict[str, Receiver]], operators: tuple[str, dict[str, Any]]) -> Start:
    """Starts a simulator with the given delay, in seconds of its hand-moved clock."""
    merchant_url, receivers = merchant
    root, apps = operators

    @contextlib.asynccontextmanager
    async def started(
        operator_delay_s: float = 0, clock: Any = None, dialects: Sequence[Any] = (), **more: Any
    ) -> AsyncIterator[Sim]:
        """`dialects`: further ones, each made from the exchange and the URL that the simulator answers under."""
        name = uuid.uuid4().hex
        receivers[name] = Receiver()
        clock = clock or ManualClock()
        settings = {"pawapay_callback_url": f"{merchant_url}/{name}", "pawapay_token": TOKEN} | more
        app = simulator(
            clock,
            [
                lambda exchange: PawaPay(
                    exchange, settings["pawapay_token"], f"{root}/{name}", settings["pawapay_callback_url"]
                ),
                lambda exchange: Moov3pp(exchange, dict([MOOV])),
                *[lambda exchange, make=make: make(exchange, f"{root}/{name}") for make in dialects],
            ],
            operator_delay_s=operator_delay_s,
        )
        apps[name] = app
        async with app.router.lifespan_context(app), aiohttp.ClientSession() as http:
            yield Sim(f"{root}/{name}", clock, http, receivers[name], f"{merchant_url}/{name}")

    return started


@pytest.fixture
async def sim(start: Start) -> AsyncIterator[Sim]:
    """A simulator that decides at once."""
    async with start() as running:
        yield running


@pytest.fixture
async def slow_sim(start: Start) -> AsyncIterator[Sim]:
    """A simulator whose payers take ten seconds of a clock that stands still until it is moved."""
    async with start(operator_delay_s=10) as running:
        yield running
