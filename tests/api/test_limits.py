"""Row 3 of contract section 5 and the request limits of section 8: who is counted, for how long, and what it costs to remember."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from cauri.api.routes import Api, build
from cauri.clock import ManualClock
from cauri.domain.errors import TooManyRequests
from cauri.wire import callers
from cauri.wire.callers import Addresses, Buckets

from .conftest import Merchant, fresh, serving


def takes(buckets: Buckets, name: str, times: int) -> int:
    """How many of these are granted."""
    granted = 0
    for _ in range(times):
        try:
            buckets.take(name)
        except TooManyRequests:
            continue
        granted += 1
    return granted


def test_a_bucket_gives_its_amount_at_once_and_refills_evenly() -> None:
    clock = ManualClock(0)
    buckets = Buckets(clock, 30, per_s=60)
    assert takes(buckets, "a", 40) == 30
    assert takes(buckets, "b", 1) == 1
    clock.advance(2_000)
    assert takes(buckets, "a", 5) == 1
    clock.advance(60_000)
    assert takes(buckets, "a", 40) == 30


def test_a_refusal_says_when_to_come_back() -> None:
    clock = ManualClock(0)
    buckets = Buckets(clock, 3, per_s=60)
    takes(buckets, "a", 3)
    with pytest.raises(TooManyRequests) as refused:
        buckets.check("a")
    assert refused.value.retry_after_s == 20
    clock.advance(20_000)
    buckets.check("a")


def test_zero_is_no_limit() -> None:
    buckets = Buckets(ManualClock(0), 0, per_s=1)
    assert takes(buckets, "a", 1_000) == 1_000
    assert buckets.untouched


def test_a_clock_set_back_refuses_nobody_for_long() -> None:
    clock = ManualClock(1_000_000)
    buckets = Buckets(clock, 1, per_s=1)
    buckets.take("a")
    clock.advance(-500_000)
    assert takes(buckets, "a", 1) == 0
    clock.advance(501_000)
    assert takes(buckets, "a", 1) == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "REMEMBERED_MAX", 100)
    buckets = Buckets(ManualClock(0), 1, per_s=60)
    for number in range(1_000):
        buckets.take(str(number))
    assert len(buckets._left) == 100
    assert takes(buckets, "999", 1) == 0
    assert takes(buckets, "0", 1) == 1


PROXIES = ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", None, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", None, "203.0.113.7"),
        (None, "198.51.100.1", "unknown"),
    ],
)
def test_only_trusted_proxies_say_who_is_calling(
    client: str | None, forwarded: str | None, expected: str
) -> None:
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    scope = {"client": None if client is None else (client, 1), "headers": headers}
    assert Addresses(PROXIES).of(scope) == expected


def test_several_forwarding_headers_are_one_list() -> None:
    headers = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"198.51.100.1")]
    assert Addresses(PROXIES).of({"client": ("10.0.0.1", 1), "headers": headers}) == "198.51.100.1"


def test_a_proxy_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="example"):
        Addresses(["proxy.example.com"])


Limited = Callable[..., AbstractAsyncContextManager[Merchant]]


@pytest.fixture
def limited(gateway: Any) -> Limited:
    """The gateway's own engine behind a door with limits."""

    @asynccontextmanager
    async def open_door(**values: Any) -> AsyncIterator[Merchant]:
        api: Api = build(gateway.lifecycle, gateway.url, (), **values)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            door = api.door(scope["path"])
            assert door is not None
            await door(scope, receive, send)

        async with (
            serving(app) as url,
            httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
        ):
            yield Merchant(client, gateway.apikey, gateway.site_id)

    return open_door


def is_429(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    body = answer.json()
    assert list(body) == ["code", "message", "description", "api_response_id"]
    assert (body["code"], body["message"]) == ("429", "TOO_MANY_REQUEST")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["access-control-allow-origin"] == "*"
    return True


async def test_row_3_failed_authentications_of_one_address(limited: Limited) -> None:
    async with limited(failed_auth_per_address=3) as merchant:
        answers = [await merchant.open(apikey=fresh("guess")) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [400, 400, 400, 429, 429]
        assert is_429(await merchant.open())
        assert is_429(await merchant.check(token="x"))


async def test_row_3_comes_before_row_4_and_after_row_2(limited: Limited) -> None:
    async with limited(failed_auth_per_address=1) as merchant:
        assert (await merchant.open(apikey=fresh("guess"))).json()["code"] == "609"
        post = merchant.client.post
        assert is_429(await post("/v2/payment", content=b"{", headers={"content-type": "application/json"}))
        assert (
            await post("/v2/payment", content=b"{", headers={"content-type": "text/plain"})
        ).status_code == 403


async def test_row_3_counts_only_failures(limited: Limited) -> None:
    async with limited(failed_auth_per_address=2) as merchant:
        for _ in range(4):
            assert (await merchant.open(site_id="nobody")).json()["code"] == "613"
            assert (await merchant.open(amount="x", apikey="nobody")).json()["code"] == "608"
            assert (await merchant.open()).status_code == 200


async def test_row_3_failures_of_one_address_do_not_lock_others_out(limited: Limited) -> None:
    async with limited(failed_auth_per_address=1, trusted_proxies=["127.0.0.0/8"]) as merchant:
        one, other = {"x-forwarded-for": "198.51.100.1"}, {"x-forwarded-for": "198.51.100.2"}
        assert (await merchant.open(one, apikey=fresh("guess"))).json()["code"] == "609"
        assert is_429(await merchant.open(one))
        assert (await merchant.open(other)).status_code == 200


async def test_row_3_a_stranger_cannot_choose_its_address(limited: Limited) -> None:
    async with limited(failed_auth_per_address=1) as merchant:
        for number in range(3):
            answer = await merchant.open({"x-forwarded-for": f"198.51.100.{number}"}, apikey=fresh("guess"))
            assert answer.status_code == (400 if number == 0 else 429)


async def test_row_3_too_many_requests_of_one_key(limited: Limited, site_with: Any) -> None:
    other = await site_with()
    async with limited(rate_per_key=2) as merchant:
        answers = [await merchant.open(amount="x" if number else 100) for number in range(8)]
        assert answers[0].status_code == 200
        assert any(is_429(answer) for answer in answers), "also for faulty requests, once the key is known"
        assert (await merchant.open(apikey=other.apikey, site_id=other.site_id)).status_code == 200


async def test_unlimited_is_the_default(limited: Limited) -> None:
    async with limited() as merchant:
        answers = [await merchant.check(apikey=fresh("guess"), token="x") for _ in range(60)]
        assert {answer.status_code for answer in answers} == {400}


def test_a_proxy_that_nobody_named_is_told_of_once() -> None:
    """Unnamed, it makes all its callers one caller, who soon meets every limit."""
    scope = {"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", b"198.51.100.1")]}
    direct = {"client": ("127.0.0.1", 1), "headers": []}
    with capture_logs() as logs:
        unnamed, named = Addresses([]), Addresses(["127.0.0.1"])
        assert [unnamed.of(direct), unnamed.of(scope), unnamed.of(scope)] == ["127.0.0.1"] * 3
        assert named.of(scope) == "198.51.100.1"
    assert [line["event"] for line in logs] == ["proxy_not_trusted"]
