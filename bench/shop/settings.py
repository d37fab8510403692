# mypy: disable-error-code="import-untyped"
"""Django for one shop: its applications, its addresses, its database."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.management import call_command


def database(url: str) -> dict[str, Any]:
    """Django's words for a PostgreSQL URL. The server may listen on a socket: ``?host=/folder``."""
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.lstrip("/"), "HOST": host,
        "PORT": parts.port or "", "USER": parts.username or "", "PASSWORD": parts.password or "",
    }  # fmt: skip


def set_up(url: str, urlconf: str, applications: list[str], **more: Any) -> None:
    """Django is ready, and the tables are there."""
    settings.configure(
        DATABASES={"default": database(url)}, INSTALLED_APPS=["bench.shop.goods", *applications], ROOT_URLCONF=urlconf,
        SECRET_KEY="bench", ALLOWED_HOSTS=["*"], USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        **more,
    )  # fmt: skip
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)
