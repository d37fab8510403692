"""`manage.py check`: what is missing, and what to write."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.urls import NoReverseMatch, reverse

from ..errors import InvalidField
from . import conf
from .book import book, checkout

_REMEDIES = {
    "APIKEY": "write the apikey of your account's integration page, from an environment variable",
    "SITE_ID": "write the site_id of your account's integration page",
    "PUBLIC_URL": "write the address where customers and the gateway reach this site: 'https://boutique.example'",
}


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001 missing, E002 unknown name, E003 unusable, W001 no secret key, W002 not https."""
    found: list[CheckMessage] = [
        Error(
            f"CAURI_SHOP[{name!r}] is missing",
            hint=f"In settings.py {_REMEDIES[name]}.",
            id="cauri_shop.E001",
        )
        for name in conf.REQUIRED
        if conf.given().get(name) in (None, "")
    ]
    found += [
        Error(
            f"CAURI_SHOP[{name!r}] is unknown",
            hint=f"Known: {', '.join(conf.DEFAULTS)}.",
            id="cauri_shop.E002",
        )
        for name in conf.given()
        if name not in conf.DEFAULTS
    ]
    if found:
        return found
    return _usable() + _advice()


@register()
def check_installation(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E004 no addresses, W003 nothing is delivered, W004 a request-wide transaction."""
    found: list[CheckMessage] = []
    if not _has_addresses():
        hint = "In the root urls.py: path('cauri/', include('cauri_shop.django.urls'))."
        found.append(
            Error("the notify and return addresses are not in ROOT_URLCONF", hint=hint, id="cauri_shop.E004")
        )
    if not book.has_on_paid:
        hint = (
            "Write payments.py in one of your apps: from cauri_shop.django import book, then @book.on_paid."
        )
        found.append(
            Warning(
                "no @book.on_paid is registered: nothing would be delivered", hint=hint, id="cauri_shop.W003"
            )
        )
    if any(database.get("ATOMIC_REQUESTS") for database in settings.DATABASES.values()):
        hint = "Views that call book.start() or book.refresh() need @transaction.non_atomic_requests; ours have it."
        found.append(Warning("ATOMIC_REQUESTS is on", hint=hint, id="cauri_shop.W004"))
    return found


def _usable() -> list[CheckMessage]:
    try:
        checkout()
    except (InvalidField, TypeError, ValueError) as error:
        return [Error(f"CAURI_SHOP: {error}", hint="Correct this setting.", id="cauri_shop.E003")]
    if not str(conf.setting("PUBLIC_URL")).startswith(("https://", "http://")):
        return [
            Error(
                "CAURI_SHOP['PUBLIC_URL'] must begin with https:// or http://",
                hint=_REMEDIES["PUBLIC_URL"],
                id="cauri_shop.E003",
            )
        ]
    return []


def _advice() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not conf.setting("SECRET_KEY"):
        hint = "Without it x-token is not verified, and check alone decides. Set it if your account has one."
        found.append(Warning("CAURI_SHOP['SECRET_KEY'] is not set", hint=hint, id="cauri_shop.W001"))
    local = ("http://127.0.0.1", "http://localhost", "http://[::1]")
    url = str(conf.setting("PUBLIC_URL"))
    if url.startswith("http://") and not url.startswith(local):
        found.append(
            Warning(
                "CAURI_SHOP['PUBLIC_URL'] is not https",
                hint="Customers' browsers warn when a form is posted to http.",
                id="cauri_shop.W002",
            )
        )
    return found


def _has_addresses() -> bool:
    try:
        return bool(reverse("cauri_shop:notify")) and bool(reverse("cauri_shop:return"))
    except NoReverseMatch:
        return False
