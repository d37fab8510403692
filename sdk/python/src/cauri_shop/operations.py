"""What a shop can do, written once. The shells in `checkout.py` only say how a call travels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from .core import Account, Call
from .notification import Notification
from .return_page import Return, read_return

StartedT = TypeVar("StartedT")
StatusT = TypeVar("StatusT")


class Operations(Generic[StartedT, StatusT]):
    """The operations of `Checkout` (which gives values back) and `AsyncCheckout` (which gives awaitables of them)."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(site_id={self._account.site_id!r}, base_url={self._account.base_url!r})"
        )

    @property
    def site_id(self) -> str:
        """The site that this checkout speaks for."""
        return self._account.site_id

    def start(
        self,
        *,
        transaction_id: str, amount: int, currency: str, description: str, return_url: str,
        notify_url: str | None = None,
        customer_name: str | None = None, customer_surname: str | None = None,
        channels: str | Sequence[str] | None = None, lang: str | None = None,
        metadata: Any = None, invoice_data: Mapping[str, Any] | None = None,
        lock_phone_number: bool | None = None, customer_phone_number: str | None = None,
        customer_id: str | None = None, customer_email: str | None = None,
        customer_address: str | None = None, customer_city: str | None = None,
        customer_country: str | None = None, customer_state: str | None = None,
        customer_zip_code: str | None = None, alternative_currency: str | None = None,
        idempotency_key: str | None = None,
    ) -> StartedT:  # fmt: skip
        """Opens a payment (POST /v2/payment); gives `Started`: store its payment_token, redirect to its payment_url.

        `transaction_id` is yours, unique per site for ever. `amount` counts whole currency units, a multiple of 5
        except in USD. `customer_name` is the last name, `customer_surname` the first. `metadata` (text, or anything
        JSON holds) comes back from `check`. `invoice_data` shows up to 3 pairs. `lock_phone_number=True` needs
        `customer_phone_number` in international format. `channels`: "ALL", "MOBILE_MONEY", "WALLET", "CREDIT_CARD"
        or a list. With `idempotency_key`, Cauri answers a repeated start with the first answer.

        Raises InvalidField, RequestRefused (DuplicatePayment, WrongKeys, ...), NotSent, OutcomeUnknown.
        """
        given = {
            "amount": amount, "currency": currency, "transaction_id": transaction_id, "description": description,
            "return_url": return_url, "notify_url": notify_url, "customer_name": customer_name,
            "customer_surname": customer_surname, "channels": channels, "lang": lang, "metadata": metadata,
            "invoice_data": invoice_data, "lock_phone_number": lock_phone_number,
            "customer_phone_number": customer_phone_number, "customer_id": customer_id,
            "customer_email": customer_email, "customer_address": customer_address, "customer_city": customer_city,
            "customer_country": customer_country, "customer_state": customer_state,
            "customer_zip_code": customer_zip_code, "alternative_currency": alternative_currency,
        }  # fmt: skip
        started: StartedT = self._run(self._account.start(given, idempotency_key))
        return started

    def check(self, transaction_id: str | None = None, *, payment_token: str | None = None) -> StatusT:
        """Asks for a payment's status (POST /v2/payment/check), by either name; gives `PaymentStatus`.

        Raises InvalidField, RequestRefused (UnknownPayment, WrongKeys, ...), NotSent, OutcomeUnknown.
        """
        status: StatusT = self._run(self._account.check(transaction_id, payment_token))
        return status

    def read_notification(
        self,
        body: bytes,
        content_type: str | None,
        x_token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Notification:
        """Reads and verifies what came to your notify_url: the raw body, its Content-Type and its x-token header.

        With the request's `headers`, a JSON body that carries a webhook-signature is verified by that.
        Raises BadNotification (answer 400), OtherSite (400), BadSignature (401).
        """
        return self._account.read_notification(body, content_type, x_token, headers)

    def read_return(self, form_or_query: Mapping[str, Any] | str | bytes) -> Return:
        """Reads which payment the customer comes back from. It decides nothing."""
        return read_return(form_or_query)

    def _run(self, call: Call[Any]) -> Any:
        raise NotImplementedError
