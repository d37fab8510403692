"""What a site is told (contract section 4): the 16 fields in their order, their signature, and the two bodies. Pure."""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

import msgspec

from cauri.domain.payment import Payment
from cauri.domain.site import Site
from cauri.wire.answers import wire_date
from cauri.wire.bodies import FORM, JSON

VERSION = "V4"
DEFAULT_LANGUAGE = "fr"
PAYMENT_CONFIG = "SINGLE"
PAGE_ACTION = "PAYMENT"

SIGNATURE_HEADER = "x-token"

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


class Message(msgspec.Struct, frozen=True):
    """One notification, ready to be sent: the body and the headers that belong to it."""

    content_type: str
    body: bytes
    headers: dict[str, str]


def message(payment: Payment, site: Site) -> Message:
    """The notification of the payment's present state, in the site's format."""
    if site.settings.notification_format == "json":
        return Message(JSON, json_body(payment), {})
    fields = fields_of(payment, site)
    headers = {} if site.secret_key is None else {SIGNATURE_HEADER: x_token(fields, site.secret_key)}
    return Message(FORM, form_body(fields), headers)


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
    return hmac.new(secret_key.encode(), "".join(fields.values()).encode(), "sha256").hexdigest()


def form_body(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


def json_body(payment: Payment) -> bytes:
    """Exactly the guide's two fields, as texts, in the guide's order."""
    return msgspec.json.encode({"cpm_trans_id": payment.transaction_id, "cpm_site_id": payment.site_id})
