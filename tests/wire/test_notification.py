"""The 16 fields, their order, their signature: vectors that anyone can check with another tool."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from msgspec.structs import replace

from cauri.domain.codes import Code
from cauri.domain.payment import Payment, PaymentRequest, PaymentStatus
from cauri.domain.phone import Phone
from cauri.domain.site import Site, SiteSettings
from cauri.wire import notification
from cauri.wire.notification import Message, message_id

CREATED_AT = int(datetime(2021, 4, 7, 14, 0, 5, tzinfo=UTC).timestamp() * 1000)
SITE = Site(site_id="445160", name="Boutique", secret_key="160325b33f4da6dd")
PAID = Payment(
    slot=1,
    site_id="445160",
    transaction_id="order-1",
    token="ab" * 17,
    amount=1500,
    currency="XOF",
    status=PaymentStatus.PAID,
    code=Code.SUCCESS,
    created_at=CREATED_AT,
    expires_at=CREATED_AT + 1,
    request=PaymentRequest(
        description="Café crème & thé",
        return_url="https://exemple.com/r",
        metadata='{"panier":7}',
        signature="5f1d",
        lang="en",
    ),
    method="FLOOZ",
    phone=Phone("CI", "225", "0102324373"),
    operator_id="8210407187720",
)

AT = CREATED_AT + 90_500


def message(payment: Payment, site: Site, at: int = AT, number: int = 1) -> Message:
    return notification.message(payment, site, at=at, number=number)


VALUES = [
    ("cpm_site_id", "445160"),
    ("cpm_trans_id", "order-1"),
    ("cpm_trans_date", "2021-04-07 14:00:05"),
    ("cpm_amount", "1500"),
    ("cpm_currency", "XOF"),
    ("signature", "5f1d"),
    ("payment_method", "FLOOZ"),
    ("cel_phone_num", "0102324373"),
    ("cpm_phone_prefixe", "225"),
    ("cpm_language", "en"),
    ("cpm_version", "V4"),
    ("cpm_payment_config", "SINGLE"),
    ("cpm_page_action", "PAYMENT"),
    ("cpm_custom", '{"panier":7}'),
    ("cpm_designation", "Café crème & thé"),
    ("cpm_error_message", "SUCCES"),
]

# printf '%s' '445160order-1…SUCCES' | openssl dgst -sha256 -hmac 160325b33f4da6dd
X_TOKEN = "c80e1d618e279da365d7f524432781747b42e7df699b13980a981a84754238f1"


def test_the_form_has_the_16_fields_in_order() -> None:
    told = message(PAID, SITE)
    assert told.content_type == "application/x-www-form-urlencoded"
    assert parse_qsl(told.body.decode("ascii"), keep_blank_values=True, strict_parsing=True) == VALUES


def test_the_form_is_this_text() -> None:
    assert message(PAID, SITE).body == (
        b"cpm_site_id=445160&cpm_trans_id=order-1&cpm_trans_date=2021-04-07+14%3A00%3A05&cpm_amount=1500&cpm_currency=XOF"
        b"&signature=5f1d&payment_method=FLOOZ&cel_phone_num=0102324373&cpm_phone_prefixe=225&cpm_language=en&cpm_version=V4"
        b"&cpm_payment_config=SINGLE&cpm_page_action=PAYMENT&cpm_custom=%7B%22panier%22%3A7%7D"
        b"&cpm_designation=Caf%C3%A9+cr%C3%A8me+%26+th%C3%A9&cpm_error_message=SUCCES"
    )


def test_x_token_signs_the_values_in_order_without_separator() -> None:
    assert message(PAID, SITE).headers["x-token"] == X_TOKEN


def test_a_receiver_that_recomputes_over_what_it_received_agrees() -> None:
    told = message(PAID, SITE)
    received = parse_qsl(told.body.decode(), keep_blank_values=True)
    joined = "".join(value for _, value in received)
    assert (
        hmac.new(b"160325b33f4da6dd", joined.encode(), hashlib.sha256).hexdigest() == told.headers["x-token"]
    )


def test_what_is_not_known_is_an_empty_text() -> None:
    waiting = replace(
        PAID,
        status=PaymentStatus.WAITING,
        code=Code.WAITING_PAYMENT,
        method=None,
        phone=None,
        request=replace(PAID.request, metadata=None),
    )
    fields = dict(parse_qsl(message(waiting, SITE).body.decode(), keep_blank_values=True))
    assert list(fields) == [name for name, _ in VALUES]
    assert [
        fields[name] for name in ("payment_method", "cel_phone_num", "cpm_phone_prefixe", "cpm_custom")
    ] == [""] * 4
    assert fields["cpm_error_message"] == "WAITING_CUSTOMER_PAYMENT"


def test_a_site_without_secret_key_gets_no_x_token() -> None:
    assert message(PAID, replace(SITE, secret_key=None)).headers == {}


def test_the_json_format_is_the_guides_two_fields_unsigned() -> None:
    told = message(PAID, replace(SITE, settings=SiteSettings(notification_format="json")))
    assert told.content_type == "application/json"
    assert told.body == b'{"cpm_trans_id":"order-1","cpm_site_id":"445160"}'
    assert "x-token" not in told.headers


def test_the_webhook_headers_name_the_message_the_moment_and_the_try() -> None:
    told = message(PAID, SITE, number=3)
    assert list(told.headers) == [
        "x-token",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "webhook-try",
    ]
    assert (told.headers["webhook-timestamp"], told.headers["webhook-try"]) == (str(AT // 1000), "3")
    signed = f"{told.headers['webhook-id']}.{AT // 1000}.".encode() + told.body
    digest = hmac.new(b"160325b33f4da6dd", signed, hashlib.sha256).digest()
    assert told.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_the_webhook_id_is_the_same_for_every_try_of_a_state_and_another_for_the_next_state() -> None:
    first, later = message(PAID, SITE), message(PAID, SITE, at=AT + 60_000, number=2)
    assert first.headers["webhook-id"] == later.headers["webhook-id"] == message_id(PAID)
    moved = replace(PAID, version=PAID.version + 1)
    others = {message_id(moved), message_id(replace(PAID, token="cd" * 17)), message_id(PAID)}
    assert len(others) == 3


def test_the_webhook_id_is_no_way_to_the_payments_page() -> None:
    assert re.fullmatch("msg_[0-9a-f]{32}", message_id(PAID))
    assert PAID.token[:8] not in message_id(PAID)


ROTATING = replace(SITE, secret_key="the new one", old_secret_key="160325b33f4da6dd", old_secret_until=AT + 1)


@pytest.mark.parametrize("notification_format", ["form", "json"])
def test_during_a_rotation_both_secrets_sign_and_x_token_stays_the_old_ones(notification_format: str) -> None:
    settings = SiteSettings(notification_format=notification_format)  # type: ignore[arg-type]
    old, new = replace(SITE, settings=settings), replace(SITE, secret_key="the new one", settings=settings)
    both = message(PAID, replace(ROTATING, settings=settings)).headers
    of_old, of_new = message(PAID, old).headers, message(PAID, new).headers
    assert both["webhook-signature"] == f"{of_old['webhook-signature']} {of_new['webhook-signature']}"
    assert both.get("x-token") == of_old.get("x-token")


def test_with_the_graces_last_moment_only_the_new_secret_signs() -> None:
    assert message(PAID, ROTATING, at=AT + 1).headers == {
        **message(PAID, replace(SITE, secret_key="the new one"), at=AT + 1).headers
    }


@pytest.mark.parametrize("code", list(Code))
def test_cpm_error_message_is_the_sites_message_of_the_code(code: Code) -> None:
    site = replace(SITE, settings=SiteSettings(success_word="SUCCESS", wire_revision=2022))
    fields = dict(parse_qsl(message(replace(PAID, code=code), site).body.decode(), keep_blank_values=True))
    assert fields["cpm_error_message"] == site.message_of(code)
