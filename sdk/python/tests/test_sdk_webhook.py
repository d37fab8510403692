"""The Standard Webhooks headers, and one or several secret keys wherever a secret key is taken."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauri_shop import AsyncCheckout, BadSignature, Checkout, InvalidField, verify_webhook
from cauri_shop.__main__ import main
from cauri_shop.secret_keys import comma_separated

BODY = "cpm_site_id=445160&cpm_designation=Café".encode()
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
OLD, NEW = "old-secret-key", "clé nouvelle"
FORM = "application/x-www-form-urlencoded"


def whsec(secret):
    return "whsec_" + base64.b64encode(secret.encode()).decode()


def signed(*secrets, body=BODY, at=NOW, message_id="msg_1"):
    """Written here afresh, so that the library's own signing is not its judge."""
    timestamp = str(int(at.timestamp()))
    content = message_id.encode() + b"." + timestamp.encode() + b"." + body
    digests = [hmac.new(secret.encode(), content, hashlib.sha256).digest() for secret in secrets]
    signature = " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)
    return {
        "Webhook-Id": message_id, "Webhook-Timestamp": timestamp, "Webhook-Signature": signature, "Webhook-Try": "3"
    }  # fmt: skip


@pytest.mark.parametrize(
    "secrets", [OLD, whsec(OLD), [OLD], [NEW, OLD], (whsec(NEW), whsec(OLD)), f" {OLD} "],
    ids=["one", "whsec", "a list", "both", "both as whsec", "with blanks"],
)  # fmt: skip
def test_a_right_signature_proves_sender_and_time(secrets):
    webhook = verify_webhook(signed(OLD), BODY, secrets, now=NOW)
    assert (webhook.id, webhook.sent_at, webhook.number) == ("msg_1", NOW, 3)


@pytest.mark.parametrize("known", [OLD, NEW, [OLD, NEW]])
def test_during_a_rotation_either_secret_is_enough(known):
    assert verify_webhook(signed(OLD, NEW), BODY, known, now=NOW).id == "msg_1"


def without(name):
    return {key: value for key, value in signed(OLD).items() if key != name}


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "missing"),
        (without("Webhook-Id"), "missing"),
        (without("Webhook-Timestamp"), "missing"),
        (without("Webhook-Signature"), "missing"),
        ({**signed(OLD), "Webhook-Id": "msg_2"}, "does not match"),
        ({**signed(OLD), "Webhook-Timestamp": str(int(NOW.timestamp()) + 1)}, "does not match"),
        ({**signed(OLD), "Webhook-Timestamp": "soon"}, "no number"),
        ({**signed(OLD), "Webhook-Timestamp": "9" * 40}, "no number"),
        ({**signed(OLD), "Webhook-Timestamp": "-1"}, "no number"),
        ({**signed(OLD), "Webhook-Timestamp": "１２"}, "no number"),
        ({**signed(OLD), "Webhook-Signature": "v1,"}, "does not match"),
        ({**signed(OLD), "Webhook-Signature": "v1,é☕"}, "does not match"),
        ({**signed(OLD), "Webhook-Signature": "nonsense v1a,xx v2,yy ,"}, "does not match"),
        (signed("another"), "does not match"),
        (signed(OLD, body=b"another body"), "does not match"),
        ({**signed(OLD), "Webhook-Signature": signed(OLD)["Webhook-Signature"].replace("v1,", "v2,")}, "does not match"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(headers, why):
    with pytest.raises(BadSignature, match=why):
        verify_webhook(headers, BODY, [OLD, NEW], now=NOW)


def test_a_signature_of_another_version_beside_ours_is_passed_over():
    headers = signed(OLD)
    headers["Webhook-Signature"] = "v1a,abc " + headers["Webhook-Signature"]
    assert verify_webhook(headers, BODY, OLD, now=NOW)


@pytest.mark.parametrize(
    ("seconds", "fits"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)]
)
def test_a_message_played_again_later_is_refused(seconds, fits):
    now = NOW + timedelta(seconds=seconds)
    if fits:
        assert verify_webhook(signed(OLD), BODY, OLD, now=now)
        assert verify_webhook(signed(OLD, at=datetime.now(timezone.utc)), BODY, OLD)
    else:
        with pytest.raises(BadSignature, match="300 s away"):
            verify_webhook(signed(OLD), BODY, OLD, now=now)
        assert verify_webhook(signed(OLD), BODY, OLD, tolerance_s=400, now=now)


def test_a_try_that_is_no_number_is_none():
    headers = {**signed(OLD), "Webhook-Try": "third"}
    assert verify_webhook(headers, BODY, OLD, now=NOW).number is None


@given(
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "WEBHOOK-TIMESTAMP", "webhook-signature", "x"]), st.text()
    )
)
def test_random_headers_are_refused_as_ours(headers):
    with pytest.raises(BadSignature):
        verify_webhook(headers, BODY, OLD)


NONSENSE = ["", "  ", [], [""], ["a", " "], 7, b"bytes", {"a": 1}, [None], Ellipsis]


@pytest.mark.parametrize("given", NONSENSE, ids=repr)
@pytest.mark.parametrize("kind", [Checkout, AsyncCheckout])
def test_a_secret_key_that_is_none_is_named(kind, given):
    with pytest.raises(InvalidField) as caught:
        kind("key", "445160", given)
    assert caught.value.field == "secret_key"
    with pytest.raises(InvalidField):
        verify_webhook(signed(OLD), BODY, given, now=NOW)


@pytest.mark.parametrize(
    ("known", "used", "verified"),
    [
        (OLD, OLD, True),
        ([OLD, NEW], OLD, True),
        ((OLD, NEW), NEW, True),
        ([NEW], OLD, False),
        ([OLD, NEW], "x", False),
    ],
)
def test_x_token_may_fit_any_of_the_secret_keys(known, used, verified):
    body = b"cpm_site_id=445160&cpm_trans_id=CMD-7"
    token = hmac.new(used.encode(), b"445160CMD-7", hashlib.sha256).hexdigest()
    checkout = Checkout("key", "445160", known)
    if verified:
        assert checkout.read_notification(body, FORM, token).verified
    else:
        with pytest.raises(BadSignature):
            checkout.read_notification(body, FORM, token)


def test_no_secret_key_is_shown():
    assert OLD not in repr(Checkout("key", "445160", [OLD, NEW])._account)


@pytest.mark.parametrize(
    ("text", "keys"), [(None, None), ("", None), ("a", ["a"]), ("a,b", ["a", "b"]), ("a, b", ["a", " b"])]
)
def test_the_environment_names_several_with_commas(text, keys):
    assert comma_separated(text) == keys


@pytest.mark.parametrize("text", [" ", "a,", ",", "a,,b"])
def test_an_environment_with_an_empty_key_is_refused(monkeypatch, capsys, text):
    for name, value in {"APIKEY": "k", "SITE_ID": "1", "SECRET_KEY": text}.items():
        monkeypatch.setenv(f"CAURI_{name}", value)
    assert main(["check", "CMD-7"]) == 2
    assert "CAURI_SECRET_KEY" in capsys.readouterr().err
