"""What a gateway's deliveries are signed with, judged by others: from the first try, over a rotation, to the new secret alone."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from cauri_shop import BadSignature, Checkout, verify_webhook
from standardwebhooks import Webhook

from cauri.clock import HOUR, SECOND
from cauri.keys import webhook_secret
from cauri.notifier.trying import try_url
from tests.lifecycle.shopping import Purchase, Shop
from tests.notifier.receiver import Answer, Post, http

GRACE = 48 * HOUR
A_MOMENT = 10 * SECOND  # after which a changed site is felt


async def told(shop: Shop, *answers: Answer) -> tuple[Purchase, list[Post]]:
    """A payment that has ended, and what its shop has heard of it."""
    shop.clock.advance(A_MOMENT)
    buyer = await shop.opens(metadata={"note": "déjà vu ☕"}, description="Café & pagne")
    shop.receiver.answers[buyer.path].extend(answers)
    await buyer.post("cancel")
    await shop.turn()
    await buyer.is_told()
    return buyer, shop.receiver.posts[buyer.path]


def signatures(post: Post, *secrets: str) -> list[str]:
    """What the standard's own library signs this message with, by each secret."""
    at = datetime.fromtimestamp(int(post.headers["webhook-timestamp"]), UTC)
    return [
        Webhook(webhook_secret(secret)).sign(post.headers["webhook-id"], at, post.body.decode())
        for secret in secrets
    ]


def x_token(post: Post, secret: str) -> str:
    joined = "".join(value for _, value in post.pairs)
    return hmac.new(secret.encode(), joined.encode(), hashlib.sha256).hexdigest()


async def test_every_try_of_a_state_has_one_id_and_its_own_moment_and_number(shop: Shop) -> None:
    buyer, posts = await told(shop, Answer(http(500)))
    shop.clock.advance(15 * SECOND)
    await shop.turn()
    await buyer.is_told()
    first, second = (post.headers for post in posts)
    assert first["webhook-id"] == second["webhook-id"]
    assert (first["webhook-try"], second["webhook-try"]) == ("1", "2")
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 15
    for post in posts:
        assert post.headers["webhook-signature"].split(" ") == signatures(post, shop.running.secret_key)
    assert buyer.token not in str(posts)


async def test_the_next_state_of_a_payment_has_another_id(shop: Shop) -> None:
    shop.clock.advance(A_MOMENT)
    buyer = await shop.opens()
    await buyer.pays()
    await buyer.comes_to("00")
    ids = [post.headers["webhook-id"] for post in shop.receiver.posts[buyer.path]]
    assert len(ids) == len(set(ids)) == 2


async def test_over_a_rotation_nobody_misses_anything(shop: Shop) -> None:
    running, old, new = shop.running, shop.running.secret_key, "clé nouvelle №2"
    both = Checkout("key", running.site_id, [old, new])
    now = shop.clock.now()
    assert await running.store.rotate_secret(running.site_id, new, until=now + GRACE, now=now)

    _, [during] = await told(shop)
    assert during.headers["webhook-signature"].split(" ") == signatures(during, old, new)
    assert during.headers["x-token"] == x_token(during, old)

    shop.clock.advance(GRACE)
    await running.sandbox.gateway.old_secrets.tick(shop.clock.now())
    site = await running.store.site(running.site_id)
    assert site is not None
    assert (site.secret_key, site.old_secret_key, site.old_secret_until) == (new, None, None)
    _, [after] = await told(shop)
    assert after.headers["webhook-signature"].split(" ") == signatures(after, new)
    assert after.headers["x-token"] == x_token(after, new)

    for post in (during, after):
        kind, at = post.headers["content-type"], int(post.headers["webhook-timestamp"])
        assert both.read_notification(post.body, kind, post.headers["x-token"]).verified
        verify_webhook(post.headers, post.body, [old, new], now=datetime.fromtimestamp(at, UTC))
    with pytest.raises(BadSignature):
        verify_webhook(after.headers, after.body, old, tolerance_s=10**9)


async def test_the_grace_ends_by_the_clock_though_nothing_was_cleaned_up(shop: Shop) -> None:
    running, now = shop.running, shop.clock.now()
    await running.store.rotate_secret(running.site_id, "new", until=now + GRACE, now=now)
    shop.clock.advance(GRACE)
    _, [post] = await told(shop)
    assert post.headers["webhook-signature"].split(" ") == signatures(post, "new")


async def test_the_payment_of_a_test_is_unknown_to_the_gateway(shop: Shop) -> None:
    running = shop.running
    site = await running.store.site(running.site_id)
    assert site is not None
    tried = await try_url(
        running.sandbox.gateway.sender, shop.clock, site, f"{shop.receiver.url}/test-of-{running.site_id}"
    )
    assert tried.told
    keys = {"apikey": running.apikey, "site_id": running.site_id, "transaction_id": tried.transaction_id}
    answer = await shop.client.post(f"{running.url}/v2/payment/check", json=keys)
    assert (answer.status_code, answer.json()["message"]) == (404, "TRANSACTION_NOT_FOUND")
