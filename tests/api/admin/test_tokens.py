"""Who is let in at the admin doors, for what, for whom, how often; and that nobody learns anything by trying."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from cauri.clock import DAY, MINUTE, SECOND, ManualClock
from cauri.domain.admin import SCOPES
from cauri.keys import SANDBOX_ADMIN_TOKEN
from cauri.store import AdminRecords
from tests.conftest import StartGateway
from tests.lifecycle.second import second_gateway
from tests.running import Running

from .conftest import Admin, admin_of, code_of

STRANGERS = [
    pytest.param({}, id="no header"),
    pytest.param({"Authorization": ""}, id="an empty one"),
    pytest.param({"Authorization": "Bearer"}, id="no token"),
    pytest.param({"Authorization": "Bearer cauri_admin_guess"}, id="an unknown token"),
    pytest.param({"Authorization": f"Basic {SANDBOX_ADMIN_TOKEN}"}, id="another scheme"),
    pytest.param({"Authorization": SANDBOX_ADMIN_TOKEN}, id="no scheme"),
    pytest.param({"Authorization": f"Bearer {SANDBOX_ADMIN_TOKEN}x"}, id="one letter more"),
    pytest.param({"Authorization": f"Bearer {SANDBOX_ADMIN_TOKEN[:-1]}"}, id="one letter less"),
    pytest.param({"Authorization": f"Bearer {'x' * 5000}"}, id="a very long one"),
    pytest.param({"Authorization": b"Bearer \xff\xfe"}, id="bytes that are no text"),
    pytest.param({"X-Admin-Token": SANDBOX_ADMIN_TOKEN}, id="another header"),
]


@pytest.mark.parametrize("headers", STRANGERS)
async def test_a_stranger_hears_the_same_words_whatever_was_wrong(
    headers: dict[str, Any], gateway: Running, client: httpx.AsyncClient
) -> None:
    unknown = await client.get("/admin/deliveries", headers={"Authorization": "Bearer nobody"})
    answer = await client.get("/admin/deliveries", headers=headers)
    assert code_of(answer) == (401, "unauthorized")
    assert answer.json()["error"] == unknown.json()["error"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_in_the_query_is_none(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/admin/deliveries?token={SANDBOX_ADMIN_TOKEN}")
    assert code_of(answer) == (401, "unauthorized")


async def test_the_sandbox_has_a_public_token(gateway: Running, client: httpx.AsyncClient) -> None:
    assert gateway.sandbox.facts()["admin_token"] == SANDBOX_ADMIN_TOKEN
    answer = await client.get(
        "/admin/deliveries", headers={"Authorization": f"bearer  {SANDBOX_ADMIN_TOKEN}"}
    )
    assert answer.status_code == 200


async def test_revoked_and_expired_tokens_are_as_unknown_ones(start_gateway: StartGateway) -> None:
    running = await start_gateway(clock=ManualClock())
    clock = running.clock
    assert isinstance(clock, ManualClock)
    async with admin_of(running) as admin:
        short = await admin.given(expires_at=clock.now() + DAY)
        assert (await short.get("/deliveries")).status_code == 200
        clock.advance(DAY - 1)
        assert (await short.get("/deliveries")).status_code == 200
        clock.advance(1)
        assert code_of(await short.get("/deliveries")) == (401, "unauthorized")

        revoked = await admin.given()
        assert (await revoked.get("/deliveries")).status_code == 200
        label = revoked.label  # type: ignore[attr-defined]
        assert await AdminRecords(running.store.engine).revoke(label, clock.now())
        clock.advance(2 * SECOND)
        answer = await revoked.get("/deliveries")
        assert code_of(answer) == (401, "unauthorized")
        assert answer.json()["error"] == (await short.get("/deliveries")).json()["error"]


DOORS_AND_SCOPES = [
    ("GET", "/deliveries", "deliveries:read"),
    ("GET", "/deliveries/00", "deliveries:read"),
    ("POST", "/deliveries/replay", "deliveries:write"),
    ("POST", "/deliveries/replay-since", "deliveries:write"),
    ("POST", "/deliveries/replay-parked", "deliveries:write"),
    ("GET", "/payments/1/2", "payments:read"),
    ("GET", "/notifications", "notifications:read"),
    ("GET", "/sites/1/notifications", "notifications:listen"),
    ("GET", "/sites/1/notifications/2", "notifications:listen"),
    ("POST", "/sites/1/try-url", "sites:test"),
    ("GET", "/endpoints", "endpoints:read"),
    ("POST", "/endpoints/probe", "deliveries:write"),
    ("GET", "/metrics", "metrics:read"),
    ("GET", "/alerts", "metrics:read"),
    ("GET", "/audit", "audit:read"),
    ("GET", "/operators", "operators:read"),
    ("GET", "/surpluses", "surpluses:read"),
    ("POST", "/surpluses/refunded", "surpluses:write"),
]


@pytest.mark.parametrize(("method", "path", "scope"), DOORS_AND_SCOPES)
async def test_each_door_wants_its_own_scope_and_no_other(
    method: str, path: str, scope: str, admin: Admin
) -> None:
    without = await admin.given(*(name for name in SCOPES if name != scope))
    answer = await (without.get(path) if method == "GET" else without.post(path, {}))
    assert code_of(answer) == (403, "scope_missing")
    assert scope in answer.json()["error"]["message"]
    with_it = await admin.given(scope)
    answer = await (with_it.get(path) if method == "GET" else with_it.post(path, {}))
    assert answer.status_code not in (401, 403)


OF_ONE_SITE = [
    pytest.param("GET", "/deliveries?site=other", None, id="list"),
    pytest.param("GET", "/payments/other/T1", None, id="payment"),
    pytest.param("GET", "/notifications?site=other", None, id="notifications"),
    pytest.param("GET", "/endpoints?site=other", None, id="endpoints"),
    pytest.param("GET", "/sites/other/notifications", None, id="feed"),
    pytest.param("GET", "/sites/other/notifications/T1", None, id="fresh"),
    pytest.param("POST", "/sites/other/try-url", {"url": "http://127.0.0.1:9/"}, id="try"),
    pytest.param("POST", "/deliveries/replay", {"site": "other", "transaction_id": "T1"}, id="replay"),
    pytest.param("POST", "/deliveries/replay-since", {"site": "other", "since": "1h"}, id="replay since"),
    pytest.param("POST", "/deliveries/replay-parked", {"site": "other"}, id="replay parked"),
    pytest.param("POST", "/endpoints/probe", {"site": "other", "origin": "http://x:80"}, id="probe"),
    pytest.param("GET", "/surpluses?site=other", None, id="surpluses"),
    pytest.param(
        "POST",
        "/surpluses/refunded",
        {"site": "other", "reference": "3f2a8c1e-0c5d-4a4e-9a51-3d6f0d6c1a77", "why": "x"},
        id="refunded",
    ),
]


@pytest.mark.parametrize(("method", "path", "body"), OF_ONE_SITE)
async def test_a_token_of_one_site_learns_nothing_of_another(
    method: str, path: str, body: Any, admin: Admin, gateway: Running
) -> None:
    """Neither whether there is such a site: a real one and one that is none get the same answer."""
    real = await gateway.new_site()
    own = await admin.given(sites=(gateway.site_id,))
    answers = []
    for site in ("no-such-site", real.site_id):
        there = path.replace("other", site)
        asked = {**body, "site": site} if body and "site" in body else body
        answer = await (own.get(there) if method == "GET" else own.post(there, asked))
        assert code_of(answer) == (403, "site_not_allowed")
        answers.append(answer.json()["error"]["message"].replace(site, "S"))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("path", ["/metrics", "/audit", "/alerts"])
async def test_what_is_of_all_sites_wants_a_token_for_all(path: str, admin: Admin, gateway: Running) -> None:
    own = await admin.given(sites=(gateway.site_id,))
    assert code_of(await own.get(path)) == (403, "site_not_allowed")


async def test_lists_of_a_token_of_one_site_hold_its_own_only(
    admin: Admin, gateway: Running, log_of: Any
) -> None:
    await log_of("T1", at=1_000)
    other = await gateway.new_site()
    mine = await admin.given(sites=(gateway.site_id,))
    theirs = await admin.given(sites=(other.site_id,))
    found = (await mine.get("/deliveries")).json()["deliveries"]
    assert [each["site"] for each in found] == [gateway.site_id]
    assert (await theirs.get("/deliveries")).json()["deliveries"] == []
    assert (await mine.get(f"/deliveries/{found[0]['id']}")).status_code == 200
    assert code_of(await theirs.get(f"/deliveries/{found[0]['id']}")) == (404, "not_found")


async def test_too_many_failures_of_an_address_close_the_doors_for_it(gateway: Running) -> None:
    async with admin_of(gateway) as admin, second_gateway(gateway, limits=_limits(30, 3)) as second:
        headers = {"Authorization": "Bearer guess"}
        for _ in range(3):
            answer = await admin.client.get(f"{second.url}/admin/deliveries", headers=headers)
            assert answer.status_code == 401
        for tried in (headers, admin.headers):
            answer = await admin.client.get(f"{second.url}/admin/deliveries", headers=tried)
            assert code_of(answer) == (429, "too_many_requests")
            assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_a_token_has_so_many_requests_a_second(start_gateway: StartGateway) -> None:
    running = await start_gateway(clock=ManualClock())
    async with (
        admin_of(running) as admin,
        second_gateway(running, limits=_limits(5, 0), loops=False) as second,
    ):
        statuses = [
            (await admin.client.get(f"{second.url}/admin/endpoints", headers=admin.headers)).status_code
            for _ in range(7)
        ]
        assert statuses == [200] * 5 + [429] * 2
        other = await admin.given()
        answer = await admin.client.get(f"{second.url}/admin/endpoints", headers=other.headers)
        assert answer.status_code == 200


async def test_the_use_of_a_token_is_noted_to_the_minute(start_gateway: StartGateway) -> None:
    running = await start_gateway(clock=ManualClock())
    clock, records = running.clock, AdminRecords(running.store.engine)
    assert isinstance(clock, ManualClock)
    async with admin_of(running) as admin:
        used = await admin.given()

        async def noted() -> int | None:
            return next(t for t in await records.tokens() if t.label == used.label).last_used_at  # type: ignore[attr-defined]

        assert await noted() is None
        await used.get("/deliveries")
        first = clock.now()
        assert await noted() == first
        clock.advance(30 * SECOND)
        await used.get("/deliveries")
        assert await noted() == first
        clock.advance(MINUTE)
        await used.get("/deliveries")
        assert await noted() == clock.now()


async def test_tokens_never_reach_the_log_or_the_database(admin: Admin, gateway: Running) -> None:
    secret = admin.headers["Authorization"].removeprefix("Bearer ")
    with capture_logs() as lines:
        await admin.get("/deliveries")
        await admin.post("/deliveries/replay", {"site": gateway.site_id, "transaction_id": "T"})
        await admin.client.get(
            f"{gateway.url}/admin/deliveries", headers={"Authorization": "Bearer my-secret-guess"}
        )
    assert secret not in repr(lines)
    assert "my-secret-guess" not in repr(lines)
    kept = await AdminRecords(gateway.store.engine).tokens()
    assert secret not in repr(kept)


def _limits(rate: int, failures: int) -> Any:
    from cauri.config import Limits

    return Limits(rate_per_key=rate, failed_auth_per_address=failures)
