"""The library's calls as users write them, right and wrong. mypy alone reads this file; nothing runs it.

Each wrong call carries the error that mypy must find: strict mode complains of an ignore that nothing needs.
"""

from __future__ import annotations

from datetime import datetime

from cauri_shop import (
    AsyncCheckout,
    AsyncPaymentBook,
    BadSignature,
    Checkout,
    Effect,
    Payment,
    PaymentBook,
    PaymentEvent,
    PaymentState,
    PaymentStatus,
    RequestRefused,
    State,
    UnevenAmount,
    new_transaction_id,
    payable_amount,
    read_return,
)
from cauri_shop.book import BookStore, Reconciled
from cauri_shop.testing import Ended, Notifications, Pay, Received, Sandbox


def blocking(checkout: Checkout) -> str:
    started = checkout.start(
        transaction_id=new_transaction_id("CMD"), amount=1500, currency="XOF", description="Pagne",
        return_url="https://boutique.example/return", channels=["MOBILE_MONEY"], invoice_data={"Pagne": "1500"},
    )  # fmt: skip
    token: str = started.payment_token
    status: PaymentStatus = checkout.check(payment_token=token)
    amount: int | None = status.amount
    paid_at: datetime | None = status.payment_date
    if status.state is PaymentState.PAID and status.matches(amount=1500, currency="XOF"):
        return f"{amount} {paid_at} {status.operator_id}"
    return started.payment_url


async def asynchronous(checkout: AsyncCheckout) -> PaymentStatus:
    async with checkout as open_checkout:
        started = await open_checkout.start(
            transaction_id="CMD-1", amount=1500, currency="XOF", description="Pagne",
            return_url="https://boutique.example/return", idempotency_key="CMD-1",
        )  # fmt: skip
        return await open_checkout.check(payment_token=started.payment_token)


def doors(checkout: Checkout, body: bytes, form: dict[str, str]) -> tuple[int, str | None]:
    try:
        notification = checkout.read_notification(body, "application/json", None)
    except BadSignature:
        return 401, None
    return 200, read_return(form).transaction_id or notification.transaction_id


def refusals(checkout: Checkout) -> str:
    try:
        payable_amount(1001, "XOF")
        checkout.check("CMD-1")
    except UnevenAmount as uneven:
        nearest: tuple[int, ...] = uneven.nearest
        return f"{uneven.field} {nearest}"
    except RequestRefused as refused:
        return f"{refused.code} {refused.what_to_do}"
    return ""


def book_of(store: BookStore, checkout: Checkout) -> PaymentBook:
    book = PaymentBook(store, lambda: checkout, return_url=lambda: "https://boutique.example/return")

    @book.on_paid
    def deliver(event: PaymentEvent) -> None:
        payment: Payment = event.payment
        if payment.state is State.PAID:
            print(event.order_ref, payment.paid_at)

    @book.after_paid("mail")
    def mail(effect: Effect) -> None:
        print(effect.key, effect.tries)

    @book.transaction_ids
    def name(order_ref: str, number: int) -> str:
        return f"CMD-{order_ref}-{number}"

    deliver_is_still_what_it_was: str | None = deliver.__doc__
    print(deliver_is_still_what_it_was, mail, name("1", 1).upper())
    report: Reconciled = book.reconcile(limit=10, progress=print)
    print(report.asked)
    return book


async def async_book(book: AsyncPaymentBook) -> Payment:
    @book.on_paid
    async def deliver(event: PaymentEvent) -> None:
        print(event.amount)

    url: str = await book.start("order-1", amount=1500, currency="XOF", description="Pagne")
    print(url, deliver)
    return await book.refresh("CMD-1")


def fixtures(cauri: Sandbox, pay: Pay, notifications: Notifications) -> bool:
    with cauri.checkout() as checkout:
        ended: Ended = pay(blocking(checkout), phone="+2250700000602", timeout=1)
    first: Received = notifications.wait(1, timeout=5)[0]
    return ended.paid and first.verified and cauri.environment["CAURI_SITE_ID"] == "445160"


def wrong(checkout: Checkout, book: PaymentBook, status: PaymentStatus, pay: Pay) -> None:
    checkout.start(transaction_id="CMD-1", amount=1500, currency="XOF", description="Pagne")  # type: ignore[call-arg]
    checkout.start(
        transaction_id="CMD-1", amount=15.5, currency="XOF", description="Pagne", return_url="https://b.example/"  # type: ignore[arg-type]
    )  # fmt: skip
    checkout.start("CMD-1", 1500, "XOF")  # type: ignore[call-arg]
    checkout.check(17)  # type: ignore[arg-type]
    checkout.read_notification("text, not bytes", None)  # type: ignore[arg-type]
    book.start(["order"], amount=1500, currency="XOF", description="Pagne")  # type: ignore[arg-type]
    book.start("order", amount="1500", currency="XOF", description="Pagne")  # type: ignore[arg-type]
    status.amount + 1  # type: ignore[operator]
    status.state = PaymentState.PAID  # type: ignore[misc]
    PaymentBook(dict(), checkout)  # type: ignore[arg-type]
    pay("https://gateway.example/payment/1", 2250700000001)  # type: ignore[arg-type]
