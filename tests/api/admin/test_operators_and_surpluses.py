"""GET /admin/operators, GET /admin/surpluses, POST /admin/surpluses/refunded."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.api.admin.conftest import Admin, code_of, fields_of
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import cancels, pays, says, says_in_vain
from tests.notifier.receiver import Receiver


async def with_surplus(admin: Admin, receiver: Receiver, client: httpx.AsyncClient) -> Purchase:
    """The gateway's clock runs by itself: each step is waited for at the page."""
    buyer = await Shop(admin.running, receiver, client).opens()
    await pays("623").act(buyer)
    await says("600", "662").act(buyer)
    await buyer.becomes("662")
    await cancels("600").act(buyer)
    await says_in_vain("paid", "600").act(buyer)
    for version in (5, 6):
        await client.get(
            f"{admin.running.url}/payment/{buyer.token}/state", params={"seen": version - 1, "wait": 6}
        )
        if (await buyer.timeline()).surpluses:
            return buyer
    raise AssertionError("the surplus did not come")


async def test_how_the_operators_stand(admin: Admin) -> None:
    await admin.running.lifecycle.standing.save(admin.running.store)
    answer = await admin.get("/operators")
    assert answer.status_code == 200
    found = {each["connector"]: each for each in answer.json()["operators"]}
    assert found["pawapay"]["breaker"] == "closed"
    assert found["pawapay"]["processes"][0]["at"].endswith("Z")
    orange = next(each for each in found["pawapay"]["methods"] if each["method"] == "OM")
    assert set(orange) >= {"place", "flow", "open", "low", "high", "hour", "day", "in_flight", "unended"}
    of_one_site = await admin.given(sites=(admin.running.site_id,))
    assert code_of(await of_one_site.get("/operators")) == (403, "site_not_allowed")
    assert fields_of(await admin.get("/operators", site="1")) == {"site"}


async def test_a_surplus_is_listed_and_given_back_once(
    admin: Admin, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    buyer, site = await with_surplus(admin, receiver, client), admin.running.site_id
    (held,) = (await admin.get("/surpluses", site=site)).json()["surpluses"]
    assert (held["transaction_id"], held["amount"], held["refunded_at"]) == (buyer.transaction_id, 1500, None)
    detail = (await admin.get(f"/payments/{site}/{buyer.transaction_id}")).json()
    assert detail["surpluses"][0]["refunded_at"] is None

    body = {"site": site, "reference": held["reference"], "why": "refund R-12"}
    answer = await admin.post("/surpluses/refunded", body)
    assert (answer.status_code, answer.json()["code"]) == (200, "600")
    assert code_of(await admin.post("/surpluses/refunded", body)) == (409, "conflict")

    assert (await admin.get("/surpluses", site=site)).json()["surpluses"] == []
    (back,) = (await admin.get("/surpluses", site=site, all="true")).json()["surpluses"]
    assert (back["refunded_by"], back["refund_why"]) == (admin.label, "refund R-12")  # type: ignore[attr-defined]
    assert (await buyer.timeline()).history[-1].event == "refunded"


async def test_pages_follow_each_other_by_cursor(
    admin: Admin, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    site = admin.running.site_id
    buyers = await asyncio.gather(*(with_surplus(admin, receiver, client) for _ in range(2)))
    names = {buyer.transaction_id for buyer in buyers}
    first = (await admin.get("/surpluses", site=site, limit=1)).json()
    second = (await admin.get("/surpluses", site=site, limit=1, cursor=first["cursor"])).json()
    assert second["cursor"] is None
    assert {each["transaction_id"] for page in (first, second) for each in page["surpluses"]} == names


async def test_nonsense_is_refused_naming_the_field(admin: Admin) -> None:
    good = {
        "site": admin.running.site_id,
        "reference": "3f2a8c1e-0c5d-4a4e-9a51-3d6f0d6c1a77",
        "why": "refund",
    }
    assert code_of(await admin.post("/surpluses/refunded", good)) == (404, "not_found")
    for field, bad in (("reference", "x"), ("reference", 1), ("why", ""), ("why", "  "), ("site", None)):
        assert fields_of(await admin.post("/surpluses/refunded", {**good, field: bad})) == {field}
    assert fields_of(await admin.get("/surpluses", cursor="nonsense")) == {"cursor"}


@pytest.mark.parametrize("path", ["/surpluses", "/endpoints", "/notifications", "/deliveries"])
async def test_a_site_that_there_is_not_is_no_empty_list(admin: Admin, path: str) -> None:
    assert code_of(await admin.get(path, site="nowhere")) == (404, "not_found")
