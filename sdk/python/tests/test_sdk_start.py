"""Opening a payment: what is sent, what is given back, what is refused before anything leaves."""

import math

import pytest

from cauri_shop import Checkout, DuplicatePayment, InvalidField, RequestRefused, UnreadableAnswer, WrongKeys


def test_a_started_payment_gives_its_token_and_the_url_of_its_page(start, gateway):
    started = start()
    assert started.payment_token == gateway.payments["CMD-1"]["payment_token"]
    assert started.payment_url == f"{gateway.url}/payment/{started.payment_token}"
    assert started.api_response_id == "1617808789.7749"


def test_every_field_of_the_contract_travels_as_json_under_its_wire_name(start, gateway):
    given = {
        "notify_url": "https://boutique.example/notify", "customer_name": "Dje Bi", "customer_surname": "Jean-Marc",
        "lang": "fr", "lock_phone_number": True, "customer_phone_number": "+2250102324373", "customer_id": "17",
        "customer_email": "a@b.example", "customer_address": "Rue 12", "customer_city": "Abidjan",
        "customer_country": "CI", "customer_state": "CI", "customer_zip_code": "00225", "alternative_currency": "EUR",
        "amount": 1500, "description": "Café — 1 kg", "channels": ["MOBILE_MONEY", "WALLET"],
        "metadata": {"order": 7}, "invoice_data": {"Café": 2},
    }  # fmt: skip
    start(**given)
    path, headers, sent = gateway.requests[0]
    assert (path, headers["content-type"]) == ("/v2/payment", "application/json")
    assert headers["user-agent"].startswith("cauri-shop/")
    assert "idempotency-key" not in headers
    assert sent == {
        **given, "apikey": "cauri-sandbox-apikey", "site_id": "445160", "transaction_id": "CMD-1",
        "currency": "XOF", "return_url": "https://boutique.example/return", "channels": "MOBILE_MONEY,WALLET",
        "metadata": '{"order":7}', "invoice_data": {"Café": "2"},
    }  # fmt: skip


def test_absent_and_empty_fields_are_not_sent(start, gateway):
    start(customer_name="", metadata=None)
    assert set(gateway.requests[0][2]) == {
        "apikey", "site_id", "transaction_id", "amount", "currency", "description", "return_url"
    }  # fmt: skip


def test_an_idempotency_key_travels_as_a_header(start, gateway):
    start(idempotency_key="CMD-1/first")
    assert gateway.requests[0][1]["idempotency-key"] == "CMD-1/first"


def test_the_same_transaction_id_again_is_a_duplicate_and_says_what_to_do(start):
    start()
    with pytest.raises(DuplicatePayment) as caught:
        start()
    assert (caught.value.code, caught.value.message, caught.value.http_status) == (
        "620",
        "ERROR_DOUBLE_PAYEMNT",
        400,
    )
    assert "new transaction_id" in caught.value.what_to_do
    assert caught.value.api_response_id == "1617808789.7749"


@pytest.mark.parametrize(
    ("code", "http_status"),
    [
        ("403", 403),
        ("413", 413),
        ("608", 400),
        ("612", 400),
        ("624", 400),
        ("625", 400),
        ("641", 400),
        ("642", 400),
    ],
)
def test_a_refused_request_carries_code_message_description_and_advice(
    start, gateway, answers, code, http_status
):
    gateway.will_answer(http_status, answers.error(code, "WORD", "amount : trop petit"))
    with pytest.raises(RequestRefused) as caught:
        start()
    error = caught.value
    assert (error.code, error.message, error.description, error.http_status) == (
        code, "WORD", "amount : trop petit", http_status
    )  # fmt: skip
    assert error.what_to_do
    assert error.what_to_do in str(error)


@pytest.mark.parametrize("changed", [{"apikey": "an-unknown-key"}, {"site_id": "999"}])
def test_wrong_keys_are_told_as_such_and_never_quoted(shell, gateway, changed):
    checkout = shell.make(base_url=gateway.url, **changed)
    with pytest.raises(WrongKeys) as caught:
        shell.run(
            checkout.start(
                transaction_id="A",
                amount=100,
                currency="XOF",
                description="d",
                return_url="https://b.example",
            )
        )
    assert "an-unknown-key" not in f"{caught.value} {caught.value.description}"


def test_a_code_201_without_a_url_is_unreadable_not_a_success(start, gateway, answers):
    gateway.will_answer(200, {**answers.error("201", "CREATED"), "data": {"payment_token": "ab"}})
    with pytest.raises(UnreadableAnswer):
        start()


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("transaction_id", "", "required"),
        ("transaction_id", " CMD", "white space"),
        ("transaction_id", "x" * 101, "100"),
        ("transaction_id", 17, "text"),
        ("transaction_id", "A\x00", "NUL"),
        ("amount", None, "required"),
        ("amount", 100.0, "int"),
        ("amount", "100", "int"),
        ("amount", True, "int"),
        ("amount", 0, "greater"),
        ("amount", -5, "greater"),
        ("amount", 1501, "1500 or 1505"),
        ("amount", 3, "nearest: 5"),
        ("currency", "", "required"),
        ("description", "half \ud800", "surrogate"),
        ("return_url", "/return", "absolute"),
        ("notify_url", "boutique.example/notify", "absolute"),
        ("metadata", math.nan, "JSON"),
        ("metadata", object(), "JSON"),
        ("invoice_data", {"a": 1, "b": 2, "c": 3, "d": 4}, "at most 3"),
        ("invoice_data", ["a"], "mapping"),
        ("lock_phone_number", "yes", "True or False"),
        ("idempotency_key", "é", "ASCII"),
        ("idempotency_key", "", "1 to 255"),
        ("idempotency_key", "a\r\nX-Evil: 1", "printable"),
    ],
)
def test_nonsense_is_refused_by_name_before_anything_is_sent(start, gateway, field, value, remedy):
    with pytest.raises(InvalidField, match=remedy) as caught:
        start(**{field: value})
    assert caught.value.field == field
    assert gateway.requests == []


def test_a_locked_number_must_be_given(start):
    with pytest.raises(InvalidField) as caught:
        start(lock_phone_number=True)
    assert caught.value.field == "customer_phone_number"


def test_dollars_need_not_be_multiples_of_five(start):
    assert start(amount=3, currency="USD").payment_token


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("apikey", ""), ("apikey", None), ("site_id", " "), ("secret_key", ""), ("secret_key", b"k"), ("base_url", None), ("base_url", "api-checkout.cinetpay.com"),
        ("base_url", "https://"), ("base_url", "https://api-checkout.cinetpay.com/v2/payment"),
    ],
)  # fmt: skip
def test_a_checkout_that_could_never_work_is_refused_by_name(field, value):
    with pytest.raises(InvalidField) as caught:
        Checkout(**{"apikey": "k", "site_id": "1", field: value})
    assert caught.value.field == field
