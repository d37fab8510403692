"""The test vectors of docs/contract.md, judged by others than Cauri, by Cauri and by cauri-shop."""

from __future__ import annotations

import datetime as moments
import hashlib
import hmac
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import standardwebhooks.webhooks as standard
from cauri_shop import BadSignature, Checkout, verify_webhook

from cauri.domain.codes import Code
from cauri.domain.payment import Payment, PaymentRequest, PaymentStatus
from cauri.domain.phone import Phone
from cauri.domain.site import Site, SiteSettings
from cauri.keys import SANDBOX_SECRET_KEY, webhook_secret
from cauri.wire.notification import message

CONTRACT = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
BLOCKS = re.findall(
    r"^\*\*Vector \d+\*\*: ([^\n]+)\.\n\n```text\n(.+?)```", CONTRACT, re.MULTILINE | re.DOTALL
)
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
CREATED_AT = datetime(2021, 4, 7, 14, 0, 5, tzinfo=UTC)


class Vector:
    """One block of the document."""

    def __init__(self, block: str) -> None:
        self.lines = {line[:20].strip(): line[20:] for line in block.splitlines()}
        self.secrets = [self.lines[name] for name in ("secret key", "new secret key") if name in self.lines]
        self.webhook_secrets = [
            self.lines[name] for name in ("webhook secret", "new webhook secret") if name in self.lines
        ]
        self.content_type, self.body = self.lines["content-type"], self.lines["body"].encode()
        self.headers = {
            name: value for name, value in self.lines.items() if name.startswith(("webhook-", "x-token"))
        }
        self.at = datetime.fromtimestamp(int(self.lines["webhook-timestamp"]), UTC)


@pytest.fixture(params=[block for _, block in BLOCKS], ids=[title for title, _ in BLOCKS])
def vector(request: pytest.FixtureRequest) -> Vector:
    return Vector(request.param)


def test_the_document_has_what_it_must_show() -> None:
    vectors = [Vector(block) for _, block in BLOCKS]
    assert {(each.content_type, len(each.secrets)) for each in vectors} == {
        (FORM, 1), (FORM, 2), (JSON, 1), (JSON, 2),
    }  # fmt: skip
    assert any(not secret.isascii() for each in vectors for secret in each.secrets)
    assert any("%C3%A9" in each.lines["body"] for each in vectors)
    assert any(dict(parse_qsl(each.lines["body"])).get("cpm_custom") for each in vectors)


def test_the_standards_own_library_takes_it_with_either_secret(
    vector: Vector, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AtThatTime(moments.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return vector.at

    monkeypatch.setattr(standard, "datetime", AtThatTime)
    assert vector.webhook_secrets
    for secret in vector.webhook_secrets:
        standard.Webhook(secret).verify(vector.body, vector.headers, json_parse=False)
        with pytest.raises(standard.WebhookVerificationError):
            standard.Webhook(secret).verify(vector.body + b" ", vector.headers, json_parse=False)
    with pytest.raises(standard.WebhookVerificationError):
        standard.Webhook("whsec_b3RoZXI=").verify(vector.body, vector.headers, json_parse=False)


def _values(vector: Vector) -> str:
    return "".join(
        value for _, value in parse_qsl(vector.lines["body"], keep_blank_values=True, strict_parsing=True)
    )


def test_x_token_is_the_hmac_of_the_values_with_the_old_secret(vector: Vector) -> None:
    if vector.content_type == JSON:
        assert "x-token" not in vector.headers
        return
    digest = hmac.new(vector.secrets[0].encode(), _values(vector).encode(), hashlib.sha256).hexdigest()
    assert vector.headers["x-token"] == digest


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_agrees_with_x_token(vector: Vector) -> None:
    if vector.content_type == JSON:
        return
    command = ["openssl", "dgst", "-sha256", "-hmac", vector.secrets[0]]
    done = subprocess.run(command, input=_values(vector).encode(), capture_output=True, check=True)
    assert done.stdout.decode().strip().endswith(vector.headers["x-token"])


def test_the_webhook_secret_is_the_secret_key_in_another_spelling(vector: Vector) -> None:
    assert [webhook_secret(secret) for secret in vector.secrets] == vector.webhook_secrets


def test_the_sandboxs_webhook_secret_is_the_documented_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert f"`{webhook_secret(SANDBOX_SECRET_KEY)}`" in page


def _payment(vector: Vector) -> Payment:
    """The payment that the vector tells of."""
    fields = {"payment_method": "FLOOZ"}
    if vector.content_type == FORM:
        fields = dict(parse_qsl(vector.lines["body"], keep_blank_values=True))
    paid = bool(fields["payment_method"])
    return Payment(
        slot=0x7F,
        site_id="445160",
        transaction_id="order-1",
        token="7f" + "0" * 31 + "1",
        version=3 if paid else 2,
        amount=1500,
        currency="XOF",
        status=PaymentStatus.PAID if paid else PaymentStatus.WAITING,
        code=Code.SUCCESS if paid else Code.WAITING_PAYMENT,
        created_at=round(CREATED_AT.timestamp() * 1000),
        expires_at=0,
        request=PaymentRequest(
            description=fields.get("cpm_designation", ""),
            return_url="",
            metadata=fields.get("cpm_custom") or None,
            signature="5f1d",
            lang=fields.get("cpm_language"),
        ),
        method="FLOOZ" if paid else None,
        phone=Phone("CI", "225", "0102324373") if paid else None,
    )


def test_cauri_sends_exactly_this(vector: Vector) -> None:
    at = round(vector.at.timestamp() * 1000)
    rotating = {"old_secret_key": vector.secrets[0], "old_secret_until": at + 1_000}
    site = Site(
        site_id="445160",
        name="Boutique",
        secret_key=vector.secrets[-1],
        settings=SiteSettings(notification_format="json" if vector.content_type == JSON else "form"),
        **(rotating if len(vector.secrets) == 2 else {}),  # type: ignore[arg-type]
    )
    told = message(_payment(vector), site, at=at + 999, number=int(vector.headers["webhook-try"]))
    assert (told.content_type, told.body) == (vector.content_type, vector.body)
    assert told.headers == vector.headers


def test_cauri_shop_takes_it_with_any_of_the_secrets(vector: Vector) -> None:
    for secrets in (vector.secrets, vector.webhook_secrets, *vector.secrets):
        webhook = verify_webhook(vector.headers, vector.body, secrets, now=vector.at)
        assert (webhook.id, webhook.number) == (
            vector.headers["webhook-id"],
            int(vector.headers["webhook-try"]),
        )
    with pytest.raises(BadSignature):
        verify_webhook(vector.headers, vector.body, vector.secrets)  # long past
    token = vector.headers.get("x-token")
    for secrets in (vector.secrets, vector.secrets[0]):
        checkout = Checkout("key", "445160", secrets)
        read = checkout.read_notification(vector.body, vector.content_type, token)
        assert read.verified == (vector.content_type == FORM)
