"""Names for payments: sortable by time, unique, within the characters that every gateway accepts."""

from __future__ import annotations

import secrets
from datetime import datetime, timezone

from .errors import InvalidField

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX_MAX = 60


def new_transaction_id(prefix: str = "CMD") -> str:
    """`CMD-20261123T065816123-7K3QWZ0F9X2M`: the time in UTC to the millisecond, then 60 random bits.

    `prefix` holds up to 60 letters, digits, hyphens and underscores. Raises InvalidField.
    """
    plain = isinstance(prefix, str) and prefix.replace("-", "").replace("_", "")
    if not plain or not (plain.isascii() and plain.isalnum()) or len(prefix) > _PREFIX_MAX:
        raise InvalidField("prefix", f"must be 1 to {_PREFIX_MAX} letters, digits, hyphens or underscores")
    now = datetime.now(timezone.utc)
    chance = "".join(secrets.choice(_DIGITS) for _ in range(12))
    return f"{prefix}-{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{chance}"
