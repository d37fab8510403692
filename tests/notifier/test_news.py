"""What is new at an endpoint that answers is told at once, whatever the look at the queue is doing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from cauri.clock import SECOND
from cauri.domain.endpoints import endpoint_of
from cauri.domain.errors import StoreUnavailable
from cauri.domain.payment import Payment, PaymentRequest
from cauri.store import postgres
from tests.notifier.queueing import Queue
from tests.notifier.receiver import Answer, Receiver, http
from tests.store.conftest import OpenStore, open_store
from tests.store.cutting_proxy import CuttingProxy
from tests.store.records import new_payment, paid, sent_attempt, started

__all__ = ["open_store"]


@pytest_asyncio.fixture(loop_scope="session")
async def queue(proxy: CuttingProxy, open_store: OpenStore, receiver: Receiver) -> AsyncIterator[Queue]:
    """Its one shop has answered once."""
    receiver.posts.clear()
    queue = Queue(await open_store(proxy.url), receiver)
    await queue.ends("/first")
    await queue.settles()
    assert queue.heard(["/first"]) == 1
    yield queue
    receiver.standing.clear()
    await queue.stop()


def hears(queue: Queue, payment: Payment) -> None:
    queue.notifier.hear(endpoint_of(payment.site_id, payment.request.notify_url or ""))


async def test_it_is_told_while_the_look_at_the_queue_waits(queue: Queue, proxy: CuttingProxy) -> None:
    queue.clock.advance(2 * SECOND)
    other = await asyncpg.connect(proxy.url)
    holding = other.transaction()
    await holding.start()
    await other.execute("LOCK TABLE endpoint IN ACCESS EXCLUSIVE MODE")
    looking = asyncio.create_task(queue.notifier.tick(queue.clock.now()))
    hears(queue, await queue.ends("/news"))
    assert await queue.notifier.tell_news(queue.clock.now()) == 1
    await queue.receiver.heard("/news", 1)
    assert not looking.done()
    await holding.rollback()
    await other.close()
    await looking
    await queue.settles()
    assert len(queue.receiver.posts["/news"]) == 1


async def test_what_finds_no_place_is_told_when_there_is_one(queue: Queue) -> None:
    paths = [f"/many-{number}" for number in range(20)]
    queue.receiver.standing.update(dict.fromkeys(paths, Answer(http(200))))
    woken: list[bool] = []
    queue.notifier.wake_news = lambda: woken.append(True)
    for payment in await queue.all_end(paths):
        hears(queue, payment)
    told = await queue.notifier.tell_news(queue.clock.now())
    assert 0 < told < len(paths)
    for _ in paths:
        await queue.notifier.idle()
        await queue.notifier.tell_news(queue.clock.now())
    assert woken
    assert [len(queue.receiver.posts[path]) for path in paths] == [1] * len(paths)


async def test_what_changes_while_it_is_being_told_is_told_when_that_is_written_down(queue: Queue) -> None:
    held = asyncio.Event()
    queue.receiver.answers["/twice"].append(Answer(http(200), when=held))
    request = PaymentRequest(
        description="Panier",
        return_url="https://shop.example/return",
        notify_url=f"{queue.receiver.url}/twice",
    )
    payment = await queue.store.open_payment(new_payment(site_id="1", request=request))
    begun = started(payment, attempt := sent_attempt(payment))
    assert await queue.store.apply(begun)
    hears(queue, payment)
    assert await queue.notifier.tell_news(queue.clock.now()) == 1
    await queue.receiver.heard("/twice", 1)
    assert await queue.store.apply(paid(begun.after, attempt))
    hears(queue, payment)
    assert await queue.notifier.tell_news(queue.clock.now()) == 0
    held.set()
    await queue.notifier.idle()
    assert await queue.notifier.tell_news(queue.clock.now()) == 1
    await queue.notifier.idle()
    assert queue.receiver.codes("/twice")[-1] == "00"


async def test_more_endpoints_with_news_than_their_host_takes_are_told_one_and_all(queue: Queue) -> None:
    sites = [f"site-{number}" for number in range(130)]
    paths = [f"/{site}" for site in sites]
    for site, path in zip(sites, paths, strict=True):
        await queue.ends(path, site_id=site)
    await queue.settles()
    for site, path in zip(sites, paths, strict=True):
        hears(queue, await queue.ends(f"{path}-again", site_id=site))
    while await queue.notifier.tell_news(queue.clock.now()):
        await queue.notifier.idle()
    await queue.settles()
    assert queue.heard([f"{path}-again" for path in paths]) == len(paths)


async def test_a_shop_that_begins_to_fail_is_left_alone_as_soon_as_its_breaker_opens(queue: Queue) -> None:
    paths = [f"/failing-{number}" for number in range(60)]
    queue.receiver.standing.update(dict.fromkeys(paths, Answer(http(503))))
    for payment in await queue.all_end(paths):
        hears(queue, payment)
    for _ in paths:
        await queue.notifier.tell_news(queue.clock.now())
        await queue.notifier.idle()
    assert len(await queue.store.notifications.in_trouble()) == 1
    assert queue.heard(paths) < 20
    await queue.settles()
    assert queue.heard(paths) < 20


async def test_without_news_nothing_is_read(queue: Queue, proxy: CuttingProxy) -> None:
    await proxy.go()
    assert await queue.notifier.tell_news(queue.clock.now()) == 0


async def test_news_that_found_no_database_are_told_when_it_is_back(
    queue: Queue, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    hears(queue, await queue.ends("/away"))
    woken: list[bool] = []
    queue.notifier.wake = lambda: woken.append(True)
    monkeypatch.setattr(postgres, "GIVE_UP_AFTER_S", 0.3)
    await proxy.go()
    with pytest.raises(StoreUnavailable):
        await queue.notifier.tell_news(queue.clock.now())
    assert woken
    await proxy.come()
    monkeypatch.setattr(postgres, "GIVE_UP_AFTER_S", 10)
    await queue.settles()
    assert len(queue.receiver.posts["/away"]) == 1


async def test_an_endpoint_of_which_nothing_is_known_is_left_to_the_look(queue: Queue) -> None:
    woken: list[bool] = []
    queue.notifier.wake = lambda: woken.append(True)
    hears(queue, await queue.ends("/unknown", site_id="another"))
    assert woken
    assert await queue.notifier.tell_news(queue.clock.now()) == 0
    await queue.settles()
    assert len(queue.receiver.posts["/unknown"]) == 1


async def test_where_a_crowd_fails_the_look_comes_a_moment_later(queue: Queue) -> None:
    held = asyncio.Event()
    paths = [f"/silent-{number}" for number in range(12)]
    queue.receiver.standing.update(dict.fromkeys(paths, Answer(http(200), when=held)))
    for number, path in enumerate(paths):
        await queue.ends(path, site_id=f"silent-{number}")
    await queue.notifier.tick(queue.clock.now())
    for path in paths:
        await queue.receiver.heard(path, 1)
    woken = asyncio.Event()
    queue.notifier.wake = woken.set
    hears(queue, await queue.ends("/one-more", site_id="one-more"))
    assert not woken.is_set()
    await asyncio.wait_for(woken.wait(), 10)
    held.set()
    await queue.settles()
    assert len(queue.receiver.posts["/one-more"]) == 1
