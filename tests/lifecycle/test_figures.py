"""What is shown of operators: from the attempts, and from what the serving processes say of themselves."""

from __future__ import annotations

import msgspec
import pytest

from cauri.clock import DAY, HOUR, MINUTE, ManualClock
from cauri.domain.breaker import BreakerRule
from cauri.domain.codes import Code
from cauri.domain.outcome import Refused, Unknown
from cauri.lifecycle.figures import ConnectorFigures, MethodFigures, operators_now
from cauri.lifecycle.standing import Standing
from cauri.operators.base import Availability
from cauri.operators.pawapay import PawaPay
from cauri.operators.registry import Operators
from tests.conftest import StartGateway
from tests.lifecycle.shopping import Shop
from tests.lifecycle.steps import pays, says, take


@pytest.fixture
async def own(start_gateway: StartGateway, shop: Shop) -> Shop:
    running = await start_gateway(clock=ManualClock())
    for loop in running.sandbox.gateway._loops:
        await loop.stop()
    return Shop(await running.new_site(), shop.receiver, shop.client)


async def seen(shop: Shop) -> dict[str, ConnectorFigures]:
    return {each.connector: each for each in await operators_now(shop.running.store, shop.clock.now())}


def of(figures: ConnectorFigures, method: str) -> MethodFigures:
    return next(each for each in figures.methods if each.method == method)


async def test_attempts_are_counted_by_method_hour_and_day(own: Shop) -> None:
    for end in ("paid", "paid", "602", "804"):
        buyer = await own.opens()
        await take(pays("623"), buyer)
        await take(says(end, "00" if end == "paid" else "662"), buyer)
    figures = of((await seen(own))["pawapay"], "OM")
    for span in (figures.hour, figures.day):
        assert msgspec.structs.asdict(span) == {
            "sent": 4,
            "paid": 2,
            "failed": 2,
            "unavailable": 1,
            "paid_share": 0.5,
        }
    own.clock.advance(2 * HOUR)
    figures = of((await seen(own))["pawapay"], "OM")
    assert (figures.hour.sent, figures.hour.paid_share, figures.day.sent) == (0, None, 4)
    own.clock.advance(DAY)
    assert "pawapay" not in await seen(own)


async def test_what_is_open_is_counted_and_refusals_of_our_own_are_not(own: Shop) -> None:
    await (await own.opens()).pays("OM", ending="129")
    await (await own.opens(amount=1_800_000)).pays("OM")
    figures = of((await seen(own))["pawapay"], "OM")
    assert (figures.hour.sent, figures.in_flight, figures.questions_due, figures.unended) == (1, 1, 0, 0)
    own.clock.advance(2 * MINUTE)
    assert of((await seen(own))["pawapay"], "OM").questions_due == 1
    own.clock.advance(HOUR)
    assert of((await seen(own))["pawapay"], "OM").unended == 1


async def test_every_process_says_how_its_connectors_stand(
    own: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def availability(self: PawaPay) -> dict[str, Availability]:
        return {"OM": Availability(False, 100, 50_000, "maintenance"), "MOMO": Availability(True, 500, None)}

    monkeypatch.setattr(PawaPay, "availability", availability)
    standing = own.running.lifecycle.standing
    await standing.ask_operators(own.clock.now())
    await standing.save(own.running.store)
    pawapay = (await seen(own))["pawapay"]
    assert (pawapay.breaker, len(pawapay.processes), pawapay.askable) == ("closed", 1, True)
    orange, mtn = of(pawapay, "OM"), of(pawapay, "MOMO")
    assert (orange.open, orange.low, orange.high, orange.words) == (False, 100, 50_000, "maintenance")
    assert (mtn.open, mtn.low, mtn.high, mtn.place) == (True, 500, None, 1)
    assert of(pawapay, "OMSN").open is None
    assert of(pawapay, "MOOVBF").place == 2

    closed = await own.opens()
    await closed.pays("OM")
    assert [each.code.number for each in (await closed.timeline()).attempts] == ["804"]
    low = await own.opens(amount=400)
    await low.pays("MOMO")
    assert [each.code.number for each in (await low.timeline()).attempts] == ["641"]
    for buyer in (closed, low):
        assert ((await buyer.payment()).tries, await buyer.code()) == (0, "662")

    own.clock.advance(11 * MINUTE)
    await (again := await own.opens()).pays("OM", ending="129")
    assert await again.code() == "623", "what was said long ago is forgotten"
    assert (await seen(own))["pawapay"].processes == ()


async def test_an_operator_that_cannot_say_keeps_what_it_said(
    own: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = own.running.lifecycle.standing

    async def broken(self: PawaPay) -> dict[str, Availability]:
        raise ValueError("nonsense")

    monkeypatch.setattr(PawaPay, "availability", broken)
    assert await standing.ask_operators(own.clock.now()) == 0
    await (buyer := await own.opens()).pays("OM", ending="129")
    assert await buyer.code() == "623"


async def test_a_process_says_how_each_providers_breaker_stands() -> None:
    connector = PawaPay("http://127.0.0.1:1", "token")
    clock = ManualClock()
    standing = Standing(Operators([connector]), clock, BreakerRule(2, 30_000), "p:1")
    for outcome in (Unknown("lost"), Refused(Code.OPERATOR_UNAVAILABLE, unstarted=True)):
        standing.heard(connector, "OM", outcome)
    state = standing.state(connector)
    assert (state.breaker.value, state.failures) == ("open", 2)
    open_ones = {each.method: each.failures for each in state.methods if each.breaker.value == "open"}
    assert open_ones == {"OM": 2}, "one provider that fails closes no other of the same connector"
    for method, currency in (("OMCD", "CDF"), ("OMCDUSD", "USD")):
        assert connector.routes[method].provider == "ORANGE_COD", currency
    standing.heard(connector, "OMCD", Unknown("lost"))
    standing.heard(connector, "OMCDUSD", Unknown("lost"))
    stand = {each.method: each.breaker.value for each in standing.state(connector).methods}
    assert (stand["OMCD"], stand["OMCDUSD"], stand["AIRTELCD"]) == ("open", "open", "closed")
