"""Bodies as shipped clients send them, and as nobody should."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cauri.domain.errors import FaultyFields, UnsupportedMediaType
from cauri.wire.bodies import FORM, JSON, read_body, without_trailing_commas


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=ISO-8859-1; profile=x",
        "  application/json  ",
    ],
)
def test_json_is_known_by_its_type_in_any_case_with_any_parameters(content_type: str) -> None:
    assert read_body(content_type, b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/jsonp", "multipart/form-data; boundary=x", "application/xml", ";"],
)
def test_any_other_type_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        read_body(content_type, b'{"a": 1}')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1,}', {"a": 1}),
        (b'{"a": 1 , \r\n\t }', {"a": 1}),
        (b'{"a": [1, 2,],"b": {"c": "d",},}', {"a": [1, 2], "b": {"c": "d"}}),
        (b'{"a": "x,}",}', {"a": "x,}"}),
        (b'{"a": "\\",}",}', {"a": '",}'}),
        (b'{"a": "\\\\",}', {"a": "\\"}),
        (b'\xef\xbb\xbf{"a": 1,}', {"a": 1}),
    ],
)
def test_a_trailing_comma_is_forgiven_outside_strings(body: bytes, expected: object) -> None:
    assert read_body(JSON, body) == expected


@pytest.mark.parametrize(
    "body", [b"{,}", b'{"a": [,]}', b'{"a": 1,,}', b',{"a": 1}', b'{"a":,}', b'{"a": 1},']
)
def test_a_comma_that_trails_no_value_is_not_forgiven(body: bytes) -> None:
    with pytest.raises(FaultyFields):
        read_body(JSON, body)


def test_mending_is_linear_in_the_size_of_the_body() -> None:
    for nasty in (b'"' * 65_536, b'\\"' * 32_768, b"," * 65_536, b"1,]" * 21_845, b"[" * 65_536):
        assert len(without_trailing_commas(nasty)) == len(nasty)


UNREADABLE = [
    (JSON, b"", "body_empty"),
    (JSON, b" \n", "body_empty"),
    (JSON, b"{", "body_json"),
    (JSON, b'{"a": 1', "body_json"),
    (JSON, b"{'a': 1}", "body_json"),
    (JSON, b"apikey=1", "body_json"),
    (JSON, b'{"a": 1} x', "body_json"),
    (JSON, b'{"a": "line\nbreak"}', "body_json"),
    (JSON, b'{"a": 1}\x00', "body_json"),
    (JSON, b"[]", "body_object"),
    (JSON, b'"text"', "body_object"),
    (JSON, b"null", "body_object"),
    (JSON, b"12", "body_object"),
    (JSON, b"[" * 60_000, "body_deep"),
    (JSON, b'{"a":' * 13_000, "body_deep"),
    (JSON, b"[" * 30_000 + b"]" * 30_000, "body_deep"),
    (JSON, b'{"a": "\xff"}', "body_encoding"),
    (JSON, b'{"a": "\xed\xa0\x80"}', "body_encoding"),
    (JSON, '{"a": 1}'.encode("utf-16"), "body_encoding"),
    (JSON, b'{"a": "\\ud800"}', "body_surrogate"),
    (JSON, b'{"a": "\\uDC00 after"}', "body_surrogate"),
    (JSON, b'{"\\ud83d": 1}', "body_surrogate"),
    (JSON, b'{"a": NaN}', "body_number"),
    (JSON, b'{"a": -Infinity}', "body_number"),
    (JSON, b'{"a": ' + b"9" * 5_000 + b"}", "body_number"),
    (JSON, b'{"a": 1e99999999999999999999}', "body_number"),
    (FORM, b"", "body_empty"),
    (FORM, b"a=%FF", "body_encoding"),
    (FORM, b"a=\xff", "body_encoding"),
    (FORM, b"a=%ED%A0%80", "body_encoding"),
    (FORM, b"a=1&" * 2_000, "body_form"),
]


@pytest.mark.parametrize(("content_type", "body", "rule"), UNREADABLE)
def test_an_unreadable_body_is_one_fault_that_says_why(content_type: str, body: bytes, rule: str) -> None:
    with pytest.raises(FaultyFields) as refused:
        read_body(content_type, body)
    assert [(fault.field, fault.rule) for fault in refused.value.faults] == [("body", rule)]


@pytest.mark.parametrize(
    ("content_type", "body", "field"),
    [
        (JSON, b'{"description": "a\\u0000b"}', "description"),
        (JSON, b'{"metadata": {"deep": ["\\u0000"]}}', "metadata"),
        (JSON, b'{"unknown": {"\\u0000": 1}}', "unknown"),
        (FORM, b"description=a%00b", "description"),
        (FORM, b"invoice_data[a]=%00", "invoice_data"),
        (FORM, b"description=a\x00b", "description"),
    ],
)
def test_the_field_with_a_nul_character_is_named(content_type: str, body: bytes, field: str) -> None:
    with pytest.raises(FaultyFields) as refused:
        read_body(content_type, body)
    assert [(fault.field, fault.rule) for fault in refused.value.faults] == [(field, "nul")]


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert read_body(JSON, b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}


def test_numbers_are_exact() -> None:
    assert read_body(JSON, b'{"a": 1.10, "b": 123456789012345678901234567890}') == {
        "a": Decimal("1.10"),
        "b": 123456789012345678901234567890,
    }


def test_of_two_fields_with_one_name_the_last_wins() -> None:
    assert read_body(JSON, b'{"a": 1, "a": 2}') == {"a": 2}
    assert read_body(FORM, b"a=1&a=2") == {"a": "2"}


def test_a_form_is_read_with_its_labelled_pairs() -> None:
    body = b"amount=100&description=Caf%C3%A9+cr%C3%A8me&invoice_data[Re%C3%A7u]=F-12&invoice_data%5BTable%5D=4&empty="
    assert read_body("application/x-www-form-urlencoded; charset=UTF-8", body) == {
        "amount": "100",
        "description": "Café crème",
        "invoice_data": {"Reçu": "F-12", "Table": "4"},
        "empty": "",
    }
