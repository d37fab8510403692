"""Everything that can go wrong, as a tree. Catch the branch you can act on.

CauriError
├── InvalidField             your call is wrong (names the field); nothing was sent
│   └── UnevenAmount         no multiple of 5: .nearest
├── RequestRefused           the gateway read the request and said no: code, message, description, what_to_do
│   ├── WrongKeys            609, 613: the apikey or the site_id
│   ├── DuplicatePayment     620: this transaction_id was already used
│   ├── UnknownPayment       404 at check: no such payment at this site
│   ├── IdempotencyMismatch  409: this Idempotency-Key came with another request before
│   └── TooManyRequests      429: wait retry_after seconds
├── NetworkTrouble           no answer that can be relied on
│   ├── NotSent              no connection was made: nothing has happened, repeat freely
│   └── OutcomeUnknown       time-out, cut connection, 5xx: it may have happened; never treat it as a failure
│       └── UnreadableAnswer an answer that is not the API's (a proxy's page, a redirect, half a body)
├── OrderAlreadyPaid         PaymentBook.start for an order that is paid: show it, open no payment
└── NotificationRefused      somebody called your notify_url, and it does not count
    ├── BadNotification      not a notification: answer 400
    ├── OtherSite            another site's: answer 400
    └── BadSignature         x-token wrong or missing: answer 401

No text of an error holds a key, a phone number or a name.
"""

from __future__ import annotations


class CauriError(Exception):
    """The root: `except CauriError` catches whatever this library raises on purpose."""


class InvalidField(CauriError, ValueError):
    """An argument that no gateway would accept. `field` names it, the text says how to mend it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class UnevenAmount(InvalidField):
    """The amount cannot be paid; `nearest` are the closest that can: one below (where there is one), one above."""

    def __init__(self, amount: object, nearest: tuple[int, ...], problem: str) -> None:
        super().__init__("amount", f"{amount} {problem}; the nearest: {' or '.join(map(str, nearest))}")
        self.nearest = nearest


class RequestRefused(CauriError):
    """The gateway's error envelope. It speaks of the request, never of a payment's outcome."""

    def __init__(
        self,
        code: str,
        message: str,
        description: str = "",
        *,
        http_status: int = 400,
        api_response_id: str = "",
        what_to_do: str = "",
    ) -> None:
        told = f"{code} {message}"
        super().__init__(". ".join(part.rstrip(".") for part in (told, description, what_to_do) if part))
        self.code = code
        self.message = message
        self.description = description
        self.http_status = http_status
        self.api_response_id = api_response_id
        self.what_to_do = what_to_do


class WrongKeys(RequestRefused):
    """609 or 613: the gateway does not know this apikey, or this site_id is not its own."""


class DuplicatePayment(RequestRefused):
    """620: this site already opened a payment with this transaction_id."""


class UnknownPayment(RequestRefused):
    """404 at check: this site has no such payment. Right after a `start` that timed out it may still appear."""


class IdempotencyMismatch(RequestRefused):
    """409: the same idempotency_key came with another request before."""


class TooManyRequests(RequestRefused):
    """429: slow down. `retry_after` is in seconds, None when the gateway did not say."""

    retry_after: int | None = None


class NetworkTrouble(CauriError):
    """No answer that can be relied on."""


class NotSent(NetworkTrouble):
    """No connection could be made: nothing left this machine, so repeating is safe."""


class OutcomeUnknown(NetworkTrouble):
    """The request may have been carried out. Change nothing and ask again.

    After `start`: repeat with the same `idempotency_key` (Cauri), or `check` the transaction_id first.
    After `check`: ask again later. `http_status` and `code` are None when no answer came at all.
    """

    def __init__(self, text: str, *, http_status: int | None = None, code: str | None = None) -> None:
        super().__init__(text)
        self.http_status = http_status
        self.code = code


class UnreadableAnswer(OutcomeUnknown):
    """An answer came, but it is not the API's; it says nothing of the payment."""


class OrderAlreadyPaid(CauriError):
    """The order is paid, by payment `transaction_id`; opening another would take the customer's money twice."""

    def __init__(self, order_ref: str, transaction_id: str) -> None:
        super().__init__(
            f"order {order_ref} is already paid by {transaction_id}: show it to the customer as paid"
        )
        self.order_ref = order_ref
        self.transaction_id = transaction_id


class NotificationRefused(CauriError):
    """What came to the notify_url must change nothing."""


class BadNotification(NotificationRefused):
    """It lacks `cpm_trans_id` or `cpm_site_id`, or cannot be read. Answer 400."""


class OtherSite(NotificationRefused):
    """It names another site than yours. Answer 400."""


class BadSignature(NotificationRefused):
    """`x-token` is wrong, or missing although your secret key is known. Answer 401 and do nothing."""
