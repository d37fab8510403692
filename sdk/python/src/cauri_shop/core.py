"""The pure core: it builds requests and reads answers, and never touches a network. Both shells stand on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Generic, TypeVar
from urllib.parse import urlsplit

from .answers import PaymentStatus, Started
from .errors import InvalidField, RequestRefused
from .fields import Fields, idempotency_key, payment_fields, payment_named
from .notification import Notification, read_notification
from .reading import Answer, read_started, read_status
from .secret_keys import secret_keys

T = TypeVar("T")

_PATHS = {"start": "/v2/payment", "check": "/v2/payment/check"}


@dataclass(frozen=True)
class Call(Generic[T]):
    """One POST to make, and how to read what comes back. `subject` names the payment in log lines.

    `repeatable`: the gateway gives the same answer when it has had the call before.
    """

    name: str
    subject: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    read: Callable[[Answer], T] = field(repr=False)
    repeatable: bool


@dataclass(frozen=True)
class Account:
    """Who asks, and where. The keys never show in its repr."""

    apikey: str = field(repr=False)
    site_id: str
    secret_keys: tuple[str, ...] = field(repr=False)
    base_url: str

    @classmethod
    def of(cls, apikey: object, site_id: object, secret_key: object, base_url: object) -> Account:
        """The account from a constructor's arguments. Raises InvalidField naming the wrong one."""
        site = str(site_id) if isinstance(site_id, int) and not isinstance(site_id, bool) else site_id
        return cls(
            _key("apikey", apikey), _key("site_id", site), secret_keys(secret_key), _base_url(base_url)
        )

    def start(self, given: Mapping[str, Any], key: str | None) -> Call[Started]:
        """The call that opens a payment. Raises InvalidField."""
        headers = {} if key is None else {"Idempotency-Key": idempotency_key(key)}
        fields = payment_fields(given)
        return self._call("start", fields["transaction_id"], fields, read_started, headers)

    def check(self, transaction_id: str | None, payment_token: str | None) -> Call[PaymentStatus]:
        """The call that asks for a payment's status. Raises InvalidField."""
        fields = payment_named(transaction_id, payment_token)
        # A token opens the payment's page, so it is not written to logs.
        subject = fields.get("transaction_id", "(by token)")
        return self._call("check", subject, fields, read_status, {})

    def read_notification(
        self,
        body: bytes,
        content_type: str | None,
        x_token: str | None,
        headers: Mapping[str, str] | None = None,
    ) -> Notification:
        """See `cauri_shop.notification.read_notification`."""
        return read_notification(
            body, content_type, x_token, headers, site_id=self.site_id, secret_key=self.secret_keys or None
        )

    def _call(
        self, name: str, subject: str, fields: Fields, read: Callable[[Answer], T], headers: dict[str, str]
    ) -> Call[T]:
        body = json.dumps({"apikey": self.apikey, "site_id": self.site_id, **fields}).encode("ascii")
        headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        url = self.base_url + _PATHS[name]
        # CinetPay does not know the header: a start that it may have received is never repeated by itself.
        repeatable = name == "check" or ("Idempotency-Key" in headers and not self._is_cinetpay)
        return Call(
            name, subject, url, headers, body, lambda answer: self._kept_secret(read, answer), repeatable
        )

    @property
    def _is_cinetpay(self) -> bool:
        host = urlsplit(self.base_url).hostname or ""
        return host == "cinetpay.com" or host.endswith(".cinetpay.com")

    def _kept_secret(self, read: Callable[[Answer], T], answer: Answer) -> T:
        """Reads the answer; a gateway that quotes the apikey in its description must not put it in a traceback."""
        try:
            return read(answer)
        except RequestRefused as error:
            error.description = error.description.replace(self.apikey, "***")
            error.args = tuple(str(part).replace(self.apikey, "***") for part in error.args)
            raise


def _key(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidField(name, "is required, as text")
    return value.strip()


def _base_url(value: object) -> str:
    url = value.strip().rstrip("/") if isinstance(value, str) else ""
    if not url.startswith(("https://", "http://")) or not url.split("://", 1)[1]:
        raise InvalidField("base_url", "must begin with https:// or http:// and name a host")
    if url.endswith(("/v2", "/v2/payment", "/v2/payment/check")):
        raise InvalidField("base_url", "stops before /v2: the paths are added by the library")
    return url
