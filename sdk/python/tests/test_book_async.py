"""The same book, awaited: hooks of both kinds, on a store that is written for these tests alone."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from memory_store import MemoryStore

from cauri_shop import AsyncCheckout, AsyncPaymentBook, Checkout, PaymentBook
from cauri_shop.notification import SIGNED_FIELDS, x_token

APIKEY, SITE_ID, SECRET = "cauri-sandbox-apikey", "445160", "cauri-sandbox-secret-key"
PAID, FAILED = ("00", "SUCCES"), ("600", "PAYMENT_FAILED")


async def notify(book, transaction_id):
    fields = {**dict.fromkeys(SIGNED_FIELDS, ""), "cpm_site_id": SITE_ID, "cpm_trans_id": transaction_id}
    body = str(httpx.QueryParams(fields)).encode()
    answer = await book.handle_notification(
        body, "application/x-www-form-urlencoded", x_token(SECRET, fields.values())
    )
    return answer.status


def test_eight_equal_notifications_at_once_deliver_once_and_send_one_mail(gateway):
    async def story():
        ran = []
        async with AsyncCheckout(APIKEY, SITE_ID, SECRET, gateway.url) as checkout:
            book = AsyncPaymentBook(MemoryStore(), checkout, return_url="https://boutique.example/return")

            @book.on_paid
            async def deliver(event):
                await asyncio.sleep(0)
                ran.append(("paid", event.order_ref, event.session))

            @book.after_paid("mail")
            def mail(effect):
                ran.append(("mail", effect.key, effect.amount))

            urls = await asyncio.gather(
                *(book.start("o1", amount=1500, currency="XOF", description="d") for _ in range(4))
            )
            assert len(set(urls)) == len(gateway.payments) == 1
            (payment,) = await book.payments_of("o1")
            gateway.settle(payment.transaction_id, FAILED, PAID, FAILED, PAID)
            assert set(await asyncio.gather(*(notify(book, payment.transaction_id) for _ in range(8)))) == {
                200
            }
            assert (await book.refresh(payment.transaction_id)).paid
            assert (await book.handle_return({"token": payment.payment_token})).paid
            assert (await book.reconcile()).asked == 0
            assert (await book.run_outbox()).done == 0
        return ran

    assert asyncio.run(story()) == [("paid", "o1", "the session"), ("mail", "mail:o1", 1500)]


def test_a_hook_that_raises_puts_the_record_back(gateway):
    async def story():
        async with AsyncCheckout(APIKEY, SITE_ID, SECRET, gateway.url) as checkout:
            book = AsyncPaymentBook(MemoryStore(), checkout, return_url="https://boutique.example/return")

            @book.on_paid
            async def deliver(event):
                raise RuntimeError("the shop's own mistake")

            await book.start("o1", amount=1500, currency="XOF", description="d")
            (payment,) = await book.payments_of("o1")
            gateway.settle(payment.transaction_id, PAID)
            with pytest.raises(RuntimeError, match="own mistake"):
                await notify(book, payment.transaction_id)
            return (await book.payment(payment.transaction_id)).state.value

    assert asyncio.run(story()) == "waiting"


def test_a_synchronous_book_on_an_asynchronous_store_says_so(gateway):
    async def make():
        return MemoryStore()

    with Checkout(APIKEY, SITE_ID, SECRET, gateway.url) as checkout:
        book = PaymentBook(asyncio.run(make()), checkout, return_url="https://boutique.example/return")
        with pytest.raises(TypeError, match="AsyncPaymentBook"):
            book.start("o1", amount=1500, currency="XOF", description="d")
