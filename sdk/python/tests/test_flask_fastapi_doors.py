"""The book on SQLAlchemy behind Flask, FastAPI and FastAPI with a blocking book: the same story in all three."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

import pytest

pytest.importorskip("sqlalchemy")
pytest.importorskip("flask")
pytest.importorskip("fastapi")
pytest.importorskip("aiosqlite")
from starlette.responses import PlainTextResponse
from test_sdk_webhook import signed
from web_shop.hooks import FAIL as WILL_FAIL
from web_shop.shop import APIKEY, FORM, KINDS, SECRET, Shop, create_tables

from cauri_shop import NotSent, OrderAlreadyPaid, OutcomeUnknown, State
from cauri_shop.flask import blueprint

PAID, FAILED = ("00", "SUCCES"), ("600", "PAYMENT_FAILED")


@pytest.fixture(params=KINDS)
def shop(request, tmp_path, gateway):
    database = f"sqlite:///{tmp_path}/shop.sqlite3"
    create_tables(database)
    WILL_FAIL.update(mail=0, paid=0)
    shop = Shop(request.param, database, gateway.url, durable=False)
    shop.ordered("o1", "o2")
    yield shop
    shop.close()


@pytest.fixture
def opened(shop):
    """An order whose customer stands at the payment's page: the payment's name."""
    shop.start()
    return shop.payments()[0].transaction_id


def test_a_payment_is_opened_stored_and_found_again_when_pressed_twice(shop, gateway):
    first, second = shop.start(), shop.start()
    (payment,) = shop.payments()
    assert first == second == payment.payment_url
    assert payment.state is State.WAITING
    assert payment.payment_token == gateway.payments[payment.transaction_id]["payment_token"]
    assert gateway.payments[payment.transaction_id]["notify_url"] == "https://boutique.example/cauri/notify"
    assert all(date.tzinfo for date in (payment.created_at, payment.started_at, payment.next_ask_at))


def test_a_paid_notification_delivers_once_and_sends_the_mail(shop, gateway, opened):
    gateway.settle(opened, PAID)
    assert [shop.notify(opened) for _ in range(3)] == [200] * 3
    assert shop.happened() == ("paid", ["paid", "mail"])
    with pytest.raises(OrderAlreadyPaid):
        shop.start()


@pytest.mark.parametrize("kind", KINDS)
def test_while_the_secret_key_is_changed_both_are_accepted(kind, tmp_path, gateway):
    database = f"sqlite:///{tmp_path}/shop.sqlite3"
    create_tables(database)
    shop = Shop(kind, database, gateway.url, secret=["new", SECRET], durable=False)
    shop.ordered("o1")
    shop.start()
    opened = shop.payments()[0].transaction_id
    gateway.settle(opened, PAID)
    assert [shop.notify(opened, "0" * 64), shop.notify(opened)] == [401, 200]
    shop.close()


def test_another_amount_never_delivers_and_is_told_once(shop, gateway, opened, caplog):
    gateway.settle(opened, PAID, amount="1000")
    assert [shop.notify(opened) for _ in range(2)] == [200] * 2
    assert shop.happened() == ("waiting", ["mismatch"])
    assert any(record.levelname == "CRITICAL" for record in caplog.records)
    assert "1000 XOF" in shop.payment(opened).problem


def test_a_late_or_forged_failure_never_changes_a_paid_order(shop, gateway, opened):
    shop.start(amount=2000)
    second = shop.payments()[1].transaction_id
    gateway.settle(second, PAID)
    assert shop.notify(second) == 200
    gateway.settle(opened, FAILED)
    gateway.settle(second, FAILED)
    assert [shop.notify(opened), shop.notify(second), shop.notify(second, "0" * 64)] == [200, 200, 401]
    assert shop.happened() == ("paid", ["paid", "mail"])


def test_a_refusal_is_told_once_and_a_later_paid_check_wins(shop, gateway, opened):
    gateway.settle(opened, FAILED)
    assert [shop.notify(opened) for _ in range(2)] == [200] * 2
    assert shop.happened() == ("cancelled", ["refused"])
    gateway.settle(opened, PAID)
    shop.notify(opened)
    assert shop.happened() == ("paid", ["refused", "paid", "mail"])


def test_a_second_paid_payment_of_an_order_is_loud(shop, gateway, opened):
    gateway.settle(opened, FAILED)
    shop.notify(opened)
    shop.start()
    second = shop.payments()[1].transaction_id
    gateway.settle(second, PAID)
    shop.notify(second)
    gateway.settle(opened, PAID)
    assert [shop.notify(opened) for _ in range(2)] == [200] * 2
    assert shop.happened() == ("paid", ["refused", "paid", "mail", "overpaid"])


def test_a_hook_that_raises_undoes_everything_and_the_next_notification_delivers(
    shop, gateway, opened, caplog
):
    gateway.settle(opened, PAID)
    WILL_FAIL["paid"] = 1
    assert shop.notify(opened) == 500, "a mistake of the shop is not called trouble of its database"
    assert shop.happened() == ("waiting", [])
    assert shop.payment(opened).state is State.WAITING
    assert shop.notify(opened) == 200
    assert shop.happened() == ("paid", ["paid", "mail"])


def test_a_mail_that_fails_goes_out_later_without_a_second_delivery(shop, gateway, opened):
    gateway.settle(opened, PAID)
    WILL_FAIL["mail"] = 2
    assert shop.notify(opened) == 200
    assert shop.happened() == ("paid", ["paid"])
    shop.let_time_pass()
    assert shop.do(shop.book.run_outbox()).failed == 1
    shop.let_time_pass()
    assert shop.notify(opened) == 200
    assert shop.happened() == ("paid", ["paid", "mail"])


def test_reconcile_learns_of_lost_notifications_oldest_first(shop, gateway, opened):
    shop.start("o2")
    second = shop.payments("o2")[0].transaction_id
    gateway.settle(opened, PAID)
    assert shop.reconcile().asked == 0
    shop.let_time_pass()
    gateway.requests.clear()
    found = shop.reconcile()
    assert (found.asked, found.paid, found.waiting) == (2, 1, 1)
    assert [fields["transaction_id"] for _, _, fields in gateway.requests] == [opened, second]
    assert shop.happened() == ("paid", ["paid", "mail"])


def test_a_lost_answer_and_a_gateway_that_is_away_leave_a_row_to_ask_about(shop, gateway, tmp_path):
    gateway.will_answer(502, b"")
    with pytest.raises(OutcomeUnknown):
        shop.start()
    assert shop.payments()[0].state is State.OPENED
    alone = Shop(shop.kind, f"sqlite:///{tmp_path}/shop.sqlite3", "http://127.0.0.1:9")
    with pytest.raises(NotSent):
        alone.start("o2")
    assert alone.payments("o2")[0].state is State.OPENED
    alone.close()


def test_json_and_a_site_without_a_secret_are_settled_by_check_alone(shop, gateway, opened):
    gateway.settle(opened, PAID)
    body = b'{"cpm_trans_id": "%s", "cpm_site_id": "445160"}' % opened.encode()
    assert shop.post("/cauri/notify", body, "application/json")[0] == 200
    assert shop.happened() == ("paid", ["paid", "mail"])


@pytest.mark.parametrize("token", ["0" * 64, "", "\xe9"])
def test_a_forged_or_missing_token_is_answered_401_and_nothing_happens(shop, gateway, opened, token):
    gateway.settle(opened, PAID)
    gateway.requests.clear()
    _, _, body, headers = shop.notification(opened)
    headers.pop("x-token")
    if token:
        headers["x-token"] = token
    answer = shop.do(shop.call("POST", "/cauri/notify", body, [(k, v.encode("latin-1") if shop.kind != "flask" else v) for k, v in headers.items()]))  # fmt: skip
    assert answer[0] == 401
    assert (gateway.requests, shop.happened()) == ([], ("waiting", []))


def test_a_signed_json_notification_is_verified_and_a_forged_or_recorded_one_refused(shop, gateway, opened):
    gateway.settle(opened, PAID)
    gateway.requests.clear()
    body = b'{"cpm_trans_id": "%s", "cpm_site_id": "445160"}' % opened.encode()
    now = datetime.now(timezone.utc)
    right = signed(SECRET, body=body, at=now)
    for forged in (
        signed("another", body=body, at=now),
        signed(SECRET, body=body + b" ", at=now),
        signed(SECRET, body=body, at=now - timedelta(minutes=6)),
        {**right, "Webhook-Signature": "v1,"},
        {name: value for name, value in right.items() if name != "Webhook-Id"},
        {**signed("another", body=body, at=now), "x-token": "0" * 64},
    ):
        assert shop.post("/cauri/notify", body, "application/json", **forged)[0] == 401, forged
    assert (gateway.requests, shop.happened()) == ([], ("waiting", []))
    assert shop.post("/cauri/notify", body, "application/json", **right)[0] == 200
    assert shop.happened() == ("paid", ["paid", "mail"])


def test_the_headers_alone_prove_no_form(shop, gateway, opened):
    _, _, body, headers = shop.notification(opened)
    headers.pop("x-token")
    now = datetime.now(timezone.utc)
    assert (
        shop.do(shop.call("POST", "/cauri/notify", body, {**headers, **signed(SECRET, body=body, at=now)}))[0]
        == 401
    )


def test_the_notify_door_answers_pings_and_refuses_nonsense(shop):
    assert (shop.get("/cauri/notify")[0], shop.get("/cauri/notify")[2]) == (200, "ok")
    assert shop.get("/cauri/notify", "HEAD")[0] == 200
    assert shop.get("/cauri/return", "HEAD")[0] == 200
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert [shop.get(f"/cauri/{door}", method)[0] for door in ("notify", "return")] == [405, 405], method
    assert shop.notify("CMD-nobody") == 404
    for kind, body in [(FORM, b""), (FORM, b"\xff"), ("application/json", b"[]"), ("text/plain", b"x"),
                       ("application/json", b"[" * 60_000), (FORM, b"a" * 200_000), ("", b"x"),
                       ("multipart/form-data; boundary=x", b"--x--")]:  # fmt: skip
        assert shop.post("/cauri/notify", body, kind)[0] == 400, body[:20]


def test_the_return_decides_nothing_and_shows_the_book(shop, gateway, opened):
    gateway.settle(opened, PAID)
    gateway.requests.clear()
    token = gateway.payments[opened]["payment_token"]
    status, headers, _ = shop.post("/cauri/return", f"token={token}&status=ACCEPTED".encode())
    assert (status, headers["Location"]) == (303, f"/cauri/return?transaction_id={opened}")
    status, answered, page = shop.get(headers["Location"])
    assert "Paiement en cours" in page
    assert 'http-equiv="refresh"' in page
    assert (status, answered["Cache-Control"], answered["Referrer-Policy"]) == (
        200,
        "no-store",
        "same-origin",
    )
    assert (gateway.requests, shop.happened()) == ([], ("waiting", []))
    shop.notify(opened)
    page = shop.get(headers["Location"])[2]
    assert "Merci" in page
    assert "1500 XOF" in page
    assert "refresh" not in page
    assert token not in page


@pytest.mark.parametrize(
    ("accept", "title"),
    [("en-GB,fr;q=0.5", "Welcome"), ("fr-CI,en;q=0.5", "Bienvenue"), ("", "Bienvenue"), ("de,en;q=x", "Bienvenue"), ("*", "Bienvenue")],
)  # fmt: skip
def test_the_page_speaks_the_customers_language(shop, accept, title):
    assert title in shop.get("/cauri/return", **{"Accept-Language": accept})[2]


@pytest.mark.parametrize(
    "query", ["", "transaction_id=nobody", "transaction_id=%00", "token=", "%ff=%ff", "transaction_id=<b>"]
)
def test_a_return_from_nowhere_is_a_friendly_page(shop, query):
    status, _, page = shop.get(f"/cauri/return?{query}")
    assert (status, "Nous ne trouvons pas" in page, "<b>" in page) == (200, True, False)
    status, headers, _ = shop.post("/cauri/return", query.encode())
    assert (status, headers["Location"]) == (303, "/cauri/return")


def test_an_order_is_shown_as_text_never_as_html(shop):
    shop.start("<script>o</script>")
    payment = shop.payments("<script>o</script>")[0]
    page = shop.get(f"/cauri/return?transaction_id={payment.transaction_id}")[2]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


# aiosqlite ends the thread of a failed connection a moment after it told of the failure.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_database_that_is_away_answers_503_on_both_doors(tmp_path, gateway, shop, opened, caplog):
    broken = Shop(shop.kind, f"sqlite:///{tmp_path}/nowhere/shop.sqlite3", gateway.url)
    with caplog.at_level(logging.CRITICAL):
        assert broken.notify(opened) == 503
        assert broken.post("/cauri/return", f"transaction_id={opened}".encode())[0] == 503
        assert broken.get(f"/cauri/return?transaction_id={opened}")[0] == 503
    broken.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_donation_site_has_no_notify_door(kind, tmp_path, gateway):
    shop = Shop(kind, f"sqlite:///{tmp_path}/shop.sqlite3", gateway.url, notify=False)
    assert [shop.get(f"/cauri/{door}")[0] for door in ("notify", "return")] == [404, 200]
    shop.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_the_shops_own_keeps_the_headers_that_hide_the_address(kind, tmp_path, gateway):
    def page(payment):
        return f"payment {payment}"

    async def response(request, payment):
        return PlainTextResponse(
            page(payment), headers={"Cache-Control": "private"} if request.query_params else None
        )

    show = page if kind == "flask" else response
    shop = Shop(kind, f"sqlite:///{tmp_path}/shop.sqlite3", gateway.url, show=show)
    status, headers, text = shop.get("/cauri/return")
    assert (status, text) == (200, "payment None")
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "same-origin")
    if kind != "flask":
        assert shop.get("/cauri/return?own=1")[1]["Cache-Control"] == "private"
    shop.close()


def test_flask_refuses_the_asynchronous_book_and_knows_its_command(tmp_path, gateway):
    database = f"sqlite:///{tmp_path}/shop.sqlite3"
    create_tables(database)
    asynchronous = Shop("fastapi", database, gateway.url)
    with pytest.raises(TypeError, match=r"cauri_shop\.fastapi"):
        blueprint(asynchronous.book)
    asynchronous.close()
    shop = Shop("flask", database, gateway.url, durable=False)
    shop.ordered("o1")
    shop.start()
    gateway.settle(shop.payments()[0].transaction_id, PAID)
    shop.let_time_pass()
    run = shop.app.test_cli_runner().invoke(args=["cauri", "reconcile", "--rate", "1000"])
    assert (run.exit_code, "asked about 1: 1 paid" in run.output, "effects: " in run.output) == (
        0,
        True,
        True,
    )
    assert shop.happened() == ("paid", ["paid", "mail"])
    assert shop.app.test_cli_runner().invoke(args=["cauri", "reconcile", "--rate", "0"]).exit_code == 2
    shop.close()


def test_flask_wtf_is_told_to_leave_the_doors_alone(shop):
    if shop.kind != "flask":
        pytest.skip("Flask alone")
    flask_wtf = pytest.importorskip("flask_wtf")
    from flask import Flask

    app = Flask("guarded")
    app.secret_key = "a key for tests alone"
    flask_wtf.CSRFProtect(app)
    app.register_blueprint(blueprint(shop.book), url_prefix="/cauri")
    app.add_url_rule("/form", view_func=lambda: "never", methods=["POST"])
    assert app.test_client().post("/form").status_code == 400
    assert app.test_client().post("/cauri/return").status_code == 303


def test_a_refused_payment_names_neither_keys_nor_tokens_in_the_logs(shop, gateway, opened, caplog):
    with caplog.at_level(logging.DEBUG):
        gateway.settle(opened, PAID)
        shop.notify(opened)
        shop.notify(opened, "0" * 64)
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("cauri_shop"))
    for secret in (APIKEY, SECRET, gateway.payments[opened]["payment_token"]):
        assert secret not in ours
    assert f"settled {opened} waiting -> paid" in ours
