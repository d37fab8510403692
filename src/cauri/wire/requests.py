"""What a merchant asks: a request's fields in, a domain value or every fault at once out (contract sections 2 and 3, row 4 of section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from cauri.clock import new_id
from cauri.domain.errors import Fault, FaultyFields
from cauri.domain.methods import CHANNELS
from cauri.domain.money import CURRENCIES
from cauri.domain.payment import NewPayment, PaymentRequest
from cauri.wire import fields as field
from cauri.wire.fields import Faults, Fields

TRANSACTION_ID_MAX = 100
DESCRIPTION_MAX = 255
METADATA_MAX = 1_000
INVOICE_PAIRS_MAX = 3
CARD_FIELD_MAX = 255
IDEMPOTENCY_KEY_MAX = 255
IDEMPOTENCY_KEY = "Idempotency-Key"

LANGUAGES = ("fr", "en")

# The card is offered only when all of them are there and make sense (contract section 2, "the card block").
CARD_BLOCK = (
    "customer_id",
    "customer_email",
    "customer_address",
    "customer_city",
    "customer_country",
    "customer_state",
    "customer_zip_code",
)

_canonical = msgspec.json.Encoder(order="deterministic", decimal_format="number")
_KEY_NAMES = ("apikey", "apiKey")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks. Either text may be empty in a faulty request."""

    apikey: str
    site_id: str


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """Which payment is meant: ``transaction_id`` is looked up first, then each of ``tokens``."""

    transaction_id: str | None
    tokens: tuple[str, ...]


def read_credentials(body: Fields, faults: Faults) -> Credentials:
    """``apikey`` (``apiKey`` where that is absent) and ``site_id``; what is missing is added to the faults."""
    apikey = body.get("apikey")
    if apikey is None or apikey == "":
        aliased = field.text(body, "apiKey", faults)
        key = aliased or field.required(body, "apikey", faults)
    else:
        key = field.required(body, "apikey", faults)
    return Credentials(key, field.required(body, "site_id", faults))


def read_payment(body: Fields, faults: Faults, idempotency_keys: list[str]) -> NewPayment | None:
    """The payment asked for, None where there are faults. ``idempotency_keys``: the values of that header, as received."""
    transaction_id = _transaction_id(body, faults)
    amount = field.amount(body, faults)
    currency = field.required(body, "currency", faults)
    request = _payment_request(body, faults)
    phone = field.text(body, "customer_phone_number", faults)
    key = _idempotency_key(idempotency_keys, faults)
    if faults:
        _name_unknown_currency(currency, faults)
        return None
    return NewPayment(
        transaction_id=transaction_id,
        amount=amount,
        currency=currency,
        request=request,
        customer_phone_number=phone,
        idempotency_key=key,
        body_hash=body_hash(body) if key is not None else None,
    )


def read_check(body: Fields, faults: Faults) -> CheckRequest | None:
    """The payment looked for, None where there are faults: one of the three names must be there."""
    before = len(faults)
    transaction_id = field.text(body, "transaction_id", faults)
    named = (field.text(body, name, faults) for name in ("payment_token", "token"))
    tokens = tuple(dict.fromkeys(token for token in named if token is not None))
    if transaction_id is None and not tokens and len(faults) == before:
        faults.append(Fault("transaction_id", "one_of_names"))
    return None if faults else CheckRequest(transaction_id, tokens)


def body_hash(body: Fields) -> str:
    """SHA-256 of the parsed body without the apikey, whatever the order of its keys and its white space. Raises FaultyFields."""
    named = {name: value for name, value in body.items() if name not in _KEY_NAMES}
    try:
        return sha256(_canonical.encode(named)).hexdigest()
    except RecursionError:
        raise FaultyFields(Fault("body", "body_deep")) from None


def _payment_request(body: Fields, faults: Faults) -> PaymentRequest:
    description = field.required(body, "description", faults)
    return_url = field.required(body, "return_url", faults)
    return PaymentRequest(
        description=field.limited(description, "description", DESCRIPTION_MAX, faults),
        return_url=field.web_url(return_url, "return_url", faults) or "",
        notify_url=field.web_url(field.text(body, "notify_url", faults), "notify_url", faults),
        channels=_channels(body, faults),
        lang=_language(body.get("lang")),
        metadata=field.metadata(body, METADATA_MAX, faults),
        invoice_data=field.pairs(body, "invoice_data", INVOICE_PAIRS_MAX, faults),
        lock_phone_number=field.switch(body, "lock_phone_number", faults),
        customer_name=field.text(body, "customer_name", faults),
        customer_surname=field.text(body, "customer_surname", faults),
        card_block=_card_block(body),
        signature=new_id(),
    )


def _transaction_id(body: Fields, faults: Faults) -> str:
    value = field.required(body, "transaction_id", faults)
    if value and not value.isprintable():
        faults.append(Fault("transaction_id", "printable"))
    elif value != value.strip():
        faults.append(Fault("transaction_id", "space_at_ends"))
    return field.limited(value, "transaction_id", TRANSACTION_ID_MAX, faults)


def _name_unknown_currency(currency: str, faults: Faults) -> None:
    """An unknown currency alone is the site's matter (612); beside other faults it is listed with them, so that one answer says all."""
    if currency and currency not in CURRENCIES:
        faults.append(Fault("currency", "currency", (("currencies", ", ".join(CURRENCIES)),)))


def _channels(body: Fields, faults: Faults) -> tuple[str, ...]:
    value = body.get("channels")
    if value is None or (type(value) is str and value in ("", "ALL")):
        return ("ALL",)
    items = value.split(",") if type(value) is str else value
    if type(items) is not list or not all(type(item) is str for item in items):
        faults.append(Fault("channels", "channels", (("channels", ", ".join(CHANNELS)),)))
        return ("ALL",)
    named = tuple(dict.fromkeys(stripped for item in items if (stripped := item.strip())))
    if not all(channel in CHANNELS for channel in named):
        faults.append(Fault("channels", "channels", (("channels", ", ".join(CHANNELS)),)))
        return ("ALL",)
    return named or ("ALL",)


def _language(value: Any) -> str | None:
    word = value.lower() if type(value) is str else ""
    return word if word in LANGUAGES else None


def _card_block(body: Fields) -> dict[str, str] | None:
    """None unless complete and sensible: a bad card block only hides the card, it never refuses the payment."""
    if not body.get("customer_id"):
        return None
    ignored: Faults = []
    block = {name: (field.text(body, name, ignored) or "").strip() for name in CARD_BLOCK}
    if not all(0 < len(value) <= CARD_FIELD_MAX for value in block.values()):
        return None
    block["customer_country"] = country = block["customer_country"].upper()
    user, at, host = block["customer_email"].partition("@")
    if not (user and at and "." in host and len(country) == 2 and country.isascii() and country.isalpha()):
        return None
    return block


def _idempotency_key(values: list[str], faults: Faults) -> str | None:
    """One header, 1–255 printable ASCII characters; None where it was not sent."""
    if not values:
        return None
    key = values[0].strip(" \t")
    if len(values) > 1:
        faults.append(Fault(IDEMPOTENCY_KEY, "idempotency_twice"))
    elif not (0 < len(key) <= IDEMPOTENCY_KEY_MAX and key.isascii() and key.isprintable()):
        faults.append(Fault(IDEMPOTENCY_KEY, "idempotency_key"))
    return key
