"""Reading notifications: the x-token, both formats, and everything a stranger may send to a notify_url."""

import hashlib
import hmac
import json
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauri_shop import BadNotification, BadSignature, CauriError, Checkout, NotificationRefused, OtherSite

SECRET = "cauri-sandbox-secret-key"
FORM = "application/x-www-form-urlencoded"
FIELDS = {
    "cpm_site_id": "445160", "cpm_trans_id": "CMD-7", "cpm_trans_date": "2021-04-07 14:07:24", "cpm_amount": "100",
    "cpm_currency": "XOF", "signature": "5f1c", "payment_method": "FLOOZ", "cel_phone_num": "0102324373",
    "cpm_phone_prefixe": "225", "cpm_language": "fr", "cpm_version": "V4", "cpm_payment_config": "SINGLE",
    "cpm_page_action": "PAYMENT", "cpm_custom": "", "cpm_designation": "Café & pagne", "cpm_error_message": "SUCCES",
}  # fmt: skip
with_secret = Checkout("key", "445160", SECRET)
without_secret = Checkout("key", "445160")


def token_of(values, secret=SECRET):
    """Written here afresh, so that the library's own signing is not its judge."""
    return hmac.new(secret.encode("utf-8"), "".join(values).encode("utf-8"), hashlib.sha256).hexdigest()


def read(fields, token=None, checkout=with_secret, content_type=FORM):
    body = urlencode(fields).encode()
    return checkout.read_notification(
        body, content_type, token_of(fields.values()) if token is None else token
    )


def test_a_signed_form_is_verified_and_keeps_its_empty_values():
    notification = read(FIELDS)
    assert (notification.transaction_id, notification.site_id, notification.verified) == (
        "CMD-7",
        "445160",
        True,
    )
    assert dict(notification.fields) == FIELDS
    assert list(notification.fields) == list(FIELDS)
    assert "0102324373" not in repr(notification)


def test_a_known_vector():
    token = "4f2cd8d4a2d1ba1b1a9ac27c0c50b7f5"  # a token of the wrong length is no token
    with pytest.raises(BadSignature):
        read(FIELDS, token)
    message = "445160CMD-72021-04-07 14:07:24100XOF5f1cFLOOZ0102324373225frV4SINGLEPAYMENTCafé & pagneSUCCES"
    assert read(FIELDS, token_of([message])).verified


@given(
    values=st.lists(
        st.text(st.characters(blacklist_categories=("Cs",)), max_size=40), min_size=14, max_size=14
    ),
    secret=st.text(st.characters(blacklist_categories=("Cs",)), min_size=1).filter(
        lambda text: text.strip() == text
    ),
)
def test_any_values_signed_in_their_order_of_arrival_are_verified(values, secret):
    fields = {**FIELDS, **dict(zip(list(FIELDS)[2:], values))}
    notification = read(fields, token_of(fields.values(), secret), Checkout("key", "445160", secret))
    assert notification.verified
    assert dict(notification.fields) == fields


@given(order=st.permutations(list(FIELDS)))
def test_the_order_of_arrival_is_the_order_that_is_signed(order):
    fields = {name: FIELDS[name] for name in order}
    assert read(fields).verified
    if "".join(fields.values()) != "".join(FIELDS.values()):
        with pytest.raises(BadSignature):
            read(fields, token_of(FIELDS.values()))


@given(
    name=st.sampled_from(sorted(FIELDS)),
    added=st.text(st.characters(blacklist_categories=("Cs",)), min_size=1),
)
def test_any_value_changed_after_signing_is_refused(name, added):
    with pytest.raises(NotificationRefused):
        read({**FIELDS, name: FIELDS[name] + added}, token_of(FIELDS.values()))


@pytest.mark.parametrize(
    "token", ["", " ", "0" * 64, "é" * 64, "\ud800", token_of(FIELDS.values(), "other"), token_of([])]
)
def test_a_wrong_or_missing_token_is_refused(token):
    with pytest.raises(BadSignature):
        read(FIELDS, token)
    with pytest.raises(BadSignature):
        with_secret.read_notification(urlencode(FIELDS).encode(), FORM, None)


def test_upper_case_hex_is_the_same_number():
    assert read(FIELDS, token_of(FIELDS.values()).upper()).verified


def test_a_two_field_form_needs_its_token_too():
    two = {"cpm_trans_id": "CMD-7", "cpm_site_id": "445160"}
    with pytest.raises(BadSignature):
        read(two, "")
    assert read(two).verified


def test_a_field_outside_the_sixteen_is_kept_and_not_signed():
    fields = {**FIELDS, "utm_source": "mail"}
    assert read(fields, token_of(FIELDS.values())).fields["utm_source"] == "mail"


def test_a_site_without_secret_reads_forms_unverified():
    assert read(FIELDS, "", without_secret).verified is False


@pytest.mark.parametrize("checkout", [with_secret, without_secret])
@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_the_json_of_the_guide_is_a_hint_and_never_verified(checkout, content_type):
    body = b'{"cpm_trans_id":"CMD-7","cpm_site_id":"445160"}'
    notification = checkout.read_notification(body, content_type, "0" * 64)
    assert (notification.transaction_id, notification.verified) == ("CMD-7", False)


def test_json_may_hold_the_site_as_a_number():
    notification = with_secret.read_notification(
        b'{"cpm_trans_id":"7","cpm_site_id":445160}', "application/json"
    )
    assert notification.site_id == "445160"


def test_another_sites_notification_is_refused_even_when_signed():
    with pytest.raises(OtherSite):
        read({**FIELDS, "cpm_site_id": "999"})
    with pytest.raises(OtherSite):
        with_secret.read_notification(b'{"cpm_trans_id":"7","cpm_site_id":"999"}', "application/json")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b""),
        (FORM, b"hello"),
        (FORM, b"cpm_trans_id=CMD-7"),
        (FORM, b"cpm_site_id=445160"),
        (FORM, b"cpm_trans_id=&cpm_site_id=445160"),
        (FORM, b"cpm_trans_id=+&cpm_site_id=445160"),
        (FORM, b"cpm_trans_id=A%00&cpm_site_id=445160"),
        (FORM, b"cpm_trans_id=A&cpm_trans_id=B&cpm_site_id=445160"),
        (FORM, b"cpm_trans_id=%FF&cpm_site_id=445160"),
        (FORM, b"cpm_trans_id=\xff&cpm_site_id=445160"),
        (FORM, b"cpm_trans_id=" + b"x" * 256 + b"&cpm_site_id=445160"),
        (FORM, b"&".join(b"a%d=1" % n for n in range(200))),
        (FORM, b"x" * 70_000),
        ("application/json", b""),
        ("application/json", b"[]"),
        ("application/json", b"[[\"cpm_trans_id\", \"A\"], [\"cpm_site_id\", \"445160\"]]"),
        ("application/json", b'{"cpm_trans_id":null,"cpm_site_id":"445160"}'),
        ("application/json", b'{"cpm_trans_id":["A"],"cpm_site_id":"445160"}'),
        ("application/json", b'{"cpm_trans_id":{"a":1},"cpm_site_id":"445160"}'),
        ("application/json", b'{"cpm_trans_id":true,"cpm_site_id":"445160"}'),
        ("application/json", b'{"cpm_trans_id":"\\ud800","cpm_site_id":"445160"}'),
        ("application/json", b'{"cpm_trans_id":"A","cpm_trans_id":"B","cpm_site_id":"445160"}'),
        ("application/json", b"[" * 60_000),
        ("application/json", b"\xff"),
        ("multipart/form-data; boundary=x", b"cpm_trans_id=A&cpm_site_id=445160"),
        ("", b"cpm_trans_id=A&cpm_site_id=445160"),
        (None, b"cpm_trans_id=A&cpm_site_id=445160"),
    ],
)  # fmt: skip
def test_what_is_no_notification_is_refused_and_says_why(content_type, body):
    with pytest.raises(BadNotification) as caught:
        with_secret.read_notification(body, content_type, token_of(["A445160"]))
    assert str(caught.value)


@given(
    body=st.binary(max_size=300), content_type=st.sampled_from([FORM, "application/json"]), token=st.text()
)
def test_random_bytes_never_raise_anything_else(body, content_type, token):
    with pytest.raises(CauriError):
        with_secret.read_notification(body, content_type, token)


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(), lambda inner: st.dictionaries(
    st.sampled_from(["cpm_trans_id", "cpm_site_id", "x"]), inner) | st.lists(inner)))  # fmt: skip
def test_random_json_is_read_or_refused_as_ours(value):
    with suppress(NotificationRefused):
        assert not with_secret.read_notification(json.dumps(value).encode(), "application/json").verified
