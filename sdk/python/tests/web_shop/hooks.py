"""What this shop does, as naively as a shop may: the book must make it right."""

from __future__ import annotations

from sqlalchemy import String, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from cauri_shop.sqlalchemy import tables


class Base(DeclarativeBase):
    pass


class Sale(Base):
    """An order; nothing here guards it, so that only the book does."""

    __tablename__ = "sale"
    ref: Mapped[str] = mapped_column(String(100), primary_key=True)
    status: Mapped[str] = mapped_column(default="waiting")


class Told(Base):
    """One row each time a hook or an effect ran. Nothing forbids repeats: the tests count them."""

    __tablename__ = "told"
    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str]
    ref: Mapped[str]


BOOK = tables(Base.metadata)
FAIL = {"mail": 0, "paid": 0}


def register(book, engine, asynchronous):
    """The hooks: `execute` gives a coroutine in one colour, which the book awaits."""

    def told(event, what, ref):
        event.session.add(Told(what=what, ref=ref))

    def set_status(event, status):
        return event.session.execute(update(Sale).where(Sale.ref == event.order_ref).values(status=status))

    @book.on_paid
    def deliver(event):
        told(event, "paid", event.order_ref)
        if FAIL["paid"] > 0:
            FAIL["paid"] -= 1
            raise ConnectionError("the shop's own mistake")
        return set_status(event, "paid")

    @book.on_refused
    def cancel(event):
        told(event, "refused", event.transaction_id)
        return set_status(event, "cancelled")

    book.on_overpaid(lambda event: told(event, "overpaid", event.transaction_id))
    book.on_mismatch(lambda event: told(event, "mismatch", event.transaction_id))

    def fail():
        if FAIL["mail"] > 0:
            FAIL["mail"] -= 1
            raise ConnectionError("the mail server sleeps")

    def mail(effect):
        fail()
        with Session(engine) as session, session.begin():
            session.add(Told(what="mail", ref=effect.order_ref))

    async def mail_async(effect):
        fail()
        async with AsyncSession(engine) as session, session.begin():
            session.add(Told(what="mail", ref=effect.order_ref))

    book.after_paid("mail")(mail_async if asynchronous else mail)
