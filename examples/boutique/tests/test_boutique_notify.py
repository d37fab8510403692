"""The notify door: an order is delivered once, by what check says, and by nothing else."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest


def test_a_paid_order_is_delivered_once_told_on_the_console_by_mail_and_by_sms(shop, customer, gateway):
    order, _ = customer.buy("cafe", "savon")
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    assert shop.notify(f"CMD-{order}").status_code == 200
    assert shop.order(order) == {
        "id": order, "transaction_id": f"CMD-{order}", "status": "paid", "amount": 4500, "currency": "XOF",
        "delivered": 1, "refused_code": "", "problem": False,
    }  # fmt: skip
    shop.wait_for("awa@example.org")
    events = [line for line in shop.printed if line.startswith(("notified", "checked", "order", "SMS"))]
    assert events[:4] == [
        f"order {order} placed, 4500 XOF", f"notified CMD-{order}", f"checked CMD-{order} 00", f"order {order} delivered"
    ]  # fmt: skip
    assert events[4].startswith("SMS to ••••••••••••56: Merci")
    assert "0707123456" not in "".join(shop.printed).replace(" ", "")


def test_eight_equal_notifications_at_once_deliver_once(shop, customer, gateway):
    order, _ = customer.buy()
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    gateway.barrier = Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.notify(f"CMD-{order}").status_code, range(8)))
    assert answers == [200] * 8
    assert len(gateway.checks) == 8, "all eight asked before any was answered"
    assert shop.order(order)["delivered"] == 1
    shop.stop()
    assert shop.printed.count(f"order {order} delivered") == 1
    assert sum(line.startswith("SMS") for line in shop.printed) == 1


def test_a_notification_after_paid_does_not_even_ask(shop, customer, gateway):
    order, _ = customer.buy()
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    shop.notify(f"CMD-{order}")
    gateway.settle(f"CMD-{order}", "600", "PAYMENT_FAILED")
    assert shop.notify(f"CMD-{order}").status_code == 200
    assert len(gateway.checks) == 1
    assert (shop.order(order)["status"], shop.order(order)["delivered"]) == ("paid", 1)


@pytest.mark.parametrize("token", ["0" * 64, "", "é"])
def test_a_forged_or_missing_token_is_answered_401_and_nothing_happens(shop, customer, gateway, token):
    order, _ = customer.buy()
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    answer = httpx.post(
        f"{shop.url}/notify", headers=[(b"x-token", token.encode()), (b"content-type", b"application/x-www-form-urlencoded")],
        content=f"cpm_site_id=445160&cpm_trans_id=CMD-{order}",
    )  # fmt: skip
    assert answer.status_code == 401
    assert gateway.checks == []
    assert shop.order(order)["status"] == "waiting"


@pytest.mark.parametrize(
    "wrong", [{"amount": "100"}, {"amount": "4500"}, {"currency": "XAF"}, {"amount": None}]
)
def test_another_amount_or_currency_is_never_delivered_and_is_loud(shop, customer, gateway, wrong):
    order, _ = customer.buy()
    gateway.settle(f"CMD-{order}", "00", "SUCCES", **wrong)
    assert shop.notify(f"CMD-{order}").status_code == 200
    assert f"order {order} NOT delivered" in shop.wait_for("!!!")
    told = shop.order(order)
    assert (told["status"], told["delivered"], told["problem"]) == ("waiting", 0, True)
    assert "Ne payez pas une deuxième fois" in customer.get(f"/orders/{order}").text


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        ("600", "PAYMENT_FAILED", "cancelled"), ("602", "INSUFFISENT_BALANCE", "cancelled"),
        ("602", "INSUFFICIENT_BALANCE", "cancelled"), ("627", "TRANSACTION_CANCEL", "cancelled"),
        ("623", "WAITING_CUSTOMER_TO_VALIDATE", "waiting"), ("662", "WAITING_CUSTOMER_PAYMENT", "waiting"),
        ("699", "SOMETHING_NEW", "waiting"),
    ],
)  # fmt: skip
def test_a_final_refusal_cancels_and_waiting_changes_nothing(shop, customer, gateway, code, message, status):
    order, _ = customer.buy()
    gateway.settle(f"CMD-{order}", code, message)
    assert shop.notify(f"CMD-{order}").status_code == 200
    told = shop.order(order)
    assert (told["status"], told["delivered"], told["refused_code"]) == (
        status, 0, code if status == "cancelled" else ""
    )  # fmt: skip


def test_a_later_paid_check_wins_over_a_cancelled_order(shop, customer, gateway):
    order, _ = customer.buy()
    gateway.settle(f"CMD-{order}", "600", "PAYMENT_FAILED")
    shop.notify(f"CMD-{order}")
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    shop.notify(f"CMD-{order}")
    told = shop.order(order)
    assert (told["status"], told["delivered"], told["refused_code"]) == ("paid", 1, "")


def test_a_refusal_read_before_but_written_after_a_payment_changes_nothing(
    shop, customer, gateway, monkeypatch
):
    """Two notifications cross: whatever order their answers are written in, paid stays."""
    order, _ = customer.buy()
    name = f"CMD-{order}"
    answers = iter([("600", "PAYMENT_FAILED"), ("00", "SUCCES")] * 4)
    check, gateway.barrier = gateway.check, Barrier(8)

    def crossing(fields):
        gateway.barrier.wait(20)
        with gateway.lock:
            status, body = check_alone(fields)
            body["code"], body["message"] = next(answers)
        return status, body

    def check_alone(fields):
        barrier, gateway.barrier = gateway.barrier, None
        try:
            return check(fields)
        finally:
            gateway.barrier = barrier

    monkeypatch.setattr(gateway, "check", crossing)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: shop.notify(name).status_code, range(8))) == {200}
    assert (shop.order(order)["status"], shop.order(order)["delivered"]) == ("paid", 1)


def test_the_guides_json_is_settled_by_check_alone(shop, customer, gateway):
    order, _ = customer.buy()
    hint = {"cpm_trans_id": f"CMD-{order}", "cpm_site_id": "445160"}
    assert httpx.post(f"{shop.url}/notify", json=hint).status_code == 200
    assert shop.order(order)["status"] == "waiting"
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    assert httpx.post(f"{shop.url}/notify", json=hint).status_code == 200
    assert shop.order(order)["delivered"] == 1


def test_an_unknown_order_is_answered_404(shop, gateway):
    assert shop.notify("CMD-nobody").status_code == 404
    assert gateway.checks == []


def test_a_gateway_that_is_down_changes_nothing_and_is_asked_again(shop, customer, gateway):
    order, _ = customer.buy()
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    gateway.down = True
    assert shop.notify(f"CMD-{order}").status_code == 503
    assert shop.order(order)["status"] == "waiting"
    gateway.down = False
    assert shop.notify(f"CMD-{order}").status_code == 200
    assert shop.order(order)["delivered"] == 1


def test_a_killed_shop_comes_back_with_its_orders(shop, customer, gateway):
    order, _ = customer.buy()
    shop.kill()
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    shop.start()
    assert shop.notify(f"CMD-{order}").status_code == 200
    assert shop.order(order)["delivered"] == 1


def test_the_address_answers_the_gateways_ping(shop):
    assert httpx.get(f"{shop.url}/notify").status_code == 200
    assert httpx.head(f"{shop.url}/notify").status_code == 200
    assert httpx.put(f"{shop.url}/notify").status_code == 405


def test_nonsense_is_answered_400_and_nothing_happens(shop, gateway):
    for kind, body in [
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"cpm_trans_id=A%00&cpm_site_id=445160"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=\x00"),
        ("application/json", b"[]"),
        ("application/json", b'{"cpm_trans_id": "A", "cpm_site_id": "999"}'),
        ("application/json", b"[" * 50_000),
        ("text/plain", b"hello"),
        ("multipart/form-data; boundary=x", b"--x--"),
    ]:
        assert (
            httpx.post(f"{shop.url}/notify", content=body, headers={"Content-Type": kind}).status_code == 400
        ), body
    assert shop.notify("A", cpm_site_id="999").status_code == 400
    assert gateway.checks == []
