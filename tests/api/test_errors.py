"""Contract section 5: every row, then the order of the rows, through HTTP."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from cauri.api.errors import ROWS
from cauri.domain.errors import RequestError, StoreUnavailable
from cauri.domain.site import SiteStatus

from .conftest import Merchant, fresh


def is_refusal(answer: httpx.Response, status: int, code: str, message: str) -> None:
    """The envelope of section 5: these four keys in this order, and no ``data``."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["code", "message", "description", "api_response_id"]
    assert (answer.status_code, body["code"], body["message"]) == (status, code, message)
    assert re.fullmatch(r"\d+\.\d{4}", body["api_response_id"])
    assert body["description"]


def test_every_request_error_has_a_row() -> None:
    assert set(ROWS) == {*RequestError.__subclasses__(), StoreUnavailable}


async def test_row_1_a_body_over_64_kib(merchant: Merchant) -> None:
    for path in ("/v2/payment", "/v2/payment/check"):
        answer = await merchant.client.post(path, json={"metadata": "x" * 65_536})
        is_refusal(answer, 413, "413", "REQUEST_ENTITY_TOO_LARGE")


async def test_row_1_a_chunked_body_over_64_kib(merchant: Merchant) -> None:
    async def chunks() -> Any:
        for _ in range(70):
            yield b" " * 1_024

    answer = await merchant.client.post(
        "/v2/payment", content=chunks(), headers={"content-type": "application/json"}
    )
    assert "content-length" not in answer.request.headers
    is_refusal(answer, 413, "413", "REQUEST_ENTITY_TOO_LARGE")


async def test_a_body_of_exactly_64_kib_is_read(merchant: Merchant) -> None:
    fields = httpx.Request("POST", "http://x", json=merchant.fields()).content
    body = fields[:-1] + b" " * (65_536 - len(fields)) + b"}"
    answer = await merchant.client.post(
        "/v2/payment", content=body, headers={"content-type": "application/json"}
    )
    assert (len(body), answer.status_code) == (65_536, 200)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""]
)
@pytest.mark.parametrize("path", ["/v2/payment", "/v2/payment/check"])
async def test_row_2_a_content_type_that_is_neither_json_nor_form(
    merchant: Merchant, path: str, content_type: str
) -> None:
    answer = await merchant.client.post(path, content=b"{}", headers={"content-type": content_type})
    is_refusal(answer, 403, "403", "FORBIDDEN")


@pytest.mark.parametrize("path", ["/v2/payment", "/v2/payment/check"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"apikey": "\\ud800"}', b'"text"'])
async def test_row_4_an_unreadable_body(merchant: Merchant, path: str, body: bytes) -> None:
    answer = await merchant.client.post(path, content=body, headers={"content-type": "application/json"})
    is_refusal(answer, 400, "608", "MINIMUM_REQUIRED_FIELDS")


@pytest.mark.parametrize(
    "field", ["apikey", "site_id", "transaction_id", "amount", "currency", "description", "return_url"]
)
async def test_row_4_a_missing_field_is_named(merchant: Merchant, field: str) -> None:
    answer = await merchant.open(**{field: ""})
    is_refusal(answer, 400, "608", "MINIMUM_REQUIRED_FIELDS")
    assert f"« {field} »" in answer.json()["description"]


@pytest.mark.parametrize("field", ["apikey", "site_id", "transaction_id"])
async def test_row_4_a_field_missing_from_a_check_is_named(merchant: Merchant, field: str) -> None:
    answer = await merchant.check(**{"transaction_id": "x", field: ""})
    is_refusal(answer, 400, "608", "MINIMUM_REQUIRED_FIELDS")
    assert f"« {field} »" in answer.json()["description"]


BROKEN: list[tuple[str, Any]] = [
    ("transaction_id", "x" * 101),
    ("transaction_id", " x"),
    ("transaction_id", "a\nb"),
    ("amount", "12,5"),
    ("amount", 12.5),
    ("amount", True),
    ("description", "x" * 256),
    ("return_url", "www.exemple.com"),
    ("notify_url", "ftp://exemple.com"),
    ("channels", "BITCOIN"),
    ("metadata", "x" * 1_001),
    ("invoice_data", {"a": 1, "b": 2, "c": 3, "d": 4}),
    ("lock_phone_number", "yes"),
    ("customer_name", ["x"]),
    ("customer_phone_number", {"x": 1}),
    ("description", "a\0b"),
    ("site_id", False),
]


@pytest.mark.parametrize(("field", "value"), BROKEN)
async def test_row_4_a_field_that_breaks_its_rule_is_named(
    merchant: Merchant, field: str, value: Any
) -> None:
    answer = await merchant.open(**{field: value})
    is_refusal(answer, 400, "608", "MINIMUM_REQUIRED_FIELDS")
    assert f"« {field} »" in answer.json()["description"]


async def test_row_4_lists_every_faulty_field_at_once_in_the_readers_language(merchant: Merchant) -> None:
    changes = {"amount": "x", "return_url": "x", "notify_url": "x", "channels": "x", "apikey": ""}
    for language, quote in (("fr", "« {} »"), ("en-GB,fr;q=0.5", "“{}”")):
        answer = await merchant.open({"accept-language": language}, **changes)
        is_refusal(answer, 400, "608", "MINIMUM_REQUIRED_FIELDS")
        assert all(quote.format(field) in answer.json()["description"] for field in changes)


async def test_row_5_an_unknown_apikey(merchant: Merchant) -> None:
    for answer in (
        await merchant.open(apikey=fresh("key")),
        await merchant.check(apikey=fresh("key"), token="x"),
    ):
        is_refusal(answer, 400, "609", "AUTH_NOT_FOUND")
        assert "apikey" in answer.json()["description"]


async def test_row_6_an_unknown_site(merchant: Merchant) -> None:
    for answer in (await merchant.open(site_id="nobody"), await merchant.check(site_id="nobody", token="x")):
        is_refusal(answer, 400, "613", "ERROR_SITE_ID_NOTVALID")


async def test_row_6_another_keys_site(merchant: Merchant, site_with: Any) -> None:
    other = await site_with()
    is_refusal(await merchant.open(site_id=other.site_id), 400, "613", "ERROR_SITE_ID_NOTVALID")
    is_refusal(await merchant.check(site_id=other.site_id, token="x"), 400, "613", "ERROR_SITE_ID_NOTVALID")


@pytest.mark.parametrize("status", [SiteStatus.CLOSED, SiteStatus.SUSPENDED])
async def test_row_7_a_closed_or_suspended_site(site_with: Any, status: SiteStatus) -> None:
    merchant = await site_with(status=status)
    is_refusal(await merchant.open(), 400, "625", "ABONNEMENT_OR_TRANSACTIONS_EXPIRED")


async def test_row_8_a_currency_that_is_not_enabled(site_with: Any) -> None:
    merchant = await site_with(currencies=("XOF",))
    for currency in ("XAF", "USD", "EUR", "xof"):
        answer = await merchant.open(currency=currency)
        is_refusal(answer, 400, "612", "ERROR_CURRENCY_NOTVALID")
        assert "XOF" in answer.json()["description"]


async def test_row_9_an_amount_that_is_not_a_multiple_of_5(merchant: Merchant) -> None:
    answer = await merchant.open(amount=102)
    is_refusal(answer, 400, "608", "MINIMUM_REQUIRED_FIELDS")
    assert "« amount »" in answer.json()["description"]


async def test_row_9_does_not_count_dollars_by_five(merchant: Merchant) -> None:
    assert (await merchant.open(amount=3, currency="USD")).status_code == 200


async def test_row_9_channels_that_leave_no_method(merchant: Merchant) -> None:
    answer = await merchant.open(channels="WALLET", currency="GNF", amount=1_000)
    is_refusal(answer, 400, "608", "MINIMUM_REQUIRED_FIELDS")
    assert "« channels »" in answer.json()["description"]


@pytest.mark.parametrize(
    ("currency", "amount", "code", "message"),
    [
        ("XOF", 95, "641", "ERROR_AMOUNT_TOO_LOW"),
        ("XOF", 0, "641", "ERROR_AMOUNT_TOO_LOW"),
        ("XOF", -5, "641", "ERROR_AMOUNT_TOO_LOW"),
        ("XOF", 2_000_005, "642", "ERROR_AMOUNT_TOO_HIGH"),
        ("XOF", 10**21, "642", "ERROR_AMOUNT_TOO_HIGH"),
        ("XAF", 95, "641", "ERROR_AMOUNT_TOO_LOW"),
        ("XAF", 1_500_005, "642", "ERROR_AMOUNT_TOO_HIGH"),
        ("CDF", 95, "641", "ERROR_AMOUNT_TOO_LOW"),
        ("CDF", 2_000_005, "642", "ERROR_AMOUNT_TOO_HIGH"),
        ("USD", 0, "641", "ERROR_AMOUNT_TOO_LOW"),
        ("USD", 3_001, "642", "ERROR_AMOUNT_TOO_HIGH"),
    ],
)
async def test_row_10_an_amount_outside_the_widest_bounds(
    merchant: Merchant, currency: str, amount: int, code: str, message: str
) -> None:
    is_refusal(await merchant.open(currency=currency, amount=amount), 400, code, message)


@pytest.mark.parametrize(
    ("currency", "amounts"),
    [
        ("XOF", (100, 2_000_000)),
        ("XAF", (100, 1_500_000)),
        ("CDF", (100, 2_000_000)),
        ("USD", (1, 3_000)),
    ],
)
async def test_row_10_the_bounds_themselves_are_allowed(
    merchant: Merchant, currency: str, amounts: tuple[int, int]
) -> None:
    for amount in amounts:
        assert (await merchant.open(currency=currency, amount=amount)).status_code == 200


async def test_row_10_uses_the_bounds_of_the_enabled_countries(site_with: Any) -> None:
    ivory_coast = await site_with(countries=("CI",))
    is_refusal(await ivory_coast.open(amount=1_500_005), 400, "642", "ERROR_AMOUNT_TOO_HIGH")
    assert (await ivory_coast.open(amount=1_500_000)).status_code == 200
    with_senegal = await site_with(countries=("CI", "SN"))
    assert (await with_senegal.open(amount=2_000_000)).status_code == 200


@pytest.mark.parametrize("number", ["12", "abc", "+999123456789", None])
async def test_row_11_a_locked_number_that_is_bad(merchant: Merchant, number: str | None) -> None:
    answer = await merchant.open(lock_phone_number=True, customer_phone_number=number)
    is_refusal(answer, 400, "624", "UNKNOWN_ERROR")
    assert "customer_phone_number" in answer.json()["description"]


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        pytest.param("+33612345678", {}, id="a country that is none of ours"),
        pytest.param("+237653456789", {}, id="a country of another currency"),
        pytest.param(
            "+2250102324373", {"amount": 1_800_000}, id="a country whose bounds leave the amount out"
        ),
    ],
)
async def test_row_11_a_locked_number_of_a_country_that_cannot_pay(
    merchant: Merchant, number: str, changes: dict[str, Any]
) -> None:
    """It would leave the customer a page with no way to pay; the description names the country, not the format."""
    answer = await merchant.open(
        {"accept-language": "en"}, lock_phone_number=True, customer_phone_number=number, **changes
    )
    is_refusal(answer, 400, "624", "UNKNOWN_ERROR")
    assert "the country of “customer_phone_number”" in answer.json()["description"]


async def test_row_11_a_bad_number_that_is_not_locked_is_no_error(merchant: Merchant) -> None:
    assert (await merchant.open(customer_phone_number="12")).status_code == 200


async def test_row_12_a_transaction_id_used_before(merchant: Merchant) -> None:
    transaction_id, _ = await merchant.opened()
    answer = await merchant.open(transaction_id=transaction_id)
    is_refusal(answer, 400, "620", "ERROR_DOUBLE_PAYEMNT")


async def test_row_12_a_refused_request_does_not_use_its_transaction_id_up(merchant: Merchant) -> None:
    transaction_id = fresh("order")
    assert (await merchant.open(transaction_id=transaction_id, amount=95)).status_code == 400
    assert (await merchant.open(transaction_id=transaction_id)).status_code == 200


async def test_row_12_two_sites_may_use_the_same_transaction_id(merchant: Merchant, site_with: Any) -> None:
    transaction_id, token = await merchant.opened()
    _, other = await (await site_with()).opened(transaction_id=transaction_id)
    assert other != token


async def test_row_13_a_check_of_no_payment(merchant: Merchant) -> None:
    for names in ({"transaction_id": fresh("order")}, {"payment_token": "ab" * 17}, {"token": "not a token"}):
        is_refusal(await merchant.check(**names), 404, "404", "TRANSACTION_NOT_FOUND")


async def test_row_13_another_sites_payment_is_unknown(merchant: Merchant, site_with: Any) -> None:
    transaction_id, token = await merchant.opened()
    other = await site_with()
    is_refusal(await other.check(transaction_id=transaction_id), 404, "404", "TRANSACTION_NOT_FOUND")
    is_refusal(await other.check(payment_token=token), 404, "404", "TRANSACTION_NOT_FOUND")


async def test_row_14_storage_down(merchant: Merchant, gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any) -> Any:
        raise StoreUnavailable("connection refused")

    monkeypatch.setattr(gateway.lifecycle, "open", down)
    answer = await merchant.open()
    is_refusal(answer, 503, "503", "TEMPORARILY_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0


async def test_row_14_says_when_the_request_may_have_been_recorded(
    merchant: Merchant, gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any) -> Any:
        raise StoreUnavailable("lost in COMMIT", maybe_recorded=True)

    monkeypatch.setattr(gateway.lifecycle, "open", lost)
    answer = await merchant.open({"accept-language": "en"})
    is_refusal(answer, 503, "503", "TEMPORARILY_UNAVAILABLE")
    assert "Idempotency-Key" in answer.json()["description"]


async def test_row_15_a_bug_of_ours_answers_with_the_logs_id(
    merchant: Merchant, gateway: Any, monkeypatch: pytest.MonkeyPatch, log_lines: list[dict[str, Any]]
) -> None:
    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError(merchant.apikey)

    monkeypatch.setattr(gateway.lifecycle, "open", broken)
    answer = await merchant.open()
    is_refusal(answer, 500, "624", "UNKNOWN_ERROR")
    lines = [line for line in log_lines if line.get("error_id") == answer.json()["api_response_id"]]
    assert [line["error"] for line in lines] == ["ZeroDivisionError"]
    assert answer.json()["api_response_id"] in answer.json()["description"]
    assert merchant.apikey not in repr(log_lines)


# Each request breaks the rule of its own row and of all rows after it; the first is the answer. Rows 1 and 2 are told by the transport.
ORDER: list[tuple[str, dict[str, Any], str]] = [
    ("4 before 5", {"amount": "x", "apikey": "nobody"}, "608"),
    ("5 before 6", {"apikey": "nobody", "site_id": "nobody"}, "609"),
    ("6 before 7", {"site_id": "nobody", "currency": "EUR"}, "613"),
    ("8 before 9", {"currency": "EUR", "amount": 102}, "612"),
    ("9 before 10", {"amount": 2_000_001}, "608"),
    ("10 before 11", {"amount": 95, "lock_phone_number": True}, "641"),
    ("11 before 12", {"lock_phone_number": True, "customer_phone_number": "x"}, "624"),
]


@pytest.mark.parametrize(("rows", "changes", "code"), ORDER, ids=[rows for rows, _, _ in ORDER])
async def test_the_first_row_that_holds_is_the_answer(
    merchant: Merchant, rows: str, changes: dict[str, Any], code: str
) -> None:
    transaction_id, _ = await merchant.opened()
    answer = await merchant.open(**{"transaction_id": transaction_id, **changes})
    assert answer.json()["code"] == code


async def test_row_1_before_2_before_4(merchant: Merchant) -> None:
    big = await merchant.client.post(
        "/v2/payment", content=b"x" * 70_000, headers={"content-type": "text/plain"}
    )
    wrong = await merchant.client.post("/v2/payment", content=b"x", headers={"content-type": "text/plain"})
    assert (big.json()["code"], wrong.json()["code"]) == ("413", "403")


async def test_row_7_before_8(site_with: Any) -> None:
    merchant = await site_with(status=SiteStatus.CLOSED, currencies=("XOF",))
    assert (await merchant.open(currency="XAF", amount=102)).json()["code"] == "625"


async def test_a_closed_site_still_checks_its_payments(gateway: Any, site_with: Any) -> None:
    merchant = await site_with()
    transaction_id, _ = await merchant.opened()
    site = await gateway.store.site(merchant.site_id)
    await gateway.store.save_site(type(site)(site_id=site.site_id, name=site.name, status=SiteStatus.CLOSED))
    assert (await merchant.check(transaction_id=transaction_id)).json()["code"] == "662"
