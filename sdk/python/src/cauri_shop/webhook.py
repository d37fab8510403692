"""The Standard Webhooks headers that Cauri sends beside x-token (https://www.standardwebhooks.com). Pure.

x-token proves the sender of a form. These headers prove it for both formats, and when it was sent, so that a recorded
notification cannot be played again later.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from .errors import BadSignature
from .secret_keys import secret_keys

_PREFIX = "whsec_"


@dataclass(frozen=True)
class Webhook:
    """A message whose sender and time are proved. `id` is the same each time this state is told; `number` counts its tries."""

    id: str
    sent_at: datetime
    number: int | None = None


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: str | Sequence[str],
    tolerance_s: float = 300,
    *,
    now: datetime | None = None,
) -> Webhook:
    """Verifies webhook-id, webhook-timestamp and webhook-signature over the raw body. Raises BadSignature, InvalidField.

    `secrets`: the site's secret key, or several during a rotation; also as `whsec_…`. `headers` in any case of letters.
    A timestamp more than `tolerance_s` seconds away from `now` (the clock, unless given) is refused.
    """
    keys = [key for secret in secret_keys(secrets) for key in _hmac_keys(secret)]
    if not keys:
        raise BadSignature("no secret key was given, so nothing can be verified")
    given = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    named = [given.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")]
    if not all(named):
        raise BadSignature(
            "a header is missing: webhook-id, webhook-timestamp and webhook-signature are needed"
        )
    message_id, timestamp, signatures = named
    sent_at = _sent_at(timestamp)
    _require_signature(keys, f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body, signatures)
    if abs(((now or datetime.now(timezone.utc)) - sent_at).total_seconds()) > tolerance_s:
        raise BadSignature(
            f"webhook-timestamp is more than {tolerance_s:g} s away: played again, or a clock is wrong"
        )
    number = given.get("webhook-try", "")
    return Webhook(message_id, sent_at, int(number) if _is_number(number) else None)


def _require_signature(keys: Sequence[bytes], signed: bytes, signatures: str) -> None:
    expected = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]
    offered = [text[3:].encode("utf-8", "replace") for text in signatures.split() if text.startswith("v1,")]
    # Every pair is compared, whatever an earlier one said.
    if not sum(hmac.compare_digest(one, other) for one in expected for other in offered[:16]):
        raise BadSignature(
            "webhook-signature does not match: forged, altered on the way, or another secret key"
        )


def _sent_at(timestamp: str) -> datetime:
    if not _is_number(timestamp):
        raise BadSignature("webhook-timestamp is no number of seconds")
    return datetime.fromtimestamp(int(timestamp), timezone.utc)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 11


def _hmac_keys(secret: str) -> list[bytes]:
    """The key's own bytes; for `whsec_…`, as the libraries of Standard Webhooks write it, also what its base64 holds."""
    keys = [secret.encode()]
    if secret.startswith(_PREFIX):
        try:
            keys.insert(0, base64.b64decode(secret[len(_PREFIX) :] + "==", validate=False))
        except (binascii.Error, ValueError):
            return keys
    return [key for key in keys if key]
