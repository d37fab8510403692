"""What a site is told (contract section 4): the 16 fields in their order, the two bodies, and how they are signed. Pure.

Beside CinetPay's ``x-token`` go the headers of https://www.standardwebhooks.com (Standard Webhooks 1.0), which cover the whole body in both
formats, and a moment.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import quote_plus

import msgspec

from cauri.clock import SECOND
from cauri.domain.payment import Payment
from cauri.domain.site import Site
from cauri.wire.answers import wire_date
from cauri.wire.bodies import FORM, JSON

VERSION = "V4"
DEFAULT_LANGUAGE = "fr"
PAYMENT_CONFIG = "SINGLE"
PAGE_ACTION = "PAYMENT"

TOKEN_HEADER = "x-token"  # noqa: S105
ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
TRY_HEADER = "webhook-try"

FIELDS = (
    "cpm_site_id",
    "cpm_trans_id",
    "cpm_trans_date",
    "cpm_amount",
    "cpm_currency",
    "signature",
    "payment_method",
    "cel_phone_num",
    "cpm_phone_prefixe",
    "cpm_language",
    "cpm_version",
    "cpm_payment_config",
    "cpm_page_action",
    "cpm_custom",
    "cpm_designation",
    "cpm_error_message",
)
"""Receivers compute the signature over all fields in the order of arrival, so that the order is part of the wire."""

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch


class Message(msgspec.Struct, frozen=True):
    """One notification, ready to be sent: the body and the headers that belong to it."""

    content_type: str
    body: bytes
    headers: dict[str, str]


def message(payment: Payment, site: Site, *, at: int, number: int) -> Message:
    """The notification of the payment's present state, in the site's format. A site without secret key gets no header of ours.

    ``at``: when this try is made, milliseconds. ``number``: which try of this state it is, from 1.
    """
    keys = site.signing_keys(at)
    if site.settings.notification_format == "json":
        body = json_body(payment)
        return Message(JSON, body, _webhook_headers(payment, keys, body, at, number))
    fields = fields_of(payment, site)
    body = form_body(fields)
    token = {TOKEN_HEADER: x_token(fields, keys[0])} if keys else {}
    return Message(FORM, body, {**token, **_webhook_headers(payment, keys, body, at, number)})


def message_id(payment: Payment) -> str:
    """The same for every try of one state of one payment. It does not tell the payment's token, which opens its page."""
    named = f"cauri notification\0{payment.token}\0{payment.version}"
    return "msg_" + hashlib.sha256(named.encode()).hexdigest()[:32]


def webhook_signature(message_id: str, timestamp: int, body: bytes, secret_key: str) -> str:
    """``v1,`` and the base64 HMAC-SHA256 of id, unix seconds and body, joined by dots (Standard Webhooks, "Signature scheme").

    The key's UTF-8 bytes are the HMAC's key: libraries are given them as ``whsec_`` and their base64.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret_key.encode(), signed, "sha256")).decode()


def _webhook_headers(
    payment: Payment, keys: tuple[str, ...], body: bytes, at: int, number: int
) -> dict[str, str]:
    if not keys:
        return {}
    named, timestamp = message_id(payment), at // SECOND
    return {
        ID_HEADER: named,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(webhook_signature(named, timestamp, body, key) for key in keys),
        TRY_HEADER: str(number),
    }


def fields_of(payment: Payment, site: Site) -> dict[str, str]:
    """The 16 fields, in order; an empty text where there is no value."""
    asked, phone = payment.request, payment.phone
    values = (
        payment.site_id,
        payment.transaction_id,
        wire_date(payment.created_at),
        str(payment.amount),
        payment.currency,
        asked.signature,
        payment.method or "",
        "" if phone is None else phone.national,
        "" if phone is None else phone.prefix,
        asked.lang or DEFAULT_LANGUAGE,
        VERSION,
        PAYMENT_CONFIG,
        PAGE_ACTION,
        asked.metadata or "",
        asked.description,
        site.message_of(payment.code),
    )
    return dict(zip(FIELDS, values, strict=True))


def x_token(fields: dict[str, str], secret_key: str) -> str:
    """Lower-case hex HMAC-SHA256, keyed by the site's secret key, of the values in order, UTF-8, with nothing between them."""
    return hmac.digest(secret_key.encode(), "".join(fields.values()).encode(), "sha256").hex()


def form_body(fields: dict[str, str]) -> bytes:
    """What ``urlencode`` gives, in a third of its time: it looks closely at every value, and most need no quoting."""
    return "&".join(f"{name}={_quoted(value)}" for name, value in fields.items()).encode()


def _quoted(value: str) -> str:
    return value if _PLAIN(value) else quote_plus(value)


def json_body(payment: Payment) -> bytes:
    """Exactly the guide's two fields, as texts, in the guide's order."""
    return msgspec.json.encode({"cpm_trans_id": payment.transaction_id, "cpm_site_id": payment.site_id})
