"""The book on Django, one customer at a time: what each word of the gateway does, and what the doors answer."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

pytest.importorskip("django")
from django_shop import scene  # noqa: I001 - it sets Django up

from cauri_shop import (
    DuplicatePayment,
    InvalidField,
    NotSent,
    OrderAlreadyPaid,
    OutcomeUnknown,
    RequestRefused,
    State,
    UnknownPayment,
)
from cauri_shop.django import book
from cauri_shop.django.models import BookOrder, BookPayment, OutboxEffect
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client, override_settings
from django_shop.goods import payments as shop
from django_shop.goods.models import Sale, Told
from test_sdk_webhook import signed

PAID, FAILED, WAITING = ("00", "SUCCES"), ("600", "PAYMENT_FAILED"), ("623", "WAITING_CUSTOMER_TO_VALIDATE")


@pytest.fixture(scope="module", autouse=True)
def tables():
    call_command("migrate", verbosity=0, run_syncdb=True)
    yield
    connection.close()


@pytest.fixture(autouse=True)
def site(gateway):
    """The shop in front of this test's gateway, its tables empty."""
    for model in (Told, OutboxEffect, BookPayment, BookOrder, Sale):
        model.objects.all().delete()
    shop.FAIL.update(mail=0, paid=0)
    with override_settings(CAURI_SHOP={**settings.CAURI_SHOP, "BASE_URL": gateway.url}):
        yield


@pytest.fixture
def opened(gateway):
    """An order whose customer stands at the payment's page: the payment's name."""
    scene.start("o1")
    return book.payments_of("o1")[0].transaction_id


def happened(ref="o1"):
    """The order's status, and what ran, in its order."""
    return Sale.objects.get(pk=ref).status, list(Told.objects.order_by("pk").values_list("what", flat=True))


def test_a_payment_is_opened_stored_and_found_again_when_pressed_twice(gateway):
    first, second = scene.start("o1"), scene.start("o1")
    (payment,) = book.payments_of("o1")
    assert first == second == payment.payment_url
    assert (payment.state, payment.payment_token) == (
        State.WAITING,
        gateway.payments[payment.transaction_id]["payment_token"],
    )
    asked = gateway.payments[payment.transaction_id]
    assert asked["notify_url"] == "https://boutique.example/cauri/notify"
    assert asked["return_url"] == "https://boutique.example/cauri/return"
    assert payment.transaction_id.startswith("CMD-")


def test_a_paid_notification_delivers_once_and_sends_the_mail(gateway, opened):
    gateway.settle(opened, PAID)
    assert [scene.notify(opened) for _ in range(3)] == [200] * 3
    assert happened() == ("paid", ["paid", "mail"])
    assert Told.objects.get(what="mail").key == "mail:o1"
    with pytest.raises(OrderAlreadyPaid):
        scene.start("o1")


@pytest.mark.parametrize(
    "told", [{"amount": "1000"}, {"currency": "XAF"}, {"amount": None}, {"currency": None}]
)
def test_another_amount_or_currency_never_delivers_and_is_told_once(gateway, opened, told, caplog):
    gateway.settle(opened, PAID, **told)
    assert [scene.notify(opened) for _ in range(2)] == [200] * 2
    assert happened() == ("waiting", ["mismatch"])
    assert any(record.levelname == "CRITICAL" for record in caplog.records)
    gateway.settle(opened, FAILED)
    scene.notify(opened)
    assert happened() == ("waiting", ["mismatch"])
    gateway.settle(opened, PAID)
    scene.notify(opened)
    assert happened()[0] == "paid", "a person had it corrected"


def test_a_payment_of_an_older_amount_of_the_order_never_delivers_it(gateway, opened):
    scene.start("o1", amount=2000)
    gateway.settle(opened, PAID)
    scene.notify(opened)
    assert happened() == ("waiting", ["mismatch"])


def test_a_refusal_is_told_once_and_a_later_paid_check_wins(gateway, opened):
    gateway.settle(opened, FAILED)
    assert [scene.notify(opened) for _ in range(2)] == [200] * 2
    assert happened() == ("cancelled", ["refused"])
    gateway.settle(opened, PAID)
    scene.notify(opened)
    assert happened() == ("paid", ["refused", "paid", "mail"])


def test_a_second_payment_of_a_paid_order_is_loud_and_its_refusal_is_silent(gateway, opened, caplog):
    gateway.settle(opened, FAILED)
    scene.notify(opened)
    scene.start("o1")
    second = book.payments_of("o1")[1].transaction_id
    gateway.settle(second, PAID)
    scene.notify(second)
    gateway.settle(opened, PAID)
    assert [scene.notify(opened) for _ in range(2)] == [200] * 2
    assert happened() == ("paid", ["refused", "paid", "mail", "overpaid"])
    assert "already paid" in book.payment(opened).problem


def test_a_refusal_of_another_payment_never_touches_a_paid_order(gateway, opened):
    scene.start("o1", amount=2000)
    scene.start("o1", amount=1500)
    third = book.payments_of("o1")[2].transaction_id
    gateway.settle(third, PAID)
    scene.notify(third)
    gateway.settle(opened, FAILED)
    scene.notify(opened)
    assert happened() == ("paid", ["paid", "mail"])


@pytest.mark.parametrize("word", [WAITING, ("662", "W"), ("999", "SOMETHING_NEW")])
def test_waiting_and_unknown_codes_change_nothing(gateway, opened, word):
    gateway.settle(opened, word)
    assert scene.notify(opened) == 200
    assert happened() == ("waiting", [])
    assert book.payment(opened).state is State.WAITING


def test_a_gateway_that_fails_changes_nothing_and_is_asked_again(gateway, opened):
    gateway.will_answer(503, b"")
    assert scene.notify(opened) == 503
    assert (book.payment(opened).state, happened()) == (State.WAITING, ("waiting", []))


def test_a_hook_that_fails_takes_the_record_back_with_it(gateway, opened):
    gateway.settle(opened, PAID)
    shop.FAIL["paid"] = 1
    with pytest.raises(RuntimeError, match="own mistake"):
        scene.notify(opened)
    assert (book.payment(opened).state, happened()) == (State.WAITING, ("waiting", []))
    assert Client(raise_request_exception=False).get("/cauri/notify").status_code == 200
    assert scene.notify(opened) == 200
    assert happened() == ("paid", ["paid", "mail"])


def test_a_mail_that_fails_is_tried_until_it_succeeds(gateway, opened):
    gateway.settle(opened, PAID)
    shop.FAIL["mail"] = 2
    assert scene.notify(opened) == 200
    effect = OutboxEffect.objects.get()
    assert (effect.tries, effect.last_error, effect.done_at) == (1, "ConnectionError", None)
    assert book.run_outbox().done == 0, "not yet due"
    scene.let_time_pass()
    assert book.run_outbox().failed == 1
    scene.let_time_pass()
    assert scene.notify(opened) == 200, "a repeated notification works what is left"
    assert happened() == ("paid", ["paid", "mail"])
    assert OutboxEffect.objects.get().done_at is not None


def test_a_start_that_got_no_answer_leaves_a_row_and_is_repeated_with_the_same_name(gateway):
    gateway.will_answer(502, b"")
    with pytest.raises(OutcomeUnknown):
        scene.start("o1")
    (row,) = book.payments_of("o1")
    assert row.state is State.OPENED
    scene.start("o1")
    assert list(gateway.payments) == [row.transaction_id]
    keys = {headers["idempotency-key"] for path, headers, _ in gateway.requests if path == "/v2/payment"}
    assert keys == {row.idempotency_key}


def test_620_without_a_stored_url_takes_a_new_payment_of_the_same_order(gateway):
    gateway.will_answer(502, b"")
    with pytest.raises(OutcomeUnknown):
        scene.start("o1")
    scene.let_time_pass()
    (lost,) = book.payments_of("o1")
    gateway.payments[lost.transaction_id] = {"payment_token": "lost", "amount": 1500, "currency": "XOF"}
    url = scene.start("o1")
    first, second = book.payments_of("o1")
    assert (first.payment_url, second.payment_url, second.number) == ("", url, 2)
    gateway.settle(second.transaction_id, PAID)
    scene.notify(second.transaction_id)
    assert happened() == ("paid", ["paid", "mail"])


def test_a_gateway_that_always_says_620_is_told_in_the_end(gateway, answers):
    act = gateway._open
    gateway._open = lambda fields: (400, answers.error("620", "ERROR_DOUBLE_PAYEMNT"))
    with pytest.raises(DuplicatePayment):
        scene.start("o1")
    gateway._open = act


def test_a_refused_start_closes_its_row_and_the_next_takes_a_new_name(gateway, answers):
    gateway.will_answer(400, answers.error("641", "ERROR_AMOUNT_TOO_LOW"))
    with pytest.raises(RequestRefused):
        scene.start("o1")
    scene.start("o1")
    assert [payment.state for payment in book.payments_of("o1")] == [State.CLOSED, State.WAITING]
    assert happened() == ("waiting", []), "an error of the request is no failed payment"


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", 1001), ("amount", 0), ("amount", "1500"), ("currency", ""), ("description", ""), ("notify_url", "x"),
     ("transaction_id", "MINE"), ("channels", 7)],
)  # fmt: skip
def test_a_wrong_argument_is_named_and_leaves_no_row(gateway, field, value):
    given = {"amount": 1500, "currency": "XOF", "description": "Pagne", field: value}
    with pytest.raises(InvalidField) as caught:
        book.start("o1", **given)
    assert caught.value.field == field
    assert (BookPayment.objects.count(), gateway.requests) == (0, [])


@pytest.mark.parametrize("ref", ["", " o", "x" * 101, 1.5, "a\x00", None, True])
def test_an_order_ref_is_printable_text(ref):
    with pytest.raises(InvalidField, match="order_ref"):
        book.start(ref, amount=1500, currency="XOF", description="Pagne")


def test_an_orders_key_may_be_a_number(gateway):
    url = book.start(17, amount=1500, currency="XOF", description="Pagne")
    assert [payment.payment_url for payment in book.payments_of(17)] == [url]
    assert book.payments_of("17")[0].order_ref == "17"


def test_start_refuses_to_run_inside_a_transaction(gateway):
    with pytest.raises(RuntimeError, match="atomic"), transaction.atomic():
        scene.start("o1")
    assert gateway.requests == []


def test_the_notify_door_works_under_atomic_requests(gateway, opened):
    gateway.settle(opened, PAID)
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        assert scene.notify(opened) == 200
        assert scene.come_back(opened) == 200
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert happened() == ("paid", ["paid", "mail"])


def test_a_database_that_is_gone_is_answered_503_and_the_notification_comes_again(gateway, opened):
    gateway.settle(opened, PAID)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cauri_shop_bookorder RENAME TO elsewhere")
        try:
            assert scene.notify(opened) == 503
        finally:
            cursor.execute("ALTER TABLE elsewhere RENAME TO cauri_shop_bookorder")
    assert scene.notify(opened) == 200
    assert happened() == ("paid", ["paid", "mail"])


def test_reconcile_asks_oldest_first_learns_of_lost_notifications_and_backs_off(gateway):
    for ref in ("o1", "o2", "o3"):
        scene.start(ref)
    names = [book.payments_of(ref)[0].transaction_id for ref in ("o1", "o2", "o3")]
    gateway.settle(names[0], PAID)
    gateway.settle(names[1], FAILED)
    assert scene.reconcile().asked == 0, "nothing is due within the first minute"
    scene.let_time_pass()
    gateway.requests.clear()
    steps = []
    found = book.reconcile(rate=1e6, progress=lambda done, total: steps.append((done, total)))
    assert (found.asked, found.paid, found.refused, found.waiting) == (3, 1, 1, 1)
    assert [fields["transaction_id"] for _, _, fields in gateway.requests] == names
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert happened("o1") == ("paid", ["paid", "refused", "mail"])
    assert scene.reconcile().asked == 0, "the one that waits is put off"


def test_reconcile_stops_when_the_gateway_does_not_answer_and_goes_on_later(gateway):
    for n in range(7):
        scene.start(f"o{n}")
    scene.let_time_pass()
    good, gateway.answer = gateway.answer, lambda *_: (503, b"", {})
    found = scene.reconcile()
    assert (found.asked, found.unreached, bool(found.stopped)) == (5, 5, True)
    gateway.answer = good
    assert scene.reconcile().asked == 2, "resumed with those that were not asked"


def test_an_order_whose_hook_fails_does_not_keep_reconcile_from_the_others(gateway):
    for ref in ("o1", "o2"):
        scene.start(ref)
        gateway.settle(book.payments_of(ref)[0].transaction_id, PAID)
    scene.let_time_pass()
    shop.FAIL["paid"] = 2
    found = scene.reconcile()
    assert (found.asked, found.paid, found.failed) == (2, 0, 2)
    assert scene.reconcile().asked == 0, "their next questions are put off"
    scene.let_time_pass()
    shop.FAIL["paid"] = 1
    with pytest.raises(CommandError, match="1 of the shop's hooks failed"):
        call_command("reconcile_payments", rate=1000.0)
    assert happened("o2") == ("paid", ["paid", "mail"])
    scene.let_time_pass()
    assert scene.reconcile().paid == 1, "mended, it is delivered"
    assert happened("o1") == ("paid", ["paid", "mail", "paid", "mail"]), "once for each of the two orders"


def test_a_payment_that_the_gateway_does_not_know_closes_only_after_an_hour(gateway, opened):
    gateway.payments.clear()
    scene.let_time_pass()
    assert scene.reconcile().waiting == 1
    BookPayment.objects.update(
        started_at=datetime.now(timezone.utc) - timedelta(minutes=61), next_ask_at=datetime.now(timezone.utc)
    )
    assert scene.reconcile().closed == 1
    assert (book.payment(opened).state, happened()) == (State.CLOSED, ("waiting", []))


def test_refresh_moves_the_book_and_names_a_payment_that_it_does_not_have(gateway, opened):
    gateway.settle(opened, PAID)
    assert book.refresh(opened).paid
    assert happened() == ("paid", ["paid", "mail"])
    with pytest.raises(UnknownPayment):
        book.refresh("nobody")


@pytest.mark.parametrize("token", ["0" * 64, "", "é"])
def test_a_forged_or_missing_token_is_answered_401_and_nothing_happens(gateway, opened, token):
    gateway.settle(opened, PAID)
    gateway.requests.clear()
    assert scene.notify(opened, token) == 401
    assert (gateway.requests, happened()) == ([], ("waiting", []))


def test_the_guides_json_and_a_site_without_a_secret_are_settled_by_check_alone(gateway, opened):
    gateway.settle(opened, PAID)
    with override_settings(CAURI_SHOP={**settings.CAURI_SHOP, "SECRET_KEY": ""}):
        assert scene.notify(opened, "") == 200
    hint = {"cpm_trans_id": opened, "cpm_site_id": "445160"}
    assert Client().post("/cauri/notify", hint, content_type="application/json").status_code == 200
    assert happened() == ("paid", ["paid", "mail"])


@pytest.mark.parametrize(
    ("keys", "status"),
    [(["new", scene.SECRET], 200), ((scene.SECRET, "new"), 200), (["new"], 401)],
    ids=["a list", "a tuple", "the new one alone"],
)
def test_while_the_secret_key_is_changed_the_setting_holds_both(gateway, opened, keys, status):
    gateway.settle(opened, PAID)
    with override_settings(CAURI_SHOP={**settings.CAURI_SHOP, "SECRET_KEY": keys}):
        assert scene.notify(opened) == status
    assert happened()[0] == ("paid" if status == 200 else "waiting")


def test_a_signed_json_notification_is_verified_and_a_forged_one_refused(gateway, opened):
    gateway.settle(opened, PAID)
    body = b'{"cpm_trans_id": "%s", "cpm_site_id": "445160"}' % opened.encode()
    now, secret = datetime.now(timezone.utc), settings.CAURI_SHOP["SECRET_KEY"]
    for used, at, status, after in (
        ("another", now, 401, "waiting"),
        (secret, now - timedelta(minutes=6), 401, "waiting"),
        (secret, now, 200, "paid"),
    ):
        headers = signed(used, body=body, at=at)
        answer = Client(headers=headers).post("/cauri/notify", body, content_type="application/json")
        assert (answer.status_code, happened()[0]) == (status, after)


def test_the_notify_door_answers_pings_and_refuses_nonsense(gateway):
    shop = Client()
    assert [shop.get("/cauri/notify").status_code, shop.head("/cauri/notify").status_code] == [200, 200]
    assert shop.put("/cauri/notify").status_code == 405
    assert scene.notify("CMD-nobody") == 404
    for kind, body in [(scene.FORM, b""), (scene.FORM, b"\xff"), ("application/json", b"[]"), ("text/plain", b"x"),
                       ("application/json", b"[" * 60_000), (scene.FORM, b"a" * 200_000), ("multipart/form-data; boundary=x", b"--x--")]:  # fmt: skip
        assert shop.post("/cauri/notify", body, content_type=kind).status_code == 400, body[:20]


def test_the_return_decides_nothing_and_shows_the_book(gateway, opened):
    gateway.settle(opened, PAID)
    gateway.requests.clear()
    token = gateway.payments[opened]["payment_token"]
    customer = Client(enforce_csrf_checks=True)
    back = customer.post("/cauri/return", {"token": token, "status": "ACCEPTED"})
    assert (back.status_code, back.headers["Location"]) == (303, f"/cauri/return?transaction_id={opened}")
    page = customer.get(back.headers["Location"])
    assert "Paiement en cours" in page.content.decode()
    assert 'http-equiv="refresh"' in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"
    assert (gateway.requests, happened()) == ([], ("waiting", []))
    scene.notify(opened)
    page = customer.get(back.headers["Location"]).content.decode()
    assert "Merci" in page
    assert "refresh" not in page
    assert token not in page


@pytest.mark.parametrize(
    "query", ["", "?transaction_id=nobody", "?transaction_id=%00", "?token=", "?%ff=%ff"]
)
def test_a_return_from_nowhere_is_a_friendly_page(gateway, query):
    assert Client().get(f"/cauri/return{query}").status_code == 200
    assert Client().post("/cauri/return", query[1:], content_type=scene.FORM).status_code == 303


def test_the_command_reconciles_works_the_outbox_and_tells_what_it_did(gateway, opened, capsys):
    gateway.settle(opened, PAID)
    scene.let_time_pass()
    call_command("reconcile_payments", rate=1000.0)
    out = capsys.readouterr().out
    assert "asked about 1: 1 paid" in out
    assert happened() == ("paid", ["paid", "mail"])
    with pytest.raises(CommandError, match="rate"):
        call_command("reconcile_payments", rate=0.0)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({}, set()), ({"APIKEY": ""}, {"cauri_shop.E001"}), ({"PUBLIC_URL": None}, {"cauri_shop.E001"}),
     ({"APKEY": "x"}, {"cauri_shop.E002"}), ({"BASE_URL": "ftp://x"}, {"cauri_shop.E003"}),
     ({"PUBLIC_URL": "boutique"}, {"cauri_shop.E003"}), ({"SECRET_KEY": None}, {"cauri_shop.W001"}), ({"SECRET_KEY": ["a", ""]}, {"cauri_shop.E003"}),
     ({"SECRET_KEY": ["a", "b"]}, set()), ({"SECRET_KEY": 7}, {"cauri_shop.E003"}),
     ({"PUBLIC_URL": "http://boutique.example"}, {"cauri_shop.W002"})],
)  # fmt: skip
def test_the_system_checks_name_what_is_missing_with_a_remedy(changed, expected):
    with override_settings(CAURI_SHOP={**settings.CAURI_SHOP, **changed}):
        found = [message for message in run_checks() if message.id.startswith("cauri_shop")]
    assert {message.id for message in found} == expected
    assert all(message.hint for message in found)


def test_the_admin_lists_and_changes_nothing(gateway, opened):
    from django.contrib.auth.models import User

    User.objects.filter(username="root").delete()
    User.objects.create_superuser("root", password="x")
    admin = Client()
    admin.login(username="root", password="x")
    token = gateway.payments[opened]["payment_token"]
    for model in ("bookpayment", "bookorder", "outboxeffect"):
        assert admin.get(f"/admin/cauri_shop/{model}/").status_code == 200
        assert admin.get(f"/admin/cauri_shop/{model}/add/").status_code == 403
    page = admin.get(f"/admin/cauri_shop/bookpayment/{opened}/change/").content.decode()
    assert opened in page
    assert token not in page


def test_an_async_hook_is_refused_by_a_synchronous_book():
    async def deliver(event):
        """Never runs."""

    with pytest.raises(TypeError, match="AsyncPaymentBook"):
        book.on_paid(deliver)
    with pytest.raises(ValueError, match="after_paid"):
        book.after_paid(deliver)


def test_a_gateway_that_cannot_be_reached_leaves_the_payment_to_reconcile():
    with (
        override_settings(CAURI_SHOP={**settings.CAURI_SHOP, "BASE_URL": "http://127.0.0.1:9"}),
        pytest.raises(NotSent),
    ):
        scene.start("o1")
    assert book.payments_of("o1")[0].state is State.OPENED
