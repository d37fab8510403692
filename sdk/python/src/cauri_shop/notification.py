"""Notifications: reading what came to the notify_url, and the x-token that proves its sender. Pure.

A notification says *that* a payment changed, never to what: ask `check`. Sources: the 2021 guide, "Reception des
statuts des paiements" (JSON, two fields), and CinetPay's later "hmac" page (form, sixteen fields, x-token).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from .errors import BadNotification, BadSignature, OtherSite
from .secret_keys import SecretKeys, secret_keys
from .webhook import verify_webhook

SIGNED_FIELDS = (
    "cpm_site_id", "cpm_trans_id", "cpm_trans_date", "cpm_amount", "cpm_currency", "signature", "payment_method",
    "cel_phone_num", "cpm_phone_prefixe", "cpm_language", "cpm_version", "cpm_payment_config", "cpm_page_action",
    "cpm_custom", "cpm_designation", "cpm_error_message",
)  # fmt: skip

_BODY_MAX_BYTES = 64 * 1024
_Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Notification:
    """Payment `transaction_id` of your site changed. `verified` tells whether x-token or webhook-signature proved the sender.

    `fields` holds what came, empty values included, in order of arrival. It is for the archive: decide by `check`.
    """

    transaction_id: str
    site_id: str
    verified: bool
    fields: Mapping[str, str] = field(repr=False)


def read_notification(
    body: bytes,
    content_type: str | None,
    x_token: str | None,
    headers: Mapping[str, str] | None = None,
    *,
    site_id: str,
    secret_key: SecretKeys,
) -> Notification:
    """The notification in an HTTP body. Raises BadNotification, BadSignature, OtherSite.

    A form is verified whenever `secret_key` is given: one, or during a rotation several, of which one must fit. The JSON of 2021 carries no
    x-token: it is verified where `headers`, those of the request, hold a webhook-signature, and is a hint otherwise, which is all
    that a notification is.
    """
    if len(body) > _BODY_MAX_BYTES:
        raise BadNotification(f"the body holds {len(body)} bytes; a notification fits in {_BODY_MAX_BYTES}")
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        pairs = _form_pairs(body)
    elif kind == "application/json":
        pairs = _json_pairs(body)
    else:
        raise BadNotification(
            f"content type {kind[:80]!r} is neither application/x-www-form-urlencoded nor application/json"
        )
    fields = _without_repeats(pairs)
    keys = secret_keys(secret_key)
    if kind == "application/json":
        verified = bool(keys) and _json_verified(body, headers or {}, keys)
    else:
        verified = bool(keys) and _form_verified(fields, x_token, keys)
    if fields["cpm_site_id"] != site_id:
        raise OtherSite(f"cpm_site_id is not {site_id}: this notification is for another site")
    return Notification(fields["cpm_trans_id"], fields["cpm_site_id"], verified, fields)


def _json_verified(body: bytes, headers: Mapping[str, str], keys: tuple[str, ...]) -> bool:
    """Whether the sender is proved, False where nothing was there to prove it with. Raises BadSignature."""
    if not any(str(name).lower() == "webhook-signature" for name, _ in headers.items()):
        return False
    verify_webhook(headers, body, keys)
    return True


def _form_verified(fields: Mapping[str, str], given: str | None, keys: tuple[str, ...]) -> bool:
    """True. Raises BadSignature."""
    _require_token(fields, given, keys)
    return True


def x_token(secret_key: str, values: Iterable[str]) -> str:
    """The x-token of these values, in this order: lower-case hex HMAC-SHA256, UTF-8, no separator."""
    return hmac.new(secret_key.encode(), "".join(values).encode(), hashlib.sha256).hexdigest()


def _require_token(fields: Mapping[str, str], given: str | None, keys: tuple[str, ...]) -> None:
    signed = [value for name, value in fields.items() if name in SIGNED_FIELDS]
    if not given or not given.strip():
        raise BadSignature("the header x-token is missing although this site has a secret key")
    # As bytes: compare_digest refuses text outside ASCII, which a forger may well send.
    offered = given.strip().lower().encode("utf-8", "replace")
    # Every key is compared, whatever an earlier one said.
    if not sum(hmac.compare_digest(offered, x_token(key, signed).encode()) for key in keys):
        raise BadSignature(
            "x-token does not match the body: forged, altered on the way, or another secret key"
        )


def _form_pairs(body: bytes) -> _Pairs:
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise BadNotification("the form cannot be read: it must be UTF-8, percent-encoded") from error


def _json_pairs(body: bytes) -> _Pairs:
    try:
        parsed = json.loads(body.decode("utf-8"), object_pairs_hook=_as_pairs)
    except (ValueError, RecursionError) as error:
        raise BadNotification("the JSON cannot be read") from error
    if not isinstance(parsed, _ObjectPairs):
        raise BadNotification("the JSON is no object")
    return [(name, _scalar(value)) for name, value in parsed]


class _ObjectPairs(list[tuple[str, object]]):
    """A JSON object with its repeats, told apart from a JSON list."""


def _as_pairs(pairs: list[tuple[str, object]]) -> _ObjectPairs:
    return _ObjectPairs(pairs)


def _scalar(value: object) -> str:
    """Text and whole numbers as text; anything else is no value of a notification."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _without_repeats(pairs: _Pairs) -> Mapping[str, str]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadNotification("a field comes twice, so nobody can say which counts")
    for name in ("cpm_trans_id", "cpm_site_id"):
        value = fields.get(name, "")
        if not value.strip():
            raise BadNotification(f"{name} is missing: this is no notification")
        if len(value) > 255 or not value.isprintable():
            raise BadNotification(f"{name} holds control characters or is too long")
    return fields
