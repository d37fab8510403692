"""Alerts: raised once by one of many processes, told again hourly, ended once, and never without reason."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from cauri.clock import HOUR, MINUTE, ManualClock, new_id
from cauri.domain import moves
from cauri.domain.endpoints import endpoint_of
from cauri.loops.alerts import ENDPOINT, LATE, Alerts
from cauri.store import AdminRecords
from tests.conftest import StartGateway
from tests.logs import own_lines
from tests.notifier.receiver import Receiver
from tests.running import Running
from tests.store.records import REQUEST, new_payment

URL = "http://127.0.0.1:9/notify"
AFTER = 10 * MINUTE


@pytest.fixture
async def timed(start_gateway: StartGateway) -> Running:
    """A gateway whose notifier does not come round: its loops stand still."""
    running = await start_gateway(clock=ManualClock())
    for loop in running.sandbox.gateway._loops:
        await loop.stop()
    return running


async def untold(running: Running, notify_url: str = URL) -> None:
    now = running.clock.now()
    payment = await running.store.open_payment(
        new_payment(
            site_id=running.site_id,
            created_at=now,
            expires_at=now,
            request=replace(REQUEST, notify_url=notify_url),
        )
    )
    change = moves.ended_without_payment(payment, None, now, new_id(), "cancelled")
    assert change is not None
    assert await running.store.apply(change)


async def told_by(running: Running, *alerts: Alerts) -> list[dict[str, Any]]:
    """What the log tells when each of these ticks, all at once."""
    with own_lines() as lines:
        await asyncio.gather(*(each.tick(running.clock.now()) for each in alerts))
    return lines


def advance(running: Running, milliseconds: int) -> None:
    assert isinstance(running.clock, ManualClock)
    running.clock.advance(milliseconds)


async def test_what_is_not_told_for_too_long_is_told_of_once_then_hourly_then_ended(
    timed: Running, receiver: Receiver
) -> None:
    alerts = [Alerts(timed.store, AFTER) for _ in range(4)]
    await untold(timed, f"{receiver.url}/late-{timed.engine}")
    advance(timed, AFTER - 1)
    assert await told_by(timed, *alerts) == []
    advance(timed, 1)
    [line] = await told_by(timed, *alerts)
    assert (line["event"], line["alert"], line["again"]) == (LATE, True, False)
    assert "1 notifications are not delivered, the oldest since" in line["detail"]
    advance(timed, HOUR - 1)
    assert await told_by(timed, *alerts) == []
    advance(timed, 1)
    [line] = await told_by(timed, *alerts)
    assert (line["event"], line["again"]) == (LATE, True)

    notifier = timed.sandbox.gateway.notifier
    await notifier.tick(timed.clock.now())
    await notifier.idle()
    assert len(receiver.posts[f"/late-{timed.engine}"]) == 1
    [line] = await told_by(timed, *alerts)
    assert (line["event"], line["ended"], line["lasted_s"]) == ("alert_ended", LATE, 3600)
    assert "alert" not in line
    assert await told_by(timed, *alerts) == []


async def test_an_address_is_told_of_when_it_is_parked_or_stays_silent(timed: Running) -> None:
    alerts, queue = Alerts(timed.store, AFTER), timed.store.notifications
    now = timed.clock.now()
    parked = endpoint_of(timed.site_id, "https://parked.example/")
    silent = endpoint_of(timed.site_id, "https://silent.example/")
    await queue.park_endpoint(parked, timed.site_id, now=now, probe_at=now + HOUR, error="410")
    await queue.open_endpoint(silent, timed.site_id, now=now, probe_at=now + HOUR, error="no answer")
    [line] = await told_by(timed, alerts)
    assert (line["event"], line["endpoint"], line["alert"]) == (ENDPOINT.strip(), parked, True)
    advance(timed, AFTER)
    [line] = await told_by(timed, alerts)
    assert line["endpoint"] == silent
    assert "no answer" in line["detail"]
    raised = await AdminRecords(timed.store.engine).alerts()
    assert [each.name for each in raised] == [ENDPOINT + parked, ENDPOINT + silent]

    await queue.endpoint_answered(silent, timed.clock.now())
    [line] = await told_by(timed, alerts)
    assert (line["event"], line["endpoint"]) == ("alert_ended", silent)
    assert [each.name for each in await AdminRecords(timed.store.engine).alerts()] == [ENDPOINT + parked]


async def test_a_restart_does_not_tell_again_what_was_told(timed: Running) -> None:
    await untold(timed)
    advance(timed, AFTER)
    assert len(await told_by(timed, Alerts(timed.store, AFTER))) == 1
    assert await told_by(timed, Alerts(timed.store, AFTER)) == []


async def test_nothing_to_tell_is_nothing_told(timed: Running) -> None:
    assert await told_by(timed, Alerts(timed.store, AFTER)) == []
