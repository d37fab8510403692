"""When it is we who fail: the database away, a bug; what is answered, logged and recorded then."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from structlog.testing import capture_logs

from cauri.api.admin.door import Call, Door
from cauri.api.admin.routes import build
from cauri.keys import SANDBOX_ADMIN_TOKEN
from cauri.store import AdminRecords
from tests.api.conftest import serving
from tests.lifecycle.second import second_gateway
from tests.running import Running

from .conftest import Admin, code_of

HEADERS = {"Authorization": f"Bearer {SANDBOX_ADMIN_TOKEN}"}


async def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(
    gateway: Running, client: httpx.AsyncClient
) -> None:
    async with second_gateway(gateway, loops=False) as second:
        await second.gateway.store.close()
        for ask in (
            client.get(f"{second.url}/admin/deliveries", headers=HEADERS),
            client.get(f"{second.url}/admin/metrics", headers=HEADERS),
            client.post(f"{second.url}/admin/deliveries/replay", headers=HEADERS, json={}),
        ):
            answer = await ask
            assert code_of(answer) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1


def broken(method: str, path: str) -> Door:
    async def act(call: Call) -> Any:
        raise ValueError("the payer 0102324373 is Zéphirine")

    return Door(
        method=method,  # type: ignore[arg-type]
        path=path,
        operation=path.strip("/"),
        scope="metrics:read",
        summary="Breaks",
        answer=dict,
        act=act,
    )


async def test_a_bug_is_a_500_whose_id_the_log_has_and_nobodys_number(
    gateway: Running, client: httpx.AsyncClient
) -> None:
    records = AdminRecords(gateway.store.engine)
    desk = build(
        [broken("GET", "/broken"), broken("POST", "/breaks")], records, gateway.clock, public_url="http://x"
    )
    async with serving(desk) as url:
        with capture_logs() as lines:
            read = await client.get(f"{url}/admin/broken", headers=HEADERS)
            write = await client.post(f"{url}/admin/breaks", headers=HEADERS)
    for answer in (read, write):
        assert code_of(answer) == (500, "internal")
        assert any(line.get("error_id") == answer.json()["request_id"] for line in lines)
        assert "0102324373" not in answer.text
    assert "0102324373" not in repr(lines)
    newest = (await records.audit(since=0, before=(gateway.clock.now() + 1, ""), limit=1))[0]
    assert (newest.what, newest.result) == ("breaks", "500 internal")


async def test_a_write_that_is_cut_off_is_in_the_record_as_begun_or_broken_off(
    gateway: Running, client: httpx.AsyncClient
) -> None:
    began, never = asyncio.Event(), asyncio.Event()

    async def act(call: Call) -> Any:
        began.set()
        await never.wait()

    door = Door(
        method="POST",
        path="/long",
        operation="long",
        scope="metrics:read",
        summary="Takes long",
        answer=dict,
        act=act,
    )
    records = AdminRecords(gateway.store.engine)
    async with serving(build([door], records, gateway.clock, public_url="http://x")) as url:
        asking = asyncio.create_task(client.post(f"{url}/admin/long", headers=HEADERS))
        await began.wait()
        newest = (await records.audit(since=0, before=(gateway.clock.now() + 1, ""), limit=1))[0]
        assert (newest.what, newest.result, newest.label) == ("long", "begun", "sandbox")
        never.set()
        assert (await asking).status_code == 200


async def test_all_doors_are_in_the_table_of_scopes(admin: Admin) -> None:
    """A door that is added without a scope would be open to everybody."""
    document = (await admin.get("/openapi.json")).json()
    open_doors = [
        path for path, verbs in document["paths"].items() for verb in verbs.values() if not verb["security"]
    ]
    assert open_doors == []
