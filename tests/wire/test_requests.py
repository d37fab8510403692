"""Every field rule of contract section 2, as tables of what is read and what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cauri.domain.errors import Fault
from cauri.domain.payment import NewPayment
from cauri.wire.bodies import FORM, JSON, read_body
from cauri.wire.requests import (
    CheckRequest,
    Credentials,
    body_hash,
    read_check,
    read_credentials,
    read_payment,
)
from cauri.wire.schema import CheckFields, PaymentFields

GOOD: dict[str, Any] = {
    "apikey": "key",
    "site_id": "445160",
    "transaction_id": "order-1",
    "amount": 100,
    "currency": "XOF",
    "description": "Deux pagnes",
    "return_url": "https://www.exemple.com/retour?commande=1",
}


def read(changes: dict[str, Any], keys: tuple[str, ...] = ()) -> tuple[NewPayment | None, list[Fault]]:
    """The request with these changes, sent as JSON so that numbers arrive as they do in life."""
    body = read_body(JSON, msgspec.json.encode({**GOOD, **changes}))
    faults: list[Fault] = []
    read_credentials(body, faults)
    return read_payment(body, faults, list(keys)), faults


def read_raw(name: str, json_value: str) -> tuple[NewPayment | None, list[Fault]]:
    """The request with one field given as JSON text."""
    others = msgspec.json.encode({key: value for key, value in GOOD.items() if key != name}).decode()
    body = read_body(JSON, f'{others[:-1]},"{name}":{json_value}}}'.encode())
    faults: list[Fault] = []
    read_credentials(body, faults)
    return read_payment(body, faults, []), faults


def test_the_guides_own_request_is_read() -> None:
    asked, faults = read(
        {
            "notify_url": "https://www.exemple.com/notify",
            "customer_name": "Dje Bi",
            "customer_surname": "Jean-Marc",
        }
    )
    assert faults == []
    assert asked is not None
    assert (asked.transaction_id, asked.amount, asked.currency) == ("order-1", 100, "XOF")
    assert asked.request.return_url == "https://www.exemple.com/retour?commande=1"
    assert asked.request.notify_url == "https://www.exemple.com/notify"
    assert (asked.request.customer_name, asked.request.customer_surname) == ("Dje Bi", "Jean-Marc")
    assert (asked.request.channels, asked.request.lang) == (("ALL",), None)
    assert len(asked.request.signature) >= 32


@pytest.mark.parametrize(
    "field", ["apikey", "site_id", "transaction_id", "amount", "currency", "description", "return_url"]
)
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_mandatory_field_that_is_null_or_empty_is_missing(field: str, nothing: str | None) -> None:
    assert read({field: nothing}) == (None, [Fault(field, "missing")])


@pytest.mark.parametrize(
    "field",
    [
        "notify_url",
        "customer_name",
        "customer_surname",
        "channels",
        "lang",
        "metadata",
        "invoice_data",
        "lock_phone_number",
        "customer_phone_number",
        "customer_email",
        "alternative_currency",
    ],
)
@pytest.mark.parametrize("nothing", [None, ""])
def test_an_optional_field_that_is_null_or_empty_is_absent(field: str, nothing: str | None) -> None:
    asked, faults = read({field: nothing})
    assert faults == []
    assert asked is not None
    assert asked.request.notify_url is None
    assert asked.request.channels == ("ALL",)
    assert asked.request.metadata is None


def test_all_faulty_fields_are_listed_at_once() -> None:
    _, faults = read(
        {
            "apikey": None,
            "amount": "12.5",
            "currency": "EUR",
            "description": "d" * 256,
            "return_url": "exemple.com",
            "notify_url": "ftp://exemple.com",
            "channels": "BITCOIN",
            "lock_phone_number": "yes",
            "metadata": "m" * 1001,
            "invoice_data": {"a": 1, "b": 2, "c": 3, "d": 4},
        }
    )
    assert {fault.field for fault in faults} == {
        "apikey",
        "amount",
        "currency",
        "description",
        "return_url",
        "notify_url",
        "channels",
        "lock_phone_number",
        "metadata",
        "invoice_data",
    }


@pytest.mark.parametrize(
    ("json_value", "amount"),
    [
        ("100", 100),
        ('"100"', 100),
        ("100.0", 100),
        ('"100.00"', 100),
        ("1e2", 100),
        ("1.5e3", 1500),
        ("-5", -5),
        ("0", 0),
        ("999999999999999999999", 999999999999999999999),
    ],
)
def test_amounts_that_are_whole_numbers(json_value: str, amount: int) -> None:
    asked, faults = read_raw("amount", json_value)
    assert faults == []
    assert asked is not None
    assert asked.amount == amount


@pytest.mark.parametrize(
    "json_value",
    [
        "100.5",
        '"100,5"',
        '"1 000"',
        '"1e2"',
        '"abc"',
        '"0x64"',
        '"+100"',
        '"--5"',
        '"١٠٠"',
        '"100.0000000001"',
        "1e999999",
        "1e-5",
        "9" * 40,
        '"' + "9" * 4000 + '"',
        "100.00000000000000000001",
        "true",
        "[100]",
        "{}",
        '" 100"',
        '"."',
        '"-"',
    ],
)
def test_amounts_that_are_not(json_value: str) -> None:
    assert read_raw("amount", json_value) == (None, [Fault("amount", "integer")])


@pytest.mark.parametrize(
    ("json_value", "text"),
    [("445160", "445160"), ("445160.0", "445160"), ('"445160"', "445160"), ("-3", "-3")],
)
def test_text_fields_accept_whole_numbers(json_value: str, text: str) -> None:
    asked, faults = read_raw("transaction_id", json_value)
    assert faults == []
    assert asked is not None
    assert asked.transaction_id == text


@pytest.mark.parametrize(
    ("json_value", "rule"),
    [("12.5", "fraction"), ("1e99", "fraction"), ("true", "text"), ("[1]", "text"), ("{}", "text")],
)
def test_text_fields_refuse_anything_else(json_value: str, rule: str) -> None:
    for field in ("transaction_id", "description", "customer_name", "site_id", "currency", "notify_url"):
        assert read_raw(field, json_value) == (None, [Fault(field, rule)])


@pytest.mark.parametrize(
    ("transaction_id", "rules"),
    [
        ("x" * 100, []),
        ("x", []),
        ("commande n° 12 – été", []),
        ("x" * 101, ["too_long"]),
        (" x", ["space_at_ends"]),
        ("x ", ["space_at_ends"]),
        ("   ", ["space_at_ends"]),
        ("a\nb", ["printable"]),
        ("a\tb", ["printable"]),
        ("a\u200bb", ["printable"]),
        ("a\x7f", ["printable"]),
        ("\n" * 101, ["printable", "too_long"]),
    ],
)
def test_a_transaction_id_is_1_to_100_printable_characters(transaction_id: str, rules: list[str]) -> None:
    _, faults = read({"transaction_id": transaction_id})
    assert [fault.rule for fault in faults] == rules


@pytest.mark.parametrize(("length", "rules"), [(1, []), (255, []), (256, ["too_long"])])
def test_a_description_has_1_to_255_characters(length: int, rules: list[str]) -> None:
    _, faults = read({"description": "é" * length})
    assert [fault.rule for fault in faults] == rules


GOOD_URLS = [
    "https://www.exemple.com/notify",
    "http://exemple.com",
    "HTTPS://EXEMPLE.COM/A?b=c&d=e#f",
    "http://127.0.0.1:8000/n",
    "http://[::1]:8000/n",
    "http://user:secret@exemple.com/",
    "http://localhost/n",
    "https://boutique.ci/commande/é?q=«a»",
    "https://exemple.com?x=1",
]
BAD_URLS = [
    "exemple.com/notify",
    "www.exemple.com",
    "/notify",
    "//exemple.com",
    "ftp://exemple.com",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "http://:80/",
    "http://exemple.com:99999/",
    "http://exemple.com:0/",
    "http://exemple.com:http/",
    "http://exem ple.com",
    "https://exemple.com/a b",
    "https://exemple.com/\nb",
    " https://exemple.com",
    "http://[zz]/",
    "http://exemple.com\\@other.com/",
    "http://user@/",
    "https://a;b",
    "https://a,b",
    "https://..",
    "https://*.com",
    "https://%61",
    f"https://{'a' * 70}.com",
]


@pytest.mark.parametrize("field", ["return_url", "notify_url"])
def test_addresses_are_complete_http_urls(field: str) -> None:
    assert [url for url in GOOD_URLS if read({field: url})[1]] == []
    assert [url for url in BAD_URLS if read({field: url})[1] != [Fault(field, "url")]] == []


def test_an_address_is_no_longer_than_browsers_carry() -> None:
    assert read({"return_url": "https://a.ci/" + "x" * 2_035})[1] == []
    (fault,) = read({"return_url": "https://a.ci/" + "x" * 2_036})[1]
    assert (fault.field, fault.rule) == ("return_url", "too_long")


@pytest.mark.parametrize(
    ("invoice", "rule"),
    [
        pytest.param('{"a": "x\\u0000y"}', "nul", id="U+0000 in a value given as JSON text"),
        pytest.param('{"a\\u0000": "x"}', "nul", id="U+0000 in a label given as JSON text"),
        pytest.param({"a": "x" * 256}, "long_pair", id="a value as long as a page"),
        pytest.param({"x" * 256: "a"}, "long_pair", id="a label as long as a page"),
    ],
)
def test_invoice_data_holds_short_texts(invoice: object, rule: str) -> None:
    (fault,) = read({"invoice_data": invoice})[1]
    assert (fault.field, fault.rule) == ("invoice_data", rule)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ("ALL", ("ALL",)),
        ("MOBILE_MONEY", ("MOBILE_MONEY",)),
        ("MOBILE_MONEY,CREDIT_CARD", ("MOBILE_MONEY", "CREDIT_CARD")),
        (" WALLET , CREDIT_CARD ,", ("WALLET", "CREDIT_CARD")),
        (["WALLET", "MOBILE_MONEY", "WALLET"], ("WALLET", "MOBILE_MONEY")),
        ([], ("ALL",)),
        (",", ("ALL",)),
    ],
)
def test_channels_are_words_of_the_contract(channels: object, expected: tuple[str, ...]) -> None:
    asked, faults = read({"channels": channels})
    assert faults == []
    assert asked is not None
    assert asked.request.channels == expected


@pytest.mark.parametrize(
    "channels", ["BITCOIN", "ALL,BITCOIN", "mobile_money", 3, {"a": 1}, [1], ["ALL", None], True]
)
def test_other_channels_are_refused(channels: object) -> None:
    asked, faults = read({"channels": channels})
    assert asked is None
    assert [(fault.field, fault.rule) for fault in faults] == [("channels", "channels")]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("fr", "fr"),
        ("en", "en"),
        ("EN", "en"),
        ("Fr", "fr"),
        ("de", None),
        ("", None),
        (None, None),
        (5, None),
        ({}, None),
    ],
)
def test_an_unknown_language_counts_as_absent(lang: object, expected: str) -> None:
    asked, _ = read({"lang": lang})
    assert asked is not None
    assert asked.request.lang == expected


@pytest.mark.parametrize(
    ("json_value", "expected"),
    [
        ('"as given "', "as given "),
        ('{ "a" : [1, 2.50, null, true], "é": "ü" }', '{"a":[1,2.50,null,true],"é":"ü"}'),
        ("[1, 2]", "[1,2]"),
        ("12", "12"),
        ("1.10", "1.10"),
        ("false", "false"),
        ("{}", "{}"),
        ("null", None),
    ],
)
def test_metadata_that_is_not_text_is_kept_as_its_compact_json(json_value: str, expected: str | None) -> None:
    asked, faults = read_raw("metadata", json_value)
    assert faults == []
    assert asked is not None
    assert asked.request.metadata == expected


@pytest.mark.parametrize(("length", "rules"), [(1_000, []), (1_001, ["too_long"])])
def test_metadata_has_at_most_1000_characters(length: int, rules: list[str]) -> None:
    assert [fault.rule for fault in read({"metadata": "é" * length})[1]] == rules
    assert [fault.rule for fault in read({"metadata": ["é" * (length - 4)]})[1]] == rules


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Facture": "F-12", "Table": 4}, (("Facture", "F-12"), ("Table", "4"))),
        ('{"Facture": "F-12",}', (("Facture", "F-12"),)),
        ({"a": None, "b": "", "c": "x"}, (("c", "x"),)),
        ({}, ()),
        ([], ()),
        ("[]", ()),
    ],
)
def test_invoice_data_is_up_to_three_labelled_values(value: object, expected: object) -> None:
    asked, faults = read({"invoice_data": value})
    assert faults == []
    assert asked is not None
    assert asked.request.invoice_data == expected


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ({"a": 1, "b": 2, "c": 3, "d": 4}, "too_many_pairs"),
        ("not json", "pairs"),
        ([["a", "b"]], "pairs"),
        ({"a": {"b": 1}}, "pairs"),
        ({"a": 1.5}, "pairs"),
        (12, "pairs"),
        (True, "pairs"),
    ],
)
def test_other_invoice_data_is_refused(value: object, rule: str) -> None:
    _, faults = read({"invoice_data": value})
    assert [(fault.field, fault.rule) for fault in faults] == [("invoice_data", rule)]


@pytest.mark.parametrize("value", [True, 1, "true", "TRUE", "True", "1"])
def test_a_switch_is_on(value: object) -> None:
    asked, _ = read({"lock_phone_number": value, "customer_phone_number": "+2250102324373"})
    assert asked is not None
    assert asked.request.lock_phone_number is True
    assert asked.customer_phone_number == "+2250102324373"


@pytest.mark.parametrize("value", [False, 0, "false", "FALSE", "0", "", None])
def test_a_switch_is_off(value: object) -> None:
    asked, _ = read({"lock_phone_number": value})
    assert asked is not None
    assert asked.request.lock_phone_number is False


@pytest.mark.parametrize("value", ["yes", "on", 2, 1.0, [], {"a": 1}, "vrai"])
def test_anything_else_is_no_switch(value: object) -> None:
    assert read({"lock_phone_number": value}) == (None, [Fault("lock_phone_number", "switch")])


CARD = {
    "customer_id": 7,
    "customer_email": "awa@exemple.com",
    "customer_address": "Rue 12",
    "customer_city": "Abidjan",
    "customer_country": "ci",
    "customer_state": "Lagunes",
    "customer_zip_code": "00225",
}


def test_a_complete_card_block_is_kept() -> None:
    asked, _ = read(CARD)
    assert asked is not None
    assert asked.request.card_block == {**CARD, "customer_id": "7", "customer_country": "CI"}


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in CARD),
        *({name: ["x"]} for name in CARD),
        {"customer_country": "Côte d'Ivoire"},
        {"customer_email": "nobody"},
        {"customer_city": "x" * 256},
    ],
)
def test_a_bad_card_block_only_hides_the_card(changes: dict[str, Any]) -> None:
    asked, faults = read({**CARD, **changes})
    assert faults == []
    assert asked is not None
    assert asked.request.card_block is None


def test_an_unknown_currency_alone_is_left_to_the_site() -> None:
    asked, faults = read({"currency": "EUR"})
    assert faults == []
    assert asked is not None
    assert asked.currency == "EUR"


@pytest.mark.parametrize(
    ("fields", "credentials"),
    [
        ({"apikey": "a", "site_id": 445160}, Credentials("a", "445160")),
        ({"apiKey": "b", "site_id": "445160"}, Credentials("b", "445160")),
        ({"apikey": "a", "apiKey": "b", "site_id": "1"}, Credentials("a", "1")),
        ({"apikey": "", "apiKey": "b", "site_id": "1"}, Credentials("b", "1")),
        ({"apikey": None, "apiKey": 12, "site_id": "1"}, Credentials("12", "1")),
    ],
)
def test_credentials_and_the_other_spelling_of_apikey(
    fields: dict[str, Any], credentials: Credentials
) -> None:
    faults: list[Fault] = []
    assert read_credentials(fields, faults) == credentials
    assert faults == []


def test_keys_are_case_sensitive() -> None:
    faults: list[Fault] = []
    read_credentials({"APIKEY": "a", "Site_Id": "1"}, faults)
    assert faults == [Fault("apikey", "missing"), Fault("site_id", "missing")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"transaction_id": "a"}, CheckRequest("a", ())),
        ({"transaction_id": 12}, CheckRequest("12", ())),
        ({"payment_token": "t"}, CheckRequest(None, ("t",))),
        ({"token": "t"}, CheckRequest(None, ("t",))),
        ({"transaction_id": "a", "token": "a"}, CheckRequest("a", ("a",))),
        ({"payment_token": "t", "token": "t"}, CheckRequest(None, ("t",))),
        ({"payment_token": "t", "token": "u", "transaction_id": ""}, CheckRequest(None, ("t", "u"))),
    ],
)
def test_a_check_names_its_payment_in_one_of_three_ways(
    fields: dict[str, Any], expected: CheckRequest
) -> None:
    faults: list[Fault] = []
    assert read_check(fields, faults) == expected
    assert faults == []


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, Fault("transaction_id", "one_of_names")),
        ({"transaction_id": None, "token": ""}, Fault("transaction_id", "one_of_names")),
        ({"transaction_id": [1]}, Fault("transaction_id", "text")),
    ],
)
def test_a_check_without_a_name_is_faulty(fields: dict[str, Any], fault: Fault) -> None:
    faults: list[Fault] = []
    assert read_check(fields, faults) is None
    assert faults == [fault]


@pytest.mark.parametrize("key", ["a", "x" * 255, "5b1f-…".replace("…", "9"), "two words", "~!@#$%^&*()"])
def test_an_idempotency_key_brings_the_bodys_hash(key: str) -> None:
    asked, faults = read({}, (key,))
    assert faults == []
    assert asked is not None
    assert asked.idempotency_key == key
    assert asked.body_hash is not None
    assert len(asked.body_hash) == 64


@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        (("",), "idempotency_key"),
        (("x" * 256,), "idempotency_key"),
        (("é",), "idempotency_key"),
        (("a\tb",), "idempotency_key"),
        (("a", "b"), "idempotency_twice"),
    ],
)
def test_a_bad_idempotency_key_is_a_fault(keys: tuple[str, ...], rule: str) -> None:
    assert read({}, keys) == (None, [Fault("Idempotency-Key", rule)])


def test_the_hash_ignores_the_order_of_keys_white_space_and_the_apikey() -> None:
    one = read_body(JSON, b'{"apikey": "a", "amount": 100, "metadata": {"x": 1, "y": 2.50}}')
    same = read_body(JSON, b'{"metadata":{"y":2.50,"x":1},\n"amount":100,"apiKey":"b",}')
    other = read_body(JSON, b'{"apikey": "a", "amount": 105, "metadata": {"x": 1, "y": 2.50}}')
    assert body_hash(one) == body_hash(same)
    assert body_hash(one) != body_hash(other)


def test_a_form_is_read_by_the_same_rules() -> None:
    body = read_body(
        FORM,
        b"apikey=k&site_id=445160&transaction_id=order-1&amount=100&currency=XOF&description=Deux+pagnes"
        b"&return_url=https%3A%2F%2Fwww.exemple.com%2Fr&invoice_data[Table]=4&lock_phone_number=TRUE&metadata[a]=b",
    )
    faults: list[Fault] = []
    asked = read_payment(body, faults, [])
    assert faults == []
    assert asked is not None
    assert (asked.amount, asked.request.invoice_data) == (100, (("Table", "4"),))
    assert asked.request.lock_phone_number is True
    assert asked.request.metadata == '{"a":"b"}'


WRONG: dict[str, Any] = {
    "channels": "NO",
    "metadata": "m" * 1001,
    "invoice_data": "no",
    "lock_phone_number": "no",
}
FREE = {"lang", "alternative_currency", "currency"} | set(CARD)


@pytest.mark.parametrize("name", [name for name in PaymentFields.__struct_fields__ if name not in FREE])
def test_each_field_of_the_documented_request_is_read(name: str) -> None:
    _, faults = read({name: WRONG.get(name, [["wrong"]])})
    assert [fault.field for fault in faults] == [name]


@pytest.mark.parametrize("name", CheckFields.__struct_fields__)
def test_each_field_of_the_documented_check_is_read(name: str) -> None:
    faults: list[Fault] = []
    fields = {**GOOD, name: [["wrong"]]}
    read_credentials(fields, faults)
    read_check(fields, faults)
    assert [fault.field for fault in faults] == [name]
