"""The project's one book, made from the settings."""

from __future__ import annotations

import threading
from typing import Any

from django.urls import reverse

from ..book import PaymentBook
from ..checkout import Checkout
from . import conf

_lock = threading.Lock()
_made: dict[tuple[Any, ...], Checkout] = {}


def checkout() -> Checkout:
    """The Checkout of the settings; threads share its connections. Raises ImproperlyConfigured, InvalidField."""
    names = ("APIKEY", "SITE_ID", "SECRET_KEY", "BASE_URL", "TIMEOUT", "PROXY")
    key = tuple(_hashable(conf.setting(name)) for name in names)
    with _lock:
        if key not in _made:
            apikey, site_id, secret_key, base_url, timeout, proxy = key
            _made[key] = Checkout(apikey, site_id, secret_key or None, base_url, timeout=timeout, proxy=proxy)
        return _made[key]


def _hashable(value: Any) -> Any:
    """SECRET_KEY may be a list."""
    return tuple(value) if isinstance(value, list) else value


class DjangoBook(PaymentBook):
    """A PaymentBook in Django's database. Its tables come with `manage.py migrate`."""

    def __init__(self) -> None:
        super().__init__(_Store(), checkout, return_url=_address("return"), notify_url=_address("notify"))

    @property
    def effects_at_once(self) -> bool:
        """Whether effects are carried out right after their commit, or by `reconcile_payments` alone."""
        return bool(conf.setting("EFFECTS_AT_ONCE"))

    @effects_at_once.setter
    def effects_at_once(self, value: bool) -> None:
        """Set by CAURI_SHOP["EFFECTS_AT_ONCE"]; the constructor's default changes nothing."""


class _Store:
    """Imports the models only when they are used: hooks may import the book before Django has loaded its models."""

    def begin(self) -> Any:
        from .store import DjangoStore

        return DjangoStore().begin()

    def reading(self) -> Any:
        from .store import DjangoStore

        return DjangoStore().reading()


def _address(view: str) -> Any:
    return lambda: str(conf.setting("PUBLIC_URL")).rstrip("/") + reverse(f"cauri_shop:{view}")


book = DjangoBook()
