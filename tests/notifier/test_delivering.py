"""When a payment is told, told again, and given up (contract section 8), on a clock that is moved by hand."""

from __future__ import annotations

import asyncio

import pytest

from cauri.clock import DAY, HOUR, MINUTE, SECOND
from cauri.domain.payment import DeliveryRow
from cauri.notifier.sender import ANSWER_BYTES_MAX
from cauri.store import Delivered, NotificationState
from tests.lifecycle.second import second_gateway
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import pays, says, take
from tests.notifier.receiver import Answer, http

# Contract section 8: gaps after the previous try; the daily ones end with a try at 72 h.
FIRST_GAPS = [10 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, DAY]
DOWN = Answer(http(500, b"oops"))


async def state_of(buyer: Purchase) -> NotificationState:
    state = await buyer.shop.running.store.notification(await buyer.payment())
    assert state is not None
    return state


async def tries(buyer: Purchase, expected: int) -> None:
    """The loops run now, and the shop has then heard so many posts, all of them recorded."""
    await buyer.shop.turn()
    await buyer.is_told()
    assert len(buyer.shop.receiver.posts[buyer.path]) == expected
    assert len((await buyer.timeline()).deliveries) == expected


async def cancelled(shop: Shop, *answers: Answer, standing: Answer | None = None) -> Purchase:
    """A payment that has ended with 627; the shop answers its notifications so."""
    buyer = await shop.opens()
    shop.receiver.answers[buyer.path].extend(answers)
    if standing is not None:
        shop.receiver.standing[buyer.path] = standing
    await buyer.post("cancel")
    return buyer


async def test_a_shop_that_is_down_is_tried_by_the_schedule_until_72_hours_and_then_parked(
    shop: Shop,
) -> None:
    buyer = await cancelled(shop, standing=DOWN)
    await tries(buyer, 1)
    since = shop.clock.now()
    for number, gap in enumerate(FIRST_GAPS, start=2):
        waited = await wait_for_next_try(buyer)
        assert nearly(waited, gap), f"try {number}"
        await tries(buyer, number)
    await wait_for_next_try(buyer)
    assert shop.clock.now() - since == 72 * HOUR
    await tries(buyer, 11)

    state = await state_of(buyer)
    assert (state.due_at, state.parked_at, state.told_version) == (None, shop.clock.now(), 0)
    shop.clock.advance(30 * DAY)
    await tries(buyer, 11)


def nearly(waited: int, gap: int) -> bool:
    """A tenth shorter or longer, ten minutes at the most."""
    return abs(waited - gap) <= min(gap // 10, 10 * MINUTE)


async def wait_for_next_try(buyer: Purchase) -> int:
    """Moves the clock to the next try, seeing that nothing happens before it; how long that was."""
    due_at = (await state_of(buyer)).due_at
    assert due_at is not None
    heard = len(buyer.shop.receiver.posts[buyer.path])
    waited = due_at - buyer.shop.clock.now()
    buyer.shop.clock.advance(waited - 1)
    await tries(buyer, heard)
    buyer.shop.clock.advance(1)
    return waited


async def test_the_schedule_begins_afresh_when_the_state_changes(shop: Shop) -> None:
    buyer = await shop.opens()
    shop.receiver.standing[buyer.path] = DOWN
    await take(pays("623"), buyer)
    for _ in range(3):
        await wait_for_next_try(buyer)
        await shop.turn()
    assert (await state_of(buyer)).tries == 4

    await take(says("paid", "00"), buyer)

    state = await state_of(buyer)
    assert state.tries == 1
    assert state.due_at is not None
    assert nearly(state.due_at - shop.clock.now(), 10 * SECOND)
    assert shop.receiver.codes(buyer.path) == ["623"] * 4 + ["00"]


async def test_a_parked_notification_comes_back_when_the_state_changes(shop: Shop) -> None:
    buyer = await shop.opens()
    shop.receiver.standing[buyer.path] = DOWN
    await take(pays("623"), buyer)
    while (await state_of(buyer)).due_at is not None:
        await wait_for_next_try(buyer)
        await shop.turn()
    shop.receiver.standing[buyer.path] = Answer(http())
    await take(says("paid", "00"), buyer)
    state = await state_of(buyer)
    assert (state.due_at, state.parked_at) == (None, None)
    assert shop.receiver.codes(buyer.path)[-1] == "00"


async def test_a_shop_that_was_down_is_told_the_newest_state_only(shop: Shop) -> None:
    buyer = await shop.opens()
    shop.receiver.answers[buyer.path].append(DOWN)
    await take(pays("623"), buyer)
    await take(says("paid", "00"), buyer)
    shop.clock.advance(HOUR)
    await tries(buyer, 2)
    assert shop.receiver.codes(buyer.path) == ["623", "00"]


@pytest.mark.parametrize("answer", [http(200), http(500)], ids=["heard", "failed"])
async def test_a_change_during_a_delivery_waits_for_it_and_is_told_at_once_afterwards(
    shop: Shop, answer: bytes
) -> None:
    buyer = await shop.opens()
    let_go = asyncio.Event()
    shop.receiver.answers[buyer.path].append(Answer(answer, when=let_go))
    await buyer.pays("OM", outcome="never")
    await shop.receiver.heard(buyer.path, 1)
    await buyer.operator_says("paid")
    while await buyer.code() != "00":
        shop.clock.advance(500)
        await shop.running.sandbox.gateway.poller.tick(shop.clock.now())
        await shop.running.sandbox.gateway.poller.idle()
    for _ in range(3):
        await shop.running.sandbox.gateway.notifier.tick(shop.clock.now())
    assert shop.receiver.codes(buyer.path) == ["623"]
    let_go.set()
    await buyer.is_told()
    assert shop.receiver.codes(buyer.path) == ["623", "00"]
    assert shop.receiver.most_at_once[buyer.path] == 1
    assert (await state_of(buyer)).due_at is None


async def test_redirects_are_not_followed_and_the_record_says_what_to_do(shop: Shop) -> None:
    elsewhere = f"{shop.receiver.url}/elsewhere"
    buyer = await cancelled(shop, Answer(http(302, b"", f"Location: {elsewhere}")))
    await tries(buyer, 1)
    [delivery] = (await buyer.timeline()).deliveries
    assert delivery.status == 302
    assert "give the final address" in (delivery.error or "")
    assert delivery.next_try_at is not None
    assert not shop.receiver.posts["/elsewhere"]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_any_2xx_is_delivered(shop: Shop, status: int) -> None:
    buyer = await cancelled(shop, Answer(http(status)))
    await tries(buyer, 1)
    [delivery] = (await buyer.timeline()).deliveries
    assert (delivery.status, delivery.error, delivery.next_try_at) == (status, None, None)


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (http(500, b"Traceback"), 500, "see its error log"),
        (http(400), 400, "could not read our body"),
        (http(403), 403, "leave it open to POST"),
        (http(401), 401, "leave it open to POST"),
        (http(404), 404, "check its path"),
        (http(405), 405, "must accept POST"),
        (http(301, b"", "Location: /"), 301, "redirects are not followed"),
        (b"", None, "closed before an answer"),
        (b"\0\1\2 nonsense\r\n\r\n", None, "no HTTP answer: ClientResponseError: Bad status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", None, "Content-Length"),
    ],
    ids=["500", "400", "403", "401", "404", "405", "301", "hangs up", "nonsense", "bad length"],
)
async def test_a_failed_try_is_recorded_with_its_reason_and_the_next(
    shop: Shop, answer: bytes, status: int | None, words: str
) -> None:
    buyer = await cancelled(shop, Answer(answer))
    await tries(buyer, 1)
    [delivery] = (await buyer.timeline()).deliveries
    assert (delivery.status, delivery.code, delivery.version) == (status, "627", 2)
    assert delivery.url == f"{shop.receiver.url}{buyer.path}"
    assert words in (delivery.error or "")
    assert delivery.answer == ("Traceback" if status == 500 else "")
    assert delivery.duration_ms >= 0
    assert delivery.next_try_at is not None
    assert nearly(delivery.next_try_at - shop.clock.now(), 10 * SECOND)
    shop.clock.advance(11 * SECOND)
    await tries(buyer, 2)
    assert [each.status for each in (await buyer.timeline()).deliveries] == [status, 200]


async def test_a_claim_whose_holder_died_ends_with_its_lease(shop: Shop) -> None:
    """Another process takes the notification up and is never heard of again."""
    buyer = await cancelled(shop, standing=DOWN)
    await buyer.is_told()
    shop.clock.advance(11 * SECOND)
    while not await steal(buyer, "dead"):  # this gateway's own loop was faster
        await buyer.is_told()
        shop.clock.advance(DAY)
    shop.receiver.standing[buyer.path] = Answer(http())
    heard = len(shop.receiver.posts[buyer.path])
    shop.clock.advance(59 * SECOND)
    await shop.turn()
    assert len(shop.receiver.posts[buyer.path]) == heard
    shop.clock.advance(2 * SECOND)
    await tries(buyer, heard + 1)

    late = Delivered(
        slot=(await buyer.payment()).slot,
        token=buyer.token,
        site_id="1",
        transaction_id="1",
        claim="dead",
        delivery_id="late",
        delivered=False,
        row=DeliveryRow(
            at=shop.clock.now(),
            number=1,
            version=2,
            code="627",
            url="",
            status=500,
            duration_ms=1,
            answer="",
            error="x",
            next_try_at=shop.clock.now() + 1,
        ),
    )
    assert not await shop.running.store.record_delivery(late)
    assert (await state_of(buyer)).due_at is None, "what a lost claim reports changes nothing"
    assert len((await buyer.timeline()).deliveries) == heard + 2, "and is recorded all the same"


async def steal(buyer: Purchase, claim: str) -> bool:
    now = buyer.shop.clock.now()
    queue = buyer.shop.running.store.notifications
    due = await queue.claim(await queue.due(now, 500), now=now, until=now + 60 * SECOND, claim=claim)
    return any(each.token == buyer.token for each in due)


async def test_an_answer_after_the_lease_changes_nothing_of_the_newer_delivery(shop: Shop) -> None:
    buyer = await shop.opens()
    let_go = asyncio.Event()
    shop.receiver.answers[buyer.path].append(Answer(http(500), when=let_go))
    await buyer.pays("OM", outcome="never")
    await shop.receiver.heard(buyer.path, 1)
    await buyer.operator_says("paid", callback=False)
    shop.clock.advance(61 * SECOND)
    async with second_gateway(shop.running, loops=False) as other:
        while await buyer.code() != "00":
            await shop.running.sandbox.gateway.poller.tick(shop.clock.now())
            await shop.running.sandbox.gateway.poller.idle()
        while (await state_of(buyer)).due_at is not None:
            await other.gateway.notifier.tick(shop.clock.now())
            await other.gateway.notifier.idle()
            await asyncio.sleep(0)
    let_go.set()
    await shop.running.sandbox.gateway.notifier.idle()
    state = await state_of(buyer)
    assert (state.due_at, state.told_version) == (None, 3)
    assert shop.receiver.codes(buyer.path) == ["623", "00"]


async def test_a_shop_that_nobody_answers_for_is_tried_again(shop: Shop) -> None:
    nobody = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = nobody.sockets[0].getsockname()[1]
    nobody.close()
    await nobody.wait_closed()
    buyer = await shop.opens(notify_url=f"http://127.0.0.1:{port}/")
    await buyer.post("cancel")
    await buyer.is_told()
    [delivery] = (await buyer.timeline()).deliveries
    assert delivery.status is None
    assert "cannot connect" in (delivery.error or "")
    assert delivery.next_try_at is not None


async def test_a_slow_shop_does_not_hold_up_the_others(shop: Shop) -> None:
    slow, quick = await shop.opens(), await shop.opens()
    let_go = asyncio.Event()
    shop.receiver.answers[slow.path].append(Answer(http(), when=let_go))
    await slow.post("cancel")
    await shop.receiver.heard(slow.path, 1)
    await quick.post("cancel")
    await shop.receiver.heard(quick.path, 1)
    let_go.set()
    await slow.is_told()
    assert [each.status for each in (await slow.timeline()).deliveries] == [200]


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b""], ids=["answer", "no HTTP"]
)
async def test_a_receiver_that_answers_with_what_it_was_sent_leaves_no_whole_number_in_the_record(
    shop: Shop, head: bytes
) -> None:
    buyer = await shop.opens()
    await take(pays("623", "OM"), buyer)
    phone = (await buyer.payment()).phone
    assert phone is not None
    echo = f"cel_phone_num={phone.national}&x={phone.digits}\r\n\r\n".encode()
    shop.receiver.answers[buyer.path].append(Answer(head + echo))
    await take(says("paid", "00"), buyer)
    await buyer.is_told()
    row = (await buyer.timeline()).deliveries[-1]
    kept = row.answer + (row.error or "")
    assert f"cel_phone_num={phone.masked}&" in kept
    assert phone.national not in kept


async def test_an_answer_that_is_cut_off_in_the_middle_of_the_number_leaves_nothing_of_it(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623", "OM"), buyer)
    phone = (await buyer.payment()).phone
    assert phone is not None
    shop.receiver.answers[buyer.path].append(
        Answer(http(200, b"x" * (ANSWER_BYTES_MAX - 9) + phone.national.encode()))
    )
    await take(says("paid", "00"), buyer)
    await buyer.is_told()
    row = (await buyer.timeline()).deliveries[-1]
    assert row.answer == "x" * (ANSWER_BYTES_MAX - 9) + "•" * 9
