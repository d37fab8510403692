"""The settings: `CAURI_SHOP = {...}`, read when they are needed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..checkout import CINETPAY

DEFAULTS: dict[str, Any] = {
    "APIKEY": None,
    "SITE_ID": None,
    "SECRET_KEY": None,
    "BASE_URL": CINETPAY,
    "PUBLIC_URL": None,
    "PREFIX": "CMD",
    "EFFECTS_AT_ONCE": True,
    "LANG": None,
    "TIMEOUT": None,
    "PROXY": None,
}
REQUIRED = ("APIKEY", "SITE_ID", "PUBLIC_URL")


def given() -> dict[str, Any]:
    """CAURI_SHOP as the project wrote it; empty when it did not."""
    found = getattr(settings, "CAURI_SHOP", {})
    return found if isinstance(found, dict) else {}


def setting(name: str) -> Any:
    """One setting. Raises ImproperlyConfigured when it is required and missing."""
    value = given().get(name, DEFAULTS[name])
    if name in REQUIRED and value in (None, ""):
        raise ImproperlyConfigured(f"CAURI_SHOP[{name!r}] is missing; `manage.py check` says what to write")
    return value
