"""What the SQLAlchemy store takes, and what it refuses so that the book's commits are commits."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("sqlalchemy")
pytest.importorskip("aiosqlite")
from sqlalchemy import MetaData, NullPool, create_engine, create_mock_engine, inspect, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from web_shop.hooks import BOOK, Base, Sale, Told
from web_shop.shop import APIKEY, SECRET, SITE_ID, Shop, create_tables

from cauri_shop import AsyncPaymentBook, Checkout, PaymentBook, State
from cauri_shop.sqlalchemy import SqlAlchemyStore, StoreUnreachable, tables

PAID = ("00", "SUCCES")


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path}/shop.sqlite3"
    create_tables(url)
    return url


@pytest.fixture
def shop(database, gateway):
    shop = Shop("flask", database, gateway.url, durable=False)
    shop.ordered("o1")
    yield shop
    shop.close()


@pytest.fixture
def opened(shop, gateway):
    shop.start()
    name = shop.payments()[0].transaction_id
    gateway.settle(name, PAID)
    return name


def book_of(sessions, gateway):
    return PaymentBook(
        SqlAlchemyStore(sessions, BOOK),
        Checkout(APIKEY, SITE_ID, SECRET, gateway.url),
        return_url="https://b.example/r",
    )


def test_the_tables_come_with_the_shops_own_and_only_once():
    metadata = MetaData(schema="shop")
    found = tables(metadata)
    assert tables(metadata) == found
    assert sorted(metadata.tables) == [
        "shop.cauri_shop_effect",
        "shop.cauri_shop_order",
        "shop.cauri_shop_payment",
    ]
    assert {key.target_fullname for key in found.payments.foreign_keys} == {"shop.cauri_shop_order.order_ref"}


def test_the_tables_hold_what_the_protocol_promises(database):
    engine = create_engine(database)
    found = inspect(engine)
    assert {index["name"] for index in found.get_indexes("cauri_shop_payment")} >= {"cauri_shop_payment_due"}
    unique = found.get_unique_constraints("cauri_shop_payment")
    assert [constraint["column_names"] for constraint in unique] == [["order_ref", "number"]]
    engine.dispose()


@pytest.mark.parametrize("kind", ["engine", "sessionmaker", "function", "scoped_session"])
def test_it_takes_whatever_gives_a_session_of_its_own(database, gateway, kind):
    engine = create_engine(database, poolclass=NullPool)
    factory = sessionmaker(engine)
    given = {"engine": engine, "sessionmaker": factory, "function": lambda: Session(engine), "scoped_session": scoped_session(factory)}[kind]  # fmt: skip
    if kind == "scoped_session":
        # The request's own session has read something: the book must neither use nor end it.
        given.query(Sale).all()
    book = book_of(given, gateway)
    book.start("o1", amount=1500, currency="XOF", description="d")
    assert book.payments_of("o1")[0].state is State.WAITING
    if kind == "scoped_session":
        assert given().in_transaction()
        given.remove()


def test_an_async_sessionmaker_serves_the_asynchronous_book(database, gateway):
    async def story():
        engine = create_async_engine(database.replace("sqlite:", "sqlite+aiosqlite:"))
        async with Shop("fastapi", database, gateway.url).book.checkout as checkout:
            book = AsyncPaymentBook(
                SqlAlchemyStore(async_sessionmaker(engine)), checkout, return_url="https://b.example/r"
            )
            await book.start("o1", amount=1500, currency="XOF", description="d")
            assert (await book.payments_of("o1"))[0].state is State.WAITING
        await engine.dispose()

    asyncio.run(story())


def test_a_blocking_book_on_an_async_engine_says_which_book_to_take(database, gateway):
    engine = create_async_engine(database.replace("sqlite:", "sqlite+aiosqlite:"))
    with pytest.raises(TypeError, match="AsyncPaymentBook"):
        book_of(engine, gateway).payments_of("o1")


@pytest.mark.parametrize("wrong", [None, "sqlite://", object(), Session()])
def test_what_gives_no_sessions_is_refused(wrong):
    with pytest.raises(TypeError, match="sessionmaker"):
        SqlAlchemyStore(wrong)


def test_a_session_in_a_transaction_of_the_caller_is_refused_before_the_gateway_is_asked(database, gateway):
    engine = create_engine(database)
    session, connection = Session(engine), engine.connect()
    session.begin()
    connection.begin()
    for sessions in (lambda: session, sessionmaker(connection)):
        with pytest.raises(RuntimeError, match="in a transaction already"):
            book_of(sessions, gateway).start("o1", amount=1500, currency="XOF", description="d")
    assert session.in_transaction(), "and it is left as it was"
    session.close()
    connection.close()
    assert gateway.requests == []
    engine.dispose()


def test_another_engine_is_refused_by_name(gateway):
    class Elsewhere(Session):
        def get_bind(self, **_):
            return create_mock_engine("mssql://", lambda *_: None)

    with pytest.raises(RuntimeError, match="not mssql"):
        book_of(Elsewhere, gateway).payments_of("o1")


def test_an_engine_in_autocommit_keeps_record_and_effect_together(database, gateway):
    shop = Shop("flask", database, gateway.url)
    shop.engine = shop.engine.execution_options(isolation_level="AUTOCOMMIT")
    book = book_of(shop.engine, gateway)
    book.start("o1", amount=1500, currency="XOF", description="d")
    payment = book.payments_of("o1")[0]
    gateway.settle(payment.transaction_id, PAID)

    @book.on_paid
    def fail(event):
        event.session.add(Told(what="paid", ref="o1"))
        event.session.flush()
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        book.refresh(payment.transaction_id)
    assert (book.payment(payment.transaction_id).state, shop.counts("paid")) == (State.WAITING, {})
    shop.close()


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_hook_that_ends_the_books_transaction_is_told_so(shop, opened, end):
    @shop.book.on_paid
    def ended(event):
        getattr(event.session, end)()

    with pytest.raises(RuntimeError, match="leave commit and rollback to the book"):
        shop.do(shop.book.refresh(opened))
    assert len(shop.counts("paid")) == (1 if end == "commit" else 0), "nothing half"
    assert shop.payment(opened).paid == (end == "commit")


@pytest.mark.parametrize("kind", ["flask", "fastapi"])
def test_a_hook_that_calls_the_book_is_refused_instead_of_waiting_for_itself(kind, database, gateway):
    shop = Shop(kind, database, gateway.url, durable=False)
    shop.start()
    (payment,) = shop.payments()
    gateway.settle(payment.transaction_id, PAID)
    shop.book.on_paid(lambda event: shop.book.start("o2", amount=100, currency="XOF", description="d"))
    with pytest.raises(RuntimeError, match="after_paid"):
        shop.do(shop.book.refresh(payment.transaction_id))
    assert shop.payment(payment.transaction_id).state is State.WAITING
    shop.close()


def test_an_effect_may_call_the_book(shop, opened):
    @shop.book.after_paid("next")
    def start_next(effect):
        shop.book.start("o2", amount=100, currency="XOF", description="d")

    shop.do(shop.book.refresh(opened))
    assert len(shop.payments("o2")) == 1


def test_what_a_hook_breaks_in_the_database_keeps_its_own_name(shop, opened):
    @shop.book.on_paid
    def twice(event):
        event.session.execute(Sale.__table__.insert().values(ref="o1", status="x"))

    with pytest.raises(IntegrityError):
        shop.do(shop.book.refresh(opened))


def test_a_database_that_stays_locked_has_one_name_and_nothing_is_lost(database, gateway):
    engine = create_engine(database, connect_args={"timeout": 0.05})
    book = book_of(engine, gateway)
    with create_engine(database).begin() as other:
        other.execute(update(BOOK.orders).values(touched=1))
        with pytest.raises(StoreUnreachable, match="OperationalError"):
            book.start("o1", amount=1500, currency="XOF", description="d")
        assert book.payments_of("o1") == []
    assert gateway.requests == []
    assert book.start("o1", amount=1500, currency="XOF", description="d")
    engine.dispose()


def test_a_missing_table_is_no_secret(tmp_path, gateway):
    book = book_of(create_engine(f"sqlite:///{tmp_path}/empty.sqlite3"), gateway)
    with pytest.raises(StoreUnreachable) as caught:
        book.payments_of("o1")
    assert "no such table" in str(caught.value.__cause__)


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_a_postgresql_server_that_is_away_has_the_same_name(driver, gateway):
    pytest.importorskip(driver)
    url = f"postgresql+{driver}://nobody@127.0.0.1:9/nothing"
    engine = create_async_engine(url) if driver == "asyncpg" else create_engine(url)
    store = SqlAlchemyStore(engine, BOOK)

    async def read():
        async with store.reading() as tx:
            await tx.payment("CMD-1")

    with pytest.raises(StoreUnreachable):
        asyncio.run(read())


def test_the_rows_live_in_the_shops_own_metadata():
    assert BOOK.orders.metadata is Base.metadata
