"""The notification as a receiver gets it over HTTP (contract section 4), judged without any code of ours."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from tests.lifecycle.shopping import Purchase, Shop
from tests.lifecycle.steps import pays, says, take
from tests.notifier.receiver import Post

FIELDS = [
    "cpm_site_id",
    "cpm_trans_id",
    "cpm_trans_date",
    "cpm_amount",
    "cpm_currency",
    "signature",
    "payment_method",
    "cel_phone_num",
    "cpm_phone_prefixe",
    "cpm_language",
    "cpm_version",
    "cpm_payment_config",
    "cpm_page_action",
    "cpm_custom",
    "cpm_designation",
    "cpm_error_message",
]


async def told_of_a_cancel(shop: Shop, **fields: Any) -> tuple[Purchase, Post]:
    buyer = await shop.opens(**fields)
    await buyer.post("cancel")
    await buyer.comes_to("627")
    [post] = shop.receiver.posts[buyer.path]
    return buyer, post


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ({}, {"cpm_custom": "", "cpm_language": "fr", "cpm_designation": "Deux pagnes"}),
        (
            {"metadata": "vélo & 100 % / ü+;=\n€", "lang": "EN", "description": "Œuvre n° 7 — l’été"},
            {
                "cpm_custom": "vélo & 100 % / ü+;=\n€",
                "cpm_language": "en",
                "cpm_designation": "Œuvre n° 7 — l’été",
            },
        ),
        ({"metadata": {"basket": [1, "é"]}}, {"cpm_custom": '{"basket":[1,"é"]}'}),
    ],
    ids=["plain", "accents", "metadata as an object"],
)
async def test_the_16_fields_stand_in_their_order(
    shop: Shop, asked: dict[str, Any], values: dict[str, str]
) -> None:
    created = shop.clock.now() // 1000
    buyer, post = await told_of_a_cancel(shop, **asked)
    assert post.line == f"POST {buyer.path} HTTP/1.1"
    assert post.headers["content-type"] == "application/x-www-form-urlencoded"
    assert [name for name, _ in post.pairs] == FIELDS
    expected = {
        "cpm_site_id": shop.running.site_id,
        "cpm_trans_id": buyer.transaction_id,
        "cpm_trans_date": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(created)),
        "cpm_amount": "1500",
        "cpm_currency": "XOF",
        "payment_method": "",
        "cel_phone_num": "",
        "cpm_phone_prefixe": "",
        "cpm_version": "V4",
        "cpm_payment_config": "SINGLE",
        "cpm_page_action": "PAYMENT",
        "cpm_error_message": "TRANSACTION_CANCEL",
        **values,
    }
    assert {name: post.fields[name] for name in expected} == expected
    assert len(post.fields["signature"]) >= 32


async def test_phone_and_method_are_what_check_says(shop: Shop) -> None:
    buyer = await shop.opens()
    await take(pays("623", "FLOOZ"), buyer)
    data = (await buyer.check())["data"]
    fields = shop.receiver.posts[buyer.path][0].fields
    assert (fields["payment_method"], fields["cel_phone_num"], fields["cpm_phone_prefixe"]) == (
        "FLOOZ",
        data["phone_number"],
        "225",
    )


async def test_the_signature_is_the_payments_own_and_stays_the_same(shop: Shop) -> None:
    first, second = await shop.opens(), await shop.opens()
    for buyer in (first, second):
        await take(pays("623"), buyer)
        await take(says("paid", "00"), buyer)
    heard = [
        {post.fields["signature"] for post in shop.receiver.posts[each.path]} for each in (first, second)
    ]
    assert [len(each) for each in heard] == [1, 1]
    assert heard[0] != heard[1]


@pytest.mark.parametrize("metadata", [None, "vélo=1&x=+%20"])
async def test_x_token_is_the_hmac_of_the_values_in_the_order_of_arrival(
    shop: Shop, metadata: str | None
) -> None:
    _, post = await told_of_a_cancel(shop, metadata=metadata)
    text = "".join(value for _, value in post.pairs)
    mine = hmac.new(shop.running.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
    assert post.headers["x-token"] == mine


async def test_a_site_without_secret_key_gets_no_x_token(shop: Shop) -> None:
    bare = Shop(await shop.running.new_site(secret_key=None), shop.receiver, shop.client)
    _, post = await told_of_a_cancel(bare)
    assert "x-token" not in post.headers
    assert len(post.pairs) == 16


async def test_the_json_format_is_the_guides_two_fields(shop: Shop) -> None:
    site = Shop(await shop.running.new_site(notification_format="json"), shop.receiver, shop.client)
    buyer, post = await told_of_a_cancel(site)
    assert post.headers["content-type"].split(";")[0] == "application/json"
    assert "x-token" not in post.headers
    assert json.loads(post.body, object_pairs_hook=list) == [
        ("cpm_trans_id", buyer.transaction_id),
        ("cpm_site_id", site.running.site_id),
    ]


@pytest.mark.parametrize(
    ("settings", "outcome", "shown", "message"),
    [
        ({}, "602", "602", "INSUFFISENT_BALANCE"),
        ({"wire_revision": 2022}, "602", "602", "INSUFFICIENT_BALANCE"),
        ({}, "paid", "00", "SUCCES"),
        ({"success_word": "SUCCESS"}, "paid", "00", "SUCCESS"),
    ],
)
async def test_messages_are_spelt_as_the_site_wants_them(
    shop: Shop, settings: dict[str, Any], outcome: str, shown: str, message: str
) -> None:
    site = Shop(await shop.running.new_site(attempts_max=1, **settings), shop.receiver, shop.client)
    buyer = await site.opens()
    await take(pays("623"), buyer)
    await take(says(outcome, shown), buyer)
    assert shop.receiver.posts[buyer.path][-1].fields["cpm_error_message"] == message
    assert (await buyer.check())["message"] == message


async def test_without_a_notify_url_nothing_is_told(shop: Shop) -> None:
    buyer = await shop.opens(notify_url=None)
    await take(pays("623"), buyer)
    await take(says("paid", "00"), buyer)
    timeline = await buyer.timeline()
    assert (timeline.notification, timeline.deliveries) == (None, ())
