"""The connectors against the simulated operators, over real HTTP.

The two were written apart, from the same document: what they agree on here is a reading of it that two people share.
"""

from __future__ import annotations

import asyncio
import socket
import uuid
from dataclasses import replace

import aiohttp
import pytest
import uvicorn

from cauri.clock import Clock
from cauri.domain.codes import FAILURES, Code
from cauri.domain.outcome import Accepted, Refused, Unknown, Waiting
from cauri.domain.phone import Phone
from cauri.operators import moov_3pp, pawapay
from cauri.operators.base import Flow
from cauri.operators.moov_3pp import Moov3pp
from cauri.operators.pawapay import PawaPay
from cauri.simulator.app import simulator
from cauri.simulator.dialects.moov_3pp import Moov3pp as Moov3ppDialect
from cauri.simulator.dialects.pawapay import PawaPay as PawaPayDialect

# The first digits of numbers that no operator lists as its own test numbers.
NUMBERS = {
    "CI": ("225", "0749012"),
    "SN": ("221", "771234"),
    "ML": ("223", "66123"),
    "BF": ("226", "07123"),
    "CM": ("237", "650123"),
    "BJ": ("229", "0151345"),
    "CD": ("243", "813123"),
}
PAYS = "555"


class Sandbox:
    """The simulated operators on a free port, and the two connectors pointed at them."""

    def __init__(self, callback_url: str | None) -> None:
        # Without its protocol named, asyncio leaves Nagle's algorithm on: 40 ms more for every answer.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = simulator(
            Clock(),
            [
                lambda exchange: PawaPayDialect(exchange, "t0ken", self.url, callback_url),
                lambda exchange: Moov3ppDialect(exchange, {"CAURI": "pw"}),
            ],
            operator_delay_s=0,
        )
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self.pawapay = PawaPay(f"{self.url}/pawapay", "t0ken", callback_url=callback_url or "")
        self.moov = Moov3pp(f"{self.url}/moov", "CAURI", "pw")

    async def __aenter__(self):
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_):
        await self.pawapay.close()
        await self.moov.close()
        self._server.should_exit = True
        await self._serving


@pytest.fixture(scope="module")
async def sandbox():
    async with Sandbox(None) as running:
        yield running


@pytest.fixture
def play(order_of):
    """Starts an attempt of a number with this ending, then asks until there is an end or a page to go to."""

    async def start_and_ask(connector, method, ending, code=None, asks=200):
        order = numbered(order_of(method, code=code), ending)
        outcome = await connector.start(order)
        while asks and isinstance(outcome, Waiting) and outcome.page_url is None:
            await asyncio.sleep(0.005)
            outcome = await connector.check(order)
            asks -= 1
        return order, outcome

    return start_and_ask


def numbered(order, ending):
    prefix, head = NUMBERS[order.method.country]
    return replace(
        order, reference=str(uuid.uuid4()), phone=Phone(order.method.country, prefix, head + ending)
    )


def paid(outcome, amount=1500):
    return isinstance(outcome, Accepted) and outcome.amount in {amount, None} and outcome.operator_id != ""


PROMPTED = [method for method, route in pawapay.ROUTES.items() if route.flow is not Flow.PAGE]


@pytest.mark.parametrize("method", PROMPTED)
async def test_every_method_of_pawapay_is_paid(sandbox, play, method):
    order, outcome = await play(sandbox.pawapay, method, PAYS, code="367025")
    assert paid(outcome)
    assert (outcome.amount, outcome.currency) == (1500, order.currency)


@pytest.mark.parametrize("method", ["FLOOZ", "MOOVBF"])  # the simulated gateway does not know Mali yet
async def test_every_method_of_the_3pp_gateway_is_paid(sandbox, play, method):
    _, outcome = await play(sandbox.moov, method, PAYS)
    assert paid(outcome)


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.number)
@pytest.mark.parametrize("method", ["OM", "OMCD", "FLOOZ", "MOOVBF"])
async def test_every_failure_code_comes_through(sandbox, play, method, code):
    connector = sandbox.moov if method in moov_3pp.ROUTES else sandbox.pawapay
    _, outcome = await play(connector, method, code.number)
    assert isinstance(outcome, Refused)
    assert outcome.code is code


async def test_a_wrong_one_time_code_is_604(sandbox, play):
    _, outcome = await play(sandbox.pawapay, "OMBF", PAYS, code="000000")
    assert isinstance(outcome, Refused)
    assert outcome.code is Code.OTP_CODE_ERROR


@pytest.mark.parametrize("method", ["OM", "FLOOZ"])
async def test_a_payer_who_never_answers_stays_waiting(sandbox, play, method):
    connector = sandbox.moov if method == "FLOOZ" else sandbox.pawapay
    _, outcome = await play(connector, method, "129", asks=20)
    assert isinstance(outcome, Waiting)
    assert outcome.code is Code.WAITING_TO_VALIDATE


@pytest.mark.parametrize("method", ["WAVECI", "WAVESN"])
@pytest.mark.parametrize("answer", ["approve", "refuse"])
async def test_the_redirect_flow_ends_as_the_customer_decides(sandbox, play, method, answer):
    order, outcome = await play(sandbox.pawapay, method, PAYS)
    assert isinstance(outcome, Waiting)
    assert outcome.code is Code.WAITING_AT_OPERATOR
    async with aiohttp.ClientSession() as browser:
        answered = await browser.post(outcome.page_url, data={"answer": answer}, allow_redirects=False)
        assert answered.status in {302, 303}
        assert answered.headers["Location"] == order.page_url
    outcome = await sandbox.pawapay.check(order)
    if answer == "approve":
        assert paid(outcome)
    else:
        assert isinstance(outcome, Refused)
        assert outcome.code is Code.CANCELLED


async def test_a_deposit_that_never_arrived_is_not_found(sandbox, order_of):
    outcome = await sandbox.pawapay.check(numbered(order_of("OM"), PAYS))
    assert isinstance(outcome, Unknown)
    assert outcome.not_found


async def test_a_push_that_never_arrived_is_unknown(sandbox, order_of):
    assert isinstance(await sandbox.moov.check(numbered(order_of("FLOOZ"), PAYS)), Unknown)


@pytest.mark.parametrize("method", ["OM", "FLOOZ"])
async def test_a_second_start_with_the_same_reference_moves_nothing(sandbox, order_of, method):
    connector = sandbox.moov if method == "FLOOZ" else sandbox.pawapay
    order = numbered(order_of(method), "129")
    await connector.start(order)
    again = await connector.start(order)
    assert isinstance(again, Waiting)


@pytest.mark.parametrize("method", ["OM", "FLOOZ"])
async def test_wrong_credentials_are_603(sandbox, play, method):
    wrong = (
        Moov3pp(f"{sandbox.url}/moov", "CAURI", "x")
        if method == "FLOOZ"
        else PawaPay(f"{sandbox.url}/pawapay", "x")
    )
    order, outcome = await play(wrong, method, PAYS)
    assert isinstance(outcome, Refused)
    assert outcome.code is Code.SERVICE_UNAVAILABLE
    assert isinstance(await wrong.check(order), Unknown)
    await wrong.close()


@pytest.mark.parametrize(("ending", "kind"), [(PAYS, Accepted), ("602", Refused)])
async def test_the_final_callback_is_read_and_names_the_attempt(operator, play, ending, kind):
    operator.says({})
    async with Sandbox(f"{operator.url}/callbacks/pawapay") as running:
        order, outcome = await play(running.pawapay, "OM", ending)
        while not operator.requests:
            await asyncio.sleep(0.01)
        await running.pawapay.before_callback(operator.requests[0].headers)
        callback = running.pawapay.read_callback(operator.requests[0].headers, operator.requests[0].body)
    assert callback.reference == order.reference
    assert isinstance(callback.outcome, kind)
    assert callback.outcome == outcome


async def test_the_callback_with_the_page_is_read(operator, play):
    operator.says({})
    async with Sandbox(f"{operator.url}/callbacks/pawapay") as running:
        _, outcome = await play(running.pawapay, "WAVECI", PAYS)
        while not operator.requests:
            await asyncio.sleep(0.01)
        await running.pawapay.before_callback(operator.requests[0].headers)
        callback = running.pawapay.read_callback(operator.requests[0].headers, operator.requests[0].body)
    assert callback.outcome == outcome
