"""What the reading doors answer: deliveries in pages, one delivery, a payment's story, what is owed, what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from cauri.api.admin.desk import STRANGERS_A_MINUTE
from cauri.clock import ManualClock
from tests.api.conftest import Merchant
from tests.conftest import StartGateway
from tests.running import Running

from .conftest import Admin, admin_of, code_of, fields_of

AT = 1_700_000_000_000


async def every_page(admin: Admin, path: str, name: str, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        asked = {**parameters, **({"cursor": cursor} if cursor else {})}
        answer = await admin.get(path, **asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page[name]) <= int(parameters.get("limit", 50))
        found += page[name]
        cursor = page["cursor"]
        if cursor is None:
            return found


async def test_pages_hold_every_delivery_once_newest_first_also_those_of_one_moment(
    admin: Admin, gateway: Running, log_of: Any
) -> None:
    for number in range(7):
        await log_of(f"T{number}", at=AT)
    for number in range(6):
        await log_of(f"U{number}", at=AT + number + 1)
    for limit in (1, 2, 5, 13, 200):
        found = await every_page(admin, "/deliveries", "deliveries", site=gateway.site_id, limit=limit)
        assert len({each["id"] for each in found}) == len(found) == 13
        assert [each["at"] for each in found] == sorted((each["at"] for each in found), reverse=True)


FILTERS = [
    pytest.param({}, ["T3", "T2", "T1", "T0"], id="all"),
    pytest.param({"status": "failed"}, ["T2", "T1"], id="failed: answered otherwise, or not at all"),
    pytest.param({"status": "delivered"}, ["T3", "T0"], id="delivered"),
    pytest.param(
        {"since": "2023-11-14T22:13:20.001Z"}, ["T3", "T2", "T1"], id="since a moment, which is in it"
    ),
    pytest.param({"until": "2023-11-14T22:13:20.002"}, ["T1", "T0"], id="until a moment, which is not in it"),
    pytest.param({"since": "2023-11-14", "until": "2023-11-15"}, ["T3", "T2", "T1", "T0"], id="a day"),
    pytest.param({"since": "1h"}, [], id="the last hour"),
    pytest.param({"since": "2023-11-14T23:13:20.003+01:00"}, ["T3"], id="another time zone"),
]


@pytest.mark.parametrize(("parameters", "expected"), FILTERS)
async def test_filters(
    parameters: dict[str, str], expected: list[str], admin: Admin, gateway: Running, log_of: Any
) -> None:
    for number, status in enumerate((200, 500, None, 204)):
        await log_of(f"T{number}", at=AT + number, status=status)
    found = await every_page(admin, "/deliveries", "deliveries", site=gateway.site_id, limit=2, **parameters)
    assert [each["transaction_id"] for each in found] == expected


async def test_several_sites_are_merged_in_order(admin: Admin, gateway: Running, log_of: Any) -> None:
    other = await gateway.new_site()
    for number in range(4):
        await log_of(f"T{number}", at=AT + number)
    both = await admin.given(sites=(gateway.site_id, other.site_id))
    found = await every_page(both, "/deliveries", "deliveries", limit=3)
    assert [each["transaction_id"] for each in found] == ["T3", "T2", "T1", "T0"]


async def test_one_delivery_has_the_beginning_of_the_answer(
    admin: Admin, gateway: Running, log_of: Any
) -> None:
    await log_of("T1", at=AT, status=500)
    [listed] = (await admin.get("/deliveries", site=gateway.site_id)).json()["deliveries"]
    assert "answer" not in listed
    shown = (await admin.get(f"/deliveries/{listed['id']}")).json()
    assert shown == {**listed, "answer": "<h1>Oops</h1>"}
    assert (shown["status"], shown["delivered"], shown["advice"]) == (
        500,
        False,
        "the notify_url answered 500: it failed: see its error log",
    )


@pytest.mark.parametrize(
    "id", ["0", "x" * 44, "0" * 44, "0" * 43, "..%2Faudit", "%00", "%ff", "ffffffffffff" + "f" * 32]
)
async def test_no_such_delivery(id: str, admin: Admin) -> None:
    assert code_of(await admin.get(f"/deliveries/{id}"))[0] in (404, 400)


async def test_a_payments_story_masks_the_number_and_keeps_token_and_names_to_itself(
    admin: Admin, gateway: Running, merchant: Merchant
) -> None:
    name, token = await merchant.opened(
        customer_name="Zéphirine", customer_phone_number="+2250102324373", transaction_id="A/B ü"
    )
    page = f"{gateway.url}/payment/{token}"
    await merchant.client.post(
        f"{page}/pay", data={"country": "CI", "number": "+2250102324373", "method": "FLOOZ"}
    )
    answer = await admin.get(f"/payments/{gateway.site_id}/A%2FB%20%C3%BC")
    assert answer.status_code == 200
    story = answer.json()
    assert story["transaction_id"] == name == "A/B ü"
    assert [move["event"] for move in story["history"]][:2] == ["opened", "sent"]
    assert story["attempts"][0]["phone"] == "••••••••73"
    for secret in ("0102324373", token, "Zéphirine", gateway.apikey, gateway.secret_key):
        assert secret not in answer.text


async def test_deliveries_of_one_payment_need_its_site(admin: Admin, gateway: Running) -> None:
    assert fields_of(await admin.get("/deliveries", transaction_id="T1")) == {"site"}
    answer = await admin.get("/deliveries", transaction_id="T1", site=gateway.site_id)
    assert code_of(answer) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["/deliveries?site=nobody", "/notifications?site=nobody", "/sites/nobody/notifications"]
)
async def test_a_site_that_is_none_is_told_to_who_may_know(path: str, admin: Admin) -> None:
    answer = await admin.get(path)
    assert code_of(answer) == (404, "not_found")
    assert "nobody" in answer.json()["error"]["message"]


async def test_a_write_is_recorded_whoever_asked_and_whatever_came_of_it(
    admin: Admin, gateway: Running
) -> None:
    own = await admin.given("payments:read", sites=(gateway.site_id,))
    body = {"site": gateway.site_id, "transaction_id": "T1"}
    asked = [
        (await admin.post("/deliveries/replay", body), "404 not_found"),
        (await admin.post("/deliveries/replay", {"site": 3}), "400 invalid_request"),
        (await own.post("/deliveries/replay", body), "403 scope_missing"),
        (
            await admin.client.post(
                f"{gateway.url}/admin/deliveries/replay", json=body, headers={"Authorization": "Bearer x"}
            ),
            "401 unauthorized",
        ),
        (
            await admin.post("/deliveries/replay-since", {"site": gateway.site_id, "since": "1h"}),
            "200 ok",
        ),
    ]
    entries = (await admin.get("/audit", limit=5)).json()["entries"]
    assert [entry["result"] for entry in reversed(entries)] == [result for _, result in asked]
    tokens = [entry["token"] for entry in reversed(entries)]
    assert tokens == [admin.label, admin.label, own.label, "", admin.label]  # type: ignore[attr-defined]
    assert all(entry["address"] == "127.0.0.1" for entry in entries)
    assert f'{{"site":"{gateway.site_id}","since":"1h"}}' in entries[0]["target"]


async def test_the_record_comes_in_pages(admin: Admin) -> None:
    for _ in range(5):
        await admin.post("/deliveries/replay", {})
    found = await every_page(admin, "/audit", "entries", limit=2, since="1h")
    assert len(found) >= 5
    assert [entry["at"] for entry in found] == sorted((entry["at"] for entry in found), reverse=True)


async def test_strangers_cannot_fill_the_record(start_gateway: StartGateway) -> None:
    running = await start_gateway(clock=ManualClock())
    async with admin_of(running) as admin:
        for _ in range(STRANGERS_A_MINUTE + 5):
            answer = await admin.client.post(f"{running.url}/admin/deliveries/replay", json={})
            assert code_of(answer) == (401, "unauthorized")
        assert len(await every_page(admin, "/audit", "entries")) == STRANGERS_A_MINUTE
        await admin.post("/deliveries/replay", {})
        assert len(await every_page(admin, "/audit", "entries")) == STRANGERS_A_MINUTE + 1


async def test_a_strangers_path_stands_in_the_record_on_one_line_that_writes_to_no_terminal(
    admin: Admin,
) -> None:
    wild = "%1b%5b31m%07%0aa line of its own%c2%9b%e2%80%ae%7f%00"
    await admin.client.post(f"{admin.running.url}/admin/sites/{wild}/try-url", json={})
    (entry,) = (await admin.get("/audit", limit=1)).json()["entries"]
    assert entry["target"].isprintable()
    assert entry["target"] == r"/admin/sites/\x1b[31m\x07\na line of its own\x9b\u202e\x7f\x00/try-url"
