"""What the gateway tells, as typed values: `Started` and `PaymentStatus`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .codes import PaymentState


@dataclass(frozen=True)
class Started:
    """A payment was opened. Store `payment_token`, send the customer to `payment_url` (redirect with 303)."""

    payment_token: str = field(repr=False)
    payment_url: str = field(repr=False)
    api_response_id: str


@dataclass(frozen=True)
class PaymentStatus:
    """What the gateway says of a payment now. Fields that the answer lacks are None: the guide of 2021 promises five.

    `state` is decided by the number in `code`. `amount` counts whole currency units. Dates are aware, in UTC.
    `raw` is the answer's `data` as it came.
    """

    state: PaymentState
    code: str
    message: str
    api_response_id: str
    amount: int | None = None
    currency: str | None = None
    operator_id: str | None = None
    payment_method: str | None = None
    payment_date: datetime | None = None
    phone_number: str | None = field(default=None, repr=False)
    phone_prefix: str | None = field(default=None, repr=False)
    status: str | None = None
    description: str | None = field(default=None, repr=False)
    metadata: str | None = field(default=None, repr=False)
    fund_availability_date: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def matches(self, *, amount: int, currency: str) -> bool:
        """Whether the gateway speaks of exactly this amount and currency. An answer without them does not match."""
        return self.amount == amount and self.currency == currency
