"""What a merchant is answered: created, check, error; keys in the order of the contract (sections 2, 3 and 5).

The structs are the OpenAPI document's schemas as well as what is encoded. Dates are UTC, amounts digits as text.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cauri.clock import DAY, SECOND, Clock
from cauri.domain.codes import Code, Kind
from cauri.domain.payment import Payment
from cauri.domain.site import Site

_encode = msgspec.json.Encoder().encode

ResponseId = Annotated[
    str,
    Meta(
        pattern=r"^\d+\.\d{4}$",
        description="Unix time, a dot, four digits. Quote it when you ask about this answer.",
        examples=["1617808789.7749"],
    ),
]
WireDate = Annotated[str, Meta(description="`YYYY-MM-DD HH:MM:SS`, UTC.", examples=["2021-04-07 14:07:24"])]


class CreatedData(msgspec.Struct, frozen=True):
    payment_token: Annotated[
        str,
        Meta(pattern="^[0-9a-f]{32,}$", description="Keep it with your order: it also names the payment."),
    ]
    payment_url: Annotated[str, Meta(description="Send your customer there.")]


class Created(msgspec.Struct, frozen=True):
    """The payment exists and waits for its customer."""

    code: Literal["201"]
    message: Literal["CREATED"]
    description: str
    data: CreatedData
    api_response_id: ResponseId


class CheckData(msgspec.Struct, frozen=True):
    operator_id: Annotated[str | None, Meta(description="The operator's reference; null unless paid.")]
    payment_method: Annotated[str | None, Meta(description="Method of the last attempt.", examples=["FLOOZ"])]
    payment_date: Annotated[
        str,
        Meta(
            description="Paid: when it was paid. Refused: the last attempt; one space when cancelled (627). Waiting: empty. UTC.",
            examples=["2021-04-07 14:07:24"],
        ),
    ]
    phone_number: Annotated[
        str | None, Meta(description="National, of the last attempt.", examples=["0102324373"])
    ]
    phone_prefix: Annotated[str | None, Meta(description="Without +.", examples=["225"])]
    amount: Annotated[str, Meta(pattern=r"^\d+$", description="Whole currency units.", examples=["100"])]
    currency: Annotated[str, Meta(examples=["XOF"])]
    status: Annotated[
        Literal["ACCEPTED", "REFUSED", "WAITING_FOR_CUSTOMER"], Meta(description="The class of the code.")
    ]
    description: str
    metadata: str | None
    fund_availability_date: WireDate | None


class Checked(msgspec.Struct, frozen=True):
    """Where the payment stands. Decide by `code`: 00 is paid; 623, 662, 663 and 664 are still waiting; all others are final refusals."""

    code: Annotated[str, Meta(pattern=r"^\d{2,3}$", examples=["00"])]
    message: Annotated[str, Meta(examples=["SUCCES"])]
    api_response_id: ResponseId
    data: CheckData


class Refusal(msgspec.Struct, frozen=True):
    """A request that was refused. It has no `data`: nothing is said about any payment."""

    code: Annotated[str, Meta(pattern=r"^\d{3}$", examples=["608"])]
    message: Annotated[str, Meta(examples=["MINIMUM_REQUIRED_FIELDS"])]
    description: Annotated[
        str, Meta(description="Names the field and the remedy; French, or English by Accept-Language.")
    ]
    api_response_id: ResponseId


STATUS_OF_KIND: dict[Kind, Literal["ACCEPTED", "REFUSED", "WAITING_FOR_CUSTOMER"]] = {
    Kind.PAID: "ACCEPTED",
    Kind.REFUSED: "REFUSED",
    Kind.WAITING: "WAITING_FOR_CUSTOMER",
}

CREATED_DESCRIPTION = "Transaction created with success"
NO_ATTEMPT_DATE = " "  # how 627 shows its date, even when an operator was chosen (contract section 3)


class ResponseIds:
    """``1617808789.7749``: the clock gives three digits, a turning wheel the fourth."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wheel = cycle("0123456789")

    def __call__(self) -> str:
        seconds, milliseconds = divmod(self._clock.now(), SECOND)
        return f"{seconds}.{milliseconds:03d}{next(self._wheel)}"


def created(payment: Payment, payment_url: str, response_id: str) -> bytes:
    """The answer to a payment's initialisation, the first time and when it is replayed."""
    return _encode(
        Created("201", "CREATED", CREATED_DESCRIPTION, CreatedData(payment.token, payment_url), response_id)
    )


def checked(payment: Payment, site: Site, response_id: str) -> bytes:
    """The answer to a check (the table of contract section 3)."""
    kind = payment.code.kind
    phone = payment.phone
    data = CheckData(
        operator_id=payment.operator_id if kind is Kind.PAID else None,
        payment_method=payment.method,
        payment_date=_payment_date(payment, kind),
        phone_number=None if phone is None else phone.national,
        phone_prefix=None if phone is None else phone.prefix,
        amount=str(payment.amount),
        currency=payment.currency,
        status=STATUS_OF_KIND[kind],
        description=payment.request.description,
        metadata=payment.request.metadata,
        fund_availability_date=_fund_availability_date(payment, kind),
    )
    return _encode(Checked(payment.code.number, site.message_of(payment.code), response_id, data))


def refusal(code: str, message: str, description: str, response_id: str) -> bytes:
    """The error envelope: no ``data`` key, by whose absence clients tell an error."""
    return _encode(Refusal(code, message, description, response_id))


def wire_date(at: int) -> str:
    """Milliseconds as ``YYYY-MM-DD HH:MM:SS``, UTC."""
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat(" ")[:19]


def _payment_date(payment: Payment, kind: Kind) -> str:
    if kind is Kind.WAITING:
        return ""
    if kind is Kind.PAID:
        return "" if payment.paid_at is None else wire_date(payment.paid_at)
    if payment.code is Code.CANCELLED or payment.attempt_at is None:
        return NO_ATTEMPT_DATE
    return wire_date(payment.attempt_at)


def _fund_availability_date(payment: Payment, kind: Kind) -> str | None:
    """Midnight, the site's settlement days after the payment (or after the end of a refused one)."""
    end = payment.paid_at if kind is Kind.PAID else payment.ended_at
    if kind is Kind.WAITING or end is None:
        return None
    day = datetime.fromtimestamp(end // DAY * DAY // SECOND, UTC)
    return (day + timedelta(days=payment.request.settlement_days)).isoformat(" ")[:19]
