"""A small shop on SQLAlchemy, in three kinds: Flask, FastAPI with the asynchronous book, FastAPI with the blocking one.

`Shop` calls it as the gateway and its customers do.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

import httpx
from sqlalchemy import create_engine, event, func, select, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from cauri_shop import AsyncCheckout, AsyncPaymentBook, Checkout, PaymentBook
from cauri_shop.notification import SIGNED_FIELDS, x_token
from cauri_shop.sqlalchemy import SqlAlchemyStore
from web_shop.hooks import BOOK, Base, Sale, Told, register

APIKEY, SITE_ID, SECRET = "cauri-sandbox-apikey", "445160", "cauri-sandbox-secret-key"
FORM = "application/x-www-form-urlencoded"
PUBLIC = "https://boutique.example/cauri"
KINDS = ("flask", "fastapi", "fastapi-sync")
DRIVERS = {
    "sqlite": {False: "sqlite", True: "sqlite+aiosqlite"},
    "postgresql": {False: "postgresql+psycopg", True: "postgresql+asyncpg"},
}


def engine_of(database, asynchronous, *, durable=True):
    """An engine for "sqlite:///path" or "postgresql://…"; waits for SQLite's one writer as long as it takes."""
    scheme, rest = database.split(":", 1)
    make = create_async_engine if asynchronous else create_engine
    options = {"connect_args": {"timeout": 60}} if scheme == "sqlite" else {}
    engine = make(f"{DRIVERS[scheme][asynchronous]}:{rest}", **options)
    if scheme == "sqlite" and not durable:
        raw = engine.sync_engine if asynchronous else engine
        event.listen(raw, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine


class Shop:
    """One process of the shop. Every method blocks; an asynchronous shop runs in a loop of its own."""

    def __init__(self, kind, database, gateway_url, *, secret=SECRET, durable=True, **doors):
        self.kind, self.asynchronous = kind, kind == "fastapi"
        self.loop = asyncio.new_event_loop()
        self.engine = engine_of(database, self.asynchronous, durable=durable)
        # The tests' own look at the database.
        self.plain = engine_of(database, False, durable=durable)
        client = (httpx.AsyncClient if self.asynchronous else httpx.Client)(verify=False)
        checkout = (AsyncCheckout if self.asynchronous else Checkout)(
            APIKEY, SITE_ID, secret, gateway_url, client=client
        )
        self.book = (AsyncPaymentBook if self.asynchronous else PaymentBook)(
            SqlAlchemyStore(self.engine, BOOK),
            checkout,
            return_url=f"{PUBLIC}/return",
            notify_url=f"{PUBLIC}/notify",
        )
        register(self.book, self.engine, self.asynchronous)
        self.app = app_of(kind, self.book, **doors)
        if kind != "flask":
            self._client = httpx.AsyncClient(
                transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://shop"
            )

    def close(self):
        if self.asynchronous:
            self.do(self.engine.dispose())
        else:
            self.engine.dispose()
        self.plain.dispose()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def do(self, value):
        """What a method of the book gives, in either colour."""
        return self.loop.run_until_complete(value) if inspect.isawaitable(value) else value

    def call(self, method, path, body=b"", headers=None):
        """A request; gives (status, headers, text), or a coroutine of it where the shop is asynchronous."""
        if self.kind == "flask":
            answer = self.app.test_client().open(path, method=method, data=body, headers=headers)
            return answer.status_code, answer.headers, answer.text
        return self._sent(method, path, body, headers)

    async def _sent(self, method, path, body, headers):
        answer = await self._client.request(method, path, content=body, headers=headers)
        return answer.status_code, answer.headers, answer.text

    def get(self, path, method="GET", **headers):
        return self.do(self.call(method, path, headers=headers))

    def post(self, path, body=b"", kind=FORM, **headers):
        return self.do(self.call("POST", path, body, {"Content-Type": kind, **headers}))

    def notification(self, transaction_id, token=None):
        """The arguments of `call` for one signed notification."""
        fields = {**dict.fromkeys(SIGNED_FIELDS, ""), "cpm_site_id": SITE_ID, "cpm_trans_id": transaction_id}
        right = x_token(SECRET, fields.values())
        headers = {"Content-Type": FORM, "x-token": right if token is None else token}
        return "POST", "/cauri/notify", urlencode(fields).encode(), headers

    def notify(self, transaction_id, token=None):
        return self.do(self.call(*self.notification(transaction_id, token)))[0]

    def ordered(self, *refs):
        with Session(self.plain) as session, session.begin():
            session.add_all(Sale(ref=ref) for ref in refs)

    def start(self, ref="o1", amount=1500, **fields):
        """Presses "Pay" for an order."""
        return self.do(self.book.start(ref, amount=amount, currency="XOF", description="Pagne", **fields))

    def payments(self, ref="o1"):
        return self.do(self.book.payments_of(ref))

    def payment(self, transaction_id):
        return self.do(self.book.payment(transaction_id))

    def reconcile(self):
        return self.do(self.book.reconcile(rate=1e6))

    def let_time_pass(self):
        """Everything that is scheduled becomes due."""
        now = datetime.now(timezone.utc)
        waiting, undone = BOOK.payments.c.next_ask_at.is_not(None), BOOK.effects.c.done_at.is_(None)
        with self.plain.begin() as connection:
            connection.execute(update(BOOK.payments).values(started_at=now - timedelta(minutes=2)))
            connection.execute(update(BOOK.payments).where(waiting).values(next_ask_at=now))
            connection.execute(update(BOOK.effects).where(undone).values(next_try_at=now))

    def statuses(self):
        with Session(self.plain) as session:
            return {sale.ref: sale.status for sale in session.scalars(select(Sale))}

    def counts(self, what):
        """How often a hook or an effect ran, by what it ran for."""
        with Session(self.plain) as session:
            counted = select(Told.ref, func.count()).where(Told.what == what).group_by(Told.ref)
            return {ref: times for ref, times in session.execute(counted)}

    def happened(self, ref="o1"):
        """The order's status, and what ran, in its order."""
        with Session(self.plain) as session:
            return self.statuses()[ref], list(session.scalars(select(Told.what).order_by(Told.id)))


def app_of(kind, book, **doors):
    if kind == "flask":
        from flask import Flask

        from cauri_shop.flask import blueprint

        app = Flask("shop")
        app.register_blueprint(blueprint(book, **doors), url_prefix="/cauri")
        return app
    from fastapi import FastAPI

    from cauri_shop.fastapi import router

    app = FastAPI()
    app.include_router(router(book, **doors), prefix="/cauri")
    return app


def create_tables(database):
    engine = engine_of(database, False, durable=False)
    Base.metadata.create_all(engine)
    engine.dispose()


def shuffled(tasks, seed):
    random.Random(seed).shuffle(tasks)
    return tasks
