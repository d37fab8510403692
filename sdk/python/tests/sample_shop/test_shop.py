"""The shop's own tests, as a user writes them: real payments through the plugin's fixtures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cauri_shop.testing import Notifications, Pay, Received, Sandbox

from .shop import Shop


@pytest.fixture
def shop(cauri: Sandbox, notifications: Notifications) -> Iterator[Shop]:
    """An empty shop."""
    with cauri.checkout() as checkout:
        yield Shop(checkout, notifications.url)


def hand_over(shop: Shop, notifications: list[Received]) -> list[int]:
    return [shop.notified(one.body, one.headers) for one in notifications]


def test_a_paid_order_is_delivered_once_however_often_it_is_told(
    shop: Shop, pay: Pay, notifications: Notifications
) -> None:
    url = shop.press_pay(17, 1500)
    assert url is not None
    ended = pay(url)
    assert ended.paid
    assert set(hand_over(shop, notifications.wait() * 4)) == {200}
    assert (shop.delivered, shop.mails) == (["17"], ["mail:17 1500 XOF by FLOOZ"])
    assert shop.paid_amounts(17) == [1500]
    assert ended.return_url == "https://boutique.example/return"
    assert shop.come_back(ended.return_form).startswith("/return?transaction_id=CMD-")
    assert shop.press_pay(17, 1500) is None


def test_an_empty_wallet_cancels_and_the_next_try_delivers(
    shop: Shop, pay: Pay, notifications: Notifications
) -> None:
    first = shop.press_pay("panier", 1000)
    assert first is not None
    assert not pay(first, phone="+2250100000602").paid
    hand_over(shop, notifications.wait())
    second = shop.press_pay("panier", 1000)
    assert second not in (None, first)
    assert pay(str(second)).paid
    hand_over(shop, notifications.all)
    assert (shop.cancelled, shop.delivered, shop.alarms) == (["panier 602"], ["panier"], [])


def test_a_customer_who_never_answers_leaves_the_order_open(shop: Shop, pay: Pay) -> None:
    url = shop.press_pay("open", 1000)
    assert url is not None
    ended = pay(url, phone="+2250100000129", timeout=0.3)
    assert (ended.state.value, ended.return_url) == ("waiting", "")
    assert (shop.delivered, shop.cancelled) == ([], [])


def test_a_forged_notification_is_refused(shop: Shop, pay: Pay, notifications: Notifications) -> None:
    url = shop.press_pay("forged", 1000)
    assert url is not None
    pay(url)
    one = notifications.wait()[-1]
    assert shop.notified(one.body, {**one.headers, "x-token": "0" * 64}) == 401
    assert shop.delivered == []
