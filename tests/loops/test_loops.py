"""Loops: when they tick, what a failing tick does, and how much they take up at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cauri.clock import Clock, ManualClock
from cauri.loops.base import Loop

Tick = Callable[[int], Awaitable[int]]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_loop_ticks_at_once_with_the_clocks_time_and_then_waits() -> None:
    seen: list[int] = []

    async def tick(now: int) -> int:
        seen.append(now)
        return 0

    loop = Loop("test", tick, period_s=3600, clock=ManualClock(42))
    loop.start()
    await until(lambda: bool(seen))
    await asyncio.sleep(0.02)
    await loop.stop()
    assert seen == [42]


async def test_a_woken_loop_ticks_at_once() -> None:
    seen: list[int] = []

    async def tick(now: int) -> int:
        seen.append(now)
        return 0

    loop = Loop("test", tick, period_s=3600, clock=Clock())
    loop.start()
    await until(lambda: len(seen) == 1)
    loop.wake()
    await until(lambda: len(seen) == 2)
    await loop.stop()


async def test_a_wake_during_a_tick_is_not_lost() -> None:
    ticks, going, let_go = 0, asyncio.Event(), asyncio.Event()

    async def tick(_: int) -> int:
        nonlocal ticks
        ticks += 1
        going.set()
        await let_go.wait()
        return 0

    loop = Loop("test", tick, period_s=3600, clock=Clock())
    loop.start()
    await going.wait()
    loop.wake()
    let_go.set()
    await until(lambda: ticks == 2)
    await loop.stop()


async def test_a_loop_goes_on_at_once_while_there_is_more() -> None:
    left = [3, 2, 1, 0]

    async def tick(_: int) -> int:
        return left.pop(0) if left else 0

    loop = Loop("test", tick, period_s=3600, clock=Clock())
    loop.start()
    await until(lambda: not left)
    await loop.stop()


@pytest.mark.parametrize("error", [RuntimeError("x"), ValueError(), KeyError("y")])
async def test_a_tick_that_raises_does_not_end_the_loop(error: Exception) -> None:
    ticks = 0

    async def tick(_: int) -> int:
        nonlocal ticks
        ticks += 1
        if ticks < 3:
            raise error
        return 0

    loop = Loop("test", tick, period_s=0.001, clock=Clock())
    loop.start()
    await until(lambda: ticks >= 3)
    await loop.stop()


async def test_a_stopped_loop_stops_in_the_middle_of_its_tick_and_twice_is_nothing() -> None:
    going, ticks = asyncio.Event(), 0

    async def tick(_: int) -> int:
        nonlocal ticks
        ticks += 1
        going.set()
        await asyncio.Event().wait()
        return 0

    loop = Loop("test", tick, period_s=0, clock=Clock())
    loop.start()
    await going.wait()
    await loop.stop()
    await loop.stop()
    assert ticks == 1


async def test_a_loop_that_never_started_can_be_stopped() -> None:
    async def tick(_: int) -> int:
        return 0

    await Loop("test", tick, period_s=1, clock=Clock()).stop()
