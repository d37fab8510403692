"""The customer's way: basket, payment, return; and what the pages do with nonsense."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


def test_the_payment_is_opened_with_the_orders_amount_and_the_shops_own_addresses(shop, customer, gateway):
    order, url = customer.buy("pagne", "cafe", "cafe")
    asked = gateway.payments[f"CMD-{order}"]["asked"]
    assert url == f"{gateway.url}/payment/{gateway.payments[f'CMD-{order}']['token']}"
    assert (asked["amount"], asked["currency"], asked["site_id"]) == (19_500, "XOF", "445160")
    assert asked["notify_url"] == f"{shop.url}/notify"
    assert asked["return_url"] == f"{shop.url}/return"
    assert (asked["customer_surname"], asked["customer_name"]) == ("Awa", "Koné")
    assert list(asked["invoice_data"]) == ["1 × Pagne tissé", "2 × Café de Man"]
    assert "Panier</a>" in customer.get("/").text, "the basket is empty again"


def test_a_double_click_on_pay_makes_one_order_and_one_payment(shop, customer, gateway, who):
    customer.post_form("/", "/basket", product="savon")
    page = customer.get("/basket").text
    hidden = {
        "csrfmiddlewaretoken": page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0],
        "form_key": page.split('name="form_key" value="')[1].split('"')[0],
    }
    cookies = dict(customer.cookies)

    def click(_):
        return httpx.post(f"{shop.url}/pay", data={**hidden, **who}, cookies=cookies)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(click, range(4)))
    assert [answer.status_code for answer in answers] == [303] * 4
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(gateway.payments) == 1


def test_a_gateway_that_is_down_keeps_the_order_and_lets_the_customer_try_again(customer, gateway, who):
    customer.post_form("/", "/basket", product="savon")
    gateway.down = True
    page = customer.post_form("/basket", "/pay", **who).headers["location"]
    assert "rien n’a été débité" in customer.get(page).text
    assert "Panier</a>" in customer.get(page).text, "what was ordered has left the basket"
    assert customer.post_form(page, f"{page}/pay").headers["location"] == page
    gateway.down = False
    again = customer.post_form(page, f"{page}/pay")
    assert again.headers["location"].startswith(f"{gateway.url}/payment/")
    assert list(gateway.payments) == [f"CMD-{page.removeprefix('/orders/')}"]


def test_the_return_decides_nothing(shop, customer, gateway):
    order, _ = customer.buy()
    gateway.settle(f"CMD-{order}", "00", "SUCCES")
    token = gateway.payments[f"CMD-{order}"]["token"]
    back = httpx.post(
        f"{shop.url}/return", data={"transaction_id": f"CMD-{order}", "token": token, "status": "ACCEPTED"}
    )
    assert (back.status_code, back.headers["location"]) == (303, f"/return?transaction_id=CMD-{order}")
    page = customer.get(back.headers["location"])
    assert "Paiement en cours" in page.text
    assert 'http-equiv="refresh"' in page.text
    assert gateway.checks == []
    assert shop.order(order)["status"] == "waiting"
    shop.notify(f"CMD-{order}")
    page = customer.get(back.headers["location"])
    assert "Votre commande est payée" in page.text
    assert 'http-equiv="refresh"' not in page.text


def test_the_return_finds_the_order_by_its_token_alone_and_keeps_it_out_of_the_address(
    shop, customer, gateway
):
    order, _ = customer.buy()
    back = httpx.post(f"{shop.url}/return", data={"token": gateway.payments[f"CMD-{order}"]["token"]})
    assert back.headers["location"] == f"/return?transaction_id=CMD-{order}"


@pytest.mark.parametrize(
    "query", ["", "?transaction_id=CMD-nobody", "?transaction_id=%00", "?token=", "?%ff=%ff"]
)
def test_a_return_from_nowhere_is_a_friendly_page(shop, query):
    assert httpx.get(f"{shop.url}/return{query}").status_code == 200
    assert httpx.post(f"{shop.url}/return", content=query[1:]).status_code == 303
    assert httpx.head(f"{shop.url}/return{query}").status_code == 200


def test_a_cancelled_order_says_why_and_fills_the_basket_again(shop, customer, gateway):
    order, _ = customer.buy("cafe", "savon")
    gateway.settle(f"CMD-{order}", "602", "INSUFFISENT_BALANCE")
    shop.notify(f"CMD-{order}")
    assert "Le solde du compte mobile ne suffisait pas" in customer.get(f"/orders/{order}").text
    assert customer.post_form(f"/orders/{order}", f"/orders/{order}/again").headers["location"] == "/basket"
    assert "4\u202f500" in customer.get("/basket").text


@pytest.mark.parametrize(
    ("code", "message", "press", "leads_to"),
    [
        ("662", "WAITING_CUSTOMER_PAYMENT", "pay", "/payment/"),
        ("602", "INSUFFISENT_BALANCE", "again", "/basket"),
    ],
)
def test_a_customer_who_comes_back_can_press_the_button_of_the_return_page(
    shop, customer, gateway, code, message, press, leads_to
):
    order, _ = customer.buy("cafe")
    gateway.settle(f"CMD-{order}", code, message)
    shop.notify(f"CMD-{order}")
    answer = customer.post_form(f"/return?transaction_id=CMD-{order}", f"/orders/{order}/{press}")
    assert (answer.status_code, leads_to in answer.headers.get("location", "")) == (303, True), answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [("customer_surname", ""), ("customer_name", "x" * 81), ("customer_phone", "abc"), ("customer_phone", ""),
     ("customer_email", "awa"), ("customer_name", "a\x00b")],
)  # fmt: skip
def test_a_form_with_a_mistake_comes_back_and_orders_nothing(customer, gateway, who, field, value):
    customer.post_form("/", "/basket", product="savon")
    answer = customer.post_form("/basket", "/pay", **{**who, field: value})
    assert answer.status_code == 422
    assert "errorlist" in answer.text
    assert gateway.payments == {}


def test_nonsense_in_the_basket_changes_nothing(customer, who):
    assert customer.post_form("/", "/basket", product="diamant").status_code == 404
    customer.post_form("/", "/basket", product="savon")
    for quantity in ("-1", "1.5", "beaucoup", "٣"):
        assert customer.post_form("/basket", "/basket", quantity=quantity).status_code == 303
        assert "<output>1</output>" in customer.get("/basket").text
    customer.post_form("/basket", "/basket", quantity="99999999")
    assert "<output>20</output>" in customer.get("/basket").text
    customer.post_form("/basket", "/basket", quantity="0")
    assert "Il est vide" in customer.get("/basket").text


def test_an_empty_basket_cannot_be_paid(customer, gateway, who):
    customer.post_form("/", "/basket", product="savon")
    page = customer.get("/basket").text
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    customer.post_form("/basket", "/basket", quantity="0")
    assert customer.post("/pay", data={"csrfmiddlewaretoken": token, **who}).status_code == 422
    assert gateway.payments == {}


def test_pages_that_are_not_there_say_so(shop):
    for path in ("/orders/nobody", "/orders/nobody.json", "/orders/%00", "/admin", "/orders/x/pay"):
        assert httpx.get(f"{shop.url}{path}").status_code in {404, 405}, path


def test_a_form_from_another_site_is_refused(shop, who):
    assert httpx.post(f"{shop.url}/pay", data=who).status_code == 403


def test_a_port_that_is_taken_is_told_with_a_remedy(shop, tmp_path):
    manage = shop.process.args[1]
    port = shop.url.rsplit(":", 1)[1]
    second = subprocess.run(
        [sys.executable, manage, "serve", "--port", port, "--database", tmp_path / "x.sqlite3"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert "Choose another --port" in second.stderr


def test_a_database_that_cannot_be_made_is_told(shop, tmp_path):
    (tmp_path / "file").write_text("")
    second = subprocess.run(
        [sys.executable, shop.process.args[1], "serve", "--port", "0", "--database", tmp_path / "file" / "x.sqlite3"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert "--database" in second.stderr


def test_the_shop_stops_cleanly(shop):
    shop.stop()
    assert shop.process.returncode == 0
    assert shop.wait_for("boutique stopped")
