"""``cauri listen`` against a gateway that is a process of its own: nothing is lost, whoever goes away, and nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cauri.listening.gateway import Away, GatewayFeed
from tests.notifier.receiver import Answer, http

from .conftest import ComingAndGoing, Desk, Listening


async def test_it_shows_and_forwards_what_a_delivery_would_be(desk: Desk, shop: ComingAndGoing) -> None:
    await shop.start()
    listening = await desk.listen("--forward-to", f"{shop.url}/notify")
    await listening.says("listening to")
    await desk.cancelled("order-1", notify_url=f"{shop.url}/delivered")
    line = await listening.says("order-1")
    assert "627 TRANSACTION_CANCEL  → 200 in " in line
    [forwarded] = await shop.heard("/notify", 1)
    [delivered] = await shop.heard("/delivered", 1)
    assert forwarded.body == delivered.body
    assert set(forwarded.headers) == set(delivered.headers)
    for name in ("x-token", "content-type", "user-agent", "webhook-id"):
        assert forwarded.headers[name] == delivered.headers[name], name
    assert await listening.stop() == 0
    assert desk.facts["secret_key"] not in "".join(listening.lines)


async def test_a_shop_that_is_down_gets_everything_when_it_is_up(desk: Desk, shop: ComingAndGoing) -> None:
    listening = await desk.listen("--forward-to", f"{shop.url}/notify")
    await listening.says("listening to")
    names = [f"order-{number}" for number in range(5)]
    for name in names:
        await desk.cancelled(name)
    assert "held until somebody answers: cannot connect" in await listening.says("order-0")
    await shop.start()
    await shop.heard("/notify", 5, within_s=30)
    assert shop.names() == names
    await shop.stop()
    await desk.cancelled("order-5")
    await listening.says("order-5  627 TRANSACTION_CANCEL  → held")
    await shop.start()
    await shop.heard("/notify", 6, within_s=30)
    assert shop.names() == [*names, "order-5"]


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_gateway_that_goes_away_is_waited_for(
    end: str, desk: Desk, shop: ComingAndGoing, told: Callable[[Listening], list[str]]
) -> None:
    await shop.start()
    listening = await desk.listen("--forward-to", f"{shop.url}/notify")
    await listening.says("listening to")
    await desk.cancelled("before")
    await listening.says("before")
    await getattr(desk, end)()
    await listening.says("the gateway is away")
    await desk.start()
    await desk.cancelled("after")
    await listening.says("the gateway is back")
    await listening.says("after")
    await shop.heard("/notify", 2)
    assert shop.names() == told(listening) == ["before", "after"]


async def test_what_is_made_before_a_gateway_that_was_waited_for_is_reached_comes_too(
    desk: Desk, shop: ComingAndGoing
) -> None:
    """Between two tries of the listener the gateway is up already."""
    await shop.start()
    await desk.cancelled("long ago")
    await desk.stop()
    await asyncio.sleep(2)
    listening = await desk.listen("--forward-to", f"{shop.url}/notify", "--fresh")
    await listening.says("the gateway is away")
    await asyncio.sleep(4)  # five seconds lie between its tries by now
    await desk.start()
    await desk.cancelled("at once")
    await listening.says("the gateway is back")
    await listening.says("at once")
    await shop.heard("/notify", 1)
    assert shop.names() == ["at once"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_stopped_and_started_it_goes_on_where_it_was(
    how: int, desk: Desk, shop: ComingAndGoing
) -> None:
    await shop.start()
    arguments = ("--forward-to", f"{shop.url}/notify")
    first = await desk.listen(*arguments)
    await first.says("listening to")
    await desk.cancelled("heard")
    await shop.heard("/notify", 1)
    await first.says("heard")
    await first.stop(how)
    for name in ("missed-1", "missed-2"):
        await desk.cancelled(name)
    second = await desk.listen(*arguments)
    assert "going on after" in await second.says("listening to")
    await shop.heard("/notify", 3)
    await desk.cancelled("new")
    await second.says("new")
    assert shop.names() == ["heard", "missed-1", "missed-2", "new"]


async def test_what_was_held_when_it_was_stopped_comes_when_it_is_started(
    desk: Desk, shop: ComingAndGoing
) -> None:
    arguments = ("--forward-to", f"{shop.url}/notify")
    first = await desk.listen(*arguments)
    await first.says("listening to")
    for name in ("held-1", "held-2"):
        await desk.cancelled(name)
    await first.says("held until somebody answers")
    await first.stop()
    await shop.start()
    await desk.listen(*arguments)
    await shop.heard("/notify", 2)
    assert shop.names() == ["held-1", "held-2"]


async def test_where_it_begins(desk: Desk, shop: ComingAndGoing) -> None:
    await shop.start()
    for number in range(4):
        await desk.cancelled(f"old-{number}")

    async def heard(*arguments: str, times: int) -> list[str]:
        shop.posts.clear()
        listening = await desk.listen("--forward-to", f"{shop.url}/notify", *arguments)
        await listening.says("listening to")
        await desk.cancelled(f"new-{len(desk.listeners)}")
        await listening.says(f"new-{len(desk.listeners)}")
        await shop.heard("/notify", times)
        await listening.stop()
        return shop.names()

    assert await heard(times=1) == ["new-1"]
    assert await heard("--last", "2", times=3) == ["old-3", "new-1", "new-2"]
    assert await heard("--since", "1h", times=7) == [
        *(f"old-{n}" for n in range(4)),
        "new-1",
        "new-2",
        "new-3",
    ]
    await desk.cancelled("between")
    assert await heard("--fresh", times=1) == ["new-4"]


async def test_a_shop_that_fails_is_tried_again_and_then_told_of_with_advice(
    desk: Desk, shop: ComingAndGoing
) -> None:
    await shop.start()
    shop.answers["/notify"].extend([Answer(http(500)), Answer(http(500)), Answer(http(404))])
    listening = await desk.listen("--forward-to", f"{shop.url}/notify")
    await listening.says("listening to")
    await desk.cancelled("order-1")
    assert "→ 500 in " in await listening.says("again in 1 s")
    await listening.says("again in 3 s")
    last = await listening.says("given up here after 3 tries")
    assert "nothing answers at this notify_url: check its path" in last
    await desk.cancelled("order-2")
    assert "→ 200" in await listening.says("order-2")
    assert shop.names() == ["order-1"] * 3 + ["order-2"]
    assert [post.headers["webhook-try"] for post in shop.posts["/notify"]] == ["1", "2", "3", "1"]


async def test_without_an_address_it_only_shows(desk: Desk) -> None:
    listening = await desk.listen()
    await listening.says("listening to")
    await desk.cancelled("order-1")
    assert (await listening.says("order-1")).endswith("627 TRANSACTION_CANCEL")


async def test_the_gateways_own_deliveries_stay_as_they_are(desk: Desk, shop: ComingAndGoing) -> None:
    await shop.start()
    listening = await desk.listen("--forward-to", f"{shop.url}/notify")
    await listening.says("listening to")
    await desk.cancelled("order-1", notify_url=f"{shop.url}/own")
    await listening.says("order-1")
    await shop.heard("/own", 1)
    shown = await asyncio.to_thread(
        desk._cauri.run, "deliveries", "list", "--site", desk.facts["site_id"], "--json", "--data", "state"
    )
    assert [each["url"] for each in json.loads(shown.stdout)] == [f"{shop.url}/own"]


async def test_a_gateway_with_other_data_than_before_is_begun_anew(desk: Desk, shop: ComingAndGoing) -> None:
    await shop.start()
    arguments = ("--forward-to", f"{shop.url}/notify", "--state", "kept")
    first = await desk.listen(*arguments)
    await first.says("listening to")
    await desk.cancelled("order-1")
    await first.says("order-1")
    await first.stop()
    await desk.stop()
    (desk.folder / "state").rename(desk.folder / "old")
    await desk.start()
    second = await desk.listen(*arguments)
    await second.says("the gateway has other data than before")
    await second.says("listening to")
    await desk.cancelled("order-2")
    await second.says("order-2")
    assert shop.names() == ["order-1", "order-2"]


async def test_a_state_of_another_kind_is_left_alone(desk: Desk) -> None:
    (desk.folder / "kept").write_text("my notes")
    listening = await desk.listen("--state", "kept")
    assert await listening.stop(0) == 2
    assert "is no file of 'cauri listen': name another one" in listening.lines[-1]
    assert (desk.folder / "kept").read_text() == "my notes"


@pytest.mark.parametrize("beginning", [["--since", "1h"], ["--last", "3"]], ids=" ".join)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_stopped_within_its_first_page_it_goes_on_there(
    how: int, beginning: list[str], desk: Desk, shop: ComingAndGoing
) -> None:
    names = ["first", "second", "third"]
    for name in names:
        await desk.cancelled(name)
    arguments = ("--forward-to", f"{shop.url}/notify")
    listening = await desk.listen(*arguments, *beginning)
    await listening.says("held until somebody answers")
    await listening.stop(how)
    await desk.cancelled("meanwhile")
    await shop.start()
    again = await desk.listen(*arguments)
    await again.says("meanwhile")
    assert shop.names() == [*names, "meanwhile"]


async def test_two_at_once_do_not_take_each_others(desk: Desk) -> None:
    first = await desk.listen("--state", "kept")
    await first.says("listening to")
    second = await desk.listen("--state", "kept")
    assert await second.stop(0) == 2
    assert "another 'cauri listen' does this already" in second.lines[-1]


async def test_a_gateway_that_asks_to_be_left_alone_is_asked_again(desk: Desk, shop: ComingAndGoing) -> None:
    """Whatever it asks for: this was no number to Python."""
    once = deque([Answer(http(503, b"", "Retry-After: ²"))])
    shop.answers.default_factory = lambda: once
    await shop.start()
    listening = await desk.listen(gateway=shop.url)
    await listening.says("the gateway is away: HTTP 503")
    await listening.says("no Cauri gateway")
    assert await listening.stop(0) == 2


def in_half_a_minute() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)


@pytest.mark.parametrize(
    ("later", "seconds"),
    [
        ("7", {7}),
        ("3600", {60}),
        (in_half_a_minute, set(range(20, 31))),
        ("Wed, 21 Oct 2015 07:28:00 GMT", {0}),
        ("soon", {0}),
        ("-1", {0}),
        ("²", {0}),
        (None, {0}),
    ],
)
async def test_it_is_left_alone_for_as_long_as_it_asks_and_a_minute_at_most(
    later: str | Callable[[], str] | None, seconds: set[int], shop: ComingAndGoing
) -> None:
    said = later() if callable(later) else later
    shop.standing["/admin/sites/1/notifications"] = Answer(
        http(503, b"", *([] if said is None else [f"Retry-After: {said}"]))
    )
    await shop.start()
    async with GatewayFeed(shop.url, "token", "1") as feed:
        with pytest.raises(Away) as away:
            await feed.begin()
    assert away.value.after_s in seconds


WRONG = [
    pytest.param(
        ["--token", "nobody"], "token is missing, unknown, expired or revoked", id="a token that is none"
    ),
    pytest.param(["--site", "nobody"], "there is no site nobody", id="a site that is none"),
    pytest.param(["--site", ""], "must be 1 to 64 characters", id="no site"),
    pytest.param(["--token", "é"], "--token", id="a token that no header carries"),
    pytest.param(["--forward-to", "localhost:8000"], "--forward-to", id="no scheme"),
    pytest.param(["--forward-to", "http://"], "--forward-to", id="no host"),
    pytest.param(["--forward-to", "http://h:99999/"], "--forward-to", id="a port that is none"),
    pytest.param(["--gateway", "ftp://x"], "--gateway", id="another scheme"),
    pytest.param(["--since", "yesterday"], "--since", id="a moment that is none"),
    pytest.param(["--last", "2", "--fresh"], "give one of them", id="two beginnings"),
    pytest.param(["--last", "0"], "--last", id="the last none"),
    pytest.param(["--since", "2999-01-01"], "still to come", id="a moment to come"),
    pytest.param(["--forward-to", "http://user:word@127.0.0.1:9/n"], "--forward-to", id="a user's name"),
    pytest.param(["--site", ""], "--site: ", id="no site"),
    pytest.param(["--state", "/proc/nowhere/x.json"], "--state", id="a file that cannot be"),
]


async def test_what_is_wrong_is_told_with_the_remedy(desk: Desk, shop: ComingAndGoing) -> None:
    for each in WRONG:
        arguments, words = each.values
        listening = await desk.listen(*arguments)  # type: ignore[misc]
        assert await asyncio.wait_for(listening.stop(0), 30) == 2, each.id
        assert any(str(words) in line for line in listening.lines), (each.id, listening.lines)
        assert "Traceback" not in "".join(listening.lines)
    await shop.start()
    listening = await desk.listen(gateway=shop.url)
    assert await listening.stop(0) == 2
    assert any("no Cauri gateway" in line for line in listening.lines), listening.lines
