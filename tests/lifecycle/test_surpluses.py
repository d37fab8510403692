"""Money for payments that had ended: alerted, listed until a person has given it back, once, with who and why."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from cauri.domain.errors import NothingToRefund
from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import cancels, pays, says, says_in_vain, take


async def with_surplus(shop: Shop) -> Purchase:
    buyer = await shop.opens()
    for step in (pays("623"), says("600", "662"), cancels("600"), says_in_vain("paid", "600")):
        await take(step, buyer)
    return buyer


async def test_it_is_alerted_and_listed_until_it_was_given_back(shop: Shop) -> None:
    books, site_id = shop.running.store.books, shop.running.site_id
    with capture_logs() as logs:
        buyer = await with_surplus(shop)
    assert [each["alert"] for each in logs if each["event"] == "surplus"] == [True]
    (held,) = await books.surpluses(site_id=site_id)
    assert (held.transaction_id, held.amount, held.currency) == (buyer.transaction_id, 1500, "XOF")
    assert (held.reference, held.connector, held.method) == (await buyer.reference(1), "pawapay", "OM")
    assert held.reference in {each.reference for each in await books.surpluses()}

    await shop.running.lifecycle.refund(held.reference, who="Awa", why="refund 8812 at Orange")

    assert await books.surpluses(site_id=site_id) == []
    (back,) = await books.surpluses(site_id=site_id, everything=True)
    assert (back.refunded_at, back.refunded_by, back.refund_why) == (
        shop.clock.now(),
        "Awa",
        "refund 8812 at Orange",
    )
    last = (await buyer.timeline()).history[-1]
    assert (last.event, last.attempt, last.actor, last.note) == (
        "refunded",
        1,
        "Awa",
        "refund 8812 at Orange",
    )
    assert await buyer.code() == "600"
    await buyer.is_told()
    assert shop.receiver.codes(buyer.path) == ["623", "662", "600"], "a refund is no change for the shop"


async def test_it_is_given_back_once(shop: Shop) -> None:
    buyer = await with_surplus(shop)
    reference, life = await buyer.reference(1), shop.running.lifecycle
    await life.refund(reference, who="Awa", why="once")
    with pytest.raises(NothingToRefund, match="already, by Awa"):
        await life.refund(reference, who="Koffi", why="twice")
    (back,) = await shop.running.store.books.surpluses(site_id=shop.running.site_id, everything=True)
    assert back.refunded_by == "Awa"


@pytest.mark.parametrize("reference", ["", "no reference", "0a3f6a1e-0c5d-4a4e-9a51-3d6f0d6c1a77", "é"])
async def test_what_is_no_surplus_cannot_be_given_back(shop: Shop, reference: str) -> None:
    with pytest.raises(NothingToRefund):
        await shop.running.lifecycle.refund(reference, who="Awa", why="?")


async def test_an_attempt_without_surplus_has_nothing_to_give_back(shop: Shop) -> None:
    buyer = await shop.opens()
    for step in (pays("623"), says("paid", "00")):
        await take(step, buyer)
    with pytest.raises(NothingToRefund, match="no surplus"):
        await shop.running.lifecycle.refund(await buyer.reference(1), who="Awa", why="?")


async def test_pages_of_the_list_follow_each_other(shop: Shop) -> None:
    site_id, books = shop.running.site_id, shop.running.store.books
    made = []
    for _ in range(3):
        made.append((await with_surplus(shop)).transaction_id)
        shop.clock.advance(1_000)
    pages = [await books.surpluses(site_id=site_id, limit=1)]
    while pages[-1]:
        last = pages[-1][-1]
        pages.append(await books.surpluses(site_id=site_id, after=(last.at, last.reference), limit=1))
    assert sorted(each.transaction_id for page in pages for each in page) == sorted(made)
    assert [len(page) for page in pages] == [1, 1, 1, 0]
